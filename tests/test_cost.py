"""Costs against counts made by hand, by the papers' own arithmetic, and by the bytes of the file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from bnn_ref import estimators, models
from bnn_ref.binarizer import Map
from bnn_ref.cost import Cost, Counts, cost
from bnn_ref.layers import (
    CHANNEL_SCALE,
    TENSOR_SCALE,
    Activation,
    BatchNorm,
    Composite,
    Conv2d,
    Flatten,
    GlobalAvgPool,
    Layer,
    Linear,
    MaxPool2d,
    OutputScale,
    PadShortcut,
    PReLU,
    RPReLU,
    Sequential,
)
from bnn_ref.models import SCALES, BiRealBlock, Operands
from bnn_ref.packed import pack

RNG = np.random.default_rng(0)
HARD = estimators.get("clipped-ste")


def by_name(report: Cost) -> dict[str, Counts]:
    return {name: counts for name, _, counts in report.layers}


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
    rows = by_name(cost(model, (7, 10, 8, 3)))
    assert list(rows.values()) == [
        Counts(real_weights=162, real_macs=162 * 20, packed_bytes=648),
        Counts(norm=12, packed_bytes=48),  # gain and shift
        # 540 weights at 5 x 4 places, taps on padding counted; 68 bytes of signs, 10 scales, 10 biases
        Counts(binary_weights=540, bias=10, scale=10, binary_macs=540 * 20, packed_bytes=68 + 40 + 40),
        Counts(slope=10, packed_bytes=40),
        Counts(),
        # one operand is real: so is the multiplication
        Counts(binary_weights=40, real_macs=40 * 4, packed_bytes=5),
        Counts(real_weights=16, real_macs=16 * 4, packed_bytes=64),
        Counts(),
        Counts(),
        Counts(real_weights=50, bias=5, real_macs=50, packed_bytes=220),
    ]


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


def bireal_counts(blocks: list[int]) -> dict[str, int]:
    """The arithmetic of the paper's specification: 224 x 224 images, 1000 classes."""
    bits = bmac = out_ch = 0
    real_w, real_mac = 9408 + 512000, 9408 * 112**2 + 512000
    previous = 64
    for c, h, count in zip([64, 128, 256, 512], [56, 28, 14, 7], blocks, strict=True):
        for i in range(count):
            source = previous if i == 0 else c
            bits += 9 * source * c
            bmac += 9 * source * c * h * h
            out_ch += c
            if source != c:
                real_w += source * c
                real_mac += source * c * h * h
        previous = c
    return {"binary_weights": bits, "binary_macs": bmac, "real_weights": real_w, "real_macs": real_mac}


class BiReal(Composite):
    """The network of the paper for ImageNet, out of the package's block."""

    def __init__(
        self, blocks: list[int], activation: Map, weight: Map | None, scale: Map | None = None
    ) -> None:
        operands = Operands(activation, weight, scale, RNG)
        stem = Conv2d(3, 64, 7, stride=2, padding=3, rng=RNG)
        parts: list[Layer] = [stem, BatchNorm(64), MaxPool2d(3, 2, 1)]
        c = 64
        for stage, (width, count) in enumerate(zip([64, 128, 256, 512], blocks, strict=True)):
            for i in range(count):
                parts.append(BiRealBlock(operands, c, width, 2 if stage and not i else 1))
                c = width
        self.parts = Sequential(*parts, GlobalAvgPool(), Linear(512, 1000, rng=RNG))

    def compute(self, x: Any) -> Any:
        return self.parts(x)


@pytest.mark.parametrize(
    ("blocks", "ops", "extras"),
    [([4, 4, 4, 4], 163_985_408, 10_600), ([6, 8, 12, 6], 192_886_784, 18_024)],
)
def test_bireal_of_the_paper(blocks: list[int], ops: int, extras: int) -> None:
    """Printed: 1.63e8 (truncated) and 1.93e8 operations, 33.6 and 43.7 Mbit by another convention."""
    total = cost(BiReal(blocks, HARD, HARD), (1, 224, 224, 3)).total
    counts = bireal_counts(blocks)
    assert {key: getattr(total, key) for key in counts} == counts
    assert total.ops == ops
    assert total.bias + total.norm == extras
    assert total.memory_bits == counts["binary_weights"] + 32 * (counts["real_weights"] + extras)


def test_its_full_precision_twin() -> None:
    total = cost(BiReal([4, 4, 4, 4], estimators.get("clipped-ste").surrogate, None), (1, 224, 224, 3)).total
    assert total.real_macs == total.ops == 1_814_073_344
    assert total.binary_weights == total.binary_macs == 0
    assert round(total.memory_bits / 1e6, 2) == 374.06


@pytest.mark.parametrize(("scale", "numbers"), [(CHANNEL_SCALE, 64 + 128 + 256 + 512), (TENSOR_SCALE, 4)])
def test_scale_takes_32_bits_a_number(scale: Map, numbers: int) -> None:
    with_scale = cost(BiReal([1, 1, 1, 1], HARD, HARD, scale), (1, 64, 64, 3)).total
    without = cost(BiReal([1, 1, 1, 1], HARD, HARD), (1, 64, 64, 3)).total
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


@pytest.mark.parametrize("name", models.names())
@pytest.mark.parametrize("scale", list(SCALES))
def test_packed_bytes_are_the_file_s(name: str, scale: str, tmp_path: Path) -> None:
    own = {"width": 8, "blocks": (1, 2)} if name.startswith("reactnet") else {}
    model = models.build(name, input_shape=(28, 28, 1), scale=scale, **own)
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


def test_reactnet_18_costs_what_bireal_18_costs_and_slopes_and_shifts() -> None:
    """A slope and two shifts for each of 3840 channels, and one shift for each channel that comes in."""
    total = cost(models.build("reactnet-18", input_shape=(224, 224, 3), classes=1000), (1, 224, 224, 3)).total
    assert total.ops == 163_985_408
    assert {key: getattr(total, key) for key in bireal_counts([4] * 4)} == bireal_counts([4] * 4)
    assert total.slope == 3_840
    inputs = 4 * 64 + (64 + 3 * 128) + (128 + 3 * 256) + (256 + 3 * 512)
    assert total.bias == 2 * 3_840 + inputs + 1_000
    assert total.norm == 9_600


def test_learned_scales_and_shifts_are_counted_once() -> None:
    rsign = estimators.get("rsign")
    conv = Conv2d(3, 5, 1, rng=RNG, activation=rsign, weight=HARD)
    total = cost(Sequential(conv, OutputScale(5, case=1), RPReLU(5)), (1, 4, 4, 3)).total
    assert (total.bias, total.scale, total.slope) == (3 + 5 + 5, 5, 5)
    assert total.binary_macs == 15 * 16


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


def test_to_dict() -> None:
    report = cost(models.build("cnn"), (1, 28, 28, 1))
    plain = report.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    names = {"real_weights", "binary_weights", "bias", "norm", "slope", "scale", "real_macs", "binary_macs"}
    for counts in (plain["total"], *plain["layers"]):
        assert set(counts) - {"name", "type"} == names | {"ops", "memory_bits", "packed_bytes"}
    for key in names | {"ops", "memory_bits", "packed_bytes"}:
        assert plain["total"][key] == sum(row[key] for row in plain["layers"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.layers = ()  # type: ignore[misc]


def test_print_is_an_aligned_table() -> None:
    report = cost(models.build("cnn"), (1, 28, 28, 1))
    lines = str(report).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split()[:2] == ["layer", "type"]
    assert "slope" not in lines[0]  # a column of zeros tells nothing
    assert not any("MaxPool2d" in line for line in lines)
    assert lines[-1].startswith("total")
    assert f"{report.total.memory_bits:,}" in lines[-1]


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((28,), r"input_shape: required positive numbers \(N, H, W, C\), got \(28,\)"),
        ((1, 0, 28, 1), "got"),
        ((1, 28, 28, 3), r"body\.parts\.0 .*\(28, 28, 3\).*1 channels"),
        ((1, 20, 20, 1), r"body\.parts\.9 .*\(1600,\).*3136"),
        ((1, 784), r"body\.parts\.0 .*\(784,\)"),
    ],
)
def test_shapes_that_do_not_fit(shape: tuple[int, ...], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        cost(models.build("cnn"), shape)


def test_what_cannot_be_packed_has_no_cost() -> None:
    with pytest.raises(ValueError, match="pack: model"):
        cost(Activation(estimators.get("tanh").surrogate), (1, 4))  # type: ignore[arg-type]
