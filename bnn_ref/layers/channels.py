"""Shortcuts without parameters for convolutions that change the number of channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.checks import require, require_whole
from bnn_ref.layers.base import Layer
from bnn_ref.parameter import Array


class TileChannels(Layer):
    """(..., C) -> (..., R C): all channels in their order, and that R times.

    Parameters
    ----------
    times : int
        R.
    """

    def __init__(self, times: int) -> None:
        require_whole("times", times, 1)
        self.times = times

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:-1], shape[-1] * self.times)

    def forward(self, x: Array) -> tuple[Array, Any]:
        return np.concatenate([x] * self.times, axis=-1), None

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = the sum of dy over the R copies."""
        return dy.reshape(*dy.shape[:-1], self.times, -1).sum(axis=-2)


class GroupMean(Layer):
    """(..., C) -> (..., C / G): the mean of each G neighbouring channels.

    They are added one after another, so that an answer does not depend on how they lie in memory.

    Parameters
    ----------
    size : int
        G, by which C is divisible.
    """

    def __init__(self, size: int) -> None:
        require_whole("size", size, 1)
        self.size = size

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(shape[-1] % self.size == 0, "GroupMean", f"channels divisible by {self.size}", shape)
        return (*shape[:-1], shape[-1] // self.size)

    def forward(self, x: Array) -> tuple[Array, Any]:
        self.output_shape(x.shape)
        total = x[..., :: self.size]
        for i in range(1, self.size):
            total = total + x[..., i :: self.size]
        return total / self.size, None

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = dy / G at each of the G channels."""
        return (dy / self.size).repeat(self.size, axis=-1)
