"""Facts of each network: its parameters counted by hand, and the order of its layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bnn_ref.autodiff import Symbol, steps
from bnn_ref.estimators import get
from bnn_ref.layers import AvgPool2d, BatchNorm, Conv2d, Linear, MaxPool2d, PReLU
from bnn_ref.models import SCALES, BiRealBlock, Model, Operands, ResNetBlock, build


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
        # binary 3x3: four of 4->4, then 4->8, 8->8; stem 3x3x3x4, its norm 8, one slope a convolution,
        # norms 4 x 8 and 2 x 16, head 8x10 + 10; shortcuts have none
        (
            "resnet-20",
            {"input_shape": (9, 5, 3), "width": 4, "blocks": (2, 1)},
            4 * 144 + 288 + 576,
            108 + 8 + 6 + 32 + 32 + 90,
        ),
        # binary 3x3: 2->2, 2->4, 4->4, 4->8, 8->8; stem 3x3x3x2, norms of 2, 2, 4, 4, 8, 8; one pixel is left
        (
            "vgg-small",
            {"input_shape": (8, 8, 3), "width": 2},
            36 + 72 + 144 + 288 + 576,
            54 + 2 * 28 + 8 * 10 + 10,
        ),
        # an odd row or column is lost in each of three pools: 17 -> 8 -> 4 -> 2, 31 -> 15 -> 7 -> 3
        (
            "vgg-small",
            {"input_shape": (17, 31, 1), "width": 1},
            9 * (1 + 2 + 4 + 8 + 16),
            9 + 28 + 4 * 6 * 10 + 10,
        ),
    ],
)
def test_parameters_counted_by_hand(name: str, options: dict[str, Any], binary: int, real: int) -> None:
    model = build(name, **options)
    assert (count(model, latent=True), count(model, latent=False)) == (binary, real)


@pytest.mark.parametrize("scale", list(SCALES))
def test_scales_are_no_parameters(scale: str) -> None:
    assert count(build("cnn", scale=scale), latent=True) == count(build("cnn"), latent=True)


def test_scaled_weights_have_the_mean_absolute_value_of_their_channel_or_tensor() -> None:
    for scale, parts in (("channel", [(..., f) for f in range(4)]), ("tensor", [...])):
        layer = build("cnn", scale=scale, width=4).body.parts[2]
        signs, alpha = layer.deployed_weight()
        np.testing.assert_array_equal(np.abs(signs), np.ones_like(signs))
        means = [np.abs(layer.latent.value[part]).mean() for part in parts]
        np.testing.assert_allclose(alpha, means, rtol=1e-6)
    assert build("cnn", width=4).body.parts[2].deployed_weight()[1] is None


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
    rng = np.random.default_rng(0)
    operands = Operands(get("approxsign"), get("clipped-ste"), None, rng)
    x = rng.normal(size=(2, 4, 4, 3)).astype(np.float32)
    block = BiRealBlock(operands, 3, 3)
    block.branch.parts[1].gamma.value = np.zeros(3, np.float32)
    np.testing.assert_array_equal(block(x), x)
    down = BiRealBlock(operands, 3, 5, stride=2)
    down.branch.parts[1].gamma.value = np.zeros(5, np.float32)
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


def kinds(model: Model) -> list[str]:
    """The types of the layers in the order of their calls."""
    return [type(symbol.layer).__name__ for symbol in steps(model(Symbol()))[1:]]


def test_resnet_has_one_shortcut_for_two_convolutions() -> None:
    half = ["Conv2d", "PReLU", "BatchNorm"]
    assert kinds(build("resnet-20", blocks=(1, 2))) == [
        *("Conv2d", "BatchNorm"),
        *(*half, *half, "Add"),
        *(*half, *half, "PadShortcut", "Add"),
        *(*half, *half, "Add"),
        *("ReLU", "GlobalAvgPool", "Linear"),
    ]
    assert kinds(build("resnet-20")).count("Conv2d") == 19


def test_every_convolution_of_resnet_has_one_slope_for_all_channels() -> None:
    slopes = [layer.slope.value for _, layer in build("resnet-20").layers() if isinstance(layer, PReLU)]
    assert len(slopes) == 18
    assert all(slope.tolist() == [0.25] for slope in slopes)
    assert len({id(slope) for slope in slopes}) == 18


def test_resnet_halves_odd_images_too() -> None:
    model, shapes = build("resnet-20", input_shape=(7, 5, 3), width=2, blocks=(2, 1, 1)), []
    x = model.stem(np.zeros((1, 7, 5, 3), np.float32))
    for block in model.body.parts:
        x = block(x)
        shapes.append(x.shape[1:])
    assert shapes == [(7, 5, 2), (7, 5, 2), (4, 3, 4), (2, 2, 8)]
    assert [block.shortcut is None for block in model.body.parts] == [True, True, False, False]


def test_a_resnet_block_lets_its_input_through() -> None:
    """With gamma = beta = 0 in the last norm y is the shortcut alone, negative numbers and all."""
    rng = np.random.default_rng(0)
    operands = Operands(get("approxsign"), get("clipped-ste"), None, rng)
    x = rng.normal(size=(2, 5, 4, 4)).astype(np.float32)
    same, down = ResNetBlock(operands, 4, 4), ResNetBlock(operands, 4, 8, stride=2)
    for block in (same, down):
        block.branch.parts[-1].gamma.value = np.zeros_like(block.branch.parts[-1].gamma.value)
    np.testing.assert_array_equal(same(x), x)
    y = down(x)
    assert y.shape == (2, 3, 2, 8)
    for row, column in np.ndindex(3, 2):
        np.testing.assert_array_equal(y[:, row, column, 2:6], x[:, 2 * row, 2 * column])
    assert not y[..., [0, 1, 6, 7]].any()


def test_a_resnet_block_applies_its_parts_in_order() -> None:
    """One pixel, one channel: sign(x) w, PReLU, norm; sign, w, PReLU, norm; plus x: by hand."""
    block = ResNetBlock(Operands(get("ste"), None, None, np.random.default_rng(0)), 1, 1).eval()
    first, bend, norm, second, bend_again, norm_again = block.branch.parts
    first.latent.value = np.full((3, 3, 1, 1), 3.0)  # -1 * 3 = -3, PReLU: -0.75
    norm.running_mean, norm.running_var = np.array([-1.0]), np.array([1.0])  # + 0.25
    second.latent.value = np.full((3, 3, 1, 1), -5.0)  # sign + 1 * -5 = -5, PReLU with slope 0.5: -2.5
    bend_again.slope.value = np.array([0.5])
    norm_again.beta.value = np.array([10.0])  # 7.5
    for layer in (norm, norm_again):
        layer.eps = 0.0
    assert (bend.slope.value, block(np.full((1, 1, 1, 1), -2.0)).item()) == (0.25, 5.5)


def test_vgg_pools_between_convolution_and_norm() -> None:
    model = build("vgg-small", width=2)
    plain, pooled = ["Conv2d", "BatchNorm", "HardTanh"], ["Conv2d", "MaxPool2d", "BatchNorm", "HardTanh"]
    assert kinds(model) == [*(*plain, *pooled) * 3, "Flatten", "Linear"]
    convolutions = [layer for layer in model.body.parts if isinstance(layer, Conv2d)]
    assert [layer.latent.value.shape[2:] for layer in convolutions] == [
        *((1, 2), (2, 2), (2, 4), (4, 4), (4, 8), (8, 8))
    ]
    assert [layer.activation is None for layer in convolutions] == [True, *[False] * 5]


def test_vgg_at_the_size_of_its_source() -> None:
    """128, 128, 256, 256, 512, 512 channels; 4 x 4 pixels are left of 32 x 32."""
    model = build("vgg-small", input_shape=(32, 32, 3))
    widths = [layer.latent.value.shape[3] for layer in model.body.parts if isinstance(layer, Conv2d)]
    assert widths == [128, 128, 256, 256, 512, 512]
    assert model.head.latent.value.shape == (8192, 10)
