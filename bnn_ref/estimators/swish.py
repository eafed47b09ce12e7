"""BNN+ and BNN++: the sign-Swish function, behind a hard sign or in its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref.binarizer import Curve, Piece
from bnn_ref.checks import require_positive
from bnn_ref.estimators.ste import SETTLED, sech_squared
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class SwishSign(Curve):
    """T(x) = 2 s (1 + bx (1 - s)) - 1, s = 1 / (1 + exp(-bx)); T'(x) = b (1 - u tanh u) / cosh^2 u, u = bx/2.

    T is not monotone: it peaks at 1.19967864 where bx = 2.39935728 and falls back to 1, so that its slope has
    two negative lobes.

    Parameters
    ----------
    beta : float
        b, the slope at 0, in units of 1/x. Larger is tighter.

    Source: after bnnplus2018, as the larq library implements its slope.
    """

    beta: float = 5.0
    monotone = False
    area = 2.0

    def __post_init__(self) -> None:
        require_positive("beta", self.beta)

    @property
    def peak(self) -> float:
        return self.beta

    def value(self, x: Array) -> Array:
        """tanh u + u / cosh^2 u: the same function, safe for large x and for complex x."""
        u = self.beta / 2 * x
        t = np.tanh(u)
        rest = 1 - t * t
        return t + np.where(rest == 0, 0, u) * rest  # u may be infinite where nothing is left

    def pieces(self) -> tuple[Piece, ...]:
        return (self.value,)

    def slope(self, x: Array) -> Array:
        u = self.beta / 2 * x
        bump = sech_squared(u)
        return self.beta * (1 - np.where(bump == 0, 0, u) * np.tanh(u)) * bump

    def gain(self, w: Array) -> Array:
        """H(w) = v^2 cosh v / sinh^2 v, v = pi w / beta: 2 v^2 e (1 + e^2) / (1 - e^2)^2 with e = exp(-v)."""
        v = np.abs(np.pi * np.asarray(w, np.float64) / self.beta)
        safe = np.where(v > 0, v, 1.0)
        e = np.exp(-safe)
        return np.where(v > 0, 2 * safe**2 * e * (1 + e * e) / np.expm1(-2 * safe) ** 2, 1.0)

    def energy(self, period: float) -> float | None:
        """(2 pi^2 / 9 - 4/3) / (beta P), where the step has settled at P/2 to below rounding."""
        steps = self.beta * period
        return float((2 * np.pi**2 / 9 - 4 / 3) / steps) if steps >= SETTLED else None
