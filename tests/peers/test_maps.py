"""Layers of pose networks against PyTorch's: transposed convolution, upsampling, shortcuts of channels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from test_torch import RNG, compare, nchw, nhwc

from bnn_ref import estimators
from bnn_ref.layers import BilinearUpsample, ConvTranspose2d, GroupMean, NearestUpsample, TileChannels

IMAGE = (2, 5, 4, 6)


@pytest.mark.parametrize(
    ("stride", "padding", "kernel"), [(2, 1, 4), (1, 0, 3), (2, 0, 2), (3, 2, 5), (3, 0, 2), (2, 1, 3)]
)
def test_transposed_convolution(stride: int, padding: int, kernel: int) -> None:
    layer = ConvTranspose2d(6, 3, kernel, stride=stride, padding=padding, bias=True, rng=RNG)

    def twin(x: Any, w: Any, b: Any) -> Any:
        return nhwc(F.conv_transpose2d(nchw(x), w.permute(2, 3, 0, 1), b, stride, padding))

    compare(layer, twin, RNG.normal(size=IMAGE), ["latent", "bias"])


def test_binary_transposed_convolution() -> None:
    """Clipped straight-through signs of both operands."""
    clipped = estimators.get("clipped-ste")
    layer = ConvTranspose2d(6, 3, 4, stride=2, padding=1, rng=RNG, activation=clipped, weight=clipped)

    def sign(x: Any) -> Any:
        soft = F.hardtanh(x)
        return soft + (torch.where(x < 0, -1.0, 1.0) - soft).detach()

    def twin(x: Any, w: Any) -> Any:
        return nhwc(F.conv_transpose2d(nchw(sign(x)), sign(w).permute(2, 3, 0, 1), None, 2, 1))

    compare(layer, twin, RNG.normal(size=IMAGE), ["latent"])


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_upsampling(factor: int) -> None:
    x = RNG.normal(size=IMAGE)
    compare(
        NearestUpsample(factor),
        lambda t: nhwc(F.interpolate(nchw(t), scale_factor=factor, mode="nearest")),
        x,
        [],
    )
    compare(
        BilinearUpsample(factor),
        lambda t: nhwc(F.interpolate(nchw(t), scale_factor=factor, mode="bilinear", align_corners=False)),
        x,
        [],
    )


def test_channels() -> None:
    x = RNG.normal(size=IMAGE)
    compare(TileChannels(3), lambda t: t.repeat(1, 1, 1, 3), x, [])
    compare(GroupMean(2), lambda t: t.unflatten(3, (3, 2)).mean(dim=4), x, [])


def test_eval_mode_in_float32() -> None:
    layer = ConvTranspose2d(6, 3, 4, stride=2, padding=1, rng=RNG).eval()
    x = RNG.normal(size=IMAGE).astype(np.float32)
    w = torch.tensor(layer.latent.value).permute(2, 3, 0, 1)  # type: ignore[attr-defined]
    twin = nhwc(F.conv_transpose2d(nchw(torch.tensor(x)), w, None, 2, 1))
    np.testing.assert_allclose(layer(x), twin.numpy(), rtol=0, atol=1e-5)
