"""ReSTE: a power function between the straight line and sign, rectified near 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bnn_ref.annealing import Moment
from bnn_ref.binarizer import Binarizer, Curve, MeanAbs, Piece, Scaled, Sign
from bnn_ref.checks import is_number, require, require_positive
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class PowerFunction(Curve):
    """T(x) = sign(x) abs(x)^(1/o) for m < abs(x) <= t, its secant through 0 inside, constant outside.

    T'(x) = m^(1/o - 1) for abs(x) <= m, abs(x)^(1/o - 1) / o for m < abs(x) <= t, 0 beyond.

    Parameters
    ----------
    o : float
        Root, at least 1: 1 is the straight line, large is near sign.
    m : float
        Where the secant replaces the unbounded slope.
    t : float
        Half width of the window.

    Source: reste2023; m = 0.1, t = 1.5 and the rule at m and t are those of its released code.
    """

    o: float = 3.0
    m: float = 0.1
    t: float = 1.5

    def __post_init__(self) -> None:
        require(is_number(self.o) and self.o >= 1, "o", "a number >= 1", self.o)
        require_positive("t", self.t)
        require(
            is_number(self.m) and 0 < self.m < self.t, "m", f"a number between 0 and t = {self.t}", self.m
        )

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-self.t, -self.m, self.m, self.t)

    @property
    def owners(self) -> tuple[str, ...]:
        return ("right", "right", "left", "left")

    @property
    def support(self) -> float:
        return self.t

    @property
    def peak(self) -> float:
        return float(self.m ** (1 / self.o - 1))

    @property
    def area(self) -> float:
        return float(2 * self.t ** (1 / self.o))

    def pieces(self) -> tuple[Piece, ...]:
        root, top, secant = 1 / self.o, self.t ** (1 / self.o), self.peak
        return (-top, lambda x: -((-x) ** root), lambda x: secant * x, lambda x: x**root, top)

    def slope(self, x: Array) -> Array:
        size = np.abs(x)
        power = np.maximum(size, self.m) ** (1 / self.o - 1) / self.o
        return np.where(size <= self.m, self.peak, power).astype(x.dtype) * (size <= self.t)


@dataclass(frozen=True)
class CosineRoot:
    """o = 1 + (1 - cos(pi/2 * e/E)) (o_end - 1). Source: reste2023, released code."""

    o_end: float = 3.0

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """o at `moment.fraction`."""
        return {"o": float(1 + (1 - np.cos(np.pi / 2 * moment.fraction)) * (self.o_end - 1))}


def scaled(o: float = 3.0, m: float = 0.1, t: float = 1.5, zero: int = 1) -> Binarizer:
    """alpha sign(x), alpha = mean abs(x) of the whole tensor, the gradient through both factors.

    T(x) = alpha(x) P(x), P the power function; dx = alpha P'(x) dy + sign(x) / n * sum of sign(x) dy.

    Parameters
    ----------
    o : float
        Root of P, at least 1.
    m : float
        Where a secant replaces P's unbounded slope.
    t : float
        Half width of P's window.

    Source: reste2023, released code (one scale a layer, not detached).
    """
    alpha = MeanAbs(per_channel=False)
    rule = Scaled(alpha, Binarizer(Sign(zero), PowerFunction(o, m, t), Sign(zero)))
    return Binarizer(rule, rule, Scaled(alpha, Sign(zero)), CosineRoot())
