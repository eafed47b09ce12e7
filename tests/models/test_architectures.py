"""Facts of each network: its parameters counted by hand, and the order of its layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bnn_ref.layers import AvgPool2d, BatchNorm, Conv2d, Linear, MaxPool2d
from bnn_ref.models import BiRealBlock, Model, Operands, build


def count(model: Model, latent: bool) -> int:
    return sum(p.value.size for p in model.parameters() if p.latent is latent)


@pytest.mark.parametrize(
    ("name", "options", "binary", "real"),
    [
        # 64 inputs, 5 hidden: two binary 5x5; stem 64x5, three norms of 2x5, head 5x10 + 10
        ("mlp", {"input_shape": (8, 8, 1), "width": 5, "depth": 3}, 2 * 25, 320 + 3 * 10 + 60),
        ("mlp", {"input_shape": (2, 3, 4), "width": 7, "depth": 1, "classes": 2}, 0, 24 * 7 + 14 + 16),
        # binary 3x3x3x3, 3x3x3x6, and 6 channels of 2x2 pixels to 12;
        # stem 3x3x2x3, norms 3+3+6+12, head 12x10 + 10
        (
            "cnn",
            {"input_shape": (8, 8, 2), "width": 3},
            81 + 162 + 24 * 12,
            54 + 2 * (3 + 3 + 6 + 12) + 130,
        ),
        # one pixel row is lost in each of two pools: 11 -> 5 -> 2, 5 -> 2 -> 1
        ("cnn", {"input_shape": (11, 5, 1), "width": 1}, 9 + 18 + 2 * 2 * 4, 9 + 2 * (1 + 1 + 2 + 4) + 50),
        # binary 3x3: 4->4, 4->4, then 4->6, 6->6;
        # stem 3x3x1x4, its norm 8, norms 8+8+12+12, shortcut 4x6 + 12, head 70
        (
            "bireal-small",
            {"input_shape": (8, 8, 1), "widths": (4, 6), "blocks": (2, 2)},
            144 + 144 + 216 + 324,
            36 + 8 + 40 + 24 + 12 + 70,
        ),
        # a first stage whose width does not change has no shortcut convolution
        (
            "bireal-small",
            {"input_shape": (1, 1, 3), "widths": (2,), "blocks": (1,), "pool": False, "classes": 5},
            36,
            54 + 4 + 4 + 15,
        ),
    ],
)
def test_parameters_counted_by_hand(name: str, options: dict[str, Any], binary: int, real: int) -> None:
    model = build(name, **options)
    assert (count(model, latent=True), count(model, latent=False)) == (binary, real)


@pytest.mark.parametrize("scale", [False, True])
def test_scales_are_no_parameters(scale: bool) -> None:
    assert count(build("cnn", scale=scale), latent=True) == count(build("cnn"), latent=True)


def test_scaled_weights_have_the_mean_absolute_value_of_their_channel() -> None:
    layer = build("cnn", scale=True, width=4).body.parts[2]
    signs, alpha = layer.deployed_weight()
    np.testing.assert_array_equal(np.abs(signs), np.ones_like(signs))
    means = [np.abs(layer.latent.value[..., f]).mean() for f in range(4)]
    np.testing.assert_allclose(alpha, means, rtol=1e-6)


def test_the_cnn_pools_before_each_norm_and_each_norm_feeds_a_sign() -> None:
    parts = build("cnn", width=2, input_shape=(8, 8, 1)).body.parts
    kinds = [type(part).__name__ for part in parts]
    assert kinds == [
        *("Conv2d", "BatchNorm", "Conv2d", "MaxPool2d", "BatchNorm", "Conv2d", "MaxPool2d"),
        *("BatchNorm", "Flatten", "Linear", "BatchNorm"),
    ]
    assert [part.activation is not None for part in parts if isinstance(part, (Conv2d, Linear))] == [
        False,
        True,
        True,
        True,
    ]


def test_bireal_halves_the_image_between_stages_only() -> None:
    model = build("bireal-small", input_shape=(16, 16, 1), widths=(2, 3, 4), blocks=(1, 2, 1))
    images, shapes = np.zeros((1, 16, 16, 1), np.float32), []
    x = model.stem(images)
    for block in model.body.parts:
        x = block(x)
        shapes.append(x.shape[1:])
    assert shapes == [(8, 8, 2), (4, 4, 3), (4, 4, 3), (2, 2, 4)]
    assert [block.shortcut is None for block in model.body.parts] == [True, False, True, False]


def test_a_bireal_block_lets_its_input_through() -> None:
    """With gamma = beta = 0 the norm is silent, and y is the shortcut alone."""
    from bnn_ref.estimators import get

    rng = np.random.default_rng(0)
    operands = Operands(get("approxsign"), get("clipped-ste"), False, rng)
    x = rng.normal(size=(2, 4, 4, 3)).astype(np.float32)
    block = BiRealBlock(operands, 3, 3)
    block.norm.gamma.value = np.zeros(3, np.float32)
    np.testing.assert_array_equal(block(x), x)
    down = BiRealBlock(operands, 3, 5, stride=2)
    down.norm.gamma.value = np.zeros(5, np.float32)
    kinds = [type(part) for part in down.shortcut.parts]
    assert kinds == [AvgPool2d, Conv2d, BatchNorm]
    means = x.reshape(2, 2, 2, 2, 2, 3).mean(axis=(2, 4))  # 2x2 blocks of pixels
    down.shortcut.parts[2].eval()
    projected = np.einsum("nhwc,cf->nhwf", means, down.shortcut.parts[1].latent.value[0, 0])
    np.testing.assert_allclose(down(x), projected / np.sqrt(1 + 1e-5), rtol=1e-4, atol=1e-6)


def test_pool_is_optional() -> None:
    with_pool, without = (build("bireal-small", input_shape=(8, 8, 1), pool=pool) for pool in (True, False))
    assert [isinstance(part, MaxPool2d) for part in with_pool.stem.parts] == [False, False, True]
    assert not any(isinstance(part, MaxPool2d) for part in without.stem.parts)
