"""Layers that only arrange or add: flatten, add, a shortcut without parameters."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bnn_ref.checks import require, require_whole
from bnn_ref.kernels.conv import output_size
from bnn_ref.layers.base import Layer
from bnn_ref.parameter import Array


def places(
    shape: tuple[int, ...], kernel_size: int, stride: int, padding: int, ceil: bool = False
) -> tuple[int, int]:
    """(Ho, Wo): where a window of an image (H, W, C) can stand; ValueError unless it is one."""
    if len(shape) != 3:
        raise ValueError("required (H, W, C)")
    h, w = (output_size(size, kernel_size, stride, padding, ceil) for size in shape[:2])
    return h, w


class Flatten(Layer):
    """(N, ...) -> (N, D), in C order."""

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (math.prod(shape),)

    def forward(self, x: Array) -> tuple[Array, Any]:
        return x.reshape(len(x), math.prod(x.shape[1:])), x.shape

    def backward(self, dy: Array, cache: Any) -> Array:
        return dy.reshape(cache)


class Add(Layer):
    """y = a + b, equal shapes; both inputs receive dy."""

    def output_shape(self, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
        require(a == b, "Add", "two inputs of one shape", (a, b))
        return a

    def forward(self, a: Array, b: Array) -> tuple[Array, Any]:
        if a.shape != b.shape:
            raise ValueError(f"Add: required two inputs of one shape, got {a.shape} and {b.shape}")
        return a + b, None

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Array]:
        return dy, dy


class PadShortcut(Layer):
    """(N, H, W, C) -> (N, ceil(H/s), ceil(W/s), C + 2Z): a shortcut without parameters.

    Of every s rows and s columns the first one is kept; Z channels of zeros come before the C channels, and
    as many after them.

    Parameters
    ----------
    stride : int
        s, in pixels.
    zeros : int
        Z, channels added on each side.

    Source: fda2021 (released evaluation code).
    """

    def __init__(self, stride: int, zeros: int) -> None:
        require_whole("stride", stride, 1)
        require_whole("zeros", zeros, 0)
        self.stride, self.zeros = stride, zeros

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*places(shape, 1, self.stride, 0), shape[2] + 2 * self.zeros)

    def forward(self, x: Array) -> tuple[Array, Any]:
        """x: (N, H, W, C)."""
        require(x.ndim == 4, "PadShortcut", "an input of shape (N, H, W, C)", x.shape)
        kept = x[:, :: self.stride, :: self.stride]
        return np.pad(kept, ((0, 0), (0, 0), (0, 0), (self.zeros, self.zeros))), x.shape

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = dy of the C channels in the middle at the pixels that were kept, 0 elsewhere."""
        dx = np.zeros(cache, dy.dtype)
        dx[:, :: self.stride, :: self.stride] = dy[..., self.zeros : self.zeros + cache[-1]]
        return dx
