"""The graphs of Bi-Real networks, layer by layer; the sizes that fit; their first weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.autodiff import Symbol, steps
from bnn_ref.layers import (
    BatchNorm,
    Conv2d,
    Product,
)
from bnn_ref.models import build
from bnn_ref.models.residual import Residual

BIREAL = [
    "bireal-20",
    "bireal-18",
    "bireal-34",
    "bireal-50",
    "bireal-152",
    "bireal-18-caffe",
    "bireal-34-caffe",
]


def kinds(model: Any) -> list[str]:
    """The types of the layers in the order of their calls."""
    return [type(symbol.layer).__name__ for symbol in steps(model(Symbol()))[1:]]


# Graphs

STEM, HEAD = ["Conv2d", "BatchNorm", "MaxPool2d"], ["GlobalAvgPool", "Linear"]
UNIT, DOWN = ["Conv2d", "BatchNorm"], ["AvgPool2d", "Conv2d", "BatchNorm"]


@pytest.mark.parametrize(
    ("shortcut", "body"),
    [
        ("bireal", [*UNIT, "Add", *UNIT, "Add", *UNIT, *DOWN, "Add", *UNIT, "Add"]),
        ("res", [*UNIT, *UNIT, "Add", *UNIT, *UNIT, *DOWN, "Add"]),
        ("plain", UNIT * 4),
    ],
)
def test_the_arms_of_the_ablation(shortcut: str, body: list[str]) -> None:
    model = build("bireal-18", width=2, blocks=(2, 2), shortcut=shortcut)
    assert kinds(model) == [*STEM, *body, *HEAD]
    assert "PReLU" not in kinds(model)
    assert "ReLU" not in kinds(model)  # the sign is the only nonlinearity


def test_the_arms_start_with_the_same_binary_weights_where_no_shortcut_came_before() -> None:
    states = [build("bireal-18", width=2, blocks=(4,), shortcut=s).state_dict() for s in ("bireal", "plain")]
    latents = [[value for key, value in state.items() if key.endswith("latent")] for state in states]
    for one, other in zip(*latents, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_two_streams_of_50_layers() -> None:
    """The first block, one whose shape stays, and one that changes the stage."""
    model = build("bireal-50", width=2, blocks=(2, 1), input_shape=(32, 32, 3))
    front = ["LeakyClip", "Conv2d", "BatchNorm"]
    assert kinds(model) == [
        *STEM,
        *(*front, *UNIT, "Add", *UNIT, "Conv2d", "BatchNorm", "Add"),
        *(*UNIT, "Add", *UNIT, "Add", *UNIT, "Add"),
        *(*UNIT, "Conv2d", "Add", *UNIT, "AvgPool2d", "Add", *UNIT, *DOWN, "Add"),
        *HEAD,
    ]
    convolutions = [layer for _, layer in model.layers() if isinstance(layer, Conv2d)]
    strides = {(layer.kernel_size, layer.stride) for layer in convolutions}
    assert strides == {(7, 2), (1, 1), (3, 1), (3, 2)}  # stride 2 stands on the 3x3 alone


def test_the_narrow_stream_is_the_previous_block_s_3x3() -> None:
    """With every norm silent but the middle one of the first block, the narrow stream alone carries it on."""
    model = build("bireal-50", width=2, blocks=(3,), input_shape=(16, 16, 3)).eval()
    first, second, third = model.body.parts
    rng = np.random.default_rng(0)
    narrow, wide = rng.normal(size=(2, 4, 4, 2)), rng.normal(size=(2, 4, 4, 8))
    for _, layer in second.layers():
        if isinstance(layer, BatchNorm):
            layer.gamma.value = np.zeros_like(layer.gamma.value)
    n, w = second.streams(narrow.astype(np.float32), wide.astype(np.float32))
    np.testing.assert_array_equal(n, narrow.astype(np.float32))
    np.testing.assert_array_equal(w, wide.astype(np.float32))
    assert isinstance(third.reduce, Residual)
    assert not isinstance(first.reduce, Residual)


def test_the_full_precision_resnet() -> None:
    """torchvision's basic block: norms and ReLUs in this order, the stride in the first 3x3 and the 1x1."""
    model = build("resnet-18", width=2, blocks=(1, 1))
    block = [*UNIT, "ReLU", *UNIT]
    assert kinds(model) == [
        *("Conv2d", "BatchNorm", "ReLU", "MaxPool2d"),
        *(*block, "Add", "ReLU"),
        *(*block, *UNIT, "Add", "ReLU"),
        *HEAD,
    ]
    windows = [(layer.kernel_size, layer.stride) for _, layer in model.layers() if isinstance(layer, Conv2d)]
    assert windows == [(7, 2), (3, 1), (3, 1), (3, 2), (3, 1), (1, 2)]


def test_the_caffe_release() -> None:
    model = build("bireal-18-caffe", width=2, blocks=(1, 1))
    assert kinds(model) == [*STEM, *UNIT, "Add", *UNIT, "AvgPool2d", "Conv2d", "Add", *HEAD]
    assert all(layer.bias is not None for _, layer in model.layers() if isinstance(layer, Product))
    pool = model.stem.parts[2]
    assert (pool.kernel_size, pool.stride, pool.padding, pool.ceil) == (3, 2, 0, True)
    assert pool(np.zeros((1, 112, 112, 1))).shape == (1, 56, 56, 1)


def test_the_releases_pool_different_pixels() -> None:
    """Padded by 1, the first window starts outside; with none, the last window hangs over."""
    stems = [
        build(name, width=1, input_shape=(8, 8, 1)).stem.parts[2] for name in ("bireal-18", "bireal-18-caffe")
    ]
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    pytorch, caffe = (pool(x)[0, :, :, 0].tolist() for pool in stems)
    assert pytorch == [[5, 7], [13, 15]]
    assert caffe == [[10, 11], [14, 15]]


@pytest.mark.parametrize("name", BIREAL)
def test_only_stem_shortcuts_front_and_head_are_real(name: str) -> None:
    model = build(name, width=4)
    real = {key for key, layer in model.layers() if isinstance(layer, Product) and layer.weight is None}
    assert real - {key for key in real if "shortcut" in key} == {
        *("stem.parts.0", "head"),
        *(["body.parts.0.reduce.parts.1"] if name in ("bireal-50", "bireal-152") else []),
    }


@given(st.sampled_from(BIREAL), st.integers(1, 40), st.integers(1, 40))
def test_every_size_fits_and_halves_are_rounded_up(name: str, height: int, width: int) -> None:
    model = build(name, input_shape=(height, width, 2), width=1, blocks=(2, 2, 2), classes=3).eval()
    x = np.zeros((1, height, width, 2), np.float32)
    y = model.body(model.stem(x))
    divisor = 4 if name == "bireal-20" else 16
    assert y.shape[1:3] == (-(-height // divisor), -(-width // divisor)) or name.endswith("caffe")
    assert model(x).shape == (1, 3)


def test_widths_double() -> None:
    for name, widths in (("bireal-18", [6, 12, 24]), ("bireal-50", [24, 48, 96]), ("resnet-18", [6, 12, 24])):
        model = build(name, width=6, blocks=(2, 2, 2), input_shape=(64, 64, 3))
        assert model.head.in_channels == widths[-1]
        norms = [layer.channels for _, layer in model.layers() if isinstance(layer, BatchNorm)]
        assert set(widths) <= set(norms)


# First weights


@pytest.mark.parametrize("name", ["bireal-20", "bireal-34", "bireal-50"])
def test_the_release_starts_every_binary_filter_at_plus_one(name: str) -> None:
    model = build(name, width=8, init="released")
    seen = {"binary": 0, "real": 0}
    for _, layer in model.layers():
        if isinstance(layer, Product):
            values = layer.latent.value
            assert values.dtype == np.float32
            if layer.weight is not None:
                assert 0 <= values.min() < 2e-5
                assert 9.5e-4 < values.max() <= 1e-3
                np.testing.assert_array_equal(layer.deployed_weight()[0], np.ones_like(values))
                seen["binary"] += 1
            else:
                size, bound = np.abs(values).max(), np.prod(values.shape[:-1]) ** -0.5
                assert 0.8 * bound < size <= bound
                assert values.min() < 0
                seen["real"] += 1
    assert model.head.bias.value.any()
    assert min(seen.values()) >= 4


def test_the_real_twin_is_drawn_as_the_binary_network() -> None:
    states = [build("bireal-20", width=4, init="released", estimator=e).state_dict() for e in ("fda", "real")]
    for key, value in states[0].items():
        np.testing.assert_array_equal(value, states[1][key])
