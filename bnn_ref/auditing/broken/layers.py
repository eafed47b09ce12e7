"""Wrong layers: each is a right one with one mistake in its backward."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bnn_ref import estimators
from bnn_ref.auditing.broken.base import Broken
from bnn_ref.auditing.composition import audit_layer
from bnn_ref.auditing.report import Report
from bnn_ref.binarizer import Detach, MeanAbs
from bnn_ref.layers import (
    Attention,
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Layer,
    LayerNorm,
    Linear,
    MaxPool2d,
    PReLU,
    SoftmaxCrossEntropy,
)
from bnn_ref.parameter import Array

_rng = partial(np.random.default_rng, 0)


class _BorderConv(Conv2d):
    """Its input gradient is 1 % off in the outermost pixels."""

    def input_grad(self, dy: Array, x: Any, w: Array) -> Array:
        dx = super().input_grad(dy, x, w).copy()
        dx[:, 0] *= 1.01
        return dx


class _UnflippedConv(Conv2d):
    """Its input gradient convolves with the kernel as it is, not turned by 180 degrees."""

    def input_grad(self, dy: Array, x: Any, w: Array) -> Array:
        return super().input_grad(dy, x, w[::-1, ::-1])


class _TransposedConv(Conv2d):
    """Its kernel gradient has rows and columns exchanged."""

    def weight_grad(self, dy: Array, x: Array, w: Array) -> Array:
        return super().weight_grad(dy, x, w).swapaxes(0, 1)


class _HalvedSlopePReLU(PReLU):
    """The gradient of its parameter is halved."""

    def backward(self, dy: Array, cache: Any) -> Array:
        dx = super().backward(dy, cache)
        assert self.slope.grad is not None
        self.slope.grad = self.slope.grad / 2
        return dx


class _NormWithoutVariance(BatchNorm):
    """Treats the batch's standard deviation as a constant."""

    def backward(self, dy: Array, cache: Any) -> Array:
        super().backward(dy, cache)
        return cache[1] * (dy - dy.mean(axis=tuple(range(dy.ndim - 1))))


class _NormWithoutMean(BatchNorm):
    """Treats the batch's mean as a constant."""

    def backward(self, dy: Array, cache: Any) -> Array:
        axes = tuple(range(dy.ndim - 1))
        return super().backward(dy, cache) + cache[1] * dy.mean(axis=axes)


class _LayerNormWithoutVariance(LayerNorm):
    """Treats every place's standard deviation as a constant."""

    def backward(self, dy: Array, cache: Any) -> Array:
        super().backward(dy, cache)
        _, inverse, gamma = cache
        g = dy * gamma
        return np.asarray((g - g.mean(axis=-1, keepdims=True)) * inverse)


class _AttentionWithoutTotal(Attention):
    """Treats the total that softmax divides by as a constant, on the way to the queries."""

    def backward(self, dy: Array, cache: Any) -> tuple[Array, Array, Array]:
        p, _, k, _ = cache
        dq, dk, dv = super().backward(dy, cache)
        of_heads = (*dy.shape[:2], self.heads, -1)
        along = (dy * self._answer(cache)).reshape(of_heads).sum(axis=-1).swapaxes(1, 2)
        missed = ((p * along[..., None]) @ k).swapaxes(1, 2).reshape(dq.shape)
        return dq + missed / np.sqrt(k.shape[-1]), dk, dv

    def _answer(self, cache: Any) -> Array:
        """y again: sum_s P dP of a head is y dy summed over its channels."""
        p, _, _, v = cache
        y = (p @ v).swapaxes(1, 2)
        return np.asarray(y.reshape(*y.shape[:2], -1))


class _LastMaxPool(MaxPool2d):
    """In a tie, its gradient goes to the last maximum."""

    def backward(self, dy: Array, cache: Any) -> Array:
        shape, taps = cache
        last = self.kernel_size**2 - 1 - taps[::-1].argmax(axis=0)[None]
        return super().backward(dy, (shape, last))

    def forward(self, x: Array) -> tuple[Array, Any]:
        y, cache = super().forward(x)
        return y, (cache[0], self.taps(x, -np.inf).real)


class _CountingAvgPool(AvgPool2d):
    """Divides by the taps inside the image, forward by all of them."""

    def backward(self, dy: Array, cache: Any) -> Array:
        shape, _ = cache
        inside = self.taps(np.ones(shape), 0).sum(axis=0)
        return super().backward(dy, (shape, inside)).astype(dy.dtype)


class _MeanBias(Linear):
    """Averages the bias gradient over the batch."""

    def backward(self, dy: Array, cache: Any) -> Array:
        dx = super().backward(dy, cache)
        assert self.bias is not None
        assert self.bias.grad is not None
        self.bias.grad = self.bias.grad / len(dy)
        return dx


class _SummedCrossEntropy(SoftmaxCrossEntropy):
    """The gradient of the sum, the value of the mean."""

    def backward(self, dy: Array, cache: Any) -> tuple[Array, None]:
        dz, _ = super().backward(dy, cache)
        return dz * len(dz), None


class _HalfPrecision(Linear):
    """Passes its input gradient through float16: right formula, too few bits."""

    def backward(self, dy: Array, cache: Any) -> Array:
        return super().backward(dy, cache).astype(np.float16).astype(dy.dtype)


class _Leaky(Detach):
    """Stops the gradient in the forward's meaning, but lets it through in the backward."""

    def vjp(self, x: Array, dy: Array) -> Array:
        return self.inner.vjp(x, dy)


def _audit(layer: Layer, *shape: int, **options: Any) -> Callable[[], Report]:
    return partial(audit_layer, layer, np.random.default_rng(1).normal(size=shape), **options)


def _ties() -> Report:
    return audit_layer(_LastMaxPool(2), _rng().choice([-1.0, 1.0], (2, 6, 6, 3)))


def _attention() -> Report:
    return audit_layer(_AttentionWithoutTotal(2), *(_rng().normal(size=(3, 2, 5, 6))))


def _loss() -> Report:
    logits, labels = _rng().normal(size=(5, 4)), _rng().integers(0, 4, 5)
    return audit_layer(_SummedCrossEntropy(), logits, labels)


def _leaky() -> Report:
    clipped = estimators.get("clipped-ste")
    layer = Linear(7, 5, rng=_rng(), activation=clipped, weight=clipped, scale=_Leaky(MeanAbs()))
    return audit_layer(layer, _rng().normal(size=(6, 7)))


def _conv(kind: type[Conv2d], **options: Any) -> Conv2d:
    return kind(3, 4, 3, padding=1, rng=_rng(), **options)


LAYERS: tuple[Broken, ...] = (
    Broken("border pixels 1 % off", _audit(_conv(_BorderConv), 2, 9, 9, 3), "gradient to input 0"),
    Broken("kernel not flipped", _audit(_conv(_UnflippedConv), 2, 6, 6, 3), "gradient to input 0"),
    Broken("kernel gradient transposed", _audit(_conv(_TransposedConv), 2, 6, 6, 3), "gradient to latent"),
    Broken(
        "stride forgotten at the border",
        _audit(_conv(_BorderConv, stride=2), 2, 7, 7, 3),
        "gradient to input 0",
    ),
    Broken("norm without its variance term", _audit(_NormWithoutVariance(4), 8, 4), "gradient to input 0"),
    Broken("norm without its mean term", _audit(_NormWithoutMean(4), 8, 4), "gradient to input 0"),
    Broken(
        "layer norm without its variance term",
        _audit(_LayerNormWithoutVariance(4), 8, 4),
        "gradient to input 0",
    ),
    Broken("softmax without its total", _attention, "gradient to input 0"),
    Broken("one parameter's gradient halved", _audit(_HalvedSlopePReLU(3), 8, 3), "gradient to slope"),
    Broken("bias gradient averaged", _audit(_MeanBias(4, 3, rng=_rng()), 5, 4), "gradient to bias"),
    Broken("max pool tie routed elsewhere", _ties, "gradient to input 0"),
    Broken(
        "average pool counts valid taps", _audit(_CountingAvgPool(3, 2, 1), 2, 5, 5, 2), "gradient to input 0"
    ),
    Broken("loss gradient not averaged", _loss, "gradient to input 0"),
    Broken("detached scale not detached", _leaky, "gradient to latent"),
    Broken(
        "float32 path through float16",
        _audit(_HalfPrecision(9, 4, rng=_rng()), 6, 9, dtype=np.float32),
        "gradient to input 0",
    ),
)
