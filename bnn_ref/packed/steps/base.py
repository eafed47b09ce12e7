"""What a packed step is: one operation, its tensors and its plain numbers."""

from __future__ import annotations

import dataclasses
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from bnn_ref import kernels as compiled
from bnn_ref.packed.signs import Signs
from bnn_ref.parameter import Array


class Step:
    """One operation of a packed network.

    Subclasses are frozen dataclasses. Their fields are tensors (arrays or `Signs`), which are stored, or
    numbers, which stand in the graph. A value between steps is float32, int32 (the exact sum of a binary
    product; whoever wants a real number reads it as float32) or uint64 words of signs.
    """

    kind: ClassVar[str]
    reads: ClassVar[int] = 1
    """How many values it takes."""
    whole: ClassVar[tuple[str, ...]] = ()
    """Fields that are arrays of int32; others are of float32."""

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        """The output, computed with `kernels`: `bnn_ref.kernels` or `bnn_ref.kernels.naive`."""
        raise TypeError(f"{type(self).__name__} computes nothing")

    def fields(self) -> dict[str, Any]:
        """Every field by name."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}  # type: ignore[arg-type]

    def held(self) -> dict[str, Array | Signs]:
        """The fields that are tensors."""
        fields = self.fields().items()
        return {name: value for name, value in fields if isinstance(value, (np.ndarray, Signs))}

    def tensors(self) -> dict[str, Array]:
        """The tensors as they are stored: float32, int32, or the uint8 stream of signs."""
        return {name: stored(tensor) for name, tensor in self.held().items()}

    def options(self) -> dict[str, int | float]:
        """The fields that are numbers; one that has its default is left out."""
        held = self.held()
        usual = {f.name: f.default for f in dataclasses.fields(self)}  # type: ignore[arg-type]
        own = {name: value for name, value in self.fields().items() if name not in held}
        return {name: value for name, value in own.items() if value != usual[name]}


def stored(tensor: Array | Signs) -> Array:
    """`tensor` as it is stored."""
    return tensor.stream() if isinstance(tensor, Signs) else tensor


def numbers(x: Array) -> Array:
    """`x`, which are no words of signs: ValueError for those."""
    if x.dtype == np.uint64:
        raise ValueError("required numbers, got signs")
    return x


def real(x: Array) -> Array:
    """`x` as float32; the integers of binary products are small enough for this to be exact."""
    return numbers(x).astype(np.float32, copy=False)
