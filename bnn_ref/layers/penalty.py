"""BNN+'s regularisers: a loss term that draws the size of latent weights to a learned scale."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.basepoint import decide
from bnn_ref.checks import is_number, require
from bnn_ref.layers.base import Layer
from bnn_ref.parameter import Array, Parameter


class LatentPenalty(Layer):
    """y = strength * sum of R(w), R1 = abs(alpha - abs(w)), R2 = (alpha - abs(w))^2; a scalar, alpha learned.

    Parameters
    ----------
    power : int
        1 for R1, 2 for R2.
    strength : float
        Factor, 0 or more.
    initial : float
        First value of alpha; mean abs(w) is a good one.

    Raises
    ------
    ValueError
        For a power or a number out of range.

    Source: after bnnplus2018 (R1, R2); one alpha a layer is ours.
    """

    def __init__(self, power: int, strength: float, initial: float = 1.0) -> None:
        require(power in (1, 2), "power", "1 or 2", power)
        require(is_number(strength) and strength >= 0, "strength", "a number >= 0", strength)
        require(is_number(initial), "initial", "a number", initial)
        self.power, self.strength = power, strength
        self.alpha = Parameter(np.asarray(initial, np.float32), "alpha")

    def forward(self, w: Array) -> tuple[Array, Any]:
        """w: any shape."""
        side = decide(lambda: np.where(w.real < 0, -1, 1).astype(w.real.dtype), lambda: int((w == 0).sum()))
        gap = self.alpha.value - side * w
        above = decide(lambda: np.sign(gap.real), lambda: int((gap == 0).sum()))
        y = (above * gap if self.power == 1 else gap * gap).sum() * self.strength
        return np.asarray(y, w.dtype), (side, gap, above)

    def backward(self, dy: Array, cache: Any) -> Array:
        """R1: dgap = sign(gap) dy; R2: dgap = 2 gap dy. dw = -sign(w) dgap, dalpha = sum of dgap."""
        side, gap, above = cache
        dgap = (above if self.power == 1 else 2 * gap) * (self.strength * dy)
        self.alpha.accumulate(np.asarray(dgap.sum()))
        return np.asarray(-side * dgap)
