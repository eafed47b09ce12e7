"""The fully connected layer, real or binary on either side."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.binarizer import Map
from bnn_ref.checks import require_whole
from bnn_ref.kernels import SignImages, linear
from bnn_ref.layers.product import Product, glorot_uniform
from bnn_ref.parameter import Array


class Linear(Product):
    """y = A(x) B(W) + bias: x (N, ..., C), W (C, F), y (N, ..., F).

    Parameters
    ----------
    in_features, out_features : int
        C and F.
    bias : bool
        Default True.
    activation, weight, scale : Map or None
        As in `Product`.
    rng : numpy.random.Generator
        Draws the first weight (Glorot uniform).
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        rng: np.random.Generator,
        bias: bool = True,
        activation: Map | None = None,
        weight: Map | None = None,
        scale: Map | None = None,
    ) -> None:
        require_whole("in_features", in_features, 1)
        require_whole("out_features", out_features, 1)
        latent = glorot_uniform(rng, (in_features, out_features))
        super().__init__(
            latent, in_features, bias=bias, activation=activation, weight=weight, scale=scale, rng=rng
        )

    axes = "N, ..., C"

    def takes(self, ndim: int) -> bool:
        return ndim >= 2

    def pack(self, x: Array, strict: bool) -> SignImages | None:
        return SignImages.of(x.reshape(1, -1, 1, x.shape[-1]), strict=strict) if x.ndim == 2 else None

    def multiply(self, x: Any, w: Array) -> Array:
        if isinstance(x, SignImages):
            return x.conv2d(w[None, None]).reshape(-1, w.shape[1])
        return rows_times(x, w) if self.training else linear(x, w)

    def input_grad(self, dy: Array, x: Any, w: Array) -> Array:
        return rows_times(dy, w.T)

    def weight_grad(self, dy: Array, x: Any, w: Array) -> Array:
        x = x.values() if isinstance(x, SignImages) else x
        return x.reshape(-1, x.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])


def rows_times(x: Array, w: Array) -> Array:
    """(..., C) times (C, F) as one product of matrices, which is faster than one for each matrix of x."""
    flat: Array = x.reshape(-1, x.shape[-1]) @ w
    return flat.reshape(*x.shape[:-1], w.shape[-1])
