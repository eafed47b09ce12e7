"""Every single layer call of one training step, with what went in and which gradient came back."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnn_ref import autodiff
from bnn_ref.autodiff import Tensor
from bnn_ref.layers import Composite, Layer
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class LeafCall:
    """One call of a layer that is not made of layers."""

    layer: Layer
    inputs: tuple[Array, ...]
    dy: Array


def leaf_calls(layer: Layer, *inputs: Array) -> Iterator[tuple[str, LeafCall]]:
    """Run `layer` (a scalar loss) forward and backward once; yield its leaf calls in forward order, named."""
    layer = copy.deepcopy(layer).train()
    found: list[_Listener] = []
    for name, part in layer.layers():
        if not isinstance(part, Composite):
            _listen(name or type(part).__name__, part, found)
    autodiff.backward(layer(Tensor(inputs[0]), *inputs[1:]))
    for call in found:
        if call.dy is not None:
            yield call.name, LeafCall(call.layer, call.inputs, call.dy)


@dataclass
class _Listener:
    """A call as it goes on: what went in, later which gradient came back."""

    name: str
    layer: Layer
    inputs: tuple[Array, ...]
    dy: Array | None = None


def _listen(name: str, layer: Layer, found: list[_Listener]) -> None:
    """Add every later call of `layer` to `found`; its cache becomes (cache, call)."""
    plain = copy.copy(layer)

    def forward(*xs: Array, **named: Any) -> tuple[Array, Any]:
        y, cache = plain.forward(*xs, **named)
        found.append(_Listener(name, plain, xs))
        return y, (cache, found[-1])

    def backward(dy: Array, cache: Any) -> Any:
        inner, call = cache
        call.dy = np.array(dy)
        return plain.backward(dy, inner)

    layer.forward, layer.backward = forward, backward  # type: ignore[method-assign]
