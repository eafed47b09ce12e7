"""The idea: a binarizer answers with one function, learns from another, and is deployed as a third.

`Binarizer(F, T, D)`: training computes y = F(x), its gradient is dx = T'(x) dy, eval mode computes D(x).
T, the surrogate, is the declaration: it is written down as a function, and its slope is proved from it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bnn_ref.annealing import Law, Moment
from bnn_ref.basepoint import decide, recentring
from bnn_ref.parameter import Array, Parameter, unbroadcast

Piece = Callable[[Array], Array] | float


class Map:
    """A function of an array that knows its vector-Jacobian product.

    Subclasses are frozen dataclasses: their fields are numbers, parameters or other maps. `linear` is the claim
    that the vjp is linear in the incoming gradient.
    """

    linear = True

    def __call__(self, x: Array) -> Array:
        """The value at `x`."""
        raise TypeError(f"{type(self).__name__} declares no value")

    def vjp(self, x: Array, dy: Array) -> Array:
        """Gradient to `x`; gradients to parameters accumulate in them."""
        raise TypeError(f"{type(self).__name__} declares no gradient")

    def deploy(self) -> Map:
        """The map that eval mode and packed networks compute."""
        return self.rewrite(lambda part: part.deploy())

    def bind(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map] | None = None
    ) -> Map:
        """This specification bound to a tensor of `shape` with channels on `axis`.

        Makes the parameters, where there are any. A map that occurs twice is bound once, so that forward
        and surrogate share their parameters.
        """
        seen = {} if seen is None else seen
        if id(self) not in seen:
            seen[id(self)] = self._bound(shape, axis, rng, seen)
        return seen[id(self)]

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        return self.rewrite(lambda part: part.bind(shape, axis, rng, seen))

    def rewrite(self, visit: Callable[[Map], Map]) -> Self:
        """The same map with `visit` applied to every map it is made of."""
        changes: dict[str, Any] = {}
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            old = getattr(self, field.name)
            if isinstance(old, Map):
                changes[field.name] = visit(old)
            elif isinstance(old, tuple) and any(isinstance(part, Map) for part in old):
                changes[field.name] = tuple(visit(part) for part in old)
        return dataclasses.replace(self, **changes) if changes else self  # type: ignore[type-var]

    def with_values(self, values: Mapping[str, float]) -> Self:
        """The same map with the fields named in `values` replaced, here and in every map inside."""
        inner = self.rewrite(lambda part: part.with_values(values))
        own = {f.name: values[f.name] for f in dataclasses.fields(inner) if f.name in values}  # type: ignore[arg-type]
        return dataclasses.replace(inner, **own) if own else inner  # type: ignore[type-var]

    def parts(self) -> Iterator[Map]:
        """This map and every map inside it."""
        yield self
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            held = getattr(self, field.name)
            for part in held if isinstance(held, tuple) else (held,):
                if isinstance(part, Map):
                    yield from part.parts()

    def parameters(self) -> list[Parameter]:
        """Every trained parameter inside, once each."""
        found: dict[int, Parameter] = {}
        for part in self.parts():
            for field in dataclasses.fields(part):  # type: ignore[arg-type]
                held = getattr(part, field.name)
                if isinstance(held, Parameter):
                    found[id(held)] = held
        return list(found.values())


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

    def branch(self, x: Array) -> Array:
        """Index of the piece that each element lies on (by its real part)."""
        index = np.zeros(x.shape, np.int8)
        for kink, owner in zip(self.kinks, self.owners, strict=True):
            index += x.real >= kink if owner == "right" else x.real > kink
        return index

    def on_kinks(self, x: Array) -> int:
        """How many elements lie exactly on a kink."""
        return int(np.isin(x.real, np.asarray(self.kinks, x.real.dtype)).sum()) if self.kinks else 0

    def __call__(self, x: Array) -> Array:
        """T(x): each piece where it owns. Re-centred, each element keeps the piece of its base point."""
        x = as_inexact(x)
        pieces = self.pieces()
        if not self.kinks:
            return _evaluate(pieces[0], x)
        branch = decide(lambda: self.branch(x), lambda: self.on_kinks(x))
        y = np.where(np.isnan(x), x, 0)
        for i, piece in enumerate(pieces):
            here = (branch == i) & ~np.isnan(x)
            y[here] = _evaluate(piece, x[here])
        return y[()] if x.ndim == 0 else y

    def derivative(self, x: Array) -> Array:
        """T'(x), same shape and dtype as `x` (float32 or float64)."""
        x = as_inexact(x)
        return np.asarray(self.slope(x), x.dtype)

    def vjp(self, x: Array, dy: Array) -> Array:
        """dx = T'(x) * dy; dp = sum(dT/dp * dy)."""
        for parameter, slope in self.parameter_slopes(x):
            parameter.accumulate(unbroadcast(slope * dy, parameter.value.shape))
        return self.derivative(x) * dy


def as_inexact(x: Any) -> Array:
    """`x` as a float or complex array; whole numbers become float64. Raises TypeError for anything else."""
    x = np.asarray(x)
    if x.dtype.kind in "iub":
        return x.astype(np.float64)
    if x.dtype.kind not in "fc":
        raise TypeError(f"x: required an array of numbers, got dtype {x.dtype}")
    return x


def _evaluate(piece: Piece, x: Array) -> Array:
    return piece(x) if callable(piece) else np.full_like(x, piece)


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
        if self.zero not in (-1, 1):
            raise ValueError(f"zero: required -1 or +1, got {self.zero}")

    @property
    def owners(self) -> tuple[str, ...]:
        return ("right",) if self.zero == 1 else ("left",)

    def pieces(self) -> tuple[Piece, ...]:
        return (-1.0, 1.0)

    def __call__(self, x: Array) -> Array:
        x = as_inexact(x)
        above = x.real >= 0 if self.zero == 1 else x.real > 0
        y = np.where(above, x.dtype.type(1), x.dtype.type(-1))
        return np.where(np.isnan(x), x, y) if np.isnan(x).any() else y

    def slope(self, x: Array) -> Array:
        return np.zeros_like(x)


@dataclass(frozen=True)
class Compose(Map):
    """The maps of a tuple one after another, the first applied first. Source: chain rule."""

    maps: tuple[Map, ...]

    def __call__(self, x: Array) -> Array:
        for part in self.maps:
            x = part(x)
        return x

    def vjp(self, x: Array, dy: Array) -> Array:
        """dx = J1^T ( ... (Jn^T dy))."""
        inputs = [x]
        for part in self.maps[:-1]:
            inputs.append(part(inputs[-1]))
        for part, at in zip(reversed(self.maps), reversed(inputs), strict=True):
            dy = part.vjp(at, dy)
        return dy


@dataclass(frozen=True)
class Sum(Map):
    """y = sum of the maps at the same x; dx = sum of their vjps."""

    maps: tuple[Map, ...]

    def __call__(self, x: Array) -> Array:
        return sum((part(x) for part in self.maps[1:]), start=self.maps[0](x))

    def vjp(self, x: Array, dy: Array) -> Array:
        return sum((part.vjp(x, dy) for part in self.maps[1:]), start=self.maps[0].vjp(x, dy))


@dataclass(frozen=True)
class Scaled(Map):
    """y = scale(x) * inner(x), with gradient through both: dx = inner.vjp(scale dy) + scale.vjp(inner dy)."""

    scale: Map
    inner: Map

    def __call__(self, x: Array) -> Array:
        return self.scale(x) * self.inner(x)

    def vjp(self, x: Array, dy: Array) -> Array:
        scale = self.scale(x)
        through_scale = self.scale.vjp(x, unbroadcast(dy * self.inner(x), scale.shape))
        return self.inner.vjp(x, dy * scale) + through_scale


@dataclass(frozen=True)
class Detach(Map):
    """The value is used, the gradient stopped. Re-centred, it keeps the value of its base point."""

    inner: Map

    def __call__(self, x: Array) -> Array:
        return decide(lambda: self.inner(x))

    def vjp(self, x: Array, dy: Array) -> Array:
        return np.zeros_like(x)


@dataclass(frozen=True)
class MeanAbs(Map):
    """alpha = mean abs(x) over every axis but the last, shape (1, ..., 1, F).

    The least-squares scale of sign(x), one per output channel. Source: xnornet2016 (W ~ alpha sign(W)).
    """

    def __call__(self, x: Array) -> Array:
        signs = decide(lambda: np.where(x.real < 0, -1, 1).astype(x.real.dtype), lambda: int((x == 0).sum()))
        return np.asarray((signs * x).mean(axis=tuple(range(x.ndim - 1)), keepdims=True))

    def vjp(self, x: Array, dy: Array) -> Array:
        """dx = sign(x) dy / n, n entries a channel."""
        n = x.size // x.shape[-1]
        return np.where(x < 0, -1, 1).astype(x.dtype) * dy / n


@dataclass(frozen=True)
class Binarizer(Map):
    """A hard primitive: the value of one map, the gradient of another.

    Attributes
    ----------
    forward : Map
        F: y = F(x), the values used in training.
    surrogate : Map
        T: dx = T'(x) * dy, the function whose slope is used.
    deployed : Map
        What eval mode and the packed network compute.
    law : Law, optional
        How its parameters move during training; `at` applies it.
    name : str
        The table's key, where it comes from there.
    """

    forward: Map
    surrogate: Map
    deployed: Map = Sign()
    law: Law | None = None
    name: str = ""

    def __call__(self, x: Array) -> Array:
        """F(x). Re-centred: F(z0) + T(z) - T(z0), the same value with the surrogate's true derivative."""
        if not recentring():
            return self.forward(x)
        value, base = decide(lambda: (self.forward(x), self.surrogate(x)))
        return value + (self.surrogate(x) - base)

    def backward(self, x: Array, dy: Array) -> Array:
        """dx = T'(x) * dy, same shape as `x`.

        Raises
        ------
        ValueError
            When `dy` does not have the shape of `x`.
        """
        x, dy = as_inexact(x), as_inexact(dy)
        if x.shape != dy.shape:
            raise ValueError(f"dy: required the shape of x, {x.shape}, got {dy.shape}")
        return self.surrogate.vjp(x, dy)

    vjp = backward

    def deploy(self) -> Map:
        return self.deployed.deploy()

    def at(self, progress: float | Moment) -> Binarizer:
        """This binarizer as annealed at `progress`: 0 in the first epoch, 1 in the last.

        Raises
        ------
        ValueError
            When `progress` is a number outside [0, 1].
        """
        moment = progress if isinstance(progress, Moment) else Moment.at(progress)
        return self if self.law is None else self.with_values(self.law(moment))
