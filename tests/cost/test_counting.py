"""Counts against counts made by hand, by the bytes of the file, and of networks that cannot be packed."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bireal_nets import HARD, IMAGE, BiReal, arithmetic
from packed_nets import PACKED
from packed_nets import build as small
from safetensors.numpy import load_file

from bnn_ref import estimators, models
from bnn_ref.binarizer import Binarizer, Compose, Map, MeanAbs, Scaled, Sign
from bnn_ref.cost import Cost, Counts, cost
from bnn_ref.estimators.dsq import SoftQuantizer
from bnn_ref.layers import (
    CHANNEL_SCALE,
    TENSOR_SCALE,
    Activation,
    Add,
    BatchNorm,
    Composite,
    Conv2d,
    Flatten,
    Layer,
    Linear,
    MaxPool2d,
    OutputScale,
    PadShortcut,
    PReLU,
    RPReLU,
    Sequential,
)
from bnn_ref.models import SCALES
from bnn_ref.packed import pack
from bnn_ref.packed.steps import ProductStep
from bnn_ref.parameter import Array, Parameter

RNG = np.random.default_rng(0)
SOFT = estimators.get("tanh").surrogate


def by_name(report: Cost) -> dict[str, Counts]:
    return {row.name: row.counts for row in report.layers}


def test_every_kind_of_layer_by_hand() -> None:
    """10 x 8 images of 3 channels; stride 2 and padding 1 leave 5 x 4, pool 2 x 2 and shortcut 1 x 1."""
    binary: dict[str, Any] = {"rng": RNG, "activation": HARD, "weight": HARD}
    model = Sequential(
        Conv2d(3, 6, 3, stride=2, padding=1, rng=RNG),
        BatchNorm(6),
        Conv2d(6, 10, 3, padding=1, bias=True, scale=CHANNEL_SCALE, **binary),
        PReLU(10),
        MaxPool2d(2),
        Conv2d(10, 4, 1, rng=RNG, weight=HARD),
        Conv2d(4, 4, 1, rng=RNG, activation=HARD),
        PadShortcut(2, 3),
        Flatten(),
        Linear(10, 5, rng=RNG),
    )
    found = cost(model, (7, 10, 8, 3))
    assert [row.counts for row in found.layers] == [
        Counts(real_weights=162, real_macs=162 * 20, memory_bits=162 * 32, packed_bytes=648),
        Counts(norm=12, running=12, memory_bits=12 * 32, packed_bytes=48),  # gain and shift
        # 540 weights at 5 x 4 places, taps on padding counted; 68 bytes of signs, 10 scales, 10 biases
        Counts(
            binary_weights=540,
            bias=10,
            scale=10,
            binary_macs=540 * 20,
            binary_channels=10,
            binary_outputs=10 * 20,
            memory_bits=540 + 20 * 32,
            packed_bytes=68 + 40 + 40,
        ),
        Counts(slope=10, memory_bits=10 * 32, packed_bytes=40),
        Counts(),
        # one operand is real: so is the multiplication
        Counts(binary_weights=40, real_macs=40 * 4, memory_bits=40, packed_bytes=5),
        Counts(real_weights=16, real_macs=16 * 4, memory_bits=16 * 32, packed_bytes=64),
        Counts(),
        Counts(),
        Counts(real_weights=50, bias=5, real_macs=50, memory_bits=55 * 32, packed_bytes=220),
    ]
    assert [row.input_bits for row in found.layers] == [32, None, 1, None, None, 32, 1, None, None, 32]
    sizes = ["5x4x6", "5x4x6", "5x4x10", "5x4x10", "2x2x10", "2x2x4", "2x2x4", "1x1x10", "10", "5"]
    assert ["x".join(map(str, row.output_shape)) for row in found.layers] == sizes


def test_a_shortcut_rounds_up() -> None:
    """5 x 4 pixels of 2 channels become 3 x 2 of 2 + 2 * 3."""
    report = cost(Sequential(PadShortcut(2, 3), Conv2d(8, 1, 1, rng=RNG)), (1, 5, 4, 2))
    assert report.total.real_macs == 8 * 6


def test_folded_norms_are_counted_as_thresholds() -> None:
    binary: dict[str, Any] = {"rng": RNG, "activation": HARD, "weight": HARD, "scale": CHANNEL_SCALE}
    parts = [Linear(20, 12, **binary), BatchNorm(12), Linear(12, 3, **binary)]
    rows = by_name(cost(Sequential(*parts), (1, 20)))
    assert rows["parts.0"].packed_bytes == 30  # 240 bits; scale and bias are in the thresholds
    assert rows["parts.1"].packed_bytes == 12 * 4 + 2
    assert rows["parts.2"].packed_bytes == 5 + 12 + 12
    assert rows["parts.0"].scale == 12
    assert rows["parts.1"].memory_bits == 32 * 24


@pytest.mark.parametrize(("scale", "numbers"), [(CHANNEL_SCALE, 64 + 128 + 256 + 512), (TENSOR_SCALE, 4)])
def test_scale_takes_32_bits_a_number(scale: Map, numbers: int) -> None:
    with_scale = cost(BiReal([1, 1, 1, 1], scale=scale), (1, 64, 64, 3)).total
    without = cost(BiReal([1, 1, 1, 1]), (1, 64, 64, 3)).total
    assert with_scale.scale == numbers
    assert with_scale.memory_bits - without.memory_bits == 32 * numbers


def test_resnet_20() -> None:
    """Three stages of six convolutions, the first of a stage with half of its channels coming in.

    16 channels at 32 x 32 pixels, 32 at 16 x 16, 64 at 8 x 8; nothing in a shortcut, a norm behind each of
    the 19 convolutions, one slope and one scale in each of the 18 binary ones.
    """
    total = cost(models.build("resnet-20", input_shape=(32, 32, 3), scale="tensor"), (1, 32, 32, 3)).total
    first, second, third = 6 * 9 * 16 * 16, 9 * (16 + 5 * 32) * 32, 9 * (32 + 5 * 64) * 64
    assert (first, second, third) == (13_824, 50_688, 202_752)
    assert total.binary_weights == first + second + third == 267_264
    assert total.real_weights == 27 * 16 + 64 * 10 == 1_072
    assert (total.bias, total.slope, total.scale) == (10, 18, 18)
    assert total.norm == 2 * (16 + 6 * 16 + 6 * 32 + 6 * 64) == 1_376
    assert total.binary_macs == first * 1024 + second * 256 + third * 64 == 40_108_032
    assert total.real_macs == 432 * 1024 + 640 == 443_008
    # one bit a binary weight; the norm inside a block is a threshold (33 bits a channel), scale and slope
    # of its convolution with it, the norm at a block's end 64 bits a channel, with a scale and a slope
    inside, ends = 3 * (16 + 32 + 64), 16 + 3 * (16 + 32 + 64)
    real = 1_072 + 10 + 9 * 2
    assert 8 * total.packed_bytes == 267_264 + 32 * real + 33 * inside + 64 * ends


def test_vgg_small() -> None:
    """128 channels at 32 x 32 pixels, then 256 at 16 x 16, 512 at 8 x 8; 4 x 4 pixels reach the head."""
    total = cost(models.build("vgg-small", input_shape=(32, 32, 3), scale="channel"), (1, 32, 32, 3)).total
    weights = {1024: 9 * 128 * 128, 256: 9 * (128 + 256) * 256, 64: 9 * (256 + 512) * 512}
    assert total.binary_weights == sum(weights.values()) == 4_571_136
    assert total.binary_macs == sum(places * count for places, count in weights.items()) == 603_979_776
    assert total.real_weights == 27 * 128 + 16 * 512 * 10 == 85_376
    assert total.real_macs == 27 * 128 * 1024 + 81_920 == 3_620_864
    assert (total.bias, total.slope, total.scale) == (10, 0, 128 + 2 * 256 + 2 * 512)
    assert total.norm == 2 * (2 * 128 + 2 * 256 + 2 * 512) == 3_584


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("scale", list(SCALES))
def test_packed_bytes_are_the_file_s(name: str, scale: str, tmp_path: Path) -> None:
    model = small(name, scale=scale)
    packed, path = pack(model), tmp_path / "net.safetensors"
    packed.save(path)
    in_file = sum(tensor.nbytes for tensor in load_file(path).values())
    assert cost(model, (1, 28, 28, 1)).total.packed_bytes == packed.payload_bytes == in_file


def test_reactnet_a() -> None:
    """4.8169e9 binary and 1.1862e7 real multiplications, and by ones: channels 64 128x2 256x2 512x6 1024x2.

    The real ones are the stem's 864 weights at 112 x 112 places, and the head's.
    """
    total = cost(models.build("reactnet-a", input_shape=(224, 224, 3), classes=1000), (1, 224, 224, 3)).total
    c, size, binary, weights = 32, 112, 0, 0
    for stage, count in zip((64, 128, 256, 512, 1024), (1, 2, 2, 6, 2), strict=True):
        for i in range(count):
            size //= 2 if stage > 64 and i == 0 else 1
            weights += 9 * c * c + c * stage
            binary += (9 * c * c + c * stage) * size * size
            c = stage
    assert (total.binary_weights, total.binary_macs) == (weights, binary)
    assert f"{total.binary_macs:.5g}" == "4.8169e+09"
    assert f"{total.real_macs:.5g}" == "1.1862e+07"
    assert total.real_macs == 27 * 32 * 112**2 + 1024 * 1000
    assert f"{total.ops:.5g}" == "8.7126e+07"
    printed = [
        f"{count / unit:.2f}"
        for count, unit in ((total.binary_macs, 1e9), (total.real_macs, 1e8), (total.ops, 1e8))
    ]
    assert printed == ["4.82", "0.12", "0.87"]  # the release's table, in units of 1e9, 1e8 and 1e8


def test_reactnet_18_costs_what_bireal_18_costs_and_slopes_and_shifts() -> None:
    """A slope and two shifts for each of 3840 channels, and one shift for each channel that comes in."""
    total = cost(models.build("reactnet-18", input_shape=(224, 224, 3), classes=1000), (1, 224, 224, 3)).total
    bireal = arithmetic([4] * 4)
    del bireal["bias"]
    assert total.ops == 163_985_408
    assert {key: getattr(total, key) for key in bireal} == bireal
    assert total.slope == 3_840
    inputs = 4 * 64 + (64 + 3 * 128) + (128 + 3 * 256) + (256 + 3 * 512)
    assert total.bias == 2 * 3_840 + inputs + 1_000
    assert total.norm == 9_600


def test_learned_scales_and_shifts_are_counted_once() -> None:
    rsign = estimators.get("rsign")
    conv = Conv2d(3, 5, 1, rng=RNG, activation=rsign, weight=HARD)
    total = cost(Sequential(conv, OutputScale(5, case=1), RPReLU(5)), (1, 4, 4, 3)).total
    assert (total.bias, total.scale, total.trained_scale, total.slope) == (3 + 5 + 5, 5, 5, 5)
    assert total.binary_macs == 15 * 16
    assert total.parameters == 15 + 13 + 5 + 5, "Gamma is trained"


def test_parameters_of_learned_weight_scales_are_scales() -> None:
    """RBNN's weights: one scale a filter; angles and rotations are gone when weights are signs."""
    conv = Conv2d(3, 5, 1, rng=RNG, activation=HARD, weight=estimators.get("rbnn-weight"))
    total = cost(conv, (1, 4, 4, 3)).total
    assert (total.binary_weights, total.scale, total.bias, total.other) == (15, 5, 0, 0)
    assert (total.trained_scale, total.parameters) == (5, 20)


@pytest.mark.parametrize(
    ("name", "scales", "trained"),
    [("lab", 1, 0), ("reste-weight", 1, 0), ("irnet-weight", 5, 0), ("rbnn-weight", 5, 5), ("bop", 0, 0)],
)
def test_a_scale_is_a_parameter_where_it_is_trained(name: str, scales: int, trained: int) -> None:
    """By what an optimizer would move: nothing but the scale of RBNN changes a scale and no weight."""
    conv = Conv2d(3, 5, 1, rng=RNG, activation=HARD, weight=estimators.get(name))
    report = cost(conv, (1, 4, 4, 3))
    assert (report.total.scale, report.total.trained_scale) == (scales, trained)
    assert report.total.parameters == 15 + trained
    larq = cost(conv, (1, 4, 4, 3), "larq").total
    assert larq.memory_bits == 15 + 32 * trained
    for other in (report.xnor, report.full_precision):
        assert (other.trained_scale, other.parameters) == (0, 15)


def test_a_layer_called_twice_has_its_weights_once() -> None:
    layer = Linear(6, 6, rng=RNG, activation=HARD, weight=HARD)
    total = cost(Sequential(layer, BatchNorm(6), layer), (1, 6)).total
    assert total.binary_weights == 36
    assert total.bias == 6
    assert total.binary_macs == 72


def test_a_shared_parameter_is_counted_once() -> None:
    first, second = Linear(6, 6, rng=RNG), Linear(6, 6, rng=RNG)
    second.latent = first.latent
    total = cost(Sequential(first, second), (1, 6)).total
    assert (total.real_weights, total.bias, total.real_macs) == (36, 12, 72)


def test_batch_does_not_matter_and_nothing_changes() -> None:
    model = models.build("bireal-small")
    before = model.state_dict()
    assert cost(model, (1, 28, 28, 1)) == cost(model, (64, 28, 28, 1))
    assert all(np.array_equal(value, before[key]) for key, value in model.state_dict().items())
    assert model.training


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((28,), r"input_shape: required positive whole numbers \(N, H, W, C\), got \(28,\)"),
        ((1, 0, 28, 1), r"input_shape: .* got \(1, 0, 28, 1\)"),
        ((1, 28.0, 28, 1), r"input_shape: .* got \(1, 28\.0, 28, 1\)"),
        ((1, 28, 28, 3), r"body\.parts\.0 .*\(28, 28, 3\).*1 channels"),
        ((1, 20, 20, 1), r"body\.parts\.9 .*\(1600,\).*3136"),
        ((1, 784), r"body\.parts\.0 .*\(784,\)"),
    ],
)
def test_shapes_that_do_not_fit(shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        cost(models.build("cnn"), shape)


def test_the_weights_of_a_layer_called_twice_make_outputs_twice() -> None:
    layer = Linear(6, 6, rng=RNG, activation=HARD, weight=HARD, scale=CHANNEL_SCALE)
    total = cost(Sequential(layer, BatchNorm(6), layer), (1, 5, 6)).total
    assert (total.scale, total.binary_channels, total.binary_outputs) == (6, 6, 2 * 5 * 6)


def test_a_shared_binary_weight_has_its_scale_once() -> None:
    first, second = (Linear(6, 6, rng=RNG, activation=HARD, weight=HARD, scale=CHANNEL_SCALE) for _ in "ab")
    second.latent = first.latent
    total = cost(Sequential(first, second), (1, 6)).total
    assert (total.binary_weights, total.scale, total.binary_channels, total.bias) == (36, 6, 6, 12)


# What packing knows and what it does not


SIGNS = [name for name in estimators.activations() if estimators.get(name).deploy().binary]
UNPACKED = {"rbnn-standardised"}
"""Signs behind a mean and a spread of the image, which would be found when it is there."""


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("estimator", [*(name for name in SIGNS if name not in UNPACKED), "real"])
def test_a_product_is_binary_here_where_the_packed_one_is(name: str, estimator: str) -> None:
    model = small(name, input_shape=(8, 8, 1), estimator=estimator)
    nodes = pack(model).graph.nodes
    packed = {node.layer: node.step.binary for node in nodes if isinstance(node.step, ProductStep)}
    found = by_name(cost(model, (1, 8, 8, 1)))
    weighed = {key: row for key, row in found.items() if row.real_weights or row.binary_weights}
    assert packed == {key: row.binary_macs > 0 for key, row in weighed.items()}


@pytest.mark.parametrize("estimator", sorted(UNPACKED))
def test_signs_are_binary_though_nobody_packs_them(estimator: str) -> None:
    found, plain = (
        cost(small("cnn", input_shape=(8, 8, 1), estimator=name), (1, 8, 8, 1)).total
        for name in (estimator, "ste")
    )
    assert found.packed_bytes is None
    assert found == replace(plain, packed_bytes=None)


@pytest.mark.parametrize("estimator", sorted({*estimators.activations()} - {*SIGNS}))
def test_products_of_other_values_than_signs_are_not_binary(estimator: str) -> None:
    """Nor packed, but for the clip: the packed network has it, and multiplies its values with signs."""
    model = small("cnn", input_shape=(8, 8, 1), estimator=estimator, weight_estimator="ste")
    found = cost(model, (1, 8, 8, 1)).total
    assert found.binary_weights > 0
    assert found.binary_macs == 0
    assert found.packed_bytes == (pack(model).payload_bytes if estimator == "clip-activation" else None)


def test_nothing_is_multiplied_and_counts_do_not_need_the_packed_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At 224 x 224 pixels a pass would take seconds; a network that packs costs the same, but for bytes."""
    model = BiReal([4, 4, 4, 4])
    packed = cost(model, IMAGE)
    for kind in (Conv2d, Linear, BatchNorm, MaxPool2d, Add):
        monkeypatch.setattr(kind, "forward", lambda *_: pytest.fail("computed"))

    def refuse(model: Layer) -> None:
        raise ValueError("pack: not today")

    monkeypatch.setattr(sys.modules[cost.__module__], "pack", refuse)
    monkeypatch.setattr(Sign, "__call__", lambda *_: pytest.fail("computed"))
    found = cost(model, IMAGE)
    assert (packed.unpacked, found.unpacked) == (None, "pack: not today")
    for own, other in zip(found.layers, packed.layers, strict=True):
        assert own.counts.packed_bytes is None
        assert own.counts.to_dict() == {**other.counts.to_dict(), "packed_bytes": None}
    assert found.total.packed_bytes is None


def test_a_network_that_cannot_be_packed_has_all_but_bytes() -> None:
    model = Sequential(
        Conv2d(1, 4, 3, rng=RNG, activation=SOFT, weight=HARD),
        Activation(SOFT),
        Flatten(),
        Linear(16, 3, rng=RNG, activation=HARD, weight=HARD),
    )
    found = cost(model, (1, 4, 4, 1))
    assert found.unpacked is not None
    assert found.unpacked.startswith("pack: parts.0 (Conv2d): required an activation")
    total = found.total
    assert (total.binary_weights, total.bias, total.memory_bits) == (36 + 48, 3, 36 + 48 + 96)
    assert (total.real_macs, total.binary_macs) == (36 * 4, 48)
    assert total.packed_bytes is found.to_dict()["total"]["packed_bytes"] is None


def test_weights_of_nan_are_counted_and_not_packed() -> None:
    layer = Linear(4, 3, rng=RNG, activation=HARD, weight=HARD)
    layer.latent.value[1, 2] = np.nan
    found = cost(layer, (1, 4))
    assert found.total.binary_weights == 12
    assert "latent: required finite numbers" in str(found.unpacked)


@dataclass(frozen=True)
class Shift(Map):
    """x + a, one a per channel: as a threshold, it is read in eval mode too."""

    a: Parameter

    def __call__(self, x: Array) -> Array:
        return x + self.a.value


def test_parameters_of_activations_count_where_eval_mode_reads_them() -> None:
    shift = Shift(Parameter(np.zeros(6, np.float32), "a"))
    layer = Linear(6, 2, rng=RNG, bias=False, activation=Compose((shift, Sign())), weight=HARD)
    again = Linear(6, 2, rng=RNG, bias=False, activation=Compose((shift, Sign())), weight=HARD)
    found = cost(Parallel(layer, again), (1, 6))
    assert (found.total.other, found.total.memory_bits) == (6, 24 + 6 * 32)
    assert found.total.binary_macs == 24
    assert found.full_precision.memory_bits == 32 * (24 + 6)
    only_in_training = Binarizer(Sign(), SoftQuantizer(0.3, learn=True))
    layer = Linear(6, 2, rng=RNG, bias=False, activation=only_in_training, weight=only_in_training)
    assert len(layer.parameters()) == 3
    assert cost(layer, (1, 6)).total.memory_bits == 12


class Parallel(Composite):
    """f(x) + g(x) + 1, the 1 being an array."""

    def __init__(self, f: Layer, g: Layer) -> None:
        self.f, self.g, self.add = f, g, Add()

    def compute(self, x: Any) -> Any:
        return self.add(self.add(self.f(x), self.g(x)), np.ones((1, 2), np.float32))


class Halved(Layer):
    """Every second channel times a trained number: a layer that the package does not know."""

    def __init__(self) -> None:
        self.a, self.map = Parameter(np.ones(3, np.float32), "a"), Shift(Parameter(np.zeros(1), "b"))
        self.trained_only = Binarizer(Sign(), Shift(Parameter(np.zeros(1), "c")))

    def forward(self, x: Any, **named: Any) -> tuple[Array, Any]:
        return self.a.value * self.map(x)[..., ::2], None


def test_a_layer_of_somebody_else_is_counted_by_its_parameters_and_its_output() -> None:
    found = cost(Sequential(Halved(), Linear(3, 2, rng=RNG, bias=False)), (1, 4, 6))
    rows = by_name(found)
    assert rows["parts.0"] == Counts(other=4, memory_bits=4 * 32, packed_bytes=None)
    assert rows["parts.1"].real_macs == 6 * 4
    assert found.layers[0].output_shape == (4, 3)
    assert "parts.0 (Halved)" in str(found.unpacked)


def test_a_scale_that_cannot_leave_the_product_leaves_real_weights() -> None:
    per_row = Scaled(Compose((MeanAbs(), Ones((4, 1)))), Sign())
    for rule, bits in ((per_row, 32), (Scaled(MeanAbs(), Sign()), 1)):
        layer = Linear(4, 3, rng=RNG, bias=False, activation=HARD, weight=rule)
        found = cost(layer, (1, 4))
        assert layer.weight_bits == bits
        assert (found.total.binary_macs > 0) == (bits == 1)
        assert (found.unpacked is None) == (bits == 1)


@dataclass(frozen=True)
class Ones(Map):
    """Halves, of a fixed shape, whatever comes."""

    shape: tuple[int, ...]

    def __call__(self, x: Array) -> Array:
        return np.full(self.shape, np.float32(0.5))


class Raw(Composite):
    def compute(self, x: Any) -> Any:
        return x + 1


def test_a_model_that_cannot_be_written_down_has_no_cost() -> None:
    with pytest.raises(ValueError, match="model: required one that only calls layers"):
        cost(Raw(), (1, 4))
