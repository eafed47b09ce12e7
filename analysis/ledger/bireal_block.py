"""Bi-Real Net's magnitude-aware weight gradient, and what the batch norm behind it makes of it.

One layer, three rules for the gradient of its weight: the formula's (the scale alpha multiplies forward and
backward, no gradient through it), the baseline's (signs alone), and the released code's (alpha forward,
nothing backward). BN(alpha z) = BN(z), so they differ less than it seems.
"""

from __future__ import annotations

import numpy as np

from analysis.ledger.claim import Finding, at_most, claim, collected, near
from analysis.ledger.numeric import largest
from analysis.magnitude import alpha, difference
from analysis.magnitude import weight_gradient as gradient_of
from bnn_ref.parameter import Array

PAPER, OURS = "bireal2018", "ours, for batch norm with eps = 0 in training"
SEED = 4
PLAIN, PAPER_RULE, CODE, UNMASKED, EXACT = (
    *("bnn-weight", "bireal-weight-paper", "bireal-weight-code", "bireal-weight-caffe"),
    "xnor-weight-exact",
)
"""UNMASKED has as its gradient that of the binarized weight itself."""


def weight_gradient(rule: str, eps: float = 0.0, norm_first: bool = False) -> tuple[Array, Array]:
    """The latent weight and its gradient, in one layer drawn once."""
    return gradient_of(rule, SEED, eps, norm_first=norm_first)


@claim(
    "bireal-magnitude-aware", PAPER, "the magnitude-aware weight gradient", "N",
    "Scaling a weight's forward and backward by its mean magnitude gives another gradient than signs alone.",
)  # fmt: skip
def magnitude_aware() -> Finding:
    gap = difference(weight_gradient(PLAIN)[1], weight_gradient(PAPER_RULE)[1])
    return Finding(
        gap > 1e-6, gap, "relative difference, batch norm (eps = 0) behind, as the block always has it"
    )


@claim(
    "bireal-paper-is-plain", PAPER, OURS, "D",
    "Behind a batch norm the formula's gradient is the baseline's, exactly.",
)  # fmt: skip
def paper_is_plain() -> Finding:
    gap = difference(weight_gradient(PLAIN)[1], weight_gradient(PAPER_RULE)[1])
    return at_most(gap, 1e-12, "relative difference")


@claim(
    "bireal-dropped-term", PAPER, OURS, "D",
    "There the product-rule term that the formula drops is 0: sum G W_b = 0.",
)  # fmt: skip
def dropped_term() -> Finding:
    weight, gradient = weight_gradient(UNMASKED)
    sums = (gradient * np.sign(weight)).sum(axis=0) / np.abs(gradient).sum(axis=0)
    return at_most(largest(sums), 1e-12, "largest sum of a channel, relative to its absolute values")


@claim(
    "bireal-paper-is-exact", PAPER, OURS, "D",
    "There the formula's gradient is also that of the full product rule.",
)  # fmt: skip
def paper_is_exact() -> Finding:
    gap = difference(weight_gradient(EXACT)[1], weight_gradient(PAPER_RULE)[1])
    return at_most(gap, 1e-12, "relative difference")


@claim(
    "bireal-code-is-plain", PAPER, OURS, "D",
    "There the released code's gradient is the baseline's, over alpha.",
)  # fmt: skip
def code_is_plain() -> Finding:
    weight, code = weight_gradient(CODE)
    gap = difference(weight_gradient(PLAIN)[1], code * alpha(weight))
    return at_most(gap, 1e-12, "relative difference: magnitude enters as a step size of 1/alpha per filter")


@claim(
    "bireal-formula-and-code", PAPER, "formula (by a summary) and released PyTorch code", "R",
    "The released code computes the formula's gradient of the weight.",
)  # fmt: skip
def formula_and_code() -> Finding:
    gap = difference(weight_gradient(CODE)[1], weight_gradient(PAPER_RULE)[1])
    return at_most(gap, 1e-6, "relative difference: the code has no alpha in its backward")


@claim(
    "bireal-eps", PAPER, "ours", "D",
    "Only batch norm's eps tells formula and baseline apart, the less, the smaller it is.",
)  # fmt: skip
def eps() -> Finding:
    sizes = (1e-1, 1e-3, 1e-5)
    gaps = [difference(weight_gradient(PLAIN, e)[1], weight_gradient(PAPER_RULE, e)[1]) for e in sizes]
    return Finding(
        gaps[0] > gaps[1] > gaps[2] > 1e-12, gaps[1], "relative difference at eps = 0.001, this layer"
    )


@claim(
    "bireal-norm-first", PAPER, "ours", "D",
    "With batch norm before the convolution the dropped term is not 0.",
)  # fmt: skip
def norm_first() -> Finding:
    exact, paper = (weight_gradient(rule, norm_first=True)[1] for rule in (EXACT, PAPER_RULE))
    gap = difference(exact, paper)
    return Finding(gap > 1e-3, gap, "relative difference of formula and product rule (XNOR-Net's block)")


def _values(scale: float) -> int:
    """Different values of a sum of two outputs of 288 taps, the second one scaled."""
    outputs = np.arange(-288, 289, 2)
    return len(np.unique(outputs[:, None] + scale * outputs))


@claim(
    "bireal-values", PAPER, "the argument for the shortcut: 289^2 values an entry", "P?",
    "Adding the shortcut squares the number of values an entry can take: from 289 to 83,521 (288 taps).",
)  # fmt: skip
def values() -> Finding:
    return near(
        _values(np.sqrt(2)), 289**2, 0, "values counted, where batch norm scales them by 1 and sqrt 2"
    )


@claim(
    "bireal-values-equal", PAPER, "ours", "D",
    "If both are scaled equally, an entry takes 577 values only.",
)  # fmt: skip
def values_equal() -> Finding:
    return near(_values(1.0), 577, 0, "values counted")


CLAIMS = collected(globals())
