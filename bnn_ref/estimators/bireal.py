"""Bi-Real Net: ApproxSign, the piecewise quadratic that is closer to sign than a clip; and its leaky clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref.binarizer import Curve, Piece
from bnn_ref.checks import is_number, require, require_positive
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


@dataclass(frozen=True)
class LeakyClip(Curve):
    """x inside (-c, c), sign(x) (c + leak (abs(x) - c)) outside: a clip that lets some of the gradient pass.

    Parameters
    ----------
    clip : float
        c, in units of x.
    leak : float
        The slope outside and at abs(x) = c, in (0, 1].

    Source: bireal2018 (released code): between ReLU and clip when a real-valued network is trained first,
    and in front of the 50-layer network.
    """

    clip: float = 1.0
    leak: float = 0.1
    owners = ("left", "right")
    peak = 1.0

    def __post_init__(self) -> None:
        require_positive("clip", self.clip)
        require(is_number(self.leak) and 0 < self.leak <= 1, "leak", "a number in (0, 1]", self.leak)

    @property
    def two_slopes(self) -> tuple[float, float]:
        return (float(self.leak), 1.0)

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-self.clip, self.clip)

    def pieces(self) -> tuple[Piece, ...]:
        return (
            lambda x: self.leak * (x + self.clip) - self.clip,
            lambda x: x,
            lambda x: self.leak * (x - self.clip) + self.clip,
        )

    def slope(self, x: Array) -> Array:
        return np.where(np.abs(x) < self.clip, 1, self.leak).astype(x.dtype)
