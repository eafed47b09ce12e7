"""Pose networks as bits: equal to eval mode, to the bit, in all their forms; what is computed before what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from packed_nets import POSE, build, inputs, perturb, signs

from bnn_ref.cost import cost
from bnn_ref.layers import (
    CHANNEL_SCALE,
    Add,
    BatchNorm,
    BilinearUpsample,
    Composite,
    Conv2d,
    ConvTranspose2d,
    GroupMean,
    Layer,
    NearestUpsample,
    PReLU,
    Sequential,
    TileChannels,
)
from bnn_ref.packed import load_packed, pack
from bnn_ref.packed.fusing import Fusing
from bnn_ref.pose import decode

FORMS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in POSE),
    ("sbpn", {"trunk": 34}),
    *(("sbpn", {"head": head, "scale": "channel"}) for head in ("deconv", "real-deconv")),
    ("sbpn", {"head": "deconv", "parameters": {"zero": -1}}),
    *(("sbpn", {"upsample": up, "reduce": "binary"}) for up in ("nearest", "bilinear")),
    ("sbpn", {"upsample": "bilinear", "scale": "tensor"}),
    *(("bhrnet-w32", {"precision": precision}) for precision in "BCD"),
    ("bhrnet-w32", {"width": 12, "scale": "channel"}),
    ("bhrnet-w32", {"modules": (1, 1, 1)}),
    ("sbpn", {"weight_estimator": "bbc"}),
    *((name, {"estimator": "real"}) for name in ("sbpn", "bhrnet-w32")),
]


def same(model: Layer, x: Any, rng: Any) -> None:
    """Packed is eval mode: by plan, step by step, by the definitions, and image by image."""
    perturb(model, rng)
    packed, expected = pack(model), model.eval()(x)
    np.testing.assert_array_equal(packed(x), expected)
    np.testing.assert_array_equal(packed.graph.run(x), expected)
    np.testing.assert_array_equal(packed(x[1:2]), expected[1:2])
    np.testing.assert_array_equal(packed(x[:1], naive=True), expected[:1])


@pytest.mark.parametrize(("name", "options"), FORMS)
def test_every_form_is_eval_mode(name: str, options: dict[str, Any]) -> None:
    rng = np.random.default_rng(len(FORMS))
    same(build(name, **options), inputs(rng, (3, 32, 32, 1)), rng)


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("name", "options"), [("bhrnet-w32", {"modules": (1, 1, 1)}), ("sbpn", {"weight_estimator": "bbc"})]
)
def test_joints_are_those_of_eval_mode(name: str, options: dict[str, Any], exact: bool) -> None:
    rng = np.random.default_rng(7)
    model = build(name, input_shape=(64, 32, 1), **options)
    perturb(model, rng)
    x = inputs(rng, (2, 64, 32, 1))
    wanted = decode(model.eval()(x), exact)
    assert len(np.unique(wanted[0], axis=1)[0]) > 1  # not all of them in one place
    for found, own in zip(decode(pack(model)(x), exact), wanted, strict=True):
        np.testing.assert_array_equal(found, own)


@pytest.mark.parametrize("options", [{}, {"head": "deconv"}])
def test_a_file_holds_the_network_and_the_bytes_that_are_counted(
    options: dict[str, Any], tmp_path: Path
) -> None:
    model, path = build("sbpn", **options), tmp_path / "net.safetensors"
    packed = pack(model)
    packed.save(path)
    x = inputs(np.random.default_rng(0), (2, 32, 32, 1))
    np.testing.assert_array_equal(load_packed(path)(x), model.eval()(x))
    assert cost(model, (1, 32, 32, 1)).total.packed_bytes == packed.payload_bytes


@given(
    kernel=st.integers(1, 5),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    zero=st.sampled_from([1, -1]),
    weights=st.sampled_from(["signs", "scaled", "real"]),
    tail=st.sampled_from(["none", "norm", "signs"]),
    seed=st.integers(0, 999),
)
def test_transposed_convolutions(
    kernel: int, stride: int, padding: int, zero: int, weights: str, tail: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    padding = min(padding, (kernel - 1) // 2)
    options: dict[str, Any] = {
        "signs": {"activation": signs(zero), "weight": signs()},
        "scaled": {"activation": signs(zero), "weight": signs(), "scale": CHANNEL_SCALE},
        "real": {},
    }[weights]
    channels = int(rng.choice([1, 3, 33, 65]))
    window = {"stride": stride, "padding": padding}
    layer = ConvTranspose2d(channels, 5, kernel, bias=weights == "scaled", rng=rng, **window, **options)
    behind: dict[str, list[Layer]] = {
        "none": [],
        "norm": [BatchNorm(5), PReLU(5)],
        "signs": [BatchNorm(5), Conv2d(5, 2, 1, rng=rng, activation=signs(zero), weight=signs())],
    }
    same(Sequential(layer, *behind[tail]), inputs(rng, (3, 4, 3, channels)), rng)


@pytest.mark.parametrize("zero", [1, -1])
def test_signs_behind_nearest_pixels_are_taken_before_them(zero: int) -> None:
    """A threshold of integers, then words: no real number is ever upsampled."""
    rng = np.random.default_rng(0)
    binary: dict[str, Any] = {"activation": signs(zero), "weight": signs(), "rng": rng}
    first, last = Conv2d(3, 70, 3, padding=1, **binary), Conv2d(70, 4, 3, padding=1, **binary)
    model = Sequential(NearestUpsample(), first)
    kinds = [node.step.kind for node in pack(model).graph.nodes]
    assert kinds == ["pack_signs", "nearest_upsample", "binary_conv"]
    same(model, inputs(rng, (2, 4, 3, 3)), rng)
    model = Sequential(first, BatchNorm(70), PReLU(70), NearestUpsample(3), last)
    kinds = [node.step.kind for node in pack(model).graph.nodes]
    assert kinds == ["pack_signs", "binary_conv", "threshold", "nearest_upsample", "binary_conv"]
    same(model, inputs(rng, (2, 4, 3, 3)), rng)


@pytest.mark.parametrize("layer", [NearestUpsample(3), BilinearUpsample(2), TileChannels(3), GroupMean(2)])
def test_layers_without_parameters_on_numbers_and_on_integers(layer: Layer) -> None:
    rng = np.random.default_rng(1)
    same(Sequential(layer), inputs(rng, (2, 4, 3, 6)), rng)
    conv = Conv2d(5, 6, 3, rng=rng, activation=signs(), weight=signs())
    same(Sequential(conv, layer), inputs(rng, (2, 4, 3, 5)), rng)


class IntegerFirst(Composite):
    """y = first(x) + conv(x), each of them integers."""

    def __init__(self, first: Layer, conv: Layer) -> None:
        self.first, self.conv, self.add = first, conv, Add()

    def compute(self, x: Any) -> Any:
        earlier = self.first(x)
        return self.add(earlier, self.conv(x))


def test_integers_that_were_moved_are_no_residual_of_floats() -> None:
    rng = np.random.default_rng(0)
    binary: dict[str, Any] = {"activation": signs(), "weight": signs(), "rng": rng}
    small = Sequential(Conv2d(3, 4, 2, stride=2, **binary), NearestUpsample())
    for first in (small, ConvTranspose2d(3, 4, 3, padding=1, **binary)):
        same(IntegerFirst(first, Conv2d(3, 4, 3, padding=1, **binary)), inputs(rng, (3, 4, 6, 3)), rng)


@pytest.mark.parametrize(
    ("name", "fused"), [("sbpn", 16 + 3), ("bhrnet-w32", 1 + 12 + 3 + 2 * 2 + 2 * 3 + 1)]
)
def test_every_sum_behind_a_convolution_is_fused(name: str, fused: int) -> None:
    """Of BHRNet stem, layer1, transitions, blocks and one exchange down: the other term is there before."""
    passes = Fusing(pack(build(name)).graph).passes.values()
    assert sum(one.residual is not None for one in passes) == fused
