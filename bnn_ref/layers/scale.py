"""Scales of the output of a binary convolution: measured on its input, learned, or computed by a gate."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from bnn_ref.basepoint import decide
from bnn_ref.checks import require, require_whole
from bnn_ref.curve import Sigmoid
from bnn_ref.layers.activation import Activation, ReLU
from bnn_ref.layers.base import Composite, Layer
from bnn_ref.layers.conv import Conv2d
from bnn_ref.layers.linear import Linear
from bnn_ref.layers.pool import AvgPool2d, GlobalAvgPool
from bnn_ref.parameter import Array, Parameter, unbroadcast


class Multiply(Layer):
    """y = x * s: x (N, H, W, C), s (N, H, W, 1): a number a pixel; or (N, C): one a channel of each image."""

    def output_shape(self, x: tuple[int, ...], s: tuple[int, ...]) -> tuple[int, ...]:
        fits = len(x) == 3 and s in ((*x[:2], 1), x[2:])
        require(fits, "Multiply", "(H, W, C) and (H, W, 1) or (C,)", (x, s))
        return x

    def forward(self, x: Array, s: Array) -> tuple[Array, Any]:
        fits = x.ndim == 4 and s.shape in ((*x.shape[:3], 1), (x.shape[0], x.shape[3]))
        require(fits, "Multiply", "(N, H, W, C) and (N, H, W, 1) or (N, C)", (x.shape, s.shape))
        spread = s[:, None, None, :] if s.ndim == 2 else s
        return x * spread, (x, spread, s.shape)

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Array]:
        """dx = s dy; ds = sum of x dy over what shares one number."""
        x, spread, shape = cache
        return dy * spread, unbroadcast(dy * x, spread.shape).reshape(shape)


class ChannelMeanAbs(Layer):
    """(N, H, W, C) -> (N, H, W, 1), y = mean_c abs(x). Source: after xnornet2016 (its A)."""

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(len(shape) == 3, "ChannelMeanAbs", "(H, W, C)", shape)
        return (*shape[:2], 1)

    def forward(self, x: Array) -> tuple[Array, Any]:
        require(x.ndim == 4, "ChannelMeanAbs", "an input of shape (N, H, W, C)", x.shape)
        signs = decide(lambda: np.where(x.real < 0, -1, 1).astype(x.real.dtype), lambda: int((x == 0).sum()))
        return (signs * x).mean(axis=3, keepdims=True), signs

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = sign(x) dy / C; at 0 the slope is that of the x > 0 side."""
        return cache * (dy / cache.shape[3])


class InputScale(Composite):
    """K = A * k: the mean of abs(x) over the window of each output pixel and all channels, (N, Ho, Wo, 1).

    k is a box of K x K, each 1/K^2; padded pixels count, with 0, as they do in the convolution.

    Parameters
    ----------
    kernel_size, stride, padding : int
        Those of the convolution.

    Source: after xnornet2016. Its released code never computes K. That padded pixels count is ours.
    """

    def __init__(self, kernel_size: int, stride: int = 1, padding: int = 0) -> None:
        self.size, self.box = ChannelMeanAbs(), AvgPool2d(kernel_size, stride, padding)

    def compute(self, x: Any) -> Any:
        """x: (N, H, W, C)."""
        return self.box(self.size(x))


class XnorConv2d(Composite):
    """y = conv(x) * K(x): a binary convolution times the size of what it saw, gradient through both.

    With weights scaled by their mean absolute value this is XNOR-Net's estimate of the real convolution.

    Parameters
    ----------
    conv : Conv2d
        A binary one, without dilation, whose padding is absent.

    Source: after xnornet2016.
    """

    def __init__(self, conv: Conv2d) -> None:
        require(conv.dilation == 1, "conv", "no dilation: K is a mean over whole windows", conv.dilation)
        require(conv.padding_value == 0, "conv", "padding that is absent, as in K", conv.padding_value)
        self.conv = conv
        self.scale = InputScale(conv.kernel_size, conv.stride, conv.padding)
        self.multiply = Multiply()

    def compute(self, x: Any) -> Any:
        return self.multiply(self.conv(x), self.scale(x))


class OutputScale(Layer):
    """y = x * Gamma, learned, one of four forms; x (N, H, W, F), for case 1 (N, ..., F).

    1: alpha_f. 2: Gamma_hwf. 3: beta_hw alpha_f. 4: beta_h gamma_w alpha_f, of rank one. All begin as ones.

    Parameters
    ----------
    channels : int
        F.
    size : tuple of int, optional
        (H, W), in pixels; cases 2 to 4 need it.
    case : int
        Which form.

    Source: after xnornet++2019.
    """

    def __init__(self, channels: int, size: tuple[int, int] | None = None, case: int = 4) -> None:
        require_whole("channels", channels, 1)
        require(case in (1, 2, 3, 4), "case", "1, 2, 3 or 4", case)
        good = isinstance(size, tuple) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size)
        require(case == 1 or good, "size", "(H, W), whole numbers >= 1", size)
        h, w = size or (1, 1)
        forms: dict[int, dict[str, tuple[int, ...]]] = {
            1: {"channel": (channels,)},
            2: {"gamma": (h, w, channels)},
            3: {"channel": (channels,), "place": (h, w, 1)},
            4: {"channel": (channels,), "row": (h, 1, 1), "column": (w, 1)},
        }
        self.case, self.shape = case, (channels,) if case == 1 else (h, w, channels)
        self.names = tuple(forms[case])
        for name, shape in forms[case].items():
            setattr(self, name, Parameter(np.ones(shape, np.float32), name))

    def factors(self) -> list[Parameter]:
        """What Gamma is the product of."""
        return [getattr(self, name) for name in self.names]

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        fits = shape[-len(self.shape) :] == self.shape
        require(fits, "OutputScale", f"an input of shape (N, ..., {str(self.shape)[1:-1]})", shape)
        return shape

    def forward(self, x: Array) -> tuple[Array, Any]:
        self.output_shape(x.shape)
        factors = [factor.value for factor in self.factors()]
        return x * prod(factors[1:], start=factors[0]), (x, factors)

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = Gamma dy; each factor receives x dy times the others, summed over what shares one number."""
        x, factors = cache
        for i, factor in enumerate(self.factors()):
            others = prod(factors[:i] + factors[i + 1 :], start=dy * x)
            factor.accumulate(unbroadcast(others, factors[i].shape))
        return dy * prod(factors[1:], start=factors[0])


class Gate(Composite):
    """y = z * sigmoid(relu(mean(x) W1 + b1) W2 + b2): each image weighs the channels of z by what x was.

    Parameters
    ----------
    in_channels : int
        Of x (N, H, W, C), the real input of the convolution's sign.
    channels : int
        Of z (N, Ho, Wo, F), the output of the convolution.
    ratio : int
        W1 has max(1, C // ratio) columns.
    rng : numpy.random.Generator
        Draws W1 and W2.

    Source: after realtobinary2020 (its authors released no code).
    """

    def __init__(self, in_channels: int, channels: int, ratio: int = 8, *, rng: np.random.Generator) -> None:
        require_whole("ratio", ratio, 1)
        hidden = max(1, in_channels // ratio)
        self.mean, self.relu, self.sigmoid = GlobalAvgPool(), ReLU(), Activation(Sigmoid())
        self.squeeze = Linear(in_channels, hidden, rng=rng)
        self.excite = Linear(hidden, channels, rng=rng)
        self.multiply = Multiply()

    def compute(self, x: Any, z: Any) -> Any:
        return self.multiply(z, self.sigmoid(self.excite(self.relu(self.squeeze(self.mean(x))))))
