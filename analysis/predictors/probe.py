"""What a binarizer receives in a network that is being trained: its input, and the gradient of its signs."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bnn_ref.autodiff import Tensor, backward
from bnn_ref.binarizer import Binarizer, Map
from bnn_ref.layers import Layer, SoftmaxCrossEntropy
from bnn_ref.layers.product import Product
from bnn_ref.parameter import Array

OPERANDS = ("activation", "weight")


@dataclass(frozen=True)
class Call:
    """One backward call of a binarizer.

    Attributes
    ----------
    surrogate : Map
        T, as annealed and trained at the time.
    x, dy, dx : array
        What stands in front of the signs, the gradient to the signs, and what T makes of it.
    """

    surrogate: Map
    x: Array
    dy: Array
    dx: Array


@dataclass(frozen=True)
class Watched(Map):
    """A binarizer that writes down its backward calls."""

    inner: Binarizer
    calls: list[Call]

    @property
    def levels(self) -> tuple[float, ...] | None:
        return self.inner.levels

    def __call__(self, x: Array) -> Array:
        return self.inner(x)

    def vjp(self, x: Array, dy: Array) -> Array:
        dx = self.inner.vjp(x, dy)
        self.calls.append(Call(self.inner.surrogate, x, dy, dx))
        return dx


def watch(subject: Map, calls: list[Call]) -> Map:
    """`subject` with every binarizer inside it watched whose T is element-wise."""
    if isinstance(subject, Binarizer) and subject.surrogate.elementwise:
        return Watched(subject, calls)
    return subject.rewrite(lambda part: watch(part, calls))


def probe(model: Layer, images: Array, labels: Array, operand: str) -> Iterator[Call]:
    """The calls of every product's `operand` in one training pass over the batch; `model` stays as it is."""
    twin, calls = copy.deepcopy(model).train(), list[Call]()
    for _, layer in twin.layers():
        held = getattr(layer, operand) if isinstance(layer, Product) else None
        if held is not None:
            setattr(layer, operand, watch(held, calls))
    backward(SoftmaxCrossEntropy()(twin(Tensor(np.asarray(images))), labels))
    yield from calls
