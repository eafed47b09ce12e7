"""Straight-through estimators: the gradient passes the sign as if it were the identity, or a clip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref.binarizer import Binarizer, Curve, Map, Piece
from bnn_ref.checks import require_positive
from bnn_ref.parameter import Array

SETTLED = 90.0
"""beta P from which a smooth step on a period is one on the line: exp(-45) is left."""


@dataclass(frozen=True)
class Identity(Curve):
    """T(x) = x, T'(x) = 1: the plain straight-through estimator.

    Its slope has no Fourier transform: it never falls off. Source: bengio2013.
    """

    peak = 1.0

    def pieces(self) -> tuple[Piece, ...]:
        return (lambda x: x,)

    def slope(self, x: Array) -> Array:
        return np.ones_like(x)


@dataclass(frozen=True)
class HardTanh(Curve):
    """T(x) = max(-c, min(x, c)), T'(x) = 1[abs(x) <= c]: the clipped straight-through estimator.

    Parameters
    ----------
    clip : float
        c, in units of x.
    inclusive : bool
        Whether the slope at abs(x) = c is 1 (the usual definition) or 0 (some released codes). In a binary
        network this is no matter of measure zero: sums of 27 signs hit abs(x) = 1 in 30 % of cases.

    Source: bnn2016 (mask abs(x) <= 1).
    """

    clip: float = 1.0
    inclusive: bool = True
    two_slopes = (0.0, 1.0)
    peak = 1.0

    def __post_init__(self) -> None:
        require_positive("clip", self.clip)

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-self.clip, self.clip)

    @property
    def owners(self) -> tuple[str, ...]:
        return ("right", "left") if self.inclusive else ("left", "right")

    @property
    def support(self) -> float:
        return self.clip

    @property
    def area(self) -> float:
        return 2 * self.clip

    def pieces(self) -> tuple[Piece, ...]:
        return (-self.clip, lambda x: x, self.clip)

    def slope(self, x: Array) -> Array:
        size = np.abs(x)
        return (size <= self.clip if self.inclusive else size < self.clip).astype(x.dtype)

    def gain(self, w: Array) -> Array:
        """H(w) = sin(w c) / w."""
        return self.clip * np.sinc(w * self.clip / np.pi)

    def energy(self, period: float) -> float | None:
        """2 / (3 P) for c = 1, on periods that hold the clip."""
        return 2 / (3 * period) if self.clip == 1 and period >= 2 else None


def clip_activation(clip: float = 1.0) -> Binarizer:
    """F(x) = T(x) = max(-c, min(x, c)), deployed as itself: real activations, for binary weights alone.

    Parameters
    ----------
    clip : float
        c, in units of x.

    Source: after bnn2016 (its hard tanh).
    """
    curve = HardTanh(clip)
    return Binarizer(curve, curve, curve)


@dataclass(frozen=True)
class Tanh(Curve):
    """T(x) = tanh(beta x), T'(x) = beta sech^2(beta x): the smooth step that others are compared with.

    Parameters
    ----------
    beta : float
        Slope at 0, in units of 1/x.

    Source: fda2021 compares with it; the closed form of its spectrum is ours.
    """

    beta: float = 1.0
    area = 2.0

    def __post_init__(self) -> None:
        require_positive("beta", self.beta)

    @property
    def peak(self) -> float:
        return self.beta

    def pieces(self) -> tuple[Piece, ...]:
        return (lambda x: np.tanh(self.beta * x),)

    def slope(self, x: Array) -> Array:
        return self.beta * sech_squared(self.beta * x)

    def gain(self, w: Array) -> Array:
        """H(w) = v / sinh(v), v = pi w / (2 beta)."""
        return over_sinh(np.pi * w / (2 * self.beta))

    def energy(self, period: float) -> float | None:
        """2 (2 log 2 - 1) / (beta P), where the step has settled at P/2 to below rounding."""
        steps = self.beta * period
        return float(2 * (2 * np.log(2) - 1) / steps) if steps >= SETTLED else None


@dataclass(frozen=True)
class GradientClip(Map):
    """dx = max(-c, min(dy, c)), whatever x is: the gradient's value is clipped, not masked by its input.

    That is not linear in dy: there is no T.

    Parameters
    ----------
    limit : float
        c, in units of the gradient.

    Source: fda2021, Eq. 2-3, which call it STE.
    """

    limit: float = 1.0
    linear = False

    def __post_init__(self) -> None:
        require_positive("limit", self.limit)

    def vjp(self, x: Array, dy: Array) -> Array:
        return np.clip(dy, -self.limit, self.limit)

    def declared_vjp(self, x: Array, dy: Array) -> Array:
        """The point of [-c, c] nearest to dy: (abs(dy + c) - abs(dy - c)) / 2."""
        return (np.abs(dy + self.limit) - np.abs(dy - self.limit)) / 2

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)


def sech_squared(x: Array) -> Array:
    """1 / cosh^2(x) without overflow: 4 e / (1 + e)^2 with e = exp(-2 abs(x))."""
    e = np.exp(-2 * np.abs(x))
    return 4 * e / (1 + e) ** 2


def over_sinh(v: Array) -> Array:
    """v / sinh(v), 1 at 0, without overflow."""
    size = np.abs(np.asarray(v, np.float64))
    safe = np.where(size > 0, size, 1.0)
    return np.where(size > 0, 2 * safe * np.exp(-safe) / -np.expm1(-2 * safe), 1.0)
