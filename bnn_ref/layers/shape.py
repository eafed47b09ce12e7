"""Layers that only arrange or add: flatten, add."""

from __future__ import annotations

import math
from typing import Any

from bnn_ref.layers.base import Layer
from bnn_ref.parameter import Array


class Flatten(Layer):
    """(N, ...) -> (N, D), in C order."""

    def forward(self, x: Array) -> tuple[Array, Any]:
        return x.reshape(len(x), math.prod(x.shape[1:])), x.shape

    def backward(self, dy: Array, cache: Any) -> Array:
        return dy.reshape(cache)


class Add(Layer):
    """y = a + b, equal shapes; both inputs receive dy."""

    def forward(self, a: Array, b: Array) -> tuple[Array, Any]:
        if a.shape != b.shape:
            raise ValueError(f"Add: required two inputs of one shape, got {a.shape} and {b.shape}")
        return a + b, None

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Array]:
        return dy, dy
