"""A curve: an element-wise map, declared piece by piece, with its slope and claims. Sign is one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnn_ref.basepoint import decide, recentring
from bnn_ref.checks import require
from bnn_ref.kernels.expression import TwoValued, fused
from bnn_ref.maps import Map
from bnn_ref.parameter import Array, Buffer, Parameter, unbroadcast

Piece = Callable[[Array], Array] | float


class Curve(Map):
    """An element-wise map, declared as analytic pieces between kinks, with its slope and its claims.

    Attributes
    ----------
    kinks : tuple of float
        Where one piece meets the next, ascending.
    owners : tuple of str
        For each kink the piece that owns the point itself: "left" or "right" (default).
    odd, monotone : bool
        Claims: T(-x) = -T(x); T never falls.
    support : float
        Claim: T'(x) = 0 for abs(x) > support.
    peak : float
        Claim: max abs(T').
    area : float or None
        Claim: the integral of T' over the real line; None where it does not exist.
    period : float or None
        Claim: T(x + period) = T(x).
    """

    elementwise = True

    @property
    def kinks(self) -> tuple[float, ...]:
        return ()

    @property
    def owners(self) -> tuple[str, ...]:
        return ("right",) * len(self.kinks)

    @property
    def odd(self) -> bool:
        return True

    @property
    def monotone(self) -> bool:
        return True

    @property
    def support(self) -> float:
        return math.inf

    @property
    def peak(self) -> float:
        raise TypeError(f"{type(self).__name__} claims no peak")

    @property
    def two_slopes(self) -> tuple[float, float] | None:
        """Claim: T' has these two values alone, the lower one first; None where it has others."""
        return None

    @property
    def area(self) -> float | None:
        return None

    @property
    def period(self) -> float | None:
        return None

    def pieces(self) -> tuple[Piece, ...]:
        """One analytic function (or a constant) per piece, left to right: len(kinks) + 1 of them."""
        raise TypeError(f"{type(self).__name__} declares no pieces")

    def slope(self, x: Array) -> Array:
        """T'(x) for a float array, written by hand; on a kink, the slope of the piece that owns it."""
        raise TypeError(f"{type(self).__name__} declares no slope")

    def parameter_slopes(self, x: Array) -> tuple[tuple[Parameter, Array], ...]:
        """For each trained parameter p: (p, dT/dp at x)."""
        return ()

    def gain(self, w: Array) -> Array | None:
        """H(w) = 1/2 * integral of T'(x) exp(-i w x) dx in closed form, or None where none is declared."""
        return None

    def energy(self, period: float) -> float | None:
        """(1/P) * integral over (-P/2, P/2) of (sign - T)^2 in closed form, or None without one."""
        return None

    def branch(self, x: Array) -> Array:
        """Index of the piece that each element lies on (by its real part)."""
        index = np.zeros(x.shape, np.min_scalar_type(len(self.kinks)))
        for kink, owner in zip(self.kinks, self.owners, strict=True):
            index += x.real >= kink if owner == "right" else x.real > kink
        return index

    def on_kinks(self, x: Array) -> int:
        """How many elements lie exactly on a kink."""
        return int(np.isin(x.real, np.asarray(self.kinks, x.real.dtype)).sum()) if self.kinks else 0

    def __call__(self, x: Array) -> Array:
        """T(x): each piece where it owns. Re-centred, each element keeps the piece of its base point."""
        x = as_inexact(x)
        if self.fixed_everywhere and not recentring():
            return fused(self.joined, x, plain=self.by_branch)[()]
        if not self.kinks:
            return _evaluate(self.pieces()[0], x)
        return self.on_branch(x, decide(lambda: self.branch(x), lambda: self.on_kinks(x)))

    def by_branch(self, x: Array) -> Array:
        """T(x), each piece evaluated where it owns."""
        return self.on_branch(x, self.branch(x)) if self.kinks else _evaluate(self.pieces()[0], x)

    def joined(self, x: Array) -> Array:
        """T(x), every piece evaluated everywhere: one formula, from which a pass can be compiled."""
        values = [piece(x) if callable(piece) else piece for piece in self.pieces()]
        y: Any = values[0]
        for kink, owner, value in zip(self.kinks, self.owners, values[1:], strict=True):
            y = np.where(x >= kink if owner == "right" else x > kink, value, y)
        return np.where(np.isnan(x), x, y) if self.kinks else y

    @property
    def fixed_everywhere(self) -> bool:
        """Whether it is the same function of every element: no array is among its fields."""
        held = (getattr(part, name) for part in self.parts() for name in vars(part))
        return not any(isinstance(one, (np.ndarray, Parameter, Buffer)) for one in held)

    def on_branch(self, x: Array, branch: Array) -> Array:
        """Each element's value on the piece whose index `branch` gives, same shape and dtype as `x`."""
        y = np.where(np.isnan(x), x, 0)
        for i, piece in enumerate(self.pieces()):
            here = (branch == i) & ~np.isnan(x)
            y[here] = _evaluate(piece, x[here])
        return y[()] if x.ndim == 0 else y

    def derivative(self, x: Array) -> Array:
        """T'(x), same shape and dtype as `x` (float32 or float64)."""
        x = as_inexact(x)
        return np.asarray(self.slope(x), x.dtype)

    def slope_times(self, x: Array, dy: Array) -> Array:
        """T'(x) * dy, in one pass over memory."""
        x = as_inexact(x)
        return fused(self.slope, x, dy) if self.fixed_everywhere else self.derivative(x) * dy

    def vjp(self, x: Array, dy: Array) -> Array:
        """dx = T'(x) * dy; dp = sum(dT/dp * dy)."""
        for parameter, slope in self.parameter_slopes(x):
            parameter.accumulate(unbroadcast(slope * dy, parameter.value.shape))
        return self.slope_times(x, dy)

    def kept(self, x: Array) -> Array | TwoValued:
        """A bit an element where T' has two values."""
        if self.two_slopes is None or not self.fixed_everywhere:
            return x
        found = TwoValued.of(self.slope, x, self.two_slopes)
        return x if found is None else found

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)


def as_inexact(x: Any) -> Array:
    """`x` as a float or complex array; whole numbers become float64. Raises TypeError for anything else."""
    x = np.asarray(x)
    if x.dtype.kind in "iub":
        return x.astype(np.float64)
    if x.dtype.kind not in "fc":
        raise TypeError(f"x: required an array of numbers, got dtype {x.dtype}")
    return x


def _evaluate(piece: Piece, x: Array) -> Array:
    """The piece at x, in x's precision: a NumPy float among a curve's fields must not promote float32."""
    if not callable(piece):
        return np.full_like(x, piece)
    y = piece(x)
    return y if y.dtype.kind == "c" else np.asarray(y, x.dtype)[()]


@dataclass(frozen=True)
class Sign(Curve):
    """sign(x) in {-1, +1}; sign(0) = sign(-0.0) = `zero`, never by the sign bit; NaN stays NaN.

    Its true derivative is 0: the reason for everything here. Source: ours (`zero=+1`); the FDA-BNN paper's
    Eq. 1 takes `zero=-1`.
    """

    zero: int = 1
    kinks = (0.0,)
    support = 0.0
    peak = 0.0
    area = 0.0
    odd = False

    def __post_init__(self) -> None:
        require(self.zero in (-1, 1), "zero", "-1 or +1", self.zero)

    @property
    def levels(self) -> tuple[float, ...] | None:
        return (-1.0, 1.0)

    @property
    def owners(self) -> tuple[str, ...]:
        return ("right",) if self.zero == 1 else ("left",)

    def pieces(self) -> tuple[Piece, ...]:
        return (-1.0, 1.0)

    def __call__(self, x: Array) -> Array:
        # re-centred too: next to a jump the rounding of a complex product may choose the other side
        return decide(lambda: fused(self.joined, as_inexact(x)), lambda: int(np.sum(np.real(x) == 0)))

    def joined(self, x: Array) -> Array:
        y = np.where(x.real >= 0 if self.zero == 1 else x.real > 0, 1.0, -1.0)
        return np.where(np.isnan(x), x, y)

    def slope(self, x: Array) -> Array:
        return np.zeros_like(x)


@dataclass(frozen=True)
class ReLU(Curve):
    """max(x, 0).

    Parameters
    ----------
    at_zero : int
        The slope at 0: 0, that of the x <= 0 side (default, the frameworks' choice), or 1, where a formula
        says 1(x >= 0).

    Source: ours.
    """

    at_zero: int = 0
    kinks = (0.0,)
    two_slopes = (0.0, 1.0)
    odd = False
    peak = 1.0

    def __post_init__(self) -> None:
        require(self.at_zero in (0, 1), "at_zero", "0 or 1", self.at_zero)

    @property
    def owners(self) -> tuple[str, ...]:
        return ("right",) if self.at_zero else ("left",)

    def pieces(self) -> tuple[Piece, ...]:
        return (0.0, lambda x: x)

    def slope(self, x: Array) -> Array:
        return (x >= 0 if self.at_zero else x > 0).astype(x.dtype)


@dataclass(frozen=True)
class Sigmoid(Curve):
    """1 / (1 + exp(-x)) = (1 + tanh(x/2)) / 2, without overflow; its slope is y (1 - y). Source: ours."""

    odd = False
    peak = 0.25
    area = 1.0

    def pieces(self) -> tuple[Piece, ...]:
        return (lambda x: (1 + np.tanh(x / 2)) / 2,)

    def slope(self, x: Array) -> Array:
        e = np.exp(-np.abs(x))
        return e / (1 + e) ** 2
