"""A ±1 tensor: words while it works, a bit stream where it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from bnn_ref import kernels as compiled
from bnn_ref.parameter import Array


@dataclass(frozen=True, eq=False)
class Signs:
    """Signs along the channels, one bit each.

    Attributes
    ----------
    words : uint64 (..., ceil(C / 64))
        1 is +1, least significant bit first, pad bits zero.
    channels : int
        C.

    Source: ours.
    """

    words: Array
    channels: int

    @classmethod
    def of(cls, values: Array) -> Signs:
        """The signs of `values`, float32 (..., C)."""
        return cls(compiled.pack_signs(np.ascontiguousarray(values)), values.shape[-1])

    @classmethod
    def from_stream(cls, stream: Array, shape: Sequence[int]) -> Signs:
        """The signs that `stream` wrote, `shape` being (..., C); ValueError where the lengths differ."""
        return cls(compiled.from_stream(stream, shape), shape[-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """(..., C)."""
        return (*self.words.shape[:-1], self.channels)

    def stream(self) -> Array:
        """uint8: one bit an element in C order, least significant first, padded once at the end."""
        return compiled.to_stream(self.words, self.channels)

    def values(self, kernels: ModuleType = compiled) -> Array:
        """float32 (..., C) of +1 and -1."""
        signs: Array = kernels.unpack_signs(self.words, self.channels)
        return signs
