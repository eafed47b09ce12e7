"""The same network in torch, made from ours layer by layer, with its weights; written as users write it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from analysis.training_speed.networks import MOMENTUM, RATE, Case, batch, build
from bnn_ref import layers
from bnn_ref.autodiff import steps, trace
from bnn_ref.parameter import Array

torch: Any = importlib.import_module("torch")
functional: Any = torch.nn.functional

SLOPES: dict[str, Callable[[Any], Any]] = {
    "clipped-ste": lambda x: (x.abs() <= 1).to(x.dtype),
    "approxsign": lambda x: (2 - 2 * x.abs()).clamp(min=0),
}
"""Of the straight-through estimators; written as their users write them."""


def sign(slope: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """sign with sign(0) = 1 and the gradient slope(x) dy."""

    class Sign(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.where(x >= 0, 1.0, -1.0)

        @staticmethod
        def backward(ctx: Any, dy: Any) -> Any:
            return dy * slope(ctx.saved_tensors[0])

    apply: Callable[[Any], Any] = Sign.apply
    return apply


def gelu(x: Any) -> Any:
    """x Phi(x). torch's own in float32 is -0 below -5.5, and the sign of that is +1 in the next layer."""
    return x * torch.erfc(x * -(0.5**0.5)) / 2


class Twin:
    """`Ours` in torch; `layout` is "channels_last" or "nchw"."""

    def __init__(self, case: Case, estimator: str, layout: str) -> None:
        torch.set_num_threads(1)
        model = build(case, estimator)
        self.format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
        self.parameters: list[Any] = []
        self.activation, self.weight = sign(SLOPES[estimator]), sign(SLOPES["clipped-ste"])
        source, output = trace(model)
        self.steps = [(s, self._made(s.layer)) for s in steps(output) if s is not source]
        self.source, self.output = source, output
        images, labels = batch(case)
        self.images, self.labels = self._images(images), torch.from_numpy(labels)
        self.optimizer = torch.optim.SGD(self.parameters, RATE, momentum=MOMENTUM)

    def _images(self, x: Array) -> Any:
        turned = torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
        return turned.contiguous(memory_format=self.format)

    def _trained(self, value: Array) -> Any:
        tensor = torch.from_numpy(np.array(value))
        tensor = (
            tensor.contiguous(memory_format=self.format) if tensor.ndim == 4 else tensor
        ).requires_grad_()
        self.parameters.append(tensor)
        return tensor

    def _made(self, layer: Any) -> Callable[..., Any]:
        """The step of one layer; the order of the tests does not matter."""
        for kind, make in MAKERS.items():
            if type(layer) is getattr(layers, kind):
                return make(self, layer)
        raise TypeError(f"layer: required one of {', '.join(MAKERS)}, got {type(layer).__name__}")

    def conv(self, layer: Any) -> Callable[..., Any]:
        w = self._trained(layer.latent.value.transpose(3, 2, 0, 1))
        bias = None if layer.bias is None else self._trained(layer.bias.value)
        real, stride, padding = layer.weight is None, layer.stride, layer.padding
        if real:
            return lambda x: functional.conv2d(x, w, bias, stride, padding)
        return lambda x: functional.conv2d(self.activation(x), self.weight(w), bias, stride, padding)

    def linear(self, layer: Any) -> Callable[..., Any]:
        w = self._trained(layer.latent.value.T)
        bias = None if layer.bias is None else self._trained(layer.bias.value)
        if layer.weight is None:
            return lambda x: functional.linear(x, w, bias)
        return lambda x: functional.linear(self.activation(x), self.weight(w), bias)

    def norm(self, layer: Any) -> Callable[..., Any]:
        gamma, beta = self._trained(layer.gamma.value), self._trained(layer.beta.value)
        mean, variance = (torch.from_numpy(np.array(v)) for v in (layer.running_mean, layer.running_var))
        return lambda x: functional.batch_norm(x, mean, variance, gamma, beta, True, 0.1, layer.eps)

    def layer_norm(self, layer: Any) -> Callable[..., Any]:
        gamma, beta = self._trained(layer.gamma.value), self._trained(layer.beta.value)
        return lambda x: functional.layer_norm(x, gamma.shape, gamma, beta, layer.eps)

    def class_token(self, layer: Any) -> Callable[..., Any]:
        token = self._trained(layer.token.value)
        return lambda x: torch.cat((token.expand(len(x), 1, -1), x), dim=1)

    def position(self, layer: Any) -> Callable[..., Any]:
        embedding = self._trained(layer.embedding.value)
        return lambda x: x + embedding

    def attention(self, layer: Any) -> Callable[..., Any]:
        def attend(*tokens: Any) -> Any:
            heads = [x.unflatten(2, (layer.heads, -1)).transpose(1, 2) for x in tokens]
            return functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)

        return attend

    def prelu(self, layer: Any) -> Callable[..., Any]:
        slope = self._trained(layer.slope.value)
        return lambda x: functional.prelu(x, slope)

    def shortcut(self, layer: Any) -> Callable[..., Any]:
        s, z = layer.stride, layer.zeros
        return lambda x: functional.pad(x[:, :, ::s, ::s], (0, 0, 0, 0, z, z))

    def __call__(self) -> float:
        values = {self.source.serial: self.images}
        for symbol, step in self.steps:
            values[symbol.serial] = step(*(values[x.serial] for x in symbol.inputs))
        loss = functional.cross_entropy(values[self.output.serial], self.labels)
        del values
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())


MAKERS: dict[str, Callable[[Twin, Any], Callable[..., Any]]] = {
    "Conv2d": Twin.conv,
    "Linear": Twin.linear,
    "BatchNorm": Twin.norm,
    "LayerNorm": Twin.layer_norm,
    "ClassToken": Twin.class_token,
    "Position": Twin.position,
    "Attention": Twin.attention,
    "PReLU": Twin.prelu,
    "PadShortcut": Twin.shortcut,
    "Tokens": lambda twin, layer: lambda x: x.flatten(2).transpose(1, 2),
    "FirstToken": lambda twin, layer: lambda x: x[:, 0],
    "GELU": lambda twin, layer: gelu,
    "ReLU": lambda twin, layer: torch.relu,
    "HardTanh": lambda twin, layer: functional.hardtanh,
    "Add": lambda twin, layer: torch.add,
    "MaxPool2d": lambda twin, layer: lambda x: functional.max_pool2d(x, layer.kernel_size, layer.stride),
    "GlobalAvgPool": lambda twin, layer: lambda x: x.mean(dim=(2, 3)),
    "Flatten": lambda twin, layer: lambda x: x.permute(0, 2, 3, 1).flatten(1),
}
