"""Proximal maps that are piecewise affine: never falling, and at a jump both limits are values.

Such a map of one variable is argmin_z (z - w)^2 / (2 mu) + r(z) for some r, convex or not: `regulariser`
finds it. The maps around levels are in `quantizers`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from bnn_ref.binarizer import Curve, Piece, as_inexact
from bnn_ref.checks import require
from bnn_ref.parameter import Array

Point = tuple[float, float]
"""(w, P(w))."""


@dataclass(frozen=True)
class ProximalMap(Curve):
    """A non-decreasing piecewise affine map with a closed graph; one of its values is selected at a jump.

    Parameters
    ----------
    selection : str
        The value at a jump: "upper" (default, as sign(0) = +1) or "lower". `values` gives both.

    Attributes
    ----------
    ends : (float, float)
        The slopes left of all corners and right of them.

    Source: ours.
    """

    selection: str = field(default="upper", kw_only=True)
    ends = (0.0, 0.0)

    def __post_init__(self) -> None:
        require(self.selection in ("upper", "lower"), "selection", "'upper' or 'lower'", self.selection)

    def corners(self) -> Iterator[Point]:
        """Points of the graph, neither coordinate falling, with straight lines in between."""
        raise TypeError(f"{type(self).__name__} declares no corners")

    @cached_property
    def vertices(self) -> tuple[Point, ...]:
        """The corners, each once, and of those above each other the first and the last: a jump."""
        kept: list[Point] = []
        for corner in self.corners():
            if len(kept) > 1 and kept[-2][0] == kept[-1][0] == corner[0]:
                kept.pop()
            if not kept or corner != kept[-1]:
                kept.append(corner)
        return tuple(kept)

    @cached_property
    def lines(self) -> tuple[tuple[float, float, float], ...]:
        """(w0, y0, slope) of each piece y0 + slope (w - w0), left to right.

        (w0, y0) is the end nearer to 0 in value: there rounding must not turn a sign.
        """
        left, right = self.ends
        inner = [
            (*min(start, end, key=lambda point: abs(point[1])), (end[1] - start[1]) / (end[0] - start[0]))
            for start, end in pairwise(self.vertices)
            if start[0] != end[0]
        ]
        return ((*self.vertices[0], left), *inner, (*self.vertices[-1], right))

    @cached_property
    def jumps(self) -> tuple[float, ...]:
        """Where it jumps, ascending."""
        return tuple(w for (w, _), (after, _) in pairwise(self.vertices) if after == w)

    @cached_property
    def image(self) -> tuple[tuple[float, float], ...]:
        """The closed intervals of its values, ascending and apart; a level is an interval of one point."""
        left, right = self.ends
        (_, first), (_, last) = self.vertices[0], self.vertices[-1]
        parts = [(-math.inf if left else first, first)]
        parts += [(y, above) for (w, y), (after, above) in pairwise(self.vertices) if after != w]
        merged: list[tuple[float, float]] = []
        for low, high in (*parts, (last, math.inf if right else last)):
            start = merged.pop()[0] if merged and low <= merged[-1][1] else low
            merged.append((start, high))
        return tuple(merged)

    @property
    def nonexpansive(self) -> bool:
        """Whether abs(P(u) - P(v)) <= abs(u - v), to rounding: no jump, no slope above 1; r is convex."""
        return not self.jumps and self.peak <= 1 + 1e-12

    @property
    def levels(self) -> tuple[float, ...] | None:
        """The levels where there is nothing else: a hard quantizer."""
        hard = all(low == high for low, high in self.image)
        return tuple(low for low, _ in self.image) if hard else None

    @property
    def kinks(self) -> tuple[float, ...]:
        return tuple(dict.fromkeys(w for w, _ in self.vertices))

    @property
    def owners(self) -> tuple[str, ...]:
        lower = self.jumps if self.selection == "lower" else ()
        return tuple("left" if kink in lower else "right" for kink in self.kinks)

    @property
    def symmetric(self) -> bool:
        """Whether the graph stays the same turned by half a turn about 0."""
        turned = tuple((-w, -y) for w, y in reversed(self.vertices))
        return turned == self.vertices and self.ends[0] == self.ends[1]

    @property
    def odd(self) -> bool:
        """Whether P(-w) = -P(w) everywhere: at a jump the selection breaks it."""
        return self.symmetric and not self.jumps

    @property
    def support(self) -> float:
        if self.ends != (0, 0):
            return math.inf
        steep = [
            pair for pair in pairwise(self.vertices) if pair[0][0] != pair[1][0] and pair[0][1] != pair[1][1]
        ]
        return max((abs(w) for pair in steep for w, _ in pair), default=0.0)

    @property
    def peak(self) -> float:
        return max(slope for *_, slope in self.lines)

    @property
    def area(self) -> float | None:
        """The sum of all rises without the jumps, None where the ends go on rising."""
        bounded = all(map(math.isfinite, (self.image[0][0], self.image[-1][1])))
        return sum(high - low for low, high in self.image) if bounded else None

    def pieces(self) -> tuple[Piece, ...]:
        return tuple(_line(*line) for line in self.lines)

    def slope(self, x: Array) -> Array:
        return np.array([slope for *_, slope in self.lines])[self.branch(x)]

    def values(self, w: Array) -> Array:
        """The limits from the left and the right, (2, *w.shape): both are values, also where they differ."""
        w = as_inexact(w)
        kinks = np.asarray(self.kinks, w.real.dtype)
        sides = [np.searchsorted(kinks, w.real, side) for side in ("left", "right")]
        return np.stack([self.on_branch(w, branch) for branch in sides])


def _line(w: float, y: float, slope: float) -> Piece:
    return (lambda x: y + slope * (x - w)) if slope else y


@dataclass(frozen=True)
class Polyline(ProximalMap):
    """The proximal map through given points, with given slopes before the first and behind the last.

    Parameters
    ----------
    through : tuple of (float, float)
        (w, P(w)), neither coordinate falling; two points of one w are a jump.
    ends : (float, float)
        The slopes outside, 0 or more.

    Source: ours.
    """

    through: tuple[Point, ...]
    ends: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        points = np.asarray(self.through, np.float64)
        good = points.ndim == 2 and points.shape[-1] == 2 and len(points) > 0 and np.isfinite(points).all()
        good = good and (np.diff(points, axis=0) >= 0).all()
        require(bool(good), "through", "pairs of numbers (w, P(w)), neither falling", self.through)
        require(len(self.ends) == 2 and min(self.ends) >= 0, "ends", "two slopes >= 0", self.ends)
        object.__setattr__(self, "through", tuple((float(w), float(y)) for w, y in points))
        object.__setattr__(self, "ends", tuple(map(float, self.ends)))

    def corners(self) -> Iterator[Point]:
        yield from self.through
