"""What linear and convolution share: operands that may be binarized, with a latent real weight behind."""

from __future__ import annotations

from math import prod
from typing import Any, ClassVar

import numpy as np

from bnn_ref.basepoint import recentring
from bnn_ref.binarizer import Binarizer, Compose, Detach, Map, MeanAbs, Scaled, Sign, factored, split
from bnn_ref.checks import require
from bnn_ref.kernels import SignImages
from bnn_ref.layers.base import Layer
from bnn_ref.parameter import Array, Curvature, Parameter

CHANNEL_SCALE = Detach(MeanAbs())
"""alpha = mean abs(W) per output channel, no gradient through it. Source: bireal2018 (training forward)."""

TENSOR_SCALE = Detach(MeanAbs(per_channel=False))
"""alpha = mean abs(W) of the whole layer, one number, no gradient through it.

Source: fda2021 (DoReFa-Net's weights, its baseline on CIFAR-10; released evaluation code). The gradient is
ours: alpha times that of the sign; DoReFa-Net's own code divides alpha out of it.
"""


class Product(Layer):
    """y = A(x) . B(W) + bias, with A and B binarizers or the identity.

    Training uses the forward maps. Eval mode uses the deployed ones and factors the weight into signs and
    scale: y = (A(x) . sign(W)) * scale + bias, so that with binary operands the product is an integer, exact
    in float32, and packed networks compute the same numbers in the same order.

    Parameters
    ----------
    latent : array
        First value of the weight, output channels on the last axis.
    in_channels : int
        Channels of x (its last axis).
    bias : bool
        Whether a bias (F,) is added.
    activation, weight : Map or None
        Binarizers of the two operands; None is full precision. They are bound to their tensors here.
    scale : Map or None
        Multiplies the binarized weight, for example `CHANNEL_SCALE` or `TENSOR_SCALE`.
    rng : numpy.random.Generator
        For maps that make parameters.
    """

    def __init__(
        self,
        latent: Array,
        in_channels: int,
        *,
        bias: bool,
        activation: Map | None,
        weight: Map | None,
        scale: Map | None,
        rng: np.random.Generator,
    ) -> None:
        if scale is not None and weight is None:
            raise ValueError("scale: required a weight binarizer to scale, got weight=None")
        rule = Scaled(scale, weight) if scale is not None and weight is not None else weight
        self.in_channels = in_channels
        self.latent = Parameter(latent.astype(np.float32), "latent", latent=weight is not None)
        self.bias = Parameter(np.zeros(latent.shape[-1], np.float32), "bias") if bias else None
        self.activation = None if activation is None else activation.bind((in_channels,), -1, rng)
        self.weight = None if rule is None else rule.bind(latent.shape, -1, rng)
        if self.weight is not None:
            self.weight.refresh(self.latent.value, first=True)
        self._publish()

    def _publish(self) -> None:
        """Tell the optimizer where the rule reads a curvature, if it reads one."""
        held = [] if self.weight is None else self.weight.buffers()
        self.latent.curvature = next((p for p in held if isinstance(p, Curvature)), None)

    axes: ClassVar[str]
    """The axes of the input, as an error message names them."""

    def takes(self, ndim: int) -> bool:
        """Whether an input may have so many axes."""
        raise TypeError(f"{type(self).__name__} does not say what it takes")

    def multiply(self, x: Any, w: Array) -> Array:
        """The bilinear product of the two operands; x may be what `pack` gives."""
        raise TypeError(f"{type(self).__name__} has no product")

    def input_grad(self, dy: Array, x: Any, w: Array) -> Array:
        """Its vector-Jacobian product to `x`."""
        raise TypeError(f"{type(self).__name__} has no input gradient")

    def weight_grad(self, dy: Array, x: Any, w: Array) -> Array:
        """Its vector-Jacobian product to `w`."""
        raise TypeError(f"{type(self).__name__} has no weight gradient")

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(shape[-1:] == (self.in_channels,), "input", f"{self.in_channels} channels", shape)
        return (*shape[:-1], self.latent.value.shape[-1])

    def macs(self, shape: tuple[int, ...]) -> int:
        """Multiplications for an input of `shape`: each weight once for every place of the output."""
        return self.latent.value.size * prod(self.output_shape(shape)[:-1])

    @property
    def input_bits(self) -> int:
        """What an element of A(x) takes in eval mode: 1 bit where it is a sign, 32 where it is real."""
        return 1 if self.activation is not None and self.activation.deploy().binary else 32

    @property
    def weight_bits(self) -> int:
        """What an element of B(W) takes in eval mode, its scale taken out."""
        rule, _ = self.deployed_rule()
        return 1 if rule is not None and rule.binary else 32

    def deployed_rule(self) -> tuple[Map | None, Map | None]:
        """The maps from latent values to the weight of eval mode and to its scale, as `deployed_weight`."""
        return (None, None) if self.weight is None else split(self.weight.deploy(), self.latent.value)

    def deployed_weight(self) -> tuple[Array, Array | None]:
        """The weight of eval mode: (signs or real values, scale (F,) or (1,) of the product or None).

        Only a scale of one number per output channel, or one for all, can be taken out of the product.
        """
        latent = self.latent.value
        return (latent, None) if self.weight is None else factored(self.weight.deploy(), latent)

    @property
    def scaled(self) -> bool:
        """Whether a scale multiplies the weight of eval mode."""
        return self.weight is not None and isinstance(self.weight.deploy(), Scaled)

    def unscale(self) -> None:
        """Take the scale out of the rule for weights, wherever it stands there."""
        if self.weight is not None:
            self.weight = self.weight.unscaled()
            self._publish()

    def _refresh(self) -> None:
        if self.weight is not None:
            self.weight.refresh(self.latent.value)

    def _operands(self, x: Array) -> tuple[Array, Array, Array | None]:
        if not self.takes(x.ndim) or x.shape[-1] != self.in_channels:
            wanted = f"({self.axes}) with C = {self.in_channels}"
            raise ValueError(f"{type(self).__name__}: required an input of shape {wanted}, got {x.shape}")
        if not self.training:
            left = x if self.activation is None else self.activation.deploy()(x)
            return left, *self.deployed_weight()
        signs = self._signs(x)
        if signs is not None:
            return signs
        left = x if self.activation is None else self.activation(x)
        return left, self.latent.value if self.weight is None else self.weight(self.latent.value), None

    def _signs(self, x: Array) -> tuple[Any, Array, Array | None] | None:
        """The operands of a product of signs: A(x) as bits, the signs of B(W), their scale or None.

        None where one side is real, or a base point is looked at: then everything is floats.
        """
        if self.activation is None or self.weight is None or recentring():
            return None
        rule, scale = split(answer(self.weight), self.latent.value)
        if not (rule.binary and self.activation.binary):
            return None
        before, zero = before_sign(self.activation)
        bits = self.pack(x if before is None else before(x), zero == -1)
        if bits is None:
            return None
        factor = None if scale is None else scale(self.latent.value).reshape(-1)
        return bits, rule(self.latent.value), factor

    def pack(self, x: Array, strict: bool) -> SignImages | None:
        """The signs of x as bits, where `multiply` and `weight_grad` take them."""
        return None

    def forward(self, x: Array) -> tuple[Array, Any]:
        """x: channels last."""
        left, right, scale = self._operands(x)
        y = self.multiply(left, right)
        if scale is not None:
            y = y * scale
        if self.bias is not None:
            y = y + self.bias.value
        packed, activation = isinstance(left, SignImages), self.activation
        kept = x if activation is None or not packed else activation.kept(x)
        return y, (kept, left, right, scale, self.latent.value, activation, self.weight)

    def backward(self, dy: Array, cache: Any) -> Array:
        """dB = A(x)^T dy -> dW = B'(W) dB; dA = dy B(W)^T -> dx = A'(x) dA; dbias = sum dy."""
        kept, left, right, scale, _, activation, _ = cache
        self._accumulate(dy, cache)
        dleft = self.input_grad(dy if scale is None else dy * scale, left, right)
        return dleft if activation is None else activation.vjp_of(kept, dleft)

    def backward_parameters(self, dy: Array, cache: Any) -> None:
        """dW and dbias alone; a map of the input that has parameters needs dA for theirs."""
        activation = cache[5]
        if activation is not None and activation.parameters():
            self.backward(dy, cache)
        else:
            self._accumulate(dy, cache)

    def _accumulate(self, dy: Array, cache: Any) -> None:
        _, left, right, _, latent, _, weight = cache
        if self.bias is not None:
            self.bias.accumulate(dy.sum(axis=tuple(range(dy.ndim - 1))))
        dright = self.weight_grad(dy, left, right)
        self.latent.accumulate(dright if weight is None else weight.vjp(latent, dright))


def answer(rule: Map) -> Map:
    """The map whose values training uses."""
    return answer(rule.forward) if isinstance(rule, Binarizer) else rule


def before_sign(rule: Map) -> tuple[Map | None, int]:
    """A map of signs as (what stands before its sign, the sign of 0); None where nothing does."""
    rule = answer(rule)
    if isinstance(rule, Sign):
        return None, rule.zero
    if isinstance(rule, Compose):
        before, zero = before_sign(rule.maps[-1])
        maps = rule.maps[:-1] if before is None else (*rule.maps[:-1], before)
        return Compose(maps) if maps else None, zero
    return rule, 1


def glorot_limit(shape: tuple[int, ...]) -> float:
    """a = sqrt(6 / (fan in + fan out)) of a weight (..., C, F) with output channels last."""
    taps = int(np.prod(shape[:-2]))
    return float(np.sqrt(6 / (taps * (shape[-2] + shape[-1]))))


def glorot_uniform(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """U(-a, a), a = `glorot_limit(shape)`."""
    limit = glorot_limit(shape)
    return rng.uniform(-limit, limit, shape)
