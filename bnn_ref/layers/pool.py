"""Pooling: maximum (first one wins ties), average, global average. Images are (N, H, W, C)."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.basepoint import decide, recentring
from bnn_ref.checks import require, require_whole
from bnn_ref.kernels import max_pool2d_grad, max_pool2d_places, output_size, sum_image, sum_pool2d
from bnn_ref.layers.base import Layer
from bnn_ref.layers.shape import places
from bnn_ref.parameter import Array


class Pool2d(Layer):
    """Windows of `kernel_size`, moved by `stride` (the kernel size by default), after padding.

    Parameters
    ----------
    kernel_size, stride, padding : int
        In pixels.
    ceil : bool
        Whether windows may hang over the end, so that no pixel is left out; what hangs over holds nothing.
    """

    def __init__(
        self, kernel_size: int, stride: int | None = None, padding: int = 0, ceil: bool = False
    ) -> None:
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.ceil = padding, ceil
        require_whole("kernel_size", kernel_size, 1)
        require_whole("stride", self.stride, 1)
        require_whole("padding", padding, 0)
        wanted = f"less than the kernel's {kernel_size}: a window of padding alone holds nothing"
        require(padding < kernel_size, "padding", wanted, padding)
        require(isinstance(ceil, bool), "ceil", "True or False", ceil)

    def places(self, size: int) -> int:
        """Windows along an axis of `size` pixels."""
        return output_size(size, self.kernel_size, self.stride, self.padding, self.ceil)

    def margins(self, shape: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
        """(before, after) of every axis of (N, H, W, C): the padding, and what hangs over the end."""
        k, s, p = self.kernel_size, self.stride, self.padding
        ends = (max(p, (self.places(size) - 1) * s + k - p - size) for size in shape[1:3])
        return ((0, 0), *((p, end) for end in ends), (0, 0))

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*places(shape, self.kernel_size, self.stride, self.padding, self.ceil), shape[2])

    def taps(self, x: Array, fill: float) -> Array:
        """(N, H, W, C) -> (K*K, N, Ho, Wo, C): what each window sees, tap by tap in row-major order."""
        k, s = self.kernel_size, self.stride
        rows, columns = (self.places(size) for size in x.shape[1:3])
        padded = np.pad(x, self.margins(x.shape), constant_values=fill)
        return np.stack(
            [padded[:, i : i + s * rows : s, j : j + s * columns : s] for i, j in np.ndindex(k, k)]
        )

    def scatter(self, dtaps: Array, shape: tuple[int, ...]) -> Array:
        """The transpose of `taps`: (K*K, N, Ho, Wo, C) summed back into (N, H, W, C)."""
        k, s, p = self.kernel_size, self.stride, self.padding
        margins = self.margins(shape)
        padded = [size + sum(margin) for size, margin in zip(shape, margins, strict=True)]
        dx = np.zeros(padded, dtaps.dtype)
        rows, columns = dtaps.shape[2:4]
        for tap, (i, j) in enumerate(np.ndindex(k, k)):
            dx[:, i : i + s * rows : s, j : j + s * columns : s] += dtaps[tap]
        return dx[:, p : p + shape[1], p : p + shape[2]]


class MaxPool2d(Pool2d):
    """The largest value of each window; the gradient goes to the first of several equal ones."""

    def forward(self, x: Array) -> tuple[Array, Any]:
        if not recentring() and x.dtype.kind == "f":
            y, places = max_pool2d_places(x, self.kernel_size, self.stride, self.padding, self.ceil)
            return y, (x.shape, places)
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
        shape, places = cache
        places = places.reshape(dy.shape)
        return max_pool2d_grad(dy, places, shape, self.kernel_size, self.stride, self.padding)


class AvgPool2d(Pool2d):
    """The mean of each window; padded zeros count, what hangs over the end does not."""

    def forward(self, x: Array) -> tuple[Array, Any]:
        cells = self.cells(x.shape).astype(x.real.dtype)
        total = sum_pool2d(x, self.kernel_size, self.stride, self.padding, self.ceil)
        return total / cells, (x.shape, cells)

    def cells(self, shape: tuple[int, ...]) -> Array:
        """(Ho, Wo, 1): how many pixels of the image and its padding each window holds."""
        k, s, p = self.kernel_size, self.stride, self.padding
        sides = [np.minimum(k, size + 2 * p - s * np.arange(self.places(size))) for size in shape[1:3]]
        return np.outer(*sides)[..., None]

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = dy / cells at every tap of the window; without `ceil` there are K^2."""
        shape, cells = cache
        taps = self.kernel_size**2
        return self.scatter(np.broadcast_to(dy / cells, (taps, *dy.shape)), shape)


class GlobalAvgPool(Layer):
    """(N, H, W, C) -> (N, C), the mean over pixels."""

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(len(shape) == 3, "GlobalAvgPool", "(H, W, C)", shape)
        return shape[2:]

    def forward(self, x: Array) -> tuple[Array, Any]:
        return sum_image(x) / (x.shape[1] * x.shape[2]), x.shape

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = dy / (H W) at every pixel."""
        h, w = cache[1:3]
        return np.broadcast_to((dy / (h * w))[:, None, None, :], cache)
