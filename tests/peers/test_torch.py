"""Layers and estimators against PyTorch's own automatic differentiation: another code, another derivation.

Runs in an environment of its own: `make test-peers`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bnn_ref import estimators
from bnn_ref.layers import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Layer,
    Linear,
    MaxPool2d,
    PReLU,
    SoftmaxCrossEntropy,
)

RNG = np.random.default_rng(0)


def nchw(x: Any) -> Any:
    return x.permute(0, 3, 1, 2)


def nhwc(x: Any) -> Any:
    return x.permute(0, 2, 3, 1)


def compare(layer: Layer, twin: Callable[..., Any], x: np.ndarray, parameters: list[str]) -> None:
    """Value, gradient to the input, gradients to the named parameters: equal to 1e-12 in float64."""
    layer.astype(np.float64)
    y, cache = layer.forward(x)
    dy = RNG.normal(size=y.shape)
    dx = layer.backward(dy, cache)
    own = layer.named_parameters()
    tensors = [torch.tensor(own[name].value, requires_grad=True) for name in parameters]
    inputs = torch.tensor(x, requires_grad=True)
    output = twin(inputs, *tensors)
    output.backward(torch.tensor(dy))
    assert np.allclose(y, output.detach().numpy(), rtol=0, atol=1e-12)
    assert np.allclose(dx, inputs.grad.numpy(), rtol=0, atol=1e-12)
    for name, tensor in zip(parameters, tensors, strict=True):
        assert np.allclose(own[name].grad, tensor.grad.numpy(), rtol=0, atol=1e-11), name


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "kernel"),
    [(1, 1, 1, 3), (2, 1, 1, 3), (1, 0, 1, 1), (3, 2, 1, 5), (1, 2, 2, 3), (2, 3, 3, 3)],
)
def test_convolution(stride: int, padding: int, dilation: int, kernel: int) -> None:
    layer = Conv2d(3, 4, kernel, stride=stride, padding=padding, dilation=dilation, bias=True, rng=RNG)

    def twin(x: Any, w: Any, b: Any) -> Any:
        return nhwc(F.conv2d(nchw(x), w.permute(3, 2, 0, 1), b, stride, padding, dilation))

    compare(layer, twin, RNG.normal(size=(2, 9, 8, 3)), ["latent", "bias"])


def test_linear() -> None:
    compare(Linear(5, 3, rng=RNG), lambda x, w, b: x @ w + b, RNG.normal(size=(4, 5)), ["latent", "bias"])


def test_batch_norm() -> None:
    def twin(x: Any, gamma: Any, beta: Any) -> Any:
        return nhwc(F.batch_norm(nchw(x), None, None, gamma, beta, training=True, eps=1e-5))

    compare(BatchNorm(4), twin, RNG.normal(size=(3, 5, 6, 4)), ["gamma", "beta"])


def test_batch_norm_moves_its_statistics_alike() -> None:
    layer, twin = BatchNorm(4).astype(np.float64), torch.nn.BatchNorm2d(4).double()
    for _ in range(3):
        x = RNG.normal(size=(3, 5, 6, 4))
        layer.forward(x)
        twin(nchw(torch.tensor(x)))
    assert np.allclose(layer.running_mean, twin.running_mean.numpy(), atol=1e-13)  # type: ignore[attr-defined]
    assert np.allclose(layer.running_var, twin.running_var.numpy(), atol=1e-13)  # type: ignore[attr-defined]


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 1, 1), (3, 2, 0)])
def test_pooling(kernel: int, stride: int, padding: int, ceil: bool) -> None:
    x = RNG.choice([-1.0, 1.0, 2.0], (2, 8, 7, 3))  # ties: the first maximum wins in both
    compare(
        MaxPool2d(kernel, stride, padding, ceil),
        lambda t: nhwc(F.max_pool2d(nchw(t), kernel, stride, padding, ceil_mode=ceil)),
        x,
        [],
    )
    compare(
        AvgPool2d(kernel, stride, padding, ceil),
        lambda t: nhwc(F.avg_pool2d(nchw(t), kernel, stride, padding, ceil)),
        x,
        [],
    )


def test_prelu_and_loss() -> None:
    compare(PReLU(3), lambda x, a: nhwc(F.prelu(nchw(x), a)), RNG.normal(size=(2, 4, 4, 3)), ["slope"])
    logits, labels = RNG.normal(size=(6, 4)), RNG.integers(0, 4, 6)
    layer = SoftmaxCrossEntropy()
    value, cache = layer.forward(logits, labels)
    dz, _ = layer.backward(np.ones(()), cache)
    twin = torch.tensor(logits, requires_grad=True)
    loss = F.cross_entropy(twin, torch.tensor(labels))
    loss.backward()
    assert np.isclose(value, loss.item(), atol=1e-14)
    assert np.allclose(dz, twin.grad.numpy(), atol=1e-14)


def swish_sign(beta: float) -> Callable[[Any], Any]:
    return lambda x: 2 * torch.sigmoid(beta * x) * (1 + beta * x * (1 - torch.sigmoid(beta * x))) - 1


def behind_clip(transformation: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function whose slope is T'(L(x)): T differentiated by torch where the quantizer, before it hardens,
    puts x."""

    def surrogate(x: Any) -> Any:
        at = x.detach().clamp(-1, 1).requires_grad_()
        (slope,) = torch.autograd.grad(transformation(at).sum(), at)
        return slope * x

    return surrogate


SURROGATES: dict[str, Callable[[Any], Any]] = {
    "identity-ste": lambda x: x,
    "clipped-ste": lambda x: x.clamp(-1, 1),
    "tanh": torch.tanh,
    "approxsign": lambda x: torch.where(x.abs() < 1, 2 * x - torch.sign(x) * x * x, torch.sign(x)),
    "fda": lambda x: 4 / torch.pi * sum(
        torch.sin((2 * i + 1) * 0.1 * x.clamp(-1, 1)) / (2 * i + 1) for i in range(10)
    ),
    "fda-growing": lambda x: 4 / torch.pi * sum(
        torch.sin((2 * i + 1) * 0.1 * x.clamp(-1, 1)) / (2 * i + 1) for i in range(9)
    ),
    "swish-sign": swish_sign(5),
    "bnn++": swish_sign(5),
    "dsq": lambda x: torch.tanh(0.5 * np.log(9.0) * x.clamp(-1, 1)) / 0.8,
    "ede": torch.tanh,
    "rbnn": lambda x: torch.where(
        x.abs() < 2**0.5, 2**0.5 * x - torch.sign(x) * x * x / 2, torch.sign(x)
    ),
    "rbnn-activation": lambda x: torch.where(
        x.abs() < 2**0.5, 2**0.5 * x - torch.sign(x) * x * x / 2, torch.sign(x)
    ),
    "bnn-weight": lambda x: x.clamp(-1, 1),
    "reste": lambda x: torch.where(
        x.abs() <= 0.1,
        x * 0.1 ** (1 / 3 - 1),
        torch.sign(x) * x.abs().clamp(0.1, 1.5) ** (1 / 3),
    ),
    "dorefa-activation": lambda x: x.clamp(0, 1),
    "bbc-activation": lambda x: 2 * (x / 2).clamp(-1, 1),
    "tanh-proxconnect": behind_clip(torch.tanh),
    "bnn++-proxconnect": behind_clip(swish_sign(2)),
}  # fmt: skip
SURROGATES |= {
    name: SURROGATES[twin]
    for twin, names in {
        "identity-ste": ("fp", "projected", "proxconnect", "parq", "proxquant", "w-shape", "binary-relax"),
        "clipped-ste": ("clip-activation", "hard-tanh"),
        "approxsign": ("poly+",),
        "ede": ("ede+",),
    }.items()
    for name in names
}


@pytest.mark.parametrize("name", list(estimators.curves()))
def test_the_detach_trick_gives_the_same_gradient(name: str) -> None:
    """sign(x).detach() + T(x) - T(x).detach(): T typed in another library, differentiated by it."""
    x = RNG.normal(size=500) * 1.3
    x = x[np.abs(np.abs(x)[:, None] - np.array([0.0, 0.1, 1.0, 1.5, 2.0, 2**0.5])).min(axis=1) > 1e-6]
    twin = torch.tensor(x, requires_grad=True)
    surrogate = SURROGATES[name](twin)
    output = torch.sign(twin).detach() + surrogate - surrogate.detach()
    dy = RNG.normal(size=x.shape)
    output.backward(torch.tensor(dy))
    assert np.allclose(estimators.get(name).backward(x, dy), twin.grad.numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "name", ["fda-noise", "fda-noise-released", "fda-eq15", "dsq-noise", "swish-sign-noise"]
)
@pytest.mark.parametrize("shape", [(5,), (3, 3, 2, 4)])
def test_the_noise_module_gives_the_same_gradients(name: str, shape: tuple[int, ...]) -> None:
    """T + alpha e, differentiated by torch to x, W1 and W2; in the printed equations e has no alpha."""
    rule = estimators.get(name, hidden=3).bind(shape, -1, np.random.default_rng(0))
    for parameter in rule.parameters():
        parameter.value = parameter.value.astype(np.float64)
    tensor = (6, 5) if len(shape) == 1 else shape
    x, dy = RNG.normal(size=(2, *tensor))
    twin = torch.tensor(x, requires_grad=True)
    first, second = (torch.tensor(p.value, requires_grad=True) for p in rule.parameters())
    rows = twin if len(shape) == 1 else twin.permute(3, 0, 1, 2).reshape(4, -1)
    e = torch.relu(rows @ first) @ second + 0.1 * torch.sin(rows)
    e = e if len(shape) == 1 else e.reshape(4, 3, 3, 2).permute(1, 2, 3, 0)
    series = {"fda-noise": "fda-growing", "fda-noise-released": "fda", "fda-eq15": "fda"}
    if name == "fda-eq15":  # no window
        value = 4 / torch.pi * sum(torch.sin((2 * i + 1) * 0.1 * twin) / (2 * i + 1) for i in range(10)) + e
    else:
        value = SURROGATES[series.get(name, name.removesuffix("-noise"))](twin) + 0.1 * e
    value.backward(torch.tensor(dy))
    assert np.allclose(rule.backward(x, dy), twin.grad.numpy(), rtol=0, atol=1e-12)
    for own, other in zip(rule.parameters(), (first, second), strict=True):
        assert np.allclose(own.grad, other.grad.numpy(), rtol=0, atol=1e-12)


def replaced(value: Any, slope: Any) -> Any:
    """`value` forward, the gradient of `slope` backward."""
    return value.detach() + slope - slope.detach()


def bases(w: Any) -> Any:
    """ABC-Net's, each with the identity behind it, times the least squares of numpy."""
    flat = w.detach().numpy().astype(np.float64)
    signs = [np.where(flat - flat.mean() + u * flat.std() >= 0, 1.0, -1.0) for u in (-1, 0, 1)]
    alphas = np.linalg.lstsq(np.stack([s.ravel() for s in signs], axis=1), flat.ravel(), rcond=None)[0]
    return sum(
        float(a) * replaced(torch.tensor(s, dtype=w.dtype), w) for a, s in zip(alphas, signs, strict=True)
    )


def weight_rules(w: Any) -> dict[str, Any]:
    """What each rule for weights differentiates, composed in torch; filters on the last axis."""
    n = w.numel() // w.shape[-1]
    dims = tuple(range(w.ndim - 1))
    alpha = w.abs().mean(dim=dims, keepdim=True)
    clip, signs = w.clamp(-1, 1), torch.where(w >= 0, 1.0, -1.0).to(w.dtype)
    z = (w - w.mean(dim=dims, keepdim=True)) / w.std(dim=dims, keepdim=True)
    above = torch.where(z >= 0, 1.0, -1.0).to(w.dtype)
    shift = 2.0 ** torch.round(torch.log2(z.abs().mean(dim=dims, keepdim=True))).detach()
    layer = w.abs().mean()
    return {
        "bnn-weight": replaced(signs, clip),
        "bireal-weight-paper": alpha.detach() * replaced(signs, clip),
        "bireal-weight-code": replaced(alpha * signs, clip),
        "bireal-weight-caffe": replaced(alpha * signs, w),
        "xnor-weight": replaced(alpha * signs, w / n + alpha.detach() * clip),
        "xnor-weight-exact": alpha * replaced(signs, clip),
        "binaryconnect": replaced(signs, w),
        "dorefa-weight": replaced(signs, w / layer.detach()) * layer.detach(),
        "lab": replaced(layer * signs, w),
        "abc-weight": bases(w),
        "irnet-weight": shift * replaced(above, torch.tanh(z)),
        "reste-weight": layer * replaced(signs, SURROGATES["reste"](w)),
    }


def test_rbnn_s_weights() -> None:
    """Standardised, turned, the triangle's sign, a learned scale: to W, the angles and the scales."""
    rule = estimators.get("rbnn-weight").bind((3, 3, 4, 5), -1, np.random.default_rng(0))
    w, g = RNG.normal(size=(2, 3, 3, 4, 5))
    rule.refresh(w, first=True)
    rule.refresh(w)
    held = {p.name: p for p in rule.parameters()}
    twins = {name: torch.tensor(RNG.uniform(0.3, 1.2, 5), requires_grad=True) for name in ("theta", "alpha")}
    for name, parameter in held.items():
        parameter.value = twins[name].detach().numpy()
    left, right = (torch.tensor(buffer.value, dtype=torch.float64) for buffer in rule.buffers())
    twin = torch.tensor(w, requires_grad=True)
    rows = twin.permute(3, 0, 1, 2).reshape(5, -1)
    z = (rows - rows.mean(1, keepdim=True)) / rows.std(1, keepdim=True)
    turned = (left.T @ z.reshape(5, 6, 6) @ right).reshape(5, -1)
    z = z + twins["theta"].sin().abs()[:, None] * (turned - z).detach()
    signs = replaced(torch.where(z >= 0, 1.0, -1.0).to(z.dtype), SURROGATES["rbnn"](z))
    value = signs.reshape(5, 3, 3, 4).permute(1, 2, 3, 0) * twins["alpha"]
    value.backward(torch.tensor(g))
    assert np.allclose(rule(w), value.detach().numpy(), rtol=0, atol=1e-12)
    assert np.allclose(rule.vjp(w, g), twin.grad.numpy(), rtol=0, atol=1e-12)
    for name, parameter in held.items():
        assert np.allclose(parameter.grad, twins[name].grad.numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-12)])
@pytest.mark.parametrize("name", list(weight_rules(torch.eye(2))))
@pytest.mark.parametrize("shape", [(6, 4), (3, 3, 5, 4)])
def test_rules_for_weights(name: str, shape: tuple[int, ...], dtype: type, tolerance: float) -> None:
    w, g = RNG.uniform(-1.3, 1.3, (2, *shape)).astype(dtype)
    twin = torch.tensor(w, requires_grad=True)
    value = weight_rules(twin)[name]
    value.backward(torch.tensor(g))
    rule = estimators.get(name)
    assert rule(w).dtype == rule.backward(w, g).dtype == dtype
    assert np.allclose(rule(w), value.detach().numpy(), rtol=0, atol=tolerance)
    assert np.allclose(rule.backward(w, g), twin.grad.numpy(), rtol=0, atol=tolerance)
