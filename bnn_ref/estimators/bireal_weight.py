"""Rules for weights that carry their mean magnitude alpha: Bi-Real Net's, three of them, and XNOR-Net's.

All rules answer alpha sign(W), alpha = mean abs(W) per filter (`bnn_weight` alone: sign(W)); they differ in
the gradient. Behind a batch norm, as in every Bi-Real block, the published one is that of plain signs: see
docs/bireal.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref.binarizer import Binarizer, Detach, Map, MeanAbs, Scaled, Sign, Sum
from bnn_ref.estimators.ste import HardTanh, Identity
from bnn_ref.parameter import Array


def _weight(zero: int, surrogate: Map, forward: Map | None = None) -> Binarizer:
    """F = alpha sign unless given, T = `surrogate`, deployed as alpha sign."""
    scaled = Scaled(Detach(MeanAbs()), Sign(zero))
    return Binarizer(scaled if forward is None else forward, surrogate, Scaled(MeanAbs(), Sign(zero)))


def bnn_weight(*, inclusive: bool = False, zero: int = 1) -> Binarizer:
    """F(x) = sign(x), T'(x) = 1[abs(x) < 1]: the baseline, without magnitude.

    Parameters
    ----------
    inclusive : bool
        Whether the slope at abs(x) = 1 is 1.

    Source: bireal2018 (the baseline of its ablation, by a written summary).
    """
    return Binarizer(Sign(zero), HardTanh(inclusive=inclusive), Sign(zero))


def bireal_weight_paper(*, inclusive: bool = False, zero: int = 1) -> Binarizer:
    """F(x) = alpha sign(x), T'(x) = alpha 1[abs(x) < 1], no gradient through alpha = mean abs(x) per filter.

    Parameters
    ----------
    inclusive : bool
        Whether the mask holds at abs(x) = 1: False as in the formula, True as in the larq library.

    Source: bireal2018 (the formula, by a written summary).
    """
    rule = Scaled(Detach(MeanAbs()), Binarizer(Sign(zero), HardTanh(inclusive=inclusive)))
    return _weight(zero, rule, rule)


def bireal_weight_code(*, inclusive: bool = True, zero: int = 1) -> Binarizer:
    """F(x) = alpha sign(x), T'(x) = 1[abs(x) <= 1]: no alpha in the backward.

    Parameters
    ----------
    inclusive : bool
        Whether the mask holds at abs(x) = 1.

    Source: bireal2018 (released PyTorch code).
    """
    return _weight(zero, HardTanh(inclusive=inclusive))


def bireal_weight_caffe(*, zero: int = 1) -> Binarizer:
    """F(x) = alpha sign(x), T(x) = x: neither alpha nor a mask in the backward.

    Source: bireal2018 (released Caffe training layer).
    """
    return _weight(zero, Identity())


@dataclass(frozen=True)
class FilterShare(Map):
    """y = x / n, dx = dy / n, n entries a filter (filters on the last axis). Source: after xnornet2016."""

    def __call__(self, x: Array) -> Array:
        return x / (x.size // x.shape[-1])

    def vjp(self, x: Array, dy: Array) -> Array:
        return dy / (x.size // x.shape[-1])

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)


def xnor_weight(*, inclusive: bool = True, zero: int = 1) -> Binarizer:
    """F(x) = alpha sign(x), T'(x) = 1/n + alpha 1[abs(x) <= 1]: the usual gradient, n entries a filter.

    The product rule has a sum over the filter in place of 1/n: `xnor-weight-exact`.

    Parameters
    ----------
    inclusive : bool
        Whether the mask holds at abs(x) = 1.

    Source: after xnornet2016, as others quote its gradient of the weight. Its released code has a strict
    mask, centres the gradient and multiplies it by n: not here.
    """
    masked = Scaled(Detach(MeanAbs()), HardTanh(inclusive=inclusive))
    return _weight(zero, Sum((FilterShare(), masked)))


def xnor_weight_exact(*, inclusive: bool = True, zero: int = 1) -> Binarizer:
    """F(x) = alpha(x) sign(x), T(x) = alpha(x) sign(x), with gradient through both.

    dx_i = alpha 1[abs(x_i) <= 1] dy_i + sign(x_i)/n sum_j dy_j sign(x_j), the sum over the filter.

    Parameters
    ----------
    inclusive : bool
        Whether the mask holds at abs(x) = 1.

    Source: the product rule on the forward of xnornet2016; ours.
    """
    rule = Scaled(MeanAbs(), Binarizer(Sign(zero), HardTanh(inclusive=inclusive)))
    return _weight(zero, rule, rule)
