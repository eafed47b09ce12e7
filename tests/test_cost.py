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
    Activation,
    BatchNorm,
    Composite,
    Conv2d,
    Flatten,
    GlobalAvgPool,
    Layer,
    Linear,
    MaxPool2d,
    PReLU,
    Sequential,
)
from bnn_ref.models import BiRealBlock, Operands
from bnn_ref.packed import pack

RNG = np.random.default_rng(0)
HARD = estimators.get("clipped-ste")


def by_name(report: Cost) -> dict[str, Counts]:
    return {name: counts for name, _, counts in report.layers}


def test_every_kind_of_layer_by_hand() -> None:
    """10 x 8 images of 3 channels; stride 2 and padding 1 leave 5 x 4, the pool 2 x 2."""
    binary: dict[str, Any] = {"rng": RNG, "activation": HARD, "weight": HARD}
    model = Sequential(
        Conv2d(3, 6, 3, stride=2, padding=1, rng=RNG),
        BatchNorm(6),
        Conv2d(6, 10, 3, padding=1, bias=True, scale=CHANNEL_SCALE, **binary),
        PReLU(10),
        MaxPool2d(2),
        Conv2d(10, 4, 1, rng=RNG, weight=HARD),
        Conv2d(4, 4, 1, rng=RNG, activation=HARD),
        Flatten(),
        Linear(16, 5, rng=RNG),
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
        Counts(real_weights=80, bias=5, real_macs=80, packed_bytes=340),
    ]


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

    def __init__(self, blocks: list[int], activation: Map, weight: Map | None, scale: bool = False) -> None:
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


def test_scale_takes_32_bits_a_binary_channel() -> None:
    with_scale = cost(BiReal([1, 1, 1, 1], HARD, HARD, scale=True), (1, 64, 64, 3)).total
    without = cost(BiReal([1, 1, 1, 1], HARD, HARD), (1, 64, 64, 3)).total
    assert with_scale.memory_bits - without.memory_bits == 32 * (64 + 128 + 256 + 512)


@pytest.mark.parametrize("name", models.names())
@pytest.mark.parametrize("scale", [False, True])
def test_packed_bytes_are_the_file_s(name: str, scale: bool, tmp_path: Path) -> None:
    model = models.build(name, input_shape=(28, 28, 1), scale=scale)
    packed, path = pack(model), tmp_path / "net.safetensors"
    packed.save(path)
    in_file = sum(tensor.nbytes for tensor in load_file(path).values())
    assert cost(model, (1, 28, 28, 1)).total.packed_bytes == packed.payload_bytes == in_file


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
