"""A tape of layer calls. Layers own the mathematics; this file only remembers the order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from bnn_ref.parameter import Array

_serial = itertools.count()
_ZERO = bytes(32)  # one number of any dtype; np.broadcast_to of one takes several times as long


class Differentiable(Protocol):
    """What the tape needs of a layer."""

    def forward(self, *xs: Array) -> tuple[Array, Any]:
        """The value, and the cache: exactly what backward may know."""

    def backward(self, dy: Array, cache: Any) -> Array | tuple[Array | None, ...]:
        """One gradient an input; None for one that has none (labels)."""

    def backward_parameters(self, dy: Array, cache: Any) -> None:
        """The parameters' gradients alone, where nobody wants the inputs'."""


@dataclass(frozen=True)
class Call:
    """One recorded layer call."""

    layer: Differentiable
    cache: Any
    inputs: tuple[Tensor | Array, ...]


@dataclass(eq=False)
class Tensor:
    """A value on the tape. `grad` is filled by `backward`, for every tensor that the output depends on.

    But for an input that is not `wanted` (images): a layer of such inputs alone is asked for its parameters'
    gradients only.
    """

    value: Array
    call: Call | None = None
    grad: Array | None = None
    wanted: bool = True
    serial: int = field(default_factory=lambda: next(_serial), repr=False)


def forget(output: Tensor) -> None:
    """Let go of every value that `output` was computed from, and its own: caches hold what backward needs.

    Shape and dtype stay.
    """
    for tensor in ancestors(output):
        shape, dtype = tensor.value.shape, tensor.value.dtype
        tensor.value = np.ndarray(shape, dtype, _ZERO, 0, (0,) * len(shape))


@dataclass(eq=False)
class Symbol:
    """A value that is never computed: calling layers on it writes down the network's structure."""

    layer: Any = None
    inputs: tuple[Any, ...] = ()
    serial: int = field(default_factory=lambda: next(_serial), repr=False)


def call(layer: Differentiable, xs: Sequence[Tensor | Array]) -> Tensor:
    """Run `layer` on tensors (arrays among them are constants) and record the call."""
    values = [x.value if isinstance(x, Tensor) else x for x in xs]
    y, cache = layer.forward(*values)
    return Tensor(y, Call(layer, cache, tuple(xs)))


def backward(output: Tensor, dy: Array | None = None, *, keep: bool = True) -> None:
    """Backpropagate `dy` from `output`: fills `.grad` of tensors, accumulates in parameters.

    A tensor used several times receives the sum; a layer called several times gets each call's own cache.

    Parameters
    ----------
    output : Tensor
        Where to start.
    dy : array, optional
        Gradient of the loss with respect to `output.value`, same shape; 1 by default, for a scalar.
    keep : bool
        Whether tensors that layers computed keep their `.grad`; else it goes once it has been passed on, and
        what is left is that of the tape's inputs.

    Raises
    ------
    ValueError
        When `dy` is missing for a non-scalar output, has another shape, or a layer returns a gradient of
        another shape than its input.
    """
    if dy is None:
        if output.value.size != 1:
            raise ValueError(f"dy: required for an output of shape {output.value.shape}, got None")
        dy = np.ones_like(output.value)
    dy = np.asarray(dy)
    if dy.shape != output.value.shape:
        raise ValueError(f"dy: required shape {output.value.shape}, got {dy.shape}")
    order = ancestors(output)
    for tensor in order:
        tensor.grad = None
    output.grad = dy
    for tensor in order:
        if tensor.call is not None and tensor.grad is not None:
            _push(tensor.call, tensor.grad)
            if not keep:
                tensor.grad = None


def _push(node: Call, dy: Array) -> None:
    if not any(isinstance(x, Tensor) and (x.wanted or x.call) for x in node.inputs):
        node.layer.backward_parameters(dy, node.cache)
        return
    grads = node.layer.backward(dy, node.cache)
    grads = grads if isinstance(grads, tuple) else (grads,)
    if len(grads) != len(node.inputs):
        name, wanted = type(node.layer).__name__, len(node.inputs)
        raise ValueError(f"{name}.backward: required {wanted} gradients, one an input, got {len(grads)}")
    for x, dx in zip(node.inputs, grads, strict=True):
        if isinstance(x, Tensor) and dx is not None:
            if dx.shape != x.value.shape:
                name = type(node.layer).__name__
                raise ValueError(
                    f"{name}.backward: required a gradient of shape {x.value.shape}, got {dx.shape}"
                )
            x.grad = dx if x.grad is None else x.grad + dx


def ancestors(output: Tensor) -> list[Tensor]:
    """Everything `output` was computed from, itself included, latest first: a topological order."""
    found: dict[int, Tensor] = {}
    waiting = [output]
    while waiting:
        tensor = waiting.pop()
        if tensor.serial not in found:
            found[tensor.serial] = tensor
            if tensor.call is not None:
                waiting.extend(x for x in tensor.call.inputs if isinstance(x, Tensor))
    return sorted(found.values(), key=lambda t: -t.serial)


def trace(model: Callable[[Symbol], Any]) -> tuple[Symbol, Symbol]:
    """The symbols of a model's input and of its output.

    Raises
    ------
    ValueError
        For a model that does something else with its input than call layers, or has several outputs.
    """
    x = Symbol()
    try:
        output = model(x)
    except (AttributeError, TypeError) as error:
        raise ValueError(f"model: required one that only calls layers on its input: {error}") from error
    if not isinstance(output, Symbol):
        raise ValueError(f"model: required one with one output, got {type(output).__name__}")
    return x, output


def steps(output: Symbol) -> list[Symbol]:
    """Everything a symbolic `output` is made of, inputs first: the network as a flat list of layer calls."""
    found: dict[int, Symbol] = {}
    waiting = [output]
    while waiting:
        symbol = waiting.pop()
        if symbol.serial not in found:
            found[symbol.serial] = symbol
            waiting.extend(x for x in symbol.inputs if isinstance(x, Symbol))
    return sorted(found.values(), key=lambda s: s.serial)
