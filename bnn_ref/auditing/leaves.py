"""Every single layer call of one training step, with what went in and which gradient came back."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

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
    output = layer(Tensor(inputs[0]), *inputs[1:])
    autodiff.backward(output)
    names = {id(part): name for name, part in layer.layers()}
    for leaf in _leaves(output):
        yield names.get(id(leaf.layer), type(leaf.layer).__name__), leaf


def _leaves(output: Tensor) -> Iterator[LeafCall]:
    for tensor in autodiff.ancestors(output)[::-1]:
        call = tensor.call
        if call is None or tensor.grad is None:
            continue
        if isinstance(call.layer, Composite):
            yield from _leaves(call.cache[1])
        elif isinstance(call.layer, Layer):
            values = tuple(x.value if isinstance(x, Tensor) else x for x in call.inputs)
            yield LeafCall(call.layer, values, np.asarray(tensor.grad))
