"""Steps of networks that answer with maps: larger images, transposed convolutions, shortcuts of channels."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar

from bnn_ref import kernels as compiled
from bnn_ref.layers import BilinearUpsample as BilinearUpsampleLayer
from bnn_ref.layers import GroupMean as GroupMeanLayer
from bnn_ref.layers import NearestUpsample as NearestUpsampleLayer
from bnn_ref.layers import TileChannels as TileChannelsLayer
from bnn_ref.layers.transposed import overlap_add
from bnn_ref.packed.steps.base import Step, numbers, real
from bnn_ref.parameter import Array


@dataclass(frozen=True, eq=False)
class NearestUpsample(Step):
    """(N, H, W, C) -> (N, f H, f W, C), numbers or words, the dtype kept: every pixel f x f times."""

    kind: ClassVar[str] = "nearest_upsample"
    factor: int

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        larger: Array = NearestUpsampleLayer(self.factor)(inputs[0])
        return larger


@dataclass(frozen=True, eq=False)
class BilinearUpsample(Step):
    """(N, H, W, C) -> float32 (N, f H, f W, C): between pixels, half-pixel centres."""

    kind: ClassVar[str] = "bilinear_upsample"
    factor: int

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        larger: Array = BilinearUpsampleLayer(self.factor)(real(inputs[0]))
        return larger


@dataclass(frozen=True, eq=False)
class OverlapAdd(Step):
    """(N, H, W, K*K*F) -> (N, Ho, Wo, F), the dtype kept: each pixel's outputs in their places, summed."""

    kind: ClassVar[str] = "overlap_add"
    kernel_size: int
    stride: int
    padding: int

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        return overlap_add(numbers(inputs[0]), self.kernel_size, self.stride, self.padding)


@dataclass(frozen=True, eq=False)
class TileChannels(Step):
    """(..., C) -> float32 (..., R C): all channels, R times."""

    kind: ClassVar[str] = "tile_channels"
    times: int

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        tiled: Array = TileChannelsLayer(self.times)(real(inputs[0]))
        return tiled


@dataclass(frozen=True, eq=False)
class GroupMean(Step):
    """(..., C) -> float32 (..., C / G): the mean of each G neighbouring channels, added in their order."""

    kind: ClassVar[str] = "group_mean"
    size: int

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        mean: Array = GroupMeanLayer(self.size)(real(inputs[0]))
        return mean
