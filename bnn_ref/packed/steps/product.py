"""Products: binary (signs with signs, integers come out), with binary weights only, and real."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar, NamedTuple

import numpy as np

from bnn_ref import kernels as compiled
from bnn_ref.packed.signs import Signs
from bnn_ref.packed.steps.base import Step, real
from bnn_ref.parameter import Array


class Window(NamedTuple):
    """How a product moves over an image; a linear layer is a convolution of single pixels.

    `pad` is what a padded tap reads, 0 where it is absent.
    """

    stride: int = 1
    padding: int = 0
    dilation: int = 1
    pad: int = 0


class ProductStep(Step):
    """A product with a weight, without scale and bias: those are steps of their own."""

    weight: Array | Signs
    binary: ClassVar[bool] = False
    """Whether both operands are signs: the product is an integer then."""

    @property
    def window(self) -> Window:
        """Its own, or a linear layer's."""
        return Window()


class ConvStep(ProductStep):
    """A product with a window."""

    stride: int
    padding: int
    dilation: int
    pad: int

    @property
    def window(self) -> Window:
        return Window(self.stride, self.padding, self.dilation, self.pad)


@dataclass(frozen=True, eq=False)
class BinaryConv(ConvStep):
    """Words (N, H, W, Cw) -> int32 (N, Ho, Wo, F), weight (F, K, K, C)."""

    kind: ClassVar[str] = "binary_conv"
    binary: ClassVar[bool] = True
    weight: Signs
    stride: int
    padding: int
    dilation: int = 1
    pad: int = 0

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        words, channels = self.weight.words, self.weight.channels
        z: Array = kernels.xnor_conv2d(inputs[0], words, channels, *self.window)
        return z


@dataclass(frozen=True, eq=False)
class BinaryLinear(ProductStep):
    """Words (..., Cw) -> int32 (..., F), weight (F, C)."""

    kind: ClassVar[str] = "binary_linear"
    binary: ClassVar[bool] = True
    weight: Signs

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        *lead, words = inputs[0].shape
        rows = inputs[0].reshape(-1, words)
        z: Array = kernels.xnor_linear(rows, self.weight.words, self.weight.channels)
        return z.reshape(*lead, z.shape[-1])


@dataclass(frozen=True, eq=False)
class RealConv(ConvStep):
    """float32 (N, H, W, C) -> float32 (N, Ho, Wo, F), weight (K, K, C, F).

    Computed by the kernel of eval mode whatever `kernels` is: the order in which floats are added is part of
    the result.
    """

    kind: ClassVar[str] = "real_conv"
    weight: Array
    stride: int
    padding: int
    dilation: int = 1
    pad: int = 0

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        return compiled.conv2d(real(inputs[0]), self.weight, *self.window)


@dataclass(frozen=True, eq=False)
class RealLinear(ProductStep):
    """float32 (..., C) -> float32 (..., F), weight (C, F)."""

    kind: ClassVar[str] = "real_linear"
    weight: Array

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        return compiled.linear(real(inputs[0]), self.weight)


@dataclass(frozen=True, eq=False)
class SignWeightConv(ConvStep):
    """As `RealConv`, with one bit a weight (F, K, K, C): the signs are unpacked for every call."""

    kind: ClassVar[str] = "sign_weight_conv"
    weight: Signs
    stride: int
    padding: int
    dilation: int = 1
    pad: int = 0

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        weight = np.ascontiguousarray(np.moveaxis(self.weight.values(kernels), 0, -1))
        return compiled.conv2d(real(inputs[0]), weight, *self.window)


@dataclass(frozen=True, eq=False)
class SignWeightLinear(ProductStep):
    """As `RealLinear`, with one bit a weight (F, C): the signs are unpacked for every call."""

    kind: ClassVar[str] = "sign_weight_linear"
    weight: Signs

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        return compiled.linear(real(inputs[0]), np.ascontiguousarray(self.weight.values(kernels).T))
