"""What a layer is: an explicit forward, an explicit backward beside it, and a visible cache between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from bnn_ref import autodiff
from bnn_ref.annealing import Moment
from bnn_ref.autodiff import Symbol, Tensor
from bnn_ref.binarizer import Map, annealed
from bnn_ref.checks import require
from bnn_ref.parameter import Array, Buffer, Parameter

Held = TypeVar("Held", Parameter, Buffer)


class Layer:
    """Base of every layer.

    Subclasses define `forward(*xs) -> (y, cache)` and `backward(dy, cache) -> dx` (a tuple where there are
    several inputs). Parameters, child layers, lists of child layers and maps are found as attributes; the
    names in `buffers`, and the buffers of maps, are saved with the model but not trained.
    """

    buffers: ClassVar[tuple[str, ...]] = ()
    training = True

    def forward(self, *xs: Any, **named: Any) -> tuple[Array, Any]:
        """The value and the cache. (`named` only lets the type checker accept subclasses' own arguments.)"""
        raise TypeError(f"{type(self).__name__} has no forward")

    def backward(self, dy: Array, cache: Any) -> Any:
        """One gradient an input; parameter gradients accumulate."""
        raise TypeError(f"{type(self).__name__} has no backward")

    def backward_parameters(self, dy: Array, cache: Any) -> None:
        """Accumulate the parameters' gradients alone: nobody wants that of the input."""
        self.backward(dy, cache)

    def output_shape(self, *shapes: Any, **named: Any) -> tuple[int, ...]:
        """The shape that one image has behind this layer, without N, from the shapes of one image's inputs.

        Found by computing zeros in eval mode, which suits every layer; those here say it by a rule.

        Raises
        ------
        ValueError
            For shapes that the layer cannot take.
        """
        modes = [(layer, layer.training) for _, layer in self.layers()]
        try:
            y, _ = self.eval().forward(*(np.zeros((1, *shape), np.float32) for shape in shapes))
        finally:
            for layer, mode in modes:
                layer.training = mode
        return y.shape[1:]

    def __call__(self, *xs: Any) -> Any:
        """On tensors: recorded on the tape. On symbols: written down. On arrays: just computed."""
        if any(isinstance(x, Symbol) for x in xs):
            return Symbol(self, xs)
        if any(isinstance(x, Tensor) for x in xs):
            return autodiff.call(self, xs)
        return self.forward(*xs)[0]

    def children(self) -> Iterator[tuple[str, Layer]]:
        """Direct child layers with their names."""
        for name, held in vars(self).items():
            yield from _layers_in(name, held)

    def layers(self, prefix: str = "") -> Iterator[tuple[str, Layer]]:
        """This layer and every layer inside it, with dotted names."""
        yield prefix, self
        for name, child in self.children():
            yield from child.layers(f"{prefix}.{name}" if prefix else name)

    def _own(self) -> Iterator[tuple[str, Parameter]]:
        for name, held in vars(self).items():
            if isinstance(held, Parameter):
                yield name, held
            elif isinstance(held, Map):
                yield from _numbered(name, held.parameters())

    def _own_buffers(self) -> Iterator[tuple[str, tuple[Any, str]]]:
        for name in self.buffers:
            yield name, (self, name)
        for name, held in vars(self).items():
            if isinstance(held, Map):
                for key, buffer in _numbered(name, held.buffers()):
                    yield key, (buffer, "value")

    def named_parameters(self) -> dict[str, Parameter]:
        """Every parameter once (shared ones under the first name), by dotted name."""
        found: dict[str, Parameter] = {}
        seen: set[int] = set()
        for prefix, layer in self.layers():
            for name, parameter in layer._own():
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    found[f"{prefix}.{name}" if prefix else name] = parameter
        return found

    def parameters(self) -> list[Parameter]:
        """Every parameter once."""
        return list(self.named_parameters().values())

    def named_buffers(self) -> dict[str, tuple[Any, str]]:
        """Where every buffer lives, once each: dotted name -> (layer or buffer of a map, attribute)."""
        found: dict[str, tuple[Any, str]] = {}
        seen: set[tuple[int, str]] = set()
        for prefix, layer in self.layers():
            for name, (at, attribute) in layer._own_buffers():
                if (id(at), attribute) not in seen:
                    seen.add((id(at), attribute))
                    found[f"{prefix}.{name}" if prefix else name] = at, attribute
        return found

    def zero_grad(self) -> None:
        """Forget every parameter's gradient."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def train(self, mode: bool = True) -> Layer:
        """Batch statistics and forward maps (True), or running statistics and deployed maps (False)."""
        for _, layer in self.layers():
            layer.training = mode
        return self

    def eval(self) -> Layer:
        """`train(False)`."""
        return self.train(False)

    def maps(self) -> Iterator[tuple[Layer, str, Map]]:
        """Every map that this layer or one inside it holds: (layer, attribute, map)."""
        for _, layer in self.layers():
            yield from ((layer, name, held) for name, held in vars(layer).items() if isinstance(held, Map))

    def anneal(self, moment: Moment) -> None:
        """Move every binarizer that has a law to where it stands at `moment`."""
        for layer, name, held in list(self.maps()):
            setattr(layer, name, annealed(held, moment))

    def draw(self, rng: np.random.Generator) -> None:
        """Draw anew wherever a map is random; until then every forward pass sees the same draw."""
        for layer, name, held in list(self.maps()):
            setattr(layer, name, held.drawn(rng))

    def refresh(self) -> None:
        """Renew what the weights' maps keep of them (`Map.refresh`); training does so before each epoch."""
        for _, layer in self.layers():
            layer._refresh()

    def _refresh(self) -> None:
        """What `refresh` does for this layer alone."""

    def astype(self, dtype: DTypeLike) -> Layer:
        """Convert every parameter and buffer in place; gradients are forgotten.

        Raises
        ------
        ValueError
            For a dtype that holds no fractions.
        """
        require(np.dtype(dtype).kind in "fc", "dtype", "a floating or complex one", np.dtype(dtype).name)
        for parameter in self.parameters():
            parameter.value = parameter.value.astype(dtype)
            parameter.zero_grad()
        for layer, name in self.named_buffers().values():
            setattr(layer, name, getattr(layer, name).astype(dtype))
        return self

    def state_dict(self) -> dict[str, Array]:
        """Copies of the latent parameters and the buffers, by dotted name."""
        buffers = {key: getattr(at, name).copy() for key, (at, name) in self.named_buffers().items()}
        return {name: p.value.copy() for name, p in self.named_parameters().items()} | buffers

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Set parameters and buffers from `state`.

        Raises
        ------
        ValueError
            For missing or unknown names, or wrong shapes.
        TypeError
            For values that cannot become the parameter's dtype. In either case nothing is changed.
        """
        own = self.state_dict()
        if missing := sorted(set(own) - set(state)):
            raise ValueError(
                f"state: required {missing[0]!r} (and {len(missing) - 1} more), which is missing"
            )
        if unknown := sorted(set(state) - set(own)):
            raise ValueError(
                f"state: got {unknown[0]!r} (and {len(unknown) - 1} more), which the model lacks"
            )
        for name, value in own.items():
            if state[name].shape != value.shape:
                raise ValueError(f"state[{name!r}]: required shape {value.shape}, got {state[name].shape}")
        ready = {key: state[key].astype(own[key].dtype, order="C", casting="same_kind") for key in own}
        for key, parameter in self.named_parameters().items():
            parameter.value = ready[key]
        for key, (layer, name) in self.named_buffers().items():
            setattr(layer, name, ready[key])


def _numbered(name: str, held: Sequence[Held]) -> Iterator[tuple[str, Held]]:
    """What a map under the attribute `name` holds, with dotted names; equal ones are numbered."""
    for i, one in enumerate(held):
        alike = sum(other.name == one.name for other in held[:i])
        yield f"{name}.{one.name}" + (f".{alike}" if alike else ""), one


def _layers_in(name: str, held: Any) -> Iterator[tuple[str, Layer]]:
    """The layers that an attribute holds, itself or in lists, tuples and dictionaries of any depth."""
    if isinstance(held, Layer):
        yield name, held
    elif isinstance(held, (list, tuple, dict)):
        items = held.items() if isinstance(held, dict) else enumerate(held)
        for key, part in items:
            yield from _layers_in(f"{name}.{key}", part)


class Composite(Layer):
    """A layer made of layers: `compute` says how, and its cache is the tape of one such computation."""

    def compute(self, *xs: Any, **named: Any) -> Any:
        """The output, by calling child layers. Works on tensors, arrays and symbols alike."""
        raise TypeError(f"{type(self).__name__} has no compute")

    def __call__(self, *xs: Any) -> Any:
        if any(isinstance(x, Tensor) for x in xs):
            return autodiff.call(self, xs)
        return self.compute(*xs)

    def forward(self, *xs: Any, **named: Any) -> tuple[Array, Any]:
        """Record the children's calls; the cache is (inputs, output) of that tape, without their values."""
        inputs = [Tensor(x) for x in xs]
        output = self.compute(*inputs)
        y = output.value
        autodiff.forget(output)
        return y, (inputs, output)

    def backward(self, dy: Array, cache: Any) -> Any:
        """Walk the tape back."""
        grads = self._walk(dy, cache, True)
        return grads if len(grads) > 1 else grads[0]

    def backward_parameters(self, dy: Array, cache: Any) -> None:
        self._walk(dy, cache, False)

    def _walk(self, dy: Array, cache: Any, wanted: bool) -> tuple[Array, ...]:
        """The inputs' gradients, if wanted; the tape forgets those of its tensors."""
        inputs, output = cache
        for x in inputs:
            x.wanted = wanted
        autodiff.backward(output, dy, keep=False)
        grads = tuple(np.zeros(x.value.shape, x.value.dtype) if x.grad is None else x.grad for x in inputs)
        for x in inputs:
            x.grad = None
        return grads if wanted else ()


class Sequential(Composite):
    """Layers one after another."""

    def __init__(self, *parts: Layer) -> None:
        self.parts = list(parts)

    def compute(self, x: Any) -> Any:
        for part in self.parts:
            x = part(x)
        return x
