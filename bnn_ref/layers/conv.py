"""The two-dimensional convolution, real or binary on either side."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.binarizer import Map
from bnn_ref.checks import require, require_whole
from bnn_ref.kernels import SignImages, conv2d, conv2d_input_grad, conv2d_weight_grad
from bnn_ref.kernels.conv import reach
from bnn_ref.layers.product import Product, glorot_uniform
from bnn_ref.layers.shape import places
from bnn_ref.parameter import Array


class Convolution(Product):
    """What a convolution and its transpose share: images, a weight (K, K, C, F), a window.

    Parameters
    ----------
    in_channels, out_channels, kernel_size : int
        C, F and K.
    rng : numpy.random.Generator
        Draws the first weight (Glorot uniform).
    stride, padding : int
        In pixels, default 1 and 0.
    bias : bool
        Default False.
    activation, weight, scale : Map or None
        As in `Product`.
    """

    axes = "N, H, W, C"

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        rng: np.random.Generator,
        stride: int = 1,
        padding: int = 0,
        bias: bool = False,
        activation: Map | None = None,
        weight: Map | None = None,
        scale: Map | None = None,
    ) -> None:
        for name, value, least in (
            ("in_channels", in_channels, 1),
            ("out_channels", out_channels, 1),
            ("kernel_size", kernel_size, 1),
            ("stride", stride, 1),
            ("padding", padding, 0),
        ):
            require_whole(name, value, least)
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding
        latent = glorot_uniform(rng, (kernel_size, kernel_size, in_channels, out_channels))
        super().__init__(
            latent, in_channels, bias=bias, activation=activation, weight=weight, scale=scale, rng=rng
        )

    def takes(self, ndim: int) -> bool:
        return ndim == 4


class Conv2d(Convolution):
    """y = A(x) * B(W) + bias: x (N, H, W, C), W (K, K, C, F), y (N, Ho, Wo, F).

    Padding comes after the binarizer: a padded tap adds 0, or it is a sign that counts as the others do.

    Parameters
    ----------
    in_channels, out_channels, kernel_size : int
        C, F and K.
    dilation : int
        Pixels from one tap to the next, default 1.
    padding_value : int
        What a padded tap reads: 0 (default); or 1 or -1, where the activation's values are signs.
    **options
        As `Convolution`: rng, stride, padding, bias, activation, weight, scale.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        dilation: int = 1,
        padding_value: int = 0,
        **options: Any,
    ) -> None:
        require_whole("dilation", dilation, 1)
        require(padding_value in (0, 1, -1), "padding_value", "0, 1 or -1", padding_value)
        super().__init__(in_channels, out_channels, kernel_size, **options)
        signs = self.activation is not None and self.activation.binary
        wanted = "0, for the values of the activation are not signs"
        require(signs or padding_value == 0, "padding_value", wanted, padding_value)
        self.dilation, self.padding_value = dilation, int(padding_value)

    @property
    def window(self) -> tuple[int, int, int]:
        """Stride, padding, dilation."""
        return self.stride, self.padding, self.dilation

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        where = places(shape, reach(self.kernel_size, self.dilation), self.stride, self.padding)
        return (*where, *super().output_shape(shape)[-1:])

    def pack(self, x: Array, strict: bool) -> SignImages | None:
        return SignImages.of(x, self.padding, strict, self.padding_value)

    def multiply(self, x: Any, w: Array) -> Array:
        if isinstance(x, SignImages):
            return x.conv2d(w, self.stride, self.dilation)
        return conv2d(x, w, *self.window, self.padding_value)

    def input_grad(self, dy: Array, x: Any, w: Array) -> Array:
        if isinstance(x, SignImages):
            return x.input_grad(dy, w, self.stride, self.dilation)
        return conv2d_input_grad(dy, w, x.shape, *self.window)

    def weight_grad(self, dy: Array, x: Any, w: Array) -> Array:
        if isinstance(x, SignImages):
            return x.weight_grad(dy, self.kernel_size, self.stride, self.dilation)
        return conv2d_weight_grad(x, dy, self.kernel_size, *self.window, self.padding_value)
