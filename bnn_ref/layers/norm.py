"""Normalization: over the batch, a channel at a time; over the channels, a place at a time."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from bnn_ref.checks import require, require_whole
from bnn_ref.kernels import moments, normalize, normalize_grad
from bnn_ref.layers.base import Layer
from bnn_ref.parameter import Array, Parameter


class BatchNorm(Layer):
    """y = gamma (x - mean) / sqrt(var + eps) + beta over every axis but the last (channels).

    Training uses the batch's mean and (biased) variance and moves the running ones by `momentum`; the
    running variance takes the unbiased one. Eval mode computes y = gain x + shift with
    gain = gamma / sqrt(running var + eps) and shift = beta - running mean * gain, multiplied then added:
    packed networks use the same two numbers in the same order.

    Parameters
    ----------
    channels : int
        C.
    eps : float
        Added to the variance.
    momentum : float
        Weight of the newest batch in the running statistics.

    Source: batchnorm2015.
    """

    buffers: ClassVar[tuple[str, ...]] = ("running_mean", "running_var")

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1) -> None:
        require_whole("channels", channels, 1)
        require(eps >= 0, "eps", "a number >= 0", eps)
        require(0 < momentum <= 1, "momentum", "a number in (0, 1]", momentum)
        self.channels, self.eps, self.momentum = channels, eps, momentum
        self.gamma = Parameter(np.ones(channels, np.float32), "gamma")
        self.beta = Parameter(np.zeros(channels, np.float32), "beta")
        self.running_mean: Array = np.zeros(channels, np.float32)
        self.running_var: Array = np.ones(channels, np.float32)

    def affine(self) -> tuple[Array, Array]:
        """gain (C,) and shift (C,) of eval mode."""
        gain = self.gamma.value / np.sqrt(self.running_var + self.eps)
        return gain, self.beta.value - self.running_mean * gain

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(shape[-1:] == (self.channels,), "BatchNorm", f"{self.channels} channels", shape)
        return shape

    def absorb(self, scale: Array) -> None:
        """Make eval mode compute of z what it has computed of scale z: A = gain scale, the same shift.

        mean / scale in place of mean, (var + eps) / scale^2 in place of var + eps. The new variance may lie
        between -eps and 0. `scale`: (C,) or (1,), all > 0, else ValueError.
        """
        fits = scale.shape in ((1,), (self.channels,)) and bool((scale > 0).all())
        require(fits, "scale", f"1 or {self.channels} numbers > 0", scale)
        dtype = self.running_var.dtype
        self.running_mean = (self.running_mean / scale).astype(dtype)
        wide = (self.running_var.astype(np.float64) + self.eps) / scale.astype(np.float64) ** 2
        self.running_var = (wide - self.eps).astype(dtype)

    def forward(self, x: Array) -> tuple[Array, Any]:
        """x: (N, ..., C)."""
        if x.shape[-1] != self.channels:
            raise ValueError(f"BatchNorm: required {self.channels} channels on the last axis, got {x.shape}")
        if not self.training:
            gain, shift = self.affine()
            return x * gain + shift, (None, gain)
        self._require_two(x)
        mean, var = moments(x)
        self._track(mean, var, x.size // self.channels)
        gamma = self.gamma.value
        inverse = (1 / np.sqrt(var + self.eps)).astype(x.dtype)
        mean = mean.astype(x.dtype)
        y = normalize(x, mean, inverse, gamma, self.beta.value)
        return y, (x, gamma * inverse, mean, inverse, gamma)

    def _require_two(self, x: Array) -> None:
        count = x.size // self.channels
        if count < 2:
            raise ValueError(f"BatchNorm: required at least 2 values a channel in training, got {count}")

    def _track(self, mean: Array, var: Array, count: int) -> None:
        keep, new = 1 - self.momentum, self.momentum
        dtype = self.running_mean.dtype
        self.running_mean = (keep * self.running_mean + new * mean.real).astype(dtype)
        self.running_var = (keep * self.running_var + new * var.real * count / (count - 1)).astype(dtype)

    def backward(self, dy: Array, cache: Any) -> Array:
        """dbeta = sum dy; dgamma = sum dy xhat; dx = gamma/std (dy - mean(dy) - xhat mean(dy xhat)).

        After an eval forward the cache is (None, gain): dx = gain dy (parameters are not trained there).
        """
        x, gain, *statistics = cache
        if x is None:
            return dy * gain
        dx, dgamma, dbeta = normalize_grad(x, dy, *statistics)
        self.beta.accumulate(dbeta)
        self.gamma.accumulate(dgamma)
        return dx


def layer_norm(x: Array, gamma: Array, beta: Array, eps: float) -> tuple[Array, Array, Array]:
    """(y, xhat, 1 / std): y = gamma xhat + beta, xhat = (x - mean) / std over the last axis; x (..., C)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    inverse = 1 / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + eps)
    centred *= inverse
    return centred * gamma + beta, centred, inverse


class LayerNorm(Layer):
    """y = gamma (x - mean) / sqrt(var + eps) + beta, mean and (biased) variance over the last axis.

    Every place has its own statistics: training and eval mode are the same.

    Parameters
    ----------
    channels : int
        C.
    eps : float
        Added to the variance.

    Source: after layernorm2016.
    """

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        require_whole("channels", channels, 1)
        require(eps >= 0, "eps", "a number >= 0", eps)
        self.channels, self.eps = channels, eps
        self.gamma = Parameter(np.ones(channels, np.float32), "gamma")
        self.beta = Parameter(np.zeros(channels, np.float32), "beta")

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(shape[-1:] == (self.channels,), "LayerNorm", f"{self.channels} channels", shape)
        return shape

    def forward(self, x: Array) -> tuple[Array, Any]:
        """x: (N, ..., C)."""
        self.output_shape(x.shape)
        gamma = self.gamma.value
        y, normal, inverse = layer_norm(x, gamma, self.beta.value, self.eps)
        return y, (normal, inverse, gamma)

    def backward(self, dy: Array, cache: Any) -> Array:
        """dbeta = sum dy; dgamma = sum dy xhat; dx = (g - mean(g) - xhat mean(g xhat)) / std, g = gamma dy.

        Sums are over all places, means over the channels of one.
        """
        normal, inverse, gamma = cache
        places = tuple(range(dy.ndim - 1))
        self.beta.accumulate(dy.sum(axis=places))
        self.gamma.accumulate((dy * normal).sum(axis=places))
        g = dy * gamma
        along = (g * normal).mean(axis=-1, keepdims=True)
        return np.asarray((g - g.mean(axis=-1, keepdims=True) - normal * along) * inverse)
