"""Attention: every place asks every place. The products of scores are real, whatever the matrices are."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np

from bnn_ref.checks import require, require_whole
from bnn_ref.layers.base import Composite, Layer
from bnn_ref.layers.linear import Linear
from bnn_ref.parameter import Array


class Attention(Layer):
    """y = softmax(q k^T / sqrt(d)) v, head by head; q (N, T, D), k and v (N, S, D), y (N, T, D).

    The D channels are H heads of d = D / H neighbouring channels each; the softmax is over the S places.

    Parameters
    ----------
    heads : int
        H; divides D.

    Source: after attention2017.
    """

    def __init__(self, heads: int) -> None:
        require_whole("heads", heads, 1)
        self.heads = heads

    def output_shape(self, q: tuple[int, ...], k: tuple[int, ...], v: tuple[int, ...]) -> tuple[int, ...]:
        fits = len(q) == len(k) == 2 and k == v and q[1] == k[1] and q[1] % self.heads == 0
        wanted = f"(T, D), (S, D) and (S, D) with D divisible by {self.heads}"
        require(fits, "Attention", wanted, (q, k, v))
        return q

    def macs(self, q: tuple[int, ...], k: tuple[int, ...], v: tuple[int, ...]) -> int:
        """Multiplications of its two products, of shapes as in `output_shape`: T S D each."""
        return 2 * q[0] * k[0] * q[1]

    def forward(self, q: Array, k: Array, v: Array) -> tuple[Array, Any]:
        """P = softmax(Q K^T / sqrt(d)), y = P V; heads come to the front: Q (N, H, T, d), P (N, H, T, S)."""
        self.output_shape(q.shape[1:], k.shape[1:], v.shape[1:])
        q, k, v = (self._split(x) for x in (q * self._factor(q), k, v))
        p = q @ k.swapaxes(-1, -2)
        p -= p.real.max(axis=-1, keepdims=True)  # any shift gives the same softmax
        np.exp(p, out=p)
        p /= p.sum(axis=-1, keepdims=True)
        return _merge(p @ v), (p, q, k, v)

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Array, Array]:
        """dV = P^T dY; dP = dY V^T; dS = P (dP - sum_s P dP); dQ = dS K / sqrt(d); dK = dS^T Q / sqrt(d).

        The cached Q has been divided by sqrt(d) already.
        """
        p, q, k, v = cache
        factor, dy = self._factor(dy), self._split(dy)
        dv = p.swapaxes(-1, -2) @ dy
        ds = dy @ v.swapaxes(-1, -2)
        ds -= (p * ds).sum(axis=-1, keepdims=True)
        ds *= p
        return _merge(ds @ k) * factor, _merge(ds.swapaxes(-1, -2) @ q), _merge(dv)

    def _factor(self, x: Array) -> float:
        return 1 / sqrt(x.shape[-1] // self.heads)

    def _split(self, x: Array) -> Array:
        """(N, T, D) -> (N, H, T, d), a view where it can be."""
        return x.reshape(*x.shape[:2], self.heads, x.shape[2] // self.heads).swapaxes(1, 2)


def _merge(x: Array) -> Array:
    """(N, H, T, d) -> (N, T, D), contiguous."""
    n, heads, places, channels = x.shape
    return np.ascontiguousarray(x.swapaxes(1, 2)).reshape(n, places, heads * channels)


class MultiHeadAttention(Composite):
    """y = Attention(x Wq + bq, x Wk + bk, x Wv + bv) Wo + bo; x and y (N, T, D).

    Parameters
    ----------
    channels : int
        D.
    heads : int
        H; divides D.
    linear : callable
        Makes the four layers, called with (D, D) each: real or binary.

    Source: after attention2017.
    """

    def __init__(self, channels: int, heads: int, linear: Callable[[int, int], Linear]) -> None:
        require_whole("channels", channels, 1)
        require_whole("heads", heads, 1)
        require(channels % heads == 0, "heads", f"a divisor of {channels} channels", heads)
        self.query, self.key, self.value = (linear(channels, channels) for _ in range(3))
        self.attention, self.output = Attention(heads), linear(channels, channels)

    def compute(self, x: Any) -> Any:
        return self.output(self.attention(self.query(x), self.key(x), self.value(x)))
