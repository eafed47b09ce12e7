"""A map: a function of an array that knows its vector-Jacobian product and what it is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self, TypeVar

import numpy as np

from bnn_ref.kernels import TwoValued
from bnn_ref.parameter import Array, Buffer, Parameter

Held = TypeVar("Held", Parameter, Buffer)


class Map:
    """A function of an array that knows its vector-Jacobian product.

    Subclasses are frozen dataclasses: their fields are numbers, parameters or other maps.

    Attributes
    ----------
    linear : bool
        Claim: the vjp is linear in the incoming gradient. Where it is not there is no T; `declared_vjp` says
        what stands in its place.
    whole : bool
        Claim: each value depends on entries all over the tensor, as a mean does.
    shared : bool
        One serves a whole network: `pooled` binds it before any layer does. It does not look at shapes.
    oriented : bool
        Claim: used as a T it rises on the whole, as sign does. False where the first values of what is
        trained may be such that it falls: an audit then asks only that its gradient is not 0.
    elementwise : bool
        Claim: a function of one number, that has a `derivative`.
    levels : tuple of float or None
        Claim: every value is one of these, times the scale where the map is `Scaled`; None for real numbers.
    """

    linear = True
    whole = False
    shared = False
    elementwise = False

    @property
    def oriented(self) -> bool:
        return True

    @property
    def levels(self) -> tuple[float, ...] | None:
        return None

    @property
    def exact_levels(self) -> tuple[float, ...] | None:
        """`levels` where no scale multiplies them, else None."""
        return self.levels

    @property
    def binary(self) -> bool:
        """Whether every value is -1 or +1, as claimed by `levels`."""
        return self.exact_levels == (-1, 1)

    def __call__(self, x: Array) -> Array:
        """The value at `x`."""
        raise TypeError(f"{type(self).__name__} declares no value")

    def vjp(self, x: Array, dy: Array) -> Array:
        """Gradient to `x`; gradients to parameters accumulate in them."""
        raise TypeError(f"{type(self).__name__} declares no gradient")

    def steps(self) -> tuple[Map, ...]:
        """What it applies one after another: itself, where it is not made so."""
        return (self,)

    def derivative(self, x: Array) -> Array:
        """The slope at each element, of a map that is `elementwise`; nothing accumulates."""
        raise TypeError(f"{type(self).__name__} declares no derivative: it is no function of one number")

    def kept(self, x: Array) -> Array | TwoValued:
        """What a cache keeps of `x` for `vjp`: x, or its slope where that takes a bit an element."""
        return x

    def vjp_of(self, kept: Array | TwoValued, dy: Array) -> Array:
        """`vjp` from what was kept."""
        return kept.times(dy) if isinstance(kept, TwoValued) else self.vjp(kept, dy)

    def declared_vjp(self, x: Array, dy: Array) -> Array:
        """dx by the definition, where `linear` is False: an audit holds `vjp` against it."""
        raise TypeError(f"{type(self).__name__} declares no gradient but by its T")

    def output_shape(self, x: Array) -> tuple[int, ...]:
        """The shape of the value at `x`; a map that keeps the shape need not compute the value for that."""
        return np.shape(self(x))

    def deploy(self) -> Map:
        """The map that eval mode and packed networks compute."""
        return self.rewrite(lambda part: part.deploy())

    def unscaled(self) -> Map:
        """The same map without the scale that multiplies it, where there is one."""
        return self

    def bind(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map] | None = None
    ) -> Map:
        """This specification bound to a tensor of `shape` with channels on `axis`.

        The shape leaves out axes that vary from call to call: an activation's is (C,), a weight's is whole,
        with output channels on `axis`. Makes the parameters, where there are any. A map that occurs twice is
        bound once, so that forward and surrogate share their parameters.
        """
        seen = {} if seen is None else seen
        if id(self) not in seen:
            seen[id(self)] = self._bound(shape, axis, rng, seen)
        return seen[id(self)]

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        return self.rewrite(lambda part: part.bind(shape, axis, rng, seen))

    def pooled(self, rng: np.random.Generator, seen: dict[int, Map] | None = None) -> Map:
        """This specification with every `shared` part bound: all layers that bind it then hold the same ones.

        Networks call it once (`models.Operands`). A layer that is given a specification which nobody pooled
        binds all of it for itself.
        """
        seen = {} if seen is None else seen
        if id(self) not in seen:
            own = self.shared
            seen[id(self)] = (
                self.bind((), -1, rng) if own else self.rewrite(lambda part: part.pooled(rng, seen))
            )
        return seen[id(self)]

    def refresh(self, x: Array, *, first: bool = False, seen: set[int] | None = None) -> None:
        """Renew what follows the tensor that this map is bound to; called with its value before each epoch.

        A map that occurs twice is refreshed once.

        Parameters
        ----------
        x : array
            The tensor, of the shape that was bound to.
        first : bool
            `x` is the tensor's first value: parameters that start from it are set, nothing else.
        """
        seen = set() if seen is None else seen
        if id(self) not in seen:
            seen.add(id(self))
            self._refresh(x, first, seen)

    def _refresh(self, x: Array, first: bool, seen: set[int]) -> None:
        for part in self.direct():
            part.refresh(x, first=first, seen=seen)

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

    def with_values(self, values: Mapping[str, float], seen: dict[int, Map] | None = None) -> Self:
        """The same map with the fields named in `values` replaced, here and in every map inside.

        A field that is trained (holds a parameter) is left alone; a map that occurs twice stays one map.
        """
        seen = {} if seen is None else seen
        if id(self) not in seen:
            inner = self.rewrite(lambda part: part.with_values(values, seen))
            own = {name: values[name] for name in inner.fixed() if name in values}
            seen[id(self)] = dataclasses.replace(inner, **own) if own else inner  # type: ignore[type-var]
        return seen[id(self)]  # type: ignore[return-value]

    def fixed(self) -> list[str]:
        """The names of this map's own fields that are not trained."""
        names = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
        return [name for name in names if not isinstance(getattr(self, name), (Parameter, Buffer))]

    def direct(self) -> Iterator[Map]:
        """The maps that it holds itself."""
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            held = getattr(self, field.name)
            for part in held if isinstance(held, tuple) else (held,):
                if isinstance(part, Map):
                    yield part

    def parts(self) -> Iterator[Map]:
        """This map and every map inside it."""
        yield self
        for part in self.direct():
            yield from part.parts()

    def nonlinear(self) -> list[Map]:
        """The maps inside whose gradient is not linear in the incoming one."""
        return [part for part in self.parts() if not part.linear]

    def drawn(self, rng: np.random.Generator, seen: dict[int, Map] | None = None) -> Map:
        """The same map with a new draw wherever it is random; a map that occurs twice is drawn once.

        The draw is a field of the map, which so stays a function: whoever keeps the map for the backward pass
        keeps its draw. Maps that are not random do not touch the generator.
        """
        seen = {} if seen is None else seen
        if id(self) not in seen:
            seen[id(self)] = self._drawn(rng, seen)
        return seen[id(self)]

    def _drawn(self, rng: np.random.Generator, seen: dict[int, Map]) -> Map:
        return self.rewrite(lambda part: part.drawn(rng, seen))

    @property
    def reduces(self) -> bool:
        """Whether a part reads the whole tensor: then it is a rule for weights, it would mix a batch."""
        return any(part.whole for part in self.parts())

    def parameters(self) -> list[Parameter]:
        """Every trained parameter inside, once each."""
        return self._held(Parameter)

    def buffers(self) -> list[Buffer]:
        """Every array inside that is saved and not trained, once each."""
        return self._held(Buffer)

    def _held(self, kind: type[Held]) -> list[Held]:
        found: dict[int, Held] = {}
        for part in self.parts():
            for field in dataclasses.fields(part):  # type: ignore[arg-type]
                held = getattr(part, field.name)
                if isinstance(held, kind):
                    found[id(held)] = held
        return list(found.values())
