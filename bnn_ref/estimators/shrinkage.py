"""Proximal maps of penalties that pull weights to levels: ProxQuant's W shape, PARQ's convex polyline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bnn_ref.checks import is_number, require
from bnn_ref.estimators.proximal import Point, ProximalMap
from bnn_ref.estimators.quantizers import require_amount, towards


def mirrored(upper: Sequence[Point]) -> Iterator[Point]:
    """The points of the other half of an odd graph, ascending, 0 and never -0."""
    return ((0.0 - w, 0.0 - y) for w, y in reversed(upper))


@dataclass(frozen=True)
class ProxQuant(ProximalMap):
    """sign(w) (1 + sign(abs(w) - 1) max(abs(abs(w) - 1) - lam, 0)): proximal to lam * (distance to +-1).

    Nothing clips it: beyond 1 + lam it is w - lam sign(w). From lam = 1 on it is sign on [-1 - lam, 1 + lam].

    Parameters
    ----------
    strength : float
        lam, in units of w.

    Source: proxquant2019, released code.
    """

    strength: float = 0.0
    ends = (1.0, 1.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        require_amount("strength", self.strength)

    def corners(self) -> Iterator[Point]:
        lam = self.strength
        held, jump = towards(1, 0, lam), towards(0, 1, lam)
        upper = ((0.0, jump), (held, 1.0), (1 + lam, 1.0))
        yield from mirrored(upper)
        yield from upper


@dataclass(frozen=True)
class ConvexPar(ProximalMap):
    """The proximal map of a convex piecewise affine r, even, with slope a_k between q_k and q_k+1, q_0 = 0.

    sign(w) q_k          where a_k-1 + q_k <= abs(w) <= a_k + q_k
    w - sign(w) a_k      where a_k + q_k   <= abs(w) <= a_k + q_k+1

    Parameters
    ----------
    magnitudes : tuple of float
        q_1 < q_2 < ..., the levels above 0; none is soft thresholding.
    slopes : tuple of float
        a_0 < a_1 < ..., the first at least 0. As many as magnitudes: nothing lies beyond the last; one more:
        the slope of r there.

    Source: parq2025.
    """

    magnitudes: tuple[float, ...] = (1.0,)
    slopes: tuple[float, ...] = (0.5,)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("magnitudes", 5e-324), ("slopes", 0.0)):
            given = getattr(self, name)
            good = all(map(is_number, given)) and all(a < b for a, b in pairwise(given))
            require(
                good and min(given, default=1) >= least, name, "ascending numbers of the right sign", given
            )
            object.__setattr__(self, name, tuple(map(float, given)))
        extra = len(self.slopes) - len(self.magnitudes)
        require(
            extra in (0, 1) and bool(self.slopes), "slopes", "as many as magnitudes, or one more", self.slopes
        )

    @property
    def ends(self) -> tuple[float, float]:  # type: ignore[override]
        return (float(len(self.slopes) > len(self.magnitudes)),) * 2

    def corners(self) -> Iterator[Point]:
        upper = [
            corner
            for a, (low, high) in zip(self.slopes, pairwise((0.0, *self.magnitudes, math.inf)), strict=False)
            for corner in ((a + low, low), (a + high, high))
            if math.isfinite(high) or corner[1] == low
        ]
        yield from mirrored(upper)
        yield from upper
