"""Proximal maps around a set of levels Q: from the clip to the projection, by several ways."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from bnn_ref.binarizer import Sign
from bnn_ref.checks import is_number, require
from bnn_ref.estimators.proximal import Point, ProximalMap


def as_levels(points: Any) -> tuple[float, ...]:
    """The level set Q as numbers. Raises ValueError unless they are two or more and ascend."""
    good = isinstance(points, (Sequence, np.ndarray)) and len(points) > 1 and all(map(is_number, points))
    good = good and all(low < high for low, high in pairwise(points))
    require(good, "levels", "two or more ascending numbers", points)
    return tuple(float(point) for point in points)


def reach(levels: Sequence[float]) -> float:
    """Half the largest gap between neighbours of Q: a shift this large leaves nothing between the levels."""
    return max(max(p - low, high - p) for low, high, p in gaps(levels))


def gaps(levels: Sequence[float]) -> Iterator[tuple[float, float, float]]:
    """(q_k, q_k+1, their midpoint) for each pair of neighbours."""
    return ((low, high, (low + high) / 2) for low, high in pairwise(levels))


def towards(start: float, end: float, step: float) -> float:
    """`start` moved towards `end` by `step`, no further than `end`."""
    return end if step >= abs(end - start) else start + math.copysign(step, end - start)


@dataclass(frozen=True)
class Quantizer(ProximalMap):
    """A proximal map around a set of levels.

    Parameters
    ----------
    points : tuple of float
        Q, the levels, ascending.

    Source: ours.
    """

    points: tuple[float, ...] = (-1.0, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "points", as_levels(self.points))


def require_amount(name: str, value: Any) -> None:
    """Raise ValueError unless `value` is a finite number of at least 0."""
    require(is_number(value) and value >= 0, name, "a number >= 0", value)


@dataclass(frozen=True)
class ProximalQuantizer(Quantizer):
    """L(w): flat at each level as far as rho, rising in between, jumping by up to 2 vrho at each midpoint.

    (0, 0) is the clip to [q_1, q_b]; from half the largest gap on (`reach`), rho or vrho make the projection.

    Parameters
    ----------
    rho : float
        How far each level is held on both of its sides, in units of w.
    vrho : float
        Half the jump at each midpoint, as far as the levels allow, in units of w.

    Source: after proxconnect2021; the formula as written here is ours.
    """

    rho: float = 0.0
    vrho: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_amount("rho", self.rho)
        require_amount("vrho", self.vrho)

    def corners(self) -> Iterator[Point]:
        for low, high, p in gaps(self.points):
            yield towards(low, p, self.rho), low
            yield p, towards(p, low, self.vrho)
            yield p, towards(p, high, self.vrho)
            yield towards(high, p, self.rho), high


@dataclass(frozen=True)
class Projection(Quantizer):
    """P_Q(w), the nearest level: the proximal map of r = 0 on Q and infinity elsewhere. Source: ours."""

    def corners(self) -> Iterator[Point]:
        for low, high, p in gaps(self.points):
            yield p, low
            yield p, high


SELECTION = {1: "upper", -1: "lower"}
"""The value at a tie that goes with each choice of sign(0)."""


def projection(levels: Sequence[float], zero: int = 1) -> Sign | Projection:
    """P_Q with the upper value at ties, the lower for `zero` = -1; on {-1, 1} that is sign. Source: ours."""
    points = as_levels(levels)
    return (
        Sign(zero) if points == (-1, 1) else Projection(points=points, selection=SELECTION[Sign(zero).zero])
    )


@dataclass(frozen=True)
class BinaryRelax(Quantizer):
    """(w + m P_Q(w)) / (1 + m): a line of slope 1 / (1 + m) that jumps at midpoints, unbounded outside.

    On {-1, 1} the proximal map of (m/2) (1 - abs z)^2; with more levels ProxQuant's released code has it too.

    Parameters
    ----------
    strength : float
        m.

    Source: binaryrelax2018; proxquant2019, released code.
    """

    strength: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require_amount("strength", self.strength)

    @property
    def ends(self) -> tuple[float, float]:  # type: ignore[override]
        return (1 / (1 + self.strength),) * 2

    def corners(self) -> Iterator[Point]:
        for low, high, p in gaps(self.points):
            yield p, (p + self.strength * low) / (1 + self.strength)
            yield p, (p + self.strength * high) / (1 + self.strength)


@dataclass(frozen=True)
class Parq(Quantizer):
    """Between two levels a line of slope 1/s through their midpoint, clamped to them; constant outside.

    Parameters
    ----------
    s : float
        1 / slope, in [0, 1]: 1 is the clip, 0 the projection.

    Source: parq2025, released code; the constants outside are ours.
    """

    s: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require(is_number(self.s) and 0 <= self.s <= 1, "s", "a number in [0, 1]", self.s)

    def corners(self) -> Iterator[Point]:
        for low, high, p in gaps(self.points):
            yield towards(p, low, self.s * (p - low)), low
            yield p, p
            yield towards(p, high, self.s * (high - p)), high
