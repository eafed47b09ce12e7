"""Pooling: maximum (first one wins ties), average, global average. Images are (N, H, W, C)."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.basepoint import decide
from bnn_ref.checks import require, require_whole
from bnn_ref.kernels.conv import output_size
from bnn_ref.layers.base import Layer
from bnn_ref.layers.shape import places
from bnn_ref.parameter import Array


class Pool2d(Layer):
    """Windows of `kernel_size`, moved by `stride` (the kernel size by default), after padding.

    Parameters
    ----------
    kernel_size, stride, padding : int
        In pixels.
    """

    def __init__(self, kernel_size: int, stride: int | None = None, padding: int = 0) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        require_whole("kernel_size", kernel_size, 1)
        require_whole("stride", self.stride, 1)
        require_whole("padding", padding, 0)
        wanted = f"less than the kernel's {kernel_size}: a window of padding alone holds nothing"
        require(padding < kernel_size, "padding", wanted, padding)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*places(shape, self.kernel_size, self.stride, self.padding), shape[2])

    def taps(self, x: Array, fill: float) -> Array:
        """(N, H, W, C) -> (K*K, N, Ho, Wo, C): what each window sees, tap by tap in row-major order."""
        k, s, p = self.kernel_size, self.stride, self.padding
        rows, columns = (output_size(size, k, s, p) for size in x.shape[1:3])
        padded = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)), constant_values=fill)
        return np.stack(
            [padded[:, i : i + s * rows : s, j : j + s * columns : s] for i, j in np.ndindex(k, k)]
        )

    def scatter(self, dtaps: Array, shape: tuple[int, ...]) -> Array:
        """The transpose of `taps`: (K*K, N, Ho, Wo, C) summed back into (N, H, W, C)."""
        k, s, p = self.kernel_size, self.stride, self.padding
        n, h, w, c = shape
        dx = np.zeros((n, h + 2 * p, w + 2 * p, c), dtaps.dtype)
        rows, columns = dtaps.shape[2:4]
        for tap, (i, j) in enumerate(np.ndindex(k, k)):
            dx[:, i : i + s * rows : s, j : j + s * columns : s] += dtaps[tap]
        return dx[:, p : p + h, p : p + w]


class MaxPool2d(Pool2d):
    """The largest value of each window; the gradient goes to the first of several equal ones."""

    def forward(self, x: Array) -> tuple[Array, Any]:
        taps = self.taps(x, -np.inf)
        first = decide(
            lambda: self._first(taps.real, x.shape)[None],
            lambda: int(((taps.real == taps.real.max(axis=0)).sum(axis=0) > 1).sum()),
        )
        return np.take_along_axis(taps, first, axis=0)[0], (x.shape, first)

    def _first(self, taps: Array, shape: tuple[int, ...]) -> Array:
        """Which tap wins, the first of equal ones; padding never does, not even against -inf."""
        first = taps.argmax(axis=0)
        if self.padding and np.isneginf(lost := taps.max(axis=0)).any():
            inside = self.taps(np.ones(shape), 0).argmax(axis=0)
            first = np.where(np.isneginf(lost), inside, first)
        return first

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = dy at the tap that won, 0 elsewhere."""
        shape, first = cache
        dtaps = np.zeros((self.kernel_size**2, *dy.shape), dy.dtype)
        np.put_along_axis(dtaps, first, dy[None], axis=0)
        return self.scatter(dtaps, shape)


class AvgPool2d(Pool2d):
    """The mean of each window; padded zeros count."""

    def forward(self, x: Array) -> tuple[Array, Any]:
        return self.taps(x, 0).mean(axis=0), x.shape

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = dy / K^2 at every tap of the window."""
        taps = self.kernel_size**2
        return self.scatter(np.broadcast_to(dy / taps, (taps, *dy.shape)), cache)


class GlobalAvgPool(Layer):
    """(N, H, W, C) -> (N, C), the mean over pixels."""

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(len(shape) == 3, "GlobalAvgPool", "(H, W, C)", shape)
        return shape[2:]

    def forward(self, x: Array) -> tuple[Array, Any]:
        return x.mean(axis=(1, 2)), x.shape

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = dy / (H W) at every pixel."""
        h, w = cache[1:3]
        return np.broadcast_to((dy / (h * w))[:, None, None, :], cache)
