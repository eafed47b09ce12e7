"""Steps that make signs: from real numbers, from integers by a threshold, and flattened."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from types import ModuleType
from typing import ClassVar

import numpy as np

from bnn_ref import kernels as compiled
from bnn_ref.binarizer import Sign
from bnn_ref.packed.signs import Signs
from bnn_ref.packed.steps.base import Step, numbers, real
from bnn_ref.parameter import Array


@dataclass(frozen=True, eq=False)
class PackSigns(Step):
    """float32 or int32 (..., C) -> words: sign, with sign(0) = sign(-0.0) = `zero`."""

    kind: ClassVar[str] = "pack_signs"
    zero: int

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        x = real(inputs[0])
        words: Array = kernels.pack_signs(x if self.zero == 1 else Sign(self.zero)(x))
        return words


@dataclass(frozen=True, eq=False)
class Threshold(Step):
    """int32 (..., F) -> words: +1 where z >= threshold, or z <= threshold where the channel falls.

    Attributes
    ----------
    threshold : int32 (F,)
    rising : Signs (F,)
        +1 for z >= threshold, -1 for z <= threshold.

    Source: ours; `bnn_ref.packed.folding` derives it.
    """

    kind: ClassVar[str] = "threshold"
    whole: ClassVar[tuple[str, ...]] = ("threshold",)
    threshold: Array
    rising: Signs

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        falling = self.rising.values(kernels) < 0
        words: Array = kernels.threshold_pack(numbers(inputs[0]), self.threshold, falling)
        return words


@dataclass(frozen=True, eq=False)
class FlattenSigns(Step):
    """Words (N, ..., C) -> words (N, D) of all an image's signs in C order, D = ... * C."""

    kind: ClassVar[str] = "flatten_signs"
    channels: int

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        words = inputs[0]
        if self.channels % 64 == 0:  # no pad bits between pixels: the words already are in order
            return words.reshape(len(words), prod(words.shape[1:]))
        signs = kernels.unpack_signs(words, self.channels)
        flat: Array = kernels.pack_signs(np.reshape(signs, (len(words), prod(signs.shape[1:]))))
        return flat
