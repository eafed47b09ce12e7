"""New maps from old: one after another, sums, products with a scale or a number, stopped gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np

from bnn_ref.basepoint import decide
from bnn_ref.checks import is_number, require
from bnn_ref.maps import Map
from bnn_ref.parameter import Array, Parameter, unbroadcast, value_of


def _require_maps(maps: tuple[Map, ...]) -> None:
    good = isinstance(maps, tuple) and len(maps) > 0 and all(isinstance(part, Map) for part in maps)
    require(good, "maps", "a tuple of at least one map", maps)


@dataclass(frozen=True)
class Compose(Map):
    """The maps of a tuple one after another, the first applied first. Source: chain rule."""

    maps: tuple[Map, ...]

    def __post_init__(self) -> None:
        _require_maps(self.maps)

    @property
    def levels(self) -> tuple[float, ...] | None:
        return self.maps[-1].exact_levels

    def __call__(self, x: Array) -> Array:
        for part in self.maps:
            x = part(x)
        return x

    def vjp(self, x: Array, dy: Array) -> Array:
        """dx = J1^T ( ... (Jn^T dy))."""
        inputs, steps = [x], self.steps()
        for part in steps[:-1]:
            inputs.append(part(inputs[-1]))
        for part, at in zip(reversed(steps), reversed(inputs), strict=True):
            dy = part.vjp(at, dy)
        return dy

    def steps(self) -> tuple[Map, ...]:
        """Those of its maps: a value inside another composition is computed once."""
        return tuple(step for part in self.maps for step in part.steps())

    def _refresh(self, x: Array, first: bool, seen: set[int]) -> None:
        for part in self.maps:
            part.refresh(x, first=first, seen=seen)
            x = part(x)


@dataclass(frozen=True)
class Sum(Map):
    """y = sum of the maps at the same x (they broadcast); dx = sum of their vjps."""

    maps: tuple[Map, ...]

    def __post_init__(self) -> None:
        _require_maps(self.maps)

    def __call__(self, x: Array) -> Array:
        return sum((part(x) for part in self.maps[1:]), start=self.maps[0](x))

    def vjp(self, x: Array, dy: Array) -> Array:
        """Each part receives dy, summed over the axes along which it was broadcast."""
        grads = [part.vjp(x, unbroadcast(dy, part.output_shape(x))) for part in self.maps]
        return sum(grads[1:], start=grads[0])

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.broadcast_shapes(*(part.output_shape(x) for part in self.maps))


@dataclass(frozen=True)
class Scaled(Map):
    """y = scale(x) * inner(x), with gradient through both: dx = inner.vjp(scale dy) + scale.vjp(inner dy)."""

    scale: Map
    inner: Map

    @property
    def levels(self) -> tuple[float, ...] | None:
        return self.inner.exact_levels

    @property
    def exact_levels(self) -> None:
        return None

    def unscaled(self) -> Map:
        return self.inner

    def __call__(self, x: Array) -> Array:
        return self.scale(x) * self.inner(x)

    def vjp(self, x: Array, dy: Array) -> Array:
        scale, inner = self.scale(x), self.inner(x)
        through_scale = self.scale.vjp(x, unbroadcast(dy * inner, scale.shape))
        return self.inner.vjp(x, unbroadcast(dy * scale, inner.shape)) + through_scale


def split(rule: Map, x: Array) -> tuple[Map, Map | None]:
    """`rule` at tensors like `x` as (what is left, the scale that a product can take out, if there is one).

    Only a scale of one number per output channel, or one for all, can be taken out of a product.
    """
    if isinstance(rule, Scaled) and prod(rule.scale.output_shape(x)[:-1]) == 1:
        return rule.inner, rule.scale
    return rule, None


def factored(rule: Map, x: Array) -> tuple[Array, Array | None]:
    """rule(x) with its scale taken out (`split`): (what is left, scale (F,) or (1,) or None)."""
    inner, scale = split(rule, x)
    return inner(x), None if scale is None else scale(x).reshape(-1)


@dataclass(frozen=True)
class Faded(Map):
    """y = strength * inner(x), dx = inner.vjp(strength * dy): a part that a law may turn down to nothing.

    Parameters
    ----------
    strength : float
        A factor, 0 or more.
    inner : Map
    """

    strength: float
    inner: Map

    def __post_init__(self) -> None:
        good = is_number(self.strength) and self.strength >= 0
        require(good, "strength", "a number >= 0", self.strength)
        object.__setattr__(self, "strength", float(self.strength))  # NumPy's own floats promote float32

    def __call__(self, x: Array) -> Array:
        if not self.strength:
            return np.zeros(self.output_shape(x), x.dtype)
        return self.strength * self.inner(x)

    def vjp(self, x: Array, dy: Array) -> Array:
        return self.inner.vjp(x, self.strength * dy) if self.strength else np.zeros_like(x)

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return self.inner.output_shape(x)


@dataclass(frozen=True)
class Constant(Map):
    """y = c, shape (1, ..., 1): a scale that does not look at x. dx = 0, dc = sum of dy where c is trained.

    Parameters
    ----------
    value : float or Parameter
        c.
    learn : bool
        Train it: binding makes it a parameter, one a tensor.
    """

    value: float | Parameter
    learn: bool = False

    def __post_init__(self) -> None:
        good = isinstance(self.value, Parameter) or is_number(self.value)
        require(good, "value", "a number", self.value)

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        if not self.learn or isinstance(self.value, Parameter):
            return self
        return replace(self, value=Parameter(np.asarray(self.value, np.float32), "constant"))

    def __call__(self, x: Array) -> Array:
        one = np.ones((1,) * np.ndim(x), x.dtype)
        return np.asarray(one * value_of(self.value))

    def vjp(self, x: Array, dy: Array) -> Array:
        if isinstance(self.value, Parameter):
            self.value.accumulate(np.asarray(dy.sum()))
        return np.zeros_like(x)


@dataclass(frozen=True)
class Detach(Map):
    """The value is used, the gradient stopped. Re-centred, it keeps the value of its base point."""

    inner: Map

    @property
    def levels(self) -> tuple[float, ...] | None:
        return self.inner.exact_levels

    def __call__(self, x: Array) -> Array:
        return decide(lambda: self.inner(x))

    def vjp(self, x: Array, dy: Array) -> Array:
        return np.zeros_like(x)

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return self.inner.output_shape(x)


@dataclass(frozen=True)
class MeanAbs(Map):
    """alpha = mean abs(x): the least-squares scale of sign(x).

    Parameters
    ----------
    per_channel : bool
        One alpha per output channel, the mean over every axis but the last, shape (1, ..., 1, F); or one for
        the whole tensor, shape (1, ..., 1).

    Source: after xnornet2016 (W ~ alpha sign(W)).
    """

    per_channel: bool = True
    whole = True

    def __call__(self, x: Array) -> Array:
        signs = decide(lambda: np.where(x.real < 0, -1, 1).astype(x.real.dtype), lambda: int((x == 0).sum()))
        axes = tuple(range(x.ndim - 1 if self.per_channel else x.ndim))
        return np.asarray((signs * x).mean(axis=axes, keepdims=True))

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return (1,) * (x.ndim - 1) + x.shape[-1:] if self.per_channel else (1,) * x.ndim

    def vjp(self, x: Array, dy: Array) -> Array:
        """dx = sign(x) dy / n, n entries to one alpha; at 0 the slope is that of the x > 0 side."""
        n = x.size // x.shape[-1] if self.per_channel else x.size
        return np.where(x < 0, -1, 1).astype(x.dtype) * dy / n
