"""From an image to a sequence of tokens, and from the sequence to the one that stands for it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bnn_ref.checks import require, require_whole
from bnn_ref.layers.base import Composite, Layer
from bnn_ref.layers.conv import Conv2d
from bnn_ref.parameter import Array, Parameter

SPREAD = 0.02
"""Standard deviation of the first values of class token and positions."""


class Tokens(Layer):
    """(N, ..., C) -> (N, T, C): all places in C order, one after another."""

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(len(shape) > 1, "Tokens", "(..., C)", shape)
        return math.prod(shape[:-1]), shape[-1]

    def forward(self, x: Array) -> tuple[Array, Any]:
        return x.reshape(len(x), *self.output_shape(x.shape[1:])), x.shape

    def backward(self, dy: Array, cache: Any) -> Array:
        return dy.reshape(cache)


class ClassToken(Layer):
    """(N, T, C) -> (N, 1 + T, C): one learned token before those of every image.

    Parameters
    ----------
    channels : int
        C.
    rng : numpy.random.Generator
        Draws its first value, normal with standard deviation 0.02.

    Source: after vit2021.
    """

    def __init__(self, channels: int, *, rng: np.random.Generator) -> None:
        require_whole("channels", channels, 1)
        self.token = Parameter(rng.normal(0, SPREAD, channels).astype(np.float32), "token")

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        channels = self.token.value.shape
        fits = len(shape) == 2 and shape[1:] == channels
        require(fits, "ClassToken", f"(T, {channels[0]})", shape)
        return 1 + shape[0], shape[1]

    def forward(self, x: Array) -> tuple[Array, Any]:
        self.output_shape(x.shape[1:])
        first = np.broadcast_to(self.token.value, (len(x), 1, x.shape[2]))
        return np.concatenate([first, x], axis=1), None

    def backward(self, dy: Array, cache: Any) -> Array:
        """dtoken = sum over images of the first place; dx is the rest."""
        self.token.accumulate(dy[:, 0].sum(axis=0))
        return dy[:, 1:]


class Position(Layer):
    """y = x + e: x (N, T, C), one learned vector of e (T, C) a place.

    Parameters
    ----------
    places, channels : int
        T and C.
    rng : numpy.random.Generator
        Draws their first values, normal with standard deviation 0.02.

    Source: after vit2021.
    """

    def __init__(self, places: int, channels: int, *, rng: np.random.Generator) -> None:
        require_whole("places", places, 1)
        require_whole("channels", channels, 1)
        drawn = rng.normal(0, SPREAD, (places, channels))
        self.embedding = Parameter(drawn.astype(np.float32), "embedding")

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        wanted = self.embedding.value.shape
        require(shape == wanted, "Position", f"{wanted}", shape)
        return shape

    def forward(self, x: Array) -> tuple[Array, Any]:
        self.output_shape(x.shape[1:])
        return x + self.embedding.value, None

    def backward(self, dy: Array, cache: Any) -> Array:
        """de = sum of dy over images; dx = dy."""
        self.embedding.accumulate(dy.sum(axis=0))
        return dy


class FirstToken(Layer):
    """(N, T, C) -> (N, C): the token at place 0."""

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(len(shape) == 2, "FirstToken", "(T, C)", shape)
        return shape[1:]

    def forward(self, x: Array) -> tuple[Array, Any]:
        self.output_shape(x.shape[1:])
        return np.ascontiguousarray(x[:, 0]), x.shape

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = dy at place 0, 0 elsewhere."""
        dx = np.zeros(cache, dy.dtype)
        dx[:, 0] = dy
        return dx


class PatchEmbedding(Composite):
    """Images (N, H, W, C) -> tokens (N, 1 + HW / P^2, D): patches times a matrix, class token, positions.

    Parameters
    ----------
    patches : Conv2d
        D filters of P x P pixels, P apart, with a bias.
    size : tuple of int
        (H, W) in pixels.
    rng : numpy.random.Generator
        Draws class token and positions.

    Source: after vit2021.
    """

    def __init__(self, patches: Conv2d, size: tuple[int, int], *, rng: np.random.Generator) -> None:
        require(
            patches.stride == patches.kernel_size,
            "patches",
            "a stride as large as the kernel",
            patches.stride,
        )
        divisible = not any(side % patches.stride for side in size)
        require(divisible, "size", f"H and W divisible by {patches.stride}", size)
        rows, columns = (side // patches.stride for side in size)
        channels = patches.latent.value.shape[-1]
        self.patches, self.tokens = patches, Tokens()
        self.first = ClassToken(channels, rng=rng)
        self.position = Position(1 + rows * columns, channels, rng=rng)

    def compute(self, x: Any) -> Any:
        return self.position(self.first(self.tokens(self.patches(x))))
