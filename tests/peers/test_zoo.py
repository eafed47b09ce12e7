"""ReActNet, IR-Net, RBNN, ReSTE, XNOR-Net(++), Real-to-Binary against PyTorch's automatic differentiation.

Hard values with a surrogate's slope are written as torch code writes them: hard.detach() + T - T.detach().
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from bnn_ref import estimators
from bnn_ref.layers import (
    Activation,
    AttentionLoss,
    Conv2d,
    DistributionLoss,
    Gate,
    Layer,
    OutputScale,
    RPReLU,
    XnorConv2d,
)

RNG = np.random.default_rng(0)


def agree(layer: Layer, twin: Callable[..., Any], *xs: Any, names: tuple[str, ...] = ()) -> None:
    """Value, gradients to the inputs and to the named parameters, in float64."""
    layer.astype(np.float64)
    own = layer.named_parameters()
    y, cache = layer.forward(*xs)
    dy = np.asarray(RNG.normal(size=np.shape(y)))
    dxs = layer.backward(dy, cache)
    inputs = [torch.tensor(x, requires_grad=True) for x in xs]
    held = [torch.tensor(own[name].value, requires_grad=True) for name in names]
    output = twin(*inputs, *held)
    output.backward(torch.tensor(dy))
    np.testing.assert_allclose(y, output.detach().numpy(), rtol=1e-12, atol=1e-12)
    for dx, x in zip(dxs if isinstance(dxs, tuple) else (dxs,), inputs, strict=True):
        np.testing.assert_allclose(dx, x.grad.numpy(), rtol=1e-10, atol=1e-12)
    for name, tensor in zip(names, held, strict=True):
        np.testing.assert_allclose(own[name].grad, tensor.grad.numpy(), rtol=1e-10, atol=1e-12, err_msg=name)


def hard(surrogate: Any, x: Any) -> Any:
    """The sign with the surrogate's slope."""
    return torch.where(x >= 0, 1.0, -1.0).double() + surrogate(x) - surrogate(x).detach()


def clip(x: Any) -> Any:
    return x.clamp(-1, 1)


def standardised(w: Any) -> Any:
    flat = w.reshape(-1, w.shape[-1])
    return (flat - flat.mean(0)) / flat.std(0)


def test_libra() -> None:
    def twin(w: Any) -> Any:
        z = standardised(w)
        scale = 2 ** torch.log2(z.abs().mean(0)).round().detach()
        return (scale * hard(lambda v: 1.5 * torch.tanh(0.7 * v), z)).reshape(w.shape)

    rule = estimators.get("irnet-weight", k=1.5, t=0.7)
    agree(Activation(rule, shape=(3, 3, 2, 4)), twin, RNG.normal(size=(3, 3, 2, 4)) + 0.3)


def test_reste_s_scale() -> None:
    def twin(w: Any) -> Any:
        size = w.abs()
        inside = torch.where(size <= 0.1, 0.1 ** (0.5 - 1) * w, w.sign() * size.clamp(min=0.1) ** 0.5)
        power = torch.where(size <= 1.5, inside, inside.detach())
        return w.abs().mean() * (w.sign() + power - power.detach())

    rule = estimators.get("reste-weight", o=2.0)
    agree(Activation(rule, shape=(3, 3, 2, 4)), twin, RNG.normal(size=(3, 3, 2, 4)))


def test_rotated_weights() -> None:
    layer = Conv2d(2, 5, 3, rng=RNG, weight=estimators.get("rbnn-weight", t=0.8))
    layer.refresh()
    layer.astype(np.float64)
    left, right = (torch.tensor(buffer.value) for buffer in layer.weight.buffers())  # type: ignore[union-attr]
    layer.named_parameters()["weight.theta"].value = RNG.normal(size=5) * 2

    def twin(x: Any, w: Any, alpha: Any, theta: Any) -> Any:
        z = standardised(w).T.reshape(5, 3, 6)
        turned = (left.T @ z @ right - z).detach()
        v = z + torch.sin(theta).abs()[:, None, None] * turned
        near = v.abs() < 2**0.5 / 0.8
        bent = 2**0.5 * 0.8 * v - v.sign() * 0.64 * v * v / 2
        b = v.sign() + torch.where(near, bent, bent.detach()) - bent.detach()
        filters = b.reshape(5, 3, 3, 2).permute(0, 3, 1, 2)
        y = F.conv2d(x.permute(0, 3, 1, 2), filters) * alpha[:, None, None]
        return y.permute(0, 2, 3, 1)

    names = ("latent", "weight.alpha", "weight.theta")
    agree(layer, twin, RNG.normal(size=(2, 5, 5, 2)), names=names)


def test_rsign_and_rprelu() -> None:
    x = RNG.normal(size=(2, 4, 4, 3))
    layer = Activation(estimators.get("rsign", shift=0.3), shape=(3,))

    def rsign(x: Any, b: Any) -> Any:
        return hard(lambda v: torch.where(v.abs() < 1, v * (2 - v.abs()), v.sign()), x + b)

    agree(layer, rsign, x, names=("curve.shift",))
    bend = RPReLU(3)
    for parameter in bend.parameters():
        parameter.value = RNG.normal(size=3)

    def rprelu(x: Any, before: Any, slope: Any, after: Any) -> Any:
        return F.prelu((x + before).permute(0, 3, 1, 2), slope).permute(0, 2, 3, 1) + after

    agree(bend, rprelu, x, names=("before.curve.shift", "bend.slope", "after.curve.shift"))


def test_xnor_convolution() -> None:
    ste = estimators.get("ste")
    layer = XnorConv2d(Conv2d(3, 4, 3, rng=RNG, stride=2, padding=1, activation=ste, weight=ste))

    def twin(x: Any, w: Any) -> Any:
        v = x.permute(0, 3, 1, 2)
        box = torch.full((1, 1, 3, 3), 1 / 9, dtype=torch.float64)
        k = F.conv2d(v.abs().mean(1, keepdim=True), box, stride=2, padding=1)
        return (F.conv2d(hard(clip, v), hard(clip, w).permute(3, 2, 0, 1), None, 2, 1) * k).permute(
            0, 2, 3, 1
        )

    agree(layer, twin, RNG.normal(size=(2, 6, 5, 3)), names=("conv.latent",))


def test_rank_one_scale() -> None:
    layer = OutputScale(3, (4, 5))
    for parameter in layer.parameters():
        parameter.value = RNG.normal(size=parameter.value.shape)
    names = ("channel", "row", "column")
    agree(layer, lambda x, a, b, c: x * a * b * c, RNG.normal(size=(2, 4, 5, 3)), names=names)


def test_gate() -> None:
    def twin(x: Any, z: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        g = torch.sigmoid(torch.relu(x.mean((1, 2)) @ w1 + b1) @ w2 + b2)
        return z * g[:, None, None, :]

    names = ("squeeze.latent", "squeeze.bias", "excite.latent", "excite.bias")
    agree(
        Gate(8, 3, 2, rng=RNG),
        twin,
        RNG.normal(size=(2, 4, 4, 8)),
        RNG.normal(size=(2, 2, 2, 3)),
        names=names,
    )


def test_losses_of_a_student() -> None:
    def distribution(s: Any, t: Any) -> Any:
        return F.cross_entropy(s, F.softmax(t, dim=1))

    agree(DistributionLoss(), distribution, *RNG.normal(size=(2, 6, 4)))

    def attention(a: Any, b: Any) -> Any:
        maps = [F.normalize((x * x).sum(3).flatten(1), dim=1) for x in (a, b)]
        return ((maps[0] - maps[1]) ** 2).sum(1).mean()

    agree(AttentionLoss(), attention, RNG.normal(size=(3, 4, 5, 6)), RNG.normal(size=(3, 4, 5, 2)))
