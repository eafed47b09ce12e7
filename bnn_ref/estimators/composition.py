"""T o P: a curve behind a proximal map, and the curve whose slope is T'(P(w))."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from bnn_ref.binarizer import Binarizer, Curve, Piece, Sign
from bnn_ref.checks import require
from bnn_ref.estimators.proximal import ProximalMap
from bnn_ref.parameter import Array

Function = Callable[[Array], Array]
Line = tuple[float, float, float]
"""(w0, y0, slope), as in `ProximalMap.lines`."""

SAMPLES = 4001
"""How many values of P are looked at, on each interval of its image, for the extremes of T'."""


@dataclass(frozen=True)
class Cell:
    """Where P is one line, P(w) = y + slope (w - w0), and T one analytic piece."""

    w0: float
    y: float
    slope: float
    outer: Function

    def inner(self, w: Array) -> Array:
        """P(w)."""
        return self.y + self.slope * (w - self.w0)


@dataclass(frozen=True)
class Composition(Curve):
    """What T(P(w)) and the integral of T'(P(w)) have in common: the cells on which both are analytic.

    Parameters
    ----------
    outer : Curve
        T, odd and without parameters of its own to train.
    inner : ProximalMap
        P, symmetric about 0.

    Source: ours.
    """

    outer: Curve
    inner: ProximalMap

    def __post_init__(self) -> None:
        good = self.outer.odd and not self.outer.parameters()
        require(good, "outer", "an odd curve that is not trained", self.outer)
        good = isinstance(self.inner, ProximalMap) and self.inner.symmetric
        require(good, "inner", "a proximal map that is symmetric about 0", self.inner)

    @cached_property
    def breaks(self) -> tuple[tuple[float, str], ...]:
        """(kink, owner), ascending: P's own, and between them those where P passes a kink of T.

        One of both kinds may stand at the same w: "right" and then "left" leave that w to the piece between.
        """
        own = tuple(zip(self.inner.kinks, self.inner.owners, strict=True))
        firsts = (-math.inf, *(w if side == "right" else math.nextafter(w, math.inf) for w, side in own))
        lasts = (*(w if side == "left" else math.nextafter(w, -math.inf) for w, side in own), math.inf)
        spans = zip(self.inner.lines, firsts, lasts, strict=True)
        passed = (each for line, first, last in spans for each in self._passed(line, first, last))
        return tuple(sorted({*own, *passed}, key=lambda each: (each[0], each[1] == "left")))

    def _passed(self, line: Line, first: float, last: float) -> Iterator[tuple[float, str]]:
        """Where P, on this line from the float `first` to `last`, passes kinks of T.

        By the rounded P, on which T's side is decided: beside a kink many w can have one value of P.
        """
        w, y, slope = line
        for j, (kink, owner) in enumerate(zip(self.outer.kinks, self.outer.owners, strict=True)):
            if slope:
                near = w + (kink - y) / slope
                reach = 1 + abs(near)
                below, above = max(first, near - reach), min(last, near + reach)
                if self._side(below) <= j < self._side(above):
                    yield self._bisected(j, below, above)[owner == "right"], owner

    def _side(self, w: float) -> int:
        """The branch of T that P(w) is on."""
        return int(self.outer.branch(_settled(self.inner, np.array(w))))

    def _bisected(self, j: int, below: float, above: float) -> tuple[float, float]:
        """The neighbouring floats between which P goes from T's branches up to j to those behind it."""
        while below < (middle := (below + above) / 2) < above:
            below, above = (below, middle) if self._side(middle) > j else (middle, above)
        return below, above

    @cached_property
    def kinks(self) -> tuple[float, ...]:
        return tuple(kink for kink, _ in self.breaks)

    @cached_property
    def owners(self) -> tuple[str, ...]:
        return tuple(owner for _, owner in self.breaks)

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """Left to right, one more than kinks; each holds a float, which tells its line and T's piece."""
        (first, owner), outer = self.breaks[0], self.outer.pieces()
        inside = [first if owner == "left" else math.nextafter(first, -math.inf)]
        inside += [w if side == "right" else math.nextafter(w, math.inf) for w, side in self.breaks]
        lines = (self.inner.lines[i] for i in self.inner.branch(np.array(inside)))
        parts = (_function(outer[self._side(w)]) for w in inside)
        return tuple(Cell(w, y, slope, part) for (w, y, slope), part in zip(lines, parts, strict=True))

    def value(self, x: Array) -> Array:
        """B(x) = T'(P(x))."""
        return self.outer.derivative(_settled(self.inner, x))


def _settled(curve: Curve, x: Array) -> Array:
    """curve(x), which is no decision of the network that an audit replays."""
    return curve.on_branch(x, curve.branch(x))


def _function(piece: Piece) -> Function:
    return piece if callable(piece) else lambda x: np.full_like(x, piece)


@dataclass(frozen=True)
class Transformed(Composition):
    """F(w) = T(P(w)): the forward of a pair that decomposes. Source: after pcpp2023."""

    @property
    def levels(self) -> tuple[float, ...] | None:
        levels = self.inner.levels
        return None if levels is None else tuple(map(float, _settled(self.outer, np.array(levels))))

    def pieces(self) -> tuple[Piece, ...]:
        return tuple(lambda w, cell=cell: cell.outer(cell.inner(w)) for cell in self.cells)

    def slope(self, x: Array) -> Array:
        return self.value(x) * self.inner.slope(x)


@dataclass(frozen=True)
class Integral(Composition):
    """S(w) with S'(w) = T'(P(w)), S(0) = 0: the surrogate that belongs to F = T o P.

    On a line of slope a it is T(P(w)) / a, where P is flat T'(P) w, each plus a constant.

    Source: after pcpp2023 (B = T' o P); the integral is ours.
    """

    @cached_property
    def _extremes(self) -> tuple[float, float]:
        """The least and the largest T' over the values of P."""
        slopes = [self.outer.derivative(_samples(low, high)) for low, high in self.inner.image]
        return min(s.min() for s in slopes), max(s.max() for s in slopes)

    @property
    def monotone(self) -> bool:
        return bool(self._extremes[0] >= 0)

    @property
    def peak(self) -> float:
        return float(max(map(abs, self._extremes)))

    @property
    def area(self) -> float | None:
        """S(inf) - S(-inf): where P is flat T' must vanish, where it rises T must have an area."""
        ends = [self._tail(cell, sign) for cell, sign in ((self.cells[0], -1), (self.cells[-1], 1))]
        if ends[0] is None or ends[1] is None:
            return None
        inside = self(np.array(self.kinks[-1])) - self(np.array(self.kinks[0]))
        return float(inside + ends[0] + ends[1])

    def _tail(self, cell: Cell, sign: int) -> float | None:
        """The integral of T'(P) outside the kinks, on the side of `sign`."""
        if not cell.slope:
            return None if self.outer.derivative(np.array(cell.y)) else 0.0
        if self.outer.area is None:
            return None
        start = cell.inner(np.array(self.kinks[-1 if sign > 0 else 0]))
        return float((self.outer.area / 2 - sign * self.outer(start)) / cell.slope)

    @cached_property
    def constants(self) -> tuple[float, ...]:
        """What makes the pieces meet, and S(0) = 0."""
        total = [0.0]
        for kink, (left, right) in zip(self.kinks, pairwise(self.cells), strict=True):
            at = np.array(kink)
            total.append(total[-1] + float(self._raw(left, at) - self._raw(right, at)))
        zero = np.array(0.0)
        i = int(np.searchsorted(self.kinks, 0.0, "right"))
        start = float(self._raw(self.cells[i], zero)) + total[i]
        return tuple(c - start for c in total)

    def _raw(self, cell: Cell, w: Array) -> Array:
        """A primitive of T'(P) on one cell."""
        if cell.slope:
            return cell.outer(cell.inner(w)) / cell.slope
        return float(self.outer.derivative(np.array(cell.y))) * (w - cell.w0)

    def pieces(self) -> tuple[Piece, ...]:
        cells = zip(self.cells, self.constants, strict=True)
        return tuple(lambda w, cell=cell, c=c: self._raw(cell, w) + c for cell, c in cells)

    def slope(self, x: Array) -> Array:
        return self.value(x)


def _samples(low: float, high: float) -> Array:
    """Values in [low, high], the ends and 0 among them where they are in it; far out every T has settled."""
    low, high = max(low, -50.0), min(high, 50.0)
    return np.append(np.linspace(low, high, SAMPLES), 0.0 if low < 0 < high else low)


def composed(outer: Curve, inner: ProximalMap) -> Binarizer:
    """The pair F = T o P, B = T' o P as a binarizer: F(w) = T(P(w)), S'(w) = T'(P(w)), deployed as sign.

    Parameters
    ----------
    outer : Curve
        T, a surrogate of the sign, odd.
    inner : ProximalMap
        P, symmetric about 0; its selection is that of sign(0).

    Source: after pcpp2023; with its integral S ours.
    """
    forward, surrogate = Transformed(outer, inner), Integral(outer, inner)
    return Binarizer(forward, surrogate, Sign(1 if inner.selection == "upper" else -1))
