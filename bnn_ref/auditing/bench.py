"""A layer at its base point, ready to be differentiated: any of its tensors can be moved, smoothly."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bnn_ref.basepoint import BasePoint, record, replay
from bnn_ref.layers import Layer
from bnn_ref.parameter import Array, Parameter

STEP = 1e-40
"""Of the complex step: its square is nothing beside 1, so the derivative is exact to rounding."""


@dataclass
class Slot:
    """One tensor that is differentiated: where it is read and written, and the gradient under test."""

    name: str
    get: Callable[[], Array]
    put: Callable[[Array], None]
    grad: Array


@dataclass
class Bench:
    """A layer at its base point: it can be evaluated again, smoothly, with any tensor moved."""

    layer: Layer
    inputs: list[Array]
    dy: Array
    point: BasePoint
    slots: list[Slot]

    def along(self, slot: Slot, direction: Array) -> float:
        """The derivative of sum(dy * y) along `direction` of one tensor, by a complex step."""
        base = slot.get()
        kept = {key: getattr(at, name) for key, (at, name) in self.layer.named_buffers().items()}
        try:
            slot.put(base + 1j * STEP * direction)
            with replay(self.point):
                y = self.layer.forward(*self.inputs)[0]
        finally:
            slot.put(base)
            for key, (at, name) in self.layer.named_buffers().items():
                setattr(at, name, kept[key])
        return float((self.dy * np.asarray(y).imag).sum() / STEP)


def at_base_point(
    layer: Layer,
    inputs: tuple[Array, ...],
    dy: Array | None,
    dtype: np.dtype[np.generic],
    rng: np.random.Generator,
) -> Bench:
    """Run the backward under test in `dtype`, and record the base point in float64."""
    tested = copy.deepcopy(layer).astype(dtype).train()
    given = [x.astype(dtype) if x.dtype.kind == "f" else x for x in inputs]
    y, cache = tested.forward(*given)
    dy = rng.normal(size=np.shape(y)) if dy is None else dy
    grads = tested.backward(dy.astype(dtype), cache)
    grads = grads if isinstance(grads, tuple) else (grads,)
    smooth = copy.deepcopy(layer).astype(dtype).astype(np.float64).train()
    wide = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in given]
    with record() as point:
        copy.deepcopy(smooth).forward(*wide)
    smooth.astype(np.complex128)
    wide = [x.astype(np.complex128) if x.dtype.kind == "f" else x for x in wide]
    bench = Bench(smooth, wide, dy.astype(np.float64), point, [])
    for i, grad in enumerate(grads):
        if wide[i].dtype.kind == "c":
            bench.slots.append(_input_slot(wide, i, np.asarray(grad, np.float64)))
    pairs = zip(smooth.named_parameters().items(), tested.parameters(), strict=True)
    bench.slots += [_parameter_slot(key, own, other.grad) for (key, own), other in pairs]
    return bench


def _input_slot(inputs: list[Array], i: int, grad: Array) -> Slot:
    def put(value: Array) -> None:
        inputs[i] = value

    return Slot(f"input {i}", lambda: inputs[i], put, grad)


def _parameter_slot(name: str, parameter: Parameter, grad: Array | None) -> Slot:
    def put(value: Array) -> None:
        parameter.value = value

    wide = np.zeros(parameter.value.shape) if grad is None else np.asarray(grad, np.float64)
    return Slot(name, lambda: parameter.value, put, wide)


def worst_element(bench: Bench, slot: Slot) -> str:
    """Bisect to an element whose gradient is wrong: each half is probed with all its elements at once."""
    rng = np.random.default_rng(0)
    chosen = np.arange(slot.grad.size)
    while chosen.size > 1:
        halves = np.array_split(chosen, 2)
        chosen = max(halves, key=lambda half: _discrepancy(bench, slot, half, rng))
    direction = np.zeros(slot.grad.size)
    direction[chosen] = 1
    required = bench.along(slot, direction.reshape(slot.grad.shape))
    index = tuple(int(i) for i in np.unravel_index(int(chosen[0]), slot.grad.shape)) if slot.grad.ndim else ()
    return f"at {index}: required {required:.9g}, got {slot.grad.reshape(-1)[chosen[0]]:.9g}"


def _discrepancy(bench: Bench, slot: Slot, half: Array, rng: np.random.Generator) -> float:
    direction = np.zeros(slot.grad.size)
    direction[half] = rng.normal(size=half.size)
    shaped = direction.reshape(slot.grad.shape)
    return abs(bench.along(slot, shaped) - float((slot.grad * shaped).sum()))
