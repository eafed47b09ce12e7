"""Steps that only arrange or add."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from types import ModuleType
from typing import ClassVar

from bnn_ref import kernels as compiled
from bnn_ref.layers import Add as AddLayer
from bnn_ref.layers import Concat as ConcatLayer
from bnn_ref.layers import PadShortcut as PadShortcutLayer
from bnn_ref.layers import TakeChannels as TakeChannelsLayer
from bnn_ref.packed.steps.base import Step, numbers, real
from bnn_ref.parameter import Array


@dataclass(frozen=True, eq=False)
class Flatten(Step):
    """(N, ...) -> (N, D) in C order, the dtype kept."""

    kind: ClassVar[str] = "flatten"

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        x = numbers(inputs[0])
        return x.reshape(len(x), prod(x.shape[1:]))


@dataclass(frozen=True, eq=False)
class Add(Step):
    """Two inputs of one shape -> float32, their sum: a shortcut."""

    kind: ClassVar[str] = "add"
    reads: ClassVar[int] = 2

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        total: Array = AddLayer()(real(inputs[0]), real(inputs[1]))
        return total


@dataclass(frozen=True, eq=False)
class Concat(Step):
    """Two inputs (..., A) and (..., B) -> float32 (..., A + B)."""

    kind: ClassVar[str] = "concat"
    reads: ClassVar[int] = 2

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        both: Array = ConcatLayer()(real(inputs[0]), real(inputs[1]))
        return both


@dataclass(frozen=True, eq=False)
class TakeChannels(Step):
    """(..., C) -> (..., last - first), the dtype kept: some neighbouring channels."""

    kind: ClassVar[str] = "take_channels"
    first: int
    last: int

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        taken: Array = TakeChannelsLayer(self.first, self.last)(numbers(inputs[0]))
        return taken


@dataclass(frozen=True, eq=False)
class PadShortcut(Step):
    """(N, H, W, C) -> (N, ceil(H/s), ceil(W/s), C + 2Z), the dtype kept: fewer pixels, channels of zeros."""

    kind: ClassVar[str] = "pad_shortcut"
    stride: int
    zeros: int

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        padded: Array = PadShortcutLayer(self.stride, self.zeros)(numbers(inputs[0]))
        return padded
