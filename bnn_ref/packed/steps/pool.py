"""Pooling: the maximum of integers or floats, and the means, which are eval mode's own."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar

from bnn_ref import kernels as compiled
from bnn_ref.checks import require
from bnn_ref.layers import AvgPool2d, GlobalAvgPool
from bnn_ref.packed.steps.base import Step, numbers, real
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
        require(self.padding < self.kernel_size, "padding", f"less than {self.kernel_size}", self.padding)
        pooled: Array = kernels.max_pool2d(
            numbers(inputs[0]), self.kernel_size, self.stride, self.padding, self.ceil
        )
        return pooled


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
