"""Bi-Real Net's PyTorch release against ours: the same state under its names gives the same outputs.

The module structure is written down here as that release has it (modules, names, shapes). torch's sign(0) is
0; in double precision no activation or weight of these networks is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bnn_ref import models
from bnn_ref.layers import BatchNorm, Product

BLOCKS = {
    "bireal-18": (4, 4, 4, 4),
    "bireal-18-caffe": (4, 4, 4, 4),
    "bireal-34": (6, 8, 12, 6),
    "bireal-50": (3, 4, 6, 3),
    "resnet-34": (3, 4, 6, 3),
}


class BinaryActivation(nn.Module):
    """sign forward, the piecewise quadratic's slope backward: value detached, plus surrogate minus itself."""

    def forward(self, x: Any) -> Any:
        inside = torch.where(x < 0, x * x + 2 * x, 2 * x - x * x)
        surrogate = torch.where(x.abs() < 1, inside, torch.sign(x))
        return (torch.sign(x) - surrogate).detach() + surrogate


class HardBinaryConv(nn.Module):
    """alpha sign(W), alpha the mean abs of a filter without gradient; W stored as one column."""

    def __init__(self, c: int, f: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.stride, self.kernel, self.shape = stride, kernel, (f, c, kernel, kernel)
        self.weight = nn.Parameter(torch.randn(f * c * kernel * kernel, 1) * 0.1)

    def forward(self, x: Any) -> Any:
        real = self.weight.view(self.shape)
        scale = real.abs().mean(dim=(1, 2, 3), keepdim=True).detach()
        clipped = torch.clamp(real, -1, 1)
        binary = (scale * torch.sign(real)).detach() - clipped.detach() + clipped
        return F.conv2d(x, binary, stride=self.stride, padding=self.kernel // 2)


def pooled(c: int, f: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.AvgPool2d(stride, stride), nn.Conv2d(c, f, 1, bias=False), nn.BatchNorm2d(f))


class BasicBlock(nn.Module):
    def __init__(self, c: int, f: int, stride: int) -> None:
        super().__init__()
        self.binary_activation = BinaryActivation()
        self.binary_conv = HardBinaryConv(c, f, 3, stride)
        self.bn1 = nn.BatchNorm2d(f)
        self.downsample = pooled(c, f, stride) if c != f else None

    def forward(self, x: Any) -> Any:
        out = self.bn1(self.binary_conv(self.binary_activation(x)))
        return out + (x if self.downsample is None else self.downsample(x))


class BiRealNet(nn.Module):
    def __init__(self, blocks: tuple[int, ...], width: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = width
        for stage, count in enumerate(blocks):
            layer = nn.Sequential()
            for i in range(count):
                layer.append(BasicBlock(channels, width * 2**stage, 2 if stage and not i else 1))
                channels = width * 2**stage
            setattr(self, f"layer{stage + 1}", layer)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Any) -> Any:
        x = self.maxpool(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


class LeakyClip(nn.Module):
    def forward(self, x: Any) -> Any:
        return torch.where(x > 1, 1 + 0.1 * (x - 1), torch.where(x < -1, -1 + 0.1 * (x + 1), x))


class TwoStreamBlock(nn.Module):
    """(narrow, wide) -> (narrow, wide); `planes` channels wide, a quarter of them narrow."""

    def __init__(self, c: int, planes: int, stride: int, first: bool) -> None:
        super().__init__()
        mid = planes // 4
        self.first, self.sign, self.leaky = first, BinaryActivation(), LeakyClip()
        self.conv1 = nn.Conv2d(c, mid, 1, bias=False) if first else HardBinaryConv(c, mid, 1)
        self.bn1 = nn.BatchNorm2d(mid)
        self.p1 = None if first or c == planes else nn.Conv2d(c // 4, mid, 1, bias=False)
        self.conv2, self.bn2 = HardBinaryConv(mid, mid, 3, stride), nn.BatchNorm2d(mid)
        self.p2 = nn.AvgPool2d(2) if stride == 2 else None
        self.conv3, self.bn3 = HardBinaryConv(mid, planes, 1), nn.BatchNorm2d(planes)
        self.p3 = pooled(c, planes, stride) if c != planes else None

    def forward(self, streams: Any) -> Any:
        narrow, wide = streams
        if self.first:
            u = self.bn1(self.conv1(self.leaky(wide)))
        else:
            u = self.bn1(self.conv1(self.sign(wide))) + (narrow if self.p1 is None else self.p1(narrow))
        n = self.bn2(self.conv2(self.sign(u))) + (u if self.p2 is None else self.p2(u))
        w = self.bn3(self.conv3(self.sign(n))) + (wide if self.p3 is None else self.p3(wide))
        return n, w


class BiReal50(nn.Module):
    def __init__(self, blocks: tuple[int, ...], width: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.blocks, channels = nn.Sequential(), width
        for stage, count in enumerate(blocks):
            for i in range(count):
                planes, stride = 4 * width * 2**stage, 2 if stage and not i else 1
                self.blocks.append(TwoStreamBlock(channels, planes, stride, stage == i == 0))
                channels = planes
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Any) -> Any:
        x = F.max_pool2d(self.bn1(self.conv1(x)), 3, 2, 1)
        return self.fc(F.adaptive_avg_pool2d(self.blocks((x, x))[1], 1).flatten(1))


class CaffeBlock(nn.Module):
    def __init__(self, c: int, f: int, stride: int) -> None:
        super().__init__()
        self.conv = HardBinaryConv(c, f, 3, stride)
        self.bias = nn.Parameter(torch.randn(f, 1, 1))
        self.bn = nn.BatchNorm2d(f)
        self.down = nn.Conv2d(c, f, 1) if c != f else None

    def forward(self, x: Any) -> Any:
        y = self.bn(self.conv(torch.where(x > 0, 1.0, -1.0).to(x.dtype)) + self.bias)
        return y + (x if self.down is None else self.down(F.avg_pool2d(x, 2)))


class BiRealCaffe(nn.Module):
    def __init__(self, blocks: tuple[int, ...], width: int, classes: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width, 7, stride=2, padding=3), nn.BatchNorm2d(width)
        self.blocks, channels = nn.Sequential(), width
        for stage, count in enumerate(blocks):
            for i in range(count):
                self.blocks.append(CaffeBlock(channels, width * 2**stage, 2 if stage and not i else 1))
                channels = width * 2**stage
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Any) -> Any:
        x = F.max_pool2d(self.bn1(self.conv1(x)), 3, 2, 0, ceil_mode=True)
        return self.fc(F.adaptive_avg_pool2d(self.blocks(x), 1).flatten(1))


class RealBlock(nn.Module):
    def __init__(self, c: int, f: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(c, f, 3, stride, padding=1, bias=False), nn.BatchNorm2d(f)
        self.conv2, self.bn2 = nn.Conv2d(f, f, 3, padding=1, bias=False), nn.BatchNorm2d(f)
        down = nn.Sequential(nn.Conv2d(c, f, 1, stride, bias=False), nn.BatchNorm2d(f))
        self.downsample = None if c == f else down

    def forward(self, x: Any) -> Any:
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, blocks: tuple[int, ...], width: int, classes: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.blocks, channels = nn.Sequential(), width
        for stage, count in enumerate(blocks):
            for i in range(count):
                self.blocks.append(RealBlock(channels, width * 2**stage, 2 if stage and not i else 1))
                channels = width * 2**stage
        self.fc = nn.Linear(channels, classes)

    def forward(self, x: Any) -> Any:
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.fc(F.adaptive_avg_pool2d(self.blocks(x), 1).flatten(1))


def nchw(x: Any) -> Any:
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


def settle(twin: nn.Module, rng: np.random.Generator, size: int) -> None:
    """Every parameter moved, running statistics of three batches."""
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(torch.from_numpy(0.3 * rng.normal(size=tuple(parameter.shape))))
    for _ in range(3):
        twin.train()(torch.from_numpy(rng.normal(size=(4, 3, size, size))))
    twin.eval()


@pytest.mark.parametrize("name", ["bireal-18", "bireal-34"])
@pytest.mark.parametrize("binary", [False, True])
def test_the_release_s_state_gives_the_release_s_outputs(name: str, binary: bool) -> None:
    """With latent weights, or with 1-bit weights that were replaced by their signs."""
    rng = np.random.default_rng(0)
    twin = BiRealNet(BLOCKS[name], 6, 10).double()
    settle(twin, rng, 64)
    if binary:
        with torch.no_grad():
            for part in twin.modules():
                if isinstance(part, HardBinaryConv):
                    part.weight.copy_(torch.sign(part.weight))
    model = models.build(name, input_shape=(64, 64, 3), width=6, scale="channel").astype(np.float64).eval()
    model.load_state_dict(models.from_pytorch(model, twin.state_dict()))
    x = rng.normal(size=(5, 64, 64, 3))
    # the state passes through float32: so does the twin's
    with torch.no_grad():
        for tensor in (*twin.parameters(), *twin.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(tensor.float().double())
    scores = model(x)
    assert scores.std() > 0.1
    np.testing.assert_allclose(scores, twin(nchw(x)).detach().numpy(), rtol=0, atol=1e-9)


def test_at_the_width_of_the_release() -> None:
    """64 to 512 channels, 11 million weights that both sides hold in single precision."""
    torch.manual_seed(0)
    rng = np.random.default_rng(1)
    twin = BiRealNet(BLOCKS["bireal-18"], 64, 10)
    for _ in range(2):
        twin.train()(torch.from_numpy(rng.normal(size=(4, 3, 64, 64)).astype(np.float32)))
    twin.eval()
    model = models.build("bireal-18", input_shape=(64, 64, 3), scale="channel").eval()
    model.load_state_dict(models.from_pytorch(model, twin.state_dict()))
    x = rng.normal(size=(2, 64, 64, 3)).astype(np.float32)
    scores = model.astype(np.float64)(x.astype(np.float64))
    theirs = twin.double()(nchw(x.astype(np.float64))).detach().numpy()
    assert scores.std() > 0.1
    np.testing.assert_allclose(scores, theirs, rtol=0, atol=1e-9)


OTHERS = [("bireal-50", BiReal50), ("bireal-18-caffe", BiRealCaffe), ("resnet-34", ResNet)]


@pytest.mark.parametrize(("name", "make"), OTHERS)
def test_the_other_graphs_compute_what_their_twins_do(name: str, make: Any) -> None:
    """Layers are paired in the order in which both sides hold them."""
    rng = np.random.default_rng(2)
    size = 64
    twin = make(BLOCKS[name], 4, 10).double()
    settle(twin, rng, size)
    options = {"parameters": {"zero": -1}} if name.endswith("caffe") else {}
    model = models.build(name, input_shape=(size, size, 3), width=4, scale="channel", **options)
    model.astype(np.float64).eval()
    adopt(model, twin)
    x = rng.normal(size=(5, size, size, 3))
    scores = model(x)
    assert scores.std() > 0.1
    np.testing.assert_allclose(scores, twin(nchw(x)).detach().numpy(), rtol=0, atol=1e-9)


def adopt(model: models.Model, twin: nn.Module) -> None:
    """Copy the twin's tensors, which stand in the same order as ours."""
    theirs = [part for part in twin.modules() if isinstance(part, (nn.Conv2d, nn.Linear, HardBinaryConv))]
    products = [layer for _, layer in model.layers() if isinstance(layer, Product)]
    for layer, part in zip(products, theirs, strict=True):
        weight = part.weight.detach().numpy().reshape(getattr(part, "shape", part.weight.shape))
        layer.latent.value = np.ascontiguousarray(np.moveaxis(weight, (0, 1), (-1, -2)))
        assert (layer.activation is not None) is isinstance(part, HardBinaryConv)
    biases = [p.detach().numpy().ravel() for n, p in twin.named_parameters() if is_bias(twin, n)]
    for layer, bias in zip((p for p in products if p.bias is not None), biases, strict=True):
        layer.bias.value = bias
    norms = [layer for _, layer in model.layers() if isinstance(layer, BatchNorm)]
    for norm, part in zip(norms, (m for m in twin.modules() if isinstance(m, nn.BatchNorm2d)), strict=True):
        norm.gamma.value, norm.beta.value = part.weight.detach().numpy(), part.bias.detach().numpy()
        norm.running_mean, norm.running_var = part.running_mean.numpy(), part.running_var.numpy()


def is_bias(twin: nn.Module, name: str) -> bool:
    owner = twin.get_submodule(name.rpartition(".")[0])
    return name.endswith("bias") and not isinstance(owner, nn.BatchNorm2d)
