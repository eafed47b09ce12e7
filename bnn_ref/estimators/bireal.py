"""Bi-Real Net: ApproxSign, the piecewise quadratic that is closer to sign than a clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref.binarizer import Curve, Piece
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class PiecewiseQuadratic(Curve):
    """T(x) = x (2 - abs(x)) on [-1, 1], sign(x) outside; T'(x) = max(0, 2 - 2 abs(x)).

    The area between T and sign is 2/3, that of the clip 1. T' is a triangle, so its spectrum is a squared
    sinc and never negative. Source: bireal2018, the backward of its activations.
    """

    kinks = (-1.0, 0.0, 1.0)
    support = 1.0
    peak = 2.0
    area = 2.0

    def pieces(self) -> tuple[Piece, ...]:
        return (-1.0, lambda x: x * (2 + x), lambda x: x * (2 - x), 1.0)

    def slope(self, x: Array) -> Array:
        return np.maximum(2 - 2 * np.abs(x), 0)

    def gain(self, w: Array) -> Array:
        """H(w) = (sin(w/2) / (w/2))^2."""
        return np.sinc(w / (2 * np.pi)) ** 2

    def energy(self, period: float) -> float | None:
        """2 / (5 P), on periods that hold the step."""
        return 2 / (5 * period) if period >= 2 else None
