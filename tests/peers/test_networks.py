"""FDA-BNN's two networks for CIFAR-10 against twins in torch, written as torch networks are, in eval mode.

Double precision: another order of additions then turns no sign around.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bnn_ref import models
from bnn_ref.layers import BatchNorm, PReLU, Product

Conv = Callable[..., nn.Conv2d]


class BinaryConv(nn.Conv2d):
    """3x3: signs with signs and a scale; or the full-precision twin's, which clips its input."""

    def __init__(self, c: int, f: int, stride: int = 1, *, rule: str) -> None:
        super().__init__(c, f, 3, stride, padding=1, bias=False)
        self.rule = rule

    def forward(self, x: Any) -> Any:
        w = self.weight
        if self.rule == "real":
            return F.conv2d(F.hardtanh(x), w, None, self.stride, self.padding)
        if self.rule == "channel":
            scale = w.abs().mean(dim=(1, 2, 3), keepdim=True)
        else:
            scale = w.abs().mean() if self.rule == "tensor" else 1.0
        return F.conv2d(sign(x), sign(w) * scale, None, self.stride, self.padding)


def sign(x: Any) -> Any:
    return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)


class Block(nn.Module):
    def __init__(self, conv: Conv, in_planes: int, planes: int, stride: int) -> None:
        super().__init__()
        self.planes = planes
        self.conv1, self.act1, self.bn1 = conv(in_planes, planes, stride), nn.PReLU(), nn.BatchNorm2d(planes)
        self.conv2, self.act2, self.bn2 = conv(planes, planes), nn.PReLU(), nn.BatchNorm2d(planes)

    def forward(self, x: Any) -> Any:
        out = self.bn1(self.act1(self.conv1(x)))
        out = self.bn2(self.act2(self.conv2(out)))
        if out.shape != x.shape:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.planes // 4, self.planes // 4))
        return out + x


class ResNet20(nn.Module):
    def __init__(self, conv: Conv, channels: int, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        stages = [(width, width, 1), (width, 2 * width, 2), (2 * width, 4 * width, 2)]
        self.blocks = nn.Sequential()
        for in_planes, planes, stride in stages:
            self.blocks.append(Block(conv, in_planes, planes, stride))
            self.blocks.extend(Block(conv, planes, planes, 1) for _ in range(2))
        self.linear = nn.Linear(4 * width, 10)

    def forward(self, x: Any) -> Any:
        out = self.blocks(self.bn1(self.conv1(x)))
        return self.linear(F.adaptive_avg_pool2d(F.relu(out), 1).flatten(1))


class VGGSmall(nn.Module):
    def __init__(self, conv: Conv, channels: int, width: int) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.conv1 = conv(width, width)
        self.conv2, self.conv3 = conv(width, 2 * width), conv(2 * width, 2 * width)
        self.conv4, self.conv5 = conv(2 * width, 4 * width), conv(4 * width, 4 * width)
        self.bn0, self.bn1 = nn.BatchNorm2d(width), nn.BatchNorm2d(width)
        self.bn2, self.bn3 = nn.BatchNorm2d(2 * width), nn.BatchNorm2d(2 * width)
        self.bn4, self.bn5 = nn.BatchNorm2d(4 * width), nn.BatchNorm2d(4 * width)
        self.fc = nn.LazyLinear(10)

    def forward(self, x: Any) -> Any:
        x = F.hardtanh(self.bn0(self.conv0(x)))
        x = F.hardtanh(self.bn1(F.max_pool2d(self.conv1(x), 2)))
        x = F.hardtanh(self.bn2(self.conv2(x)))
        x = F.hardtanh(self.bn3(F.max_pool2d(self.conv3(x), 2)))
        x = F.hardtanh(self.bn4(self.conv4(x)))
        x = F.hardtanh(self.bn5(F.max_pool2d(self.conv5(x), 2)))
        return self.fc(x.flatten(1))


TWINS: dict[str, Callable[..., nn.Module]] = {"resnet-20": ResNet20, "vgg-small": VGGSmall}


def perturbed(model: models.Model, shape: tuple[int, ...]) -> models.Model:
    """`model` in double precision, with running statistics of three batches and every parameter moved."""
    rng = np.random.default_rng(1)
    model.astype(np.float64)
    for parameter in model.parameters():
        parameter.value = parameter.value + 0.3 * rng.normal(size=parameter.value.shape)
    for _ in range(3):
        model.train()(rng.normal(size=(4, *shape)))
    return model.eval()


def copy(model: models.Model, twin: nn.Module, channels: int) -> None:
    """Weights and statistics, layer by layer; here a head reads pixel by pixel, there channel by channel."""

    def pairs(own: type, *theirs: type) -> Any:
        layers = [layer for _, layer in model.layers() if isinstance(layer, own)]
        return zip(layers, [part for part in twin.modules() if isinstance(part, theirs)], strict=True)

    state: dict[int, Any] = {}
    for norm, part in pairs(BatchNorm, nn.BatchNorm2d):
        state[id(part.weight)], state[id(part.bias)] = norm.gamma.value, norm.beta.value
        state[id(part.running_mean)], state[id(part.running_var)] = norm.running_mean, norm.running_var
    for prelu, part in pairs(PReLU, nn.PReLU):
        state[id(part.weight)] = prelu.slope.value
    for layer, part in pairs(Product, nn.Conv2d, nn.Linear):
        latent = layer.latent.value
        if latent.ndim == 2:
            latent = latent.reshape(-1, channels, latent.shape[-1])
            state[id(part.weight)] = latent.transpose(2, 1, 0).reshape(latent.shape[-1], -1)
            state[id(part.bias)] = layer.bias.value
        else:
            state[id(part.weight)] = latent.transpose(3, 2, 0, 1)
    with torch.no_grad():
        for tensor in (*twin.parameters(), *twin.buffers()):
            if tensor.is_floating_point():  # all but the counters of batches
                tensor.copy_(torch.from_numpy(np.ascontiguousarray(state.pop(id(tensor)))))
    assert not state


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("rule", ["real", *models.SCALES])
@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1)])
def test_eval_mode_is_that_of_the_twin(name: str, rule: str, shape: tuple[int, ...]) -> None:
    own = {"estimator": "real"} if rule == "real" else {"estimator": "fda", "scale": rule}
    model = perturbed(models.build(name, input_shape=shape, width=6, **own), shape)
    twin = TWINS[name](partial(BinaryConv, rule=rule), shape[2], 6).double()
    x = np.random.default_rng(2).normal(size=(5, *shape))
    images = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    twin(images)  # shapes the head
    copy(model, twin.eval(), 24)
    scores = model(x)
    assert scores.std() > 0.1
    np.testing.assert_allclose(scores, twin(images).detach().numpy(), rtol=0, atol=1e-9)
