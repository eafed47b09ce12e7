"""Larger images by a whole factor, without parameters: the nearest pixel, or between four of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.checks import require, require_whole
from bnn_ref.layers.base import Layer
from bnn_ref.parameter import Array


class Upsample(Layer):
    """(N, H, W, C) -> (N, f H, f W, C).

    Parameters
    ----------
    factor : int
        f; default 2.
    """

    def __init__(self, factor: int = 2) -> None:
        require_whole("factor", factor, 1)
        self.factor = factor

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(len(shape) == 3, type(self).__name__, "(H, W, C)", shape)
        return (shape[0] * self.factor, shape[1] * self.factor, shape[2])

    def _require_images(self, x: Array) -> None:
        require(x.ndim == 4, type(self).__name__, "an input of shape (N, H, W, C)", x.shape)


class NearestUpsample(Upsample):
    """Every pixel becomes f x f equal ones: y[o] = x[o // f]. Signs may be taken before or after."""

    def forward(self, x: Array) -> tuple[Array, Any]:
        self._require_images(x)
        return x.repeat(self.factor, axis=1).repeat(self.factor, axis=2), None

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = the sum of dy over the f x f pixels that were one."""
        n, h, w, c = dy.shape
        f = self.factor
        return dy.reshape(n, h // f, f, w // f, f, c).sum(axis=(2, 4))


class BilinearUpsample(Upsample):
    """Along each axis y[o] = (1 - t) x[a] + t x[a + 1], a + t = (o + 1/2) / f - 1/2: half-pixel centres.

    Places outside 0..H-1 are moved to its ends. This is align_corners=False elsewhere.
    """

    def neighbours(self, size: int) -> tuple[Array, Array, Array]:
        """a, a + 1 (no further than the end) and t, one of each for every place of the output."""
        places = (np.arange(size * self.factor) + 0.5) / self.factor - 0.5
        places = np.clip(places, 0, size - 1)
        low = np.floor(places).astype(np.intp)
        return low, np.minimum(low + 1, size - 1), places - low

    def along(self, x: Array, axis: int) -> Array:
        """One axis of `forward`."""
        low, high, t = self.neighbours(x.shape[axis])
        t = t.astype(x.real.dtype).reshape(-1, *[1] * (x.ndim - 1 - axis))
        return x.take(low, axis) * (1 - t) + x.take(high, axis) * t

    def forward(self, x: Array) -> tuple[Array, Any]:
        self._require_images(x)
        return self.along(self.along(x, 1), 2), x.shape

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = U_h^T dy U_w, with the (f H, H) and (f W, W) matrices of `along`."""
        _, h, w, _ = cache
        rows, columns = self._matrix(h, dy), self._matrix(w, dy)
        partly = np.tensordot(columns, dy, (0, 2))  # (W, N, f H, C)
        return np.tensordot(rows, partly, (0, 2)).transpose(2, 0, 1, 3)  # (H, W, N, C), moved

    def _matrix(self, size: int, dy: Array) -> Array:
        low, high, t = self.neighbours(size)
        places, matrix = np.arange(len(t)), np.zeros((len(t), size), dy.real.dtype)
        np.add.at(matrix, (places, low), 1 - t)
        np.add.at(matrix, (places, high), t)
        return matrix
