"""The transposed convolution, real or binary on either side."""

from __future__ import annotations

import numpy as np

from bnn_ref.checks import require
from bnn_ref.kernels import conv2d, conv2d_input_grad, conv2d_weight_grad, linear
from bnn_ref.layers.conv import Convolution
from bnn_ref.parameter import Array


def transposed_size(size: int, kernel_size: int, stride: int, padding: int) -> int:
    """(size - 1) stride + K - 2 padding: of how many pixels a convolution makes `size`.

    ValueError where there would be none.
    """
    found = (size - 1) * stride + kernel_size - 2 * padding
    require(size >= 1 and found >= 1, "input", f"a size that padding {padding} leaves a pixel of", size)
    return found


def overlap_add(columns: Array, kernel_size: int, stride: int, padding: int) -> Array:
    """(N, H, W, K*K*F) -> (N, Ho, Wo, F): every pixel's K x K outputs where they belong, summed.

    Tap (i, j) of pixel (y, x) goes to (y stride + i - padding, x stride + j - padding); what falls outside is
    dropped. Taps are added in row-major order, any dtype.
    """
    n, h, w, wide = columns.shape
    k, s, p = kernel_size, stride, padding
    rows, places = transposed_size(h, k, s, p), transposed_size(w, k, s, p)
    taps = columns.reshape(n, h, w, k * k, wide // (k * k))
    full = np.zeros((n, (h - 1) * s + k, (w - 1) * s + k, taps.shape[-1]), columns.dtype)
    for tap, (i, j) in enumerate(np.ndindex(k, k)):
        full[:, i : i + s * h : s, j : j + s * w : s] += taps[:, :, :, tap]
    return full[:, p : p + rows, p : p + places]


class ConvTranspose2d(Convolution):
    """The transpose of a convolution: x (N, H, W, C), W (K, K, C, F), y (N, Ho, Wo, F).

    y[o] = sum of A(x)[i] B(W)[k] over all i, k with i stride + k - padding = o, on both axes, + bias; Ho is
    (H - 1) stride + K - 2 padding. Its input gradient is the convolution by W, whose input it looks like.

    Parameters
    ----------
    in_channels, out_channels, kernel_size : int
        C, F and K.
    stride, padding : int
        Those of the convolution, in pixels of the output; default 1 and 0.
    bias : bool
        Default False.
    activation, weight, scale : Map or None
        As in `Product`.
    rng : numpy.random.Generator
        Draws the first weight (Glorot uniform).
    """

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(len(shape) == 3, "ConvTranspose2d", "(H, W, C)", shape)
        *_, channels = super().output_shape(shape)
        window = self.kernel_size, self.stride, self.padding
        return (*(transposed_size(size, *window) for size in shape[:2]), channels)

    def macs(self, shape: tuple[int, ...]) -> int:
        return self.latent.value.size * shape[0] * shape[1]

    @staticmethod
    def wide(w: Array) -> Array:
        """(K, K, C, F) -> (C, K*K*F): what one pixel gives to every tap."""
        return np.ascontiguousarray(np.moveaxis(w, 2, 0)).reshape(w.shape[2], -1)

    @staticmethod
    def turned(w: Array) -> Array:
        """(K, K, C, F) -> (K, K, F, C): the filters of the convolution."""
        return np.ascontiguousarray(np.swapaxes(w, 2, 3))

    def multiply(self, x: Array, w: Array) -> Array:
        if self.training:
            shape = (len(x), *self.output_shape(x.shape[1:]))
            return conv2d_input_grad(x, self.turned(w), shape, self.stride, self.padding)
        return overlap_add(linear(x, self.wide(w)), self.kernel_size, self.stride, self.padding)

    def input_grad(self, dy: Array, x: Array, w: Array) -> Array:
        return conv2d(dy, self.turned(w), self.stride, self.padding)

    def weight_grad(self, dy: Array, x: Array, w: Array) -> Array:
        grad = conv2d_weight_grad(dy, x, self.kernel_size, self.stride, self.padding)
        return np.swapaxes(grad, 2, 3)
