"""Pooling: the maximum of integers or floats, and the means, which are eval mode's own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from types import ModuleType
from typing import ClassVar

import numpy as np

from bnn_ref import kernels as compiled
from bnn_ref.layers import AvgPool2d, GlobalAvgPool, MaxPool2d
from bnn_ref.packed.steps.base import Step, real
from bnn_ref.parameter import Array


@dataclass(frozen=True, eq=False)
class MaxPool(Step):
    """(N, H, W, C) -> (N, Ho, Wo, C), dtype kept: the largest of each window; padding never wins."""

    kind: ClassVar[str] = "max_pool"
    kernel_size: int
    stride: int
    padding: int
    ceil: bool = False

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        k, s, x = self.kernel_size, self.stride, inputs[0]
        pool = MaxPool2d(k, s, self.padding, self.ceil)
        rows, columns = (pool.places(size) for size in x.shape[1:3])
        margins = pool.margins(x.shape)
        least = -np.inf if x.dtype == np.float32 else np.iinfo(x.dtype).min
        padded = np.pad(x, margins, constant_values=least) if np.any(margins) else x
        largest = np.full((len(x), rows, columns, x.shape[3]), least, x.dtype)
        for i, j in product(range(k), repeat=2):
            np.maximum(largest, padded[:, i : i + s * rows : s, j : j + s * columns : s], out=largest)
        return largest


@dataclass(frozen=True, eq=False)
class AvgPool(Step):
    """(N, H, W, C) -> float32 (N, Ho, Wo, C): the mean of each K x K window; padded zeros count."""

    kind: ClassVar[str] = "avg_pool"
    kernel_size: int
    stride: int
    padding: int
    ceil: bool = False

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        mean: Array = AvgPool2d(self.kernel_size, self.stride, self.padding, self.ceil)(real(inputs[0]))
        return mean


@dataclass(frozen=True, eq=False)
class GlobalMean(Step):
    """(N, H, W, C) -> float32 (N, C): the mean over pixels."""

    kind: ClassVar[str] = "global_mean"

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        mean: Array = GlobalAvgPool()(real(inputs[0]))
        return mean
