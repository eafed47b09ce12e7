"""Bi-Real Net's representational capability: how many values an entry, and a tensor, can take.

The bounds stand in `analysis.capability`'s tables; here each rule is put to the test by counting.
"""

from __future__ import annotations

import numpy as np

from analysis.ledger.claim import Finding, claim, collected, near
from analysis.ledger.numeric import sums_of_signs, taps_of_map
from bnn_ref import estimators
from bnn_ref.layers import BatchNorm, Conv2d
from bnn_ref.parameter import Array

PAPER, OURS = "bireal2018", "ours"
SEED = 6
SIZE, CHANNELS = 14, 32
TAPS = 9 * CHANNELS
BEHIND = f"behind 3x3 kernels on {CHANNELS} channels"
SIGN = estimators.get("approxsign")


@claim(
    "bireal-capability-conv", PAPER, "representational capability: the 1-bit convolution", "P?",
    f"An entry of a 1-bit convolution of n taps takes n + 1 values: 289 {BEHIND}.",
)  # fmt: skip
def conv_values() -> Finding:
    found = sums_of_signs(TAPS)
    steps = bool((np.diff(found) == 2).all() and found[0] == -TAPS)
    return Finding(steps and len(found) == TAPS + 1 == 289, len(found), "values counted, from -n by 2 to n")


@claim(
    "bireal-capability-count-n", PAPER, "representational capability, by an independent summary", "N",
    "An entry of a 1-bit convolution of n taps takes n values.",
)  # fmt: skip
def count_n() -> Finding:
    return near(len(sums_of_signs(TAPS)), TAPS, 0, "values counted for n = 288: one more")


@claim(
    "bireal-capability-norm", PAPER, "representational capability: batch norm", "P?",
    "Batch norm is one-to-one in each channel: as many values after it as before.",
)  # fmt: skip
def norm_values() -> Finding:
    rng, norm = np.random.default_rng(SEED), BatchNorm(CHANNELS)
    norm.eval()
    norm.gamma.value, norm.running_mean = rng.normal(size=(2, CHANNELS)).astype(np.float32)
    outputs = norm(np.repeat(sums_of_signs(TAPS)[:, None], CHANNELS, 1).astype(np.float32))
    least = min(len(np.unique(outputs[:, c])) for c in range(CHANNELS))
    return near(least, TAPS + 1, 0, "fewest values of 32 channels, float32, no gamma 0")


@claim(
    "bireal-capability-sign", PAPER, "representational capability: without the shortcut", "P?",
    "Without the shortcut the next sign leaves 2 values of an entry.",
)  # fmt: skip
def sign_values() -> Finding:
    return near(len(np.unique(SIGN.forward(sums_of_signs(TAPS)))), 2, 0, "values of the sign of 289 values")


def _bits(values: Array) -> float:
    """log2 of the number of values of a map with so many values at each pixel, in every channel."""
    return float(CHANNELS * np.log2(values).sum())


@claim(
    "bireal-capability-bits", PAPER, OURS, "D",
    f"A 14 x 14 map {BEHIND}: 6,272 bits after sign, 51,273.13 after convolution and norm, twice that "
    "(102,546.27) with the shortcut.",
)  # fmt: skip
def bits() -> Finding:
    inside = np.full((SIZE, SIZE), len(sums_of_signs(TAPS)))
    found = _bits(np.full((SIZE, SIZE), 2)), _bits(inside), _bits(inside**2)
    gaps = np.abs(np.array(found) - (6272, 51273.13, 102546.27))
    return Finding(bool((gaps < 5e-3).all()), found[2], "bits with the shortcut")


def _corner() -> Array:
    """Outputs of one real layer at the corner pixel: filters of all +1, inputs with one more -1 each time."""
    conv = Conv2d(CHANNELS, 1, 3, padding=1, rng=np.random.default_rng(SEED), activation=SIGN, weight=SIGN)
    conv.latent.value = np.ones_like(conv.latent.value)
    images = np.ones((4 * CHANNELS + 1, 2, 2, CHANNELS), np.float32)
    for k, image in enumerate(images):
        image.reshape(-1)[:k] = -1
    return np.asarray(conv.eval()(images)[:, 0, 0, 0])


@claim(
    "bireal-capability-corner", PAPER, OURS, "D",
    "At the corner of a zero-padded map 4 of 9 pixels are left: 129 values instead of 289.",
)  # fmt: skip
def corner() -> Finding:
    found = np.unique(_corner())
    same = np.array_equal(found, sums_of_signs(int(taps_of_map(SIZE, CHANNELS)[0, 0])))
    return Finding(same and len(found) == 129, len(found), "values of a convolution layer at its corner")


@claim(
    "bireal-capability-border", PAPER, OURS, "D",
    "The count that ignores the border is too high: padding takes 2 % of the bits of a 14 x 14 map.",
)  # fmt: skip
def border() -> Finding:
    taps = taps_of_map(SIZE, CHANNELS)
    lost = 1 - _bits(taps + 1) / _bits(np.full_like(taps, TAPS + 1))
    return near(lost, 0.02, 5e-3, "share of log2 of the number of values")


CLAIMS = collected(globals())
