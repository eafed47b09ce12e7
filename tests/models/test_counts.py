"""Bi-Real networks at 224 x 224 pixels, counted by `bnn_ref.cost`: every integer of the tables of layers.

The integers were computed by hand from the graph of the release, by a script that knows no layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bnn_ref.cost import Cost, cost
from bnn_ref.layers import Conv2d
from bnn_ref.models import build

IMAGE = (224, 224, 3)


def counted(name: str, **options: Any) -> Cost:
    return cost(build(name, input_shape=IMAGE, classes=1000, **options), (1, *IMAGE))


@pytest.fixture(scope="module")
def costs() -> dict[str, Cost]:
    return {name: counted(name, scale="channel") for name in ("bireal-18", "bireal-34")}


BLOCKS = {"bireal-18": (4, 4, 4, 4), "bireal-34": (6, 8, 12, 6)}
FIRST = [(36_864, 115_605_504), (73_728, 57_802_752), (294_912, 57_802_752), (1_179_648, 57_802_752)]
OTHER = [(36_864, 115_605_504), (147_456, 115_605_504), (589_824, 115_605_504), (2_359_296, 115_605_504)]
SHORTCUT = [None, (8_192, 6_422_528), (32_768, 6_422_528), (131_072, 6_422_528)]


@pytest.mark.parametrize("name", BLOCKS)
def test_every_convolution(costs: dict[str, Cost], name: str) -> None:
    """Weights and multiplications of each one, in the order of the network."""
    rows = [row.counts for row in costs[name].layers if row.type in ("Conv2d", "Linear")]
    binary = [(row.binary_weights, row.binary_macs) for row in rows if row.binary_weights]
    real = [(row.real_weights, row.real_macs) for row in rows if row.real_weights]
    expected = [
        pair
        for stage, count in enumerate(BLOCKS[name])
        for pair in (FIRST[stage], *[OTHER[stage]] * (count - 1))
    ]
    assert binary == expected
    assert real == [(9_408, 118_013_952), *SHORTCUT[1:], (512_000, 512_000)]


@pytest.mark.parametrize(
    ("name", "binary", "macs", "channels", "elements", "norms", "ops"),
    [
        ("bireal-18", 10_985_472, 1_676_279_808, 3_840, 1_505_280, 4_800, 163_985_408),
        ("bireal-34", 21_086_208, 3_525_967_872, 7_552, 2_759_680, 8_512, 192_886_784),
    ],
)
def test_totals(
    costs: dict[str, Cost],
    name: str,
    binary: int,
    macs: int,
    channels: int,
    elements: int,
    norms: int,
    ops: int,
) -> None:
    total = costs[name].total
    assert (total.binary_weights, total.binary_macs) == (binary, macs)
    assert (total.real_weights, total.real_macs) == (693_440, 137_793_536)
    assert total.scale == channels  # one scale an output channel of a binary convolution
    assert total.norm == 2 * norms
    assert total.bias == 1_000
    assert total.ops == ops
    assert sum(outputs(costs[name])) == elements


def outputs(report: Cost) -> Iterator[int]:
    """Elements that each binary convolution puts out: multiplications over fan-in."""
    for counts in (row.counts for row in report.layers):
        if counts.binary_weights:
            yield counts.binary_macs * counts.scale // counts.binary_weights


@pytest.mark.parametrize(
    ("name", "weights", "macs", "memory", "without", "ops"),
    [
        ("bireal-50", 20_672_512, 3.5966e9, 182.48, 180.75, 6.2584e8),
        ("bireal-152", 55_209_984, 1.10211e10, 220.17, 215.29, 7.4184e8),
    ],
)
def test_deep(name: str, weights: int, macs: float, memory: float, without: float, ops: float) -> None:
    total = counted(name).total
    assert total.binary_weights == weights
    assert total.real_weights == 5_002_432
    assert total.binary_macs == pytest.approx(macs, rel=1e-5)
    assert total.real_macs == pytest.approx(5.6964e8, rel=1e-5)
    assert total.ops == pytest.approx(ops, rel=1e-5)
    assert round(32e-6 * (total.real_weights + total.norm + total.bias) + 1e-6 * weights, 2) == memory
    assert round(32e-6 * total.real_weights + 1e-6 * weights, 2) == without


def test_the_stem_and_the_first_block_of_50_layers() -> None:
    """256, 512, 1024, 2048 channels wide; what is real: stem, front, three P1, four P3, head."""
    rows = counted("bireal-50").layers
    real = [(row.name, row.counts.real_weights) for row in rows if row.counts.real_weights]
    assert [weights for _, weights in real] == [
        *(9_408, 4_096, 16_384),
        *(8_192, 131_072, 32_768, 524_288, 131_072, 2_097_152, 2_048_000),
    ]
    convolutions = [row for row in rows if row.type == "Conv2d" and row.counts.binary_weights]
    assert len(convolutions) == 3 * 16 - 1


@pytest.mark.parametrize(("name", "extras"), [("bireal-18-caffe", 13_608), ("bireal-34-caffe", 24_744)])
def test_the_caffe_release_has_other_extras(name: str, extras: int) -> None:
    """Scale and shift of the norms of stem and blocks, a bias a convolution, and the same products."""
    total, released = counted(name).total, counted(name.removesuffix("-caffe")).total
    assert total.bias + total.norm == extras
    for key in ("real_weights", "binary_weights", "real_macs", "binary_macs"):
        assert getattr(total, key) == getattr(released, key)


@pytest.mark.parametrize(
    ("name", "parameters", "macs"),
    [("resnet-18", 11_689_512, 1_814_073_344), ("resnet-34", 21_797_672, 3_663_761_408)],
)
def test_full_precision(name: str, parameters: int, macs: int) -> None:
    """Parameters as everybody prints them for these two networks."""
    total = counted(name).total
    assert total.real_weights + total.norm + total.bias == parameters
    assert total.real_macs == total.ops == macs
    assert total.binary_weights == total.binary_macs == 0


def test_the_arms_of_the_ablation_have_the_same_binary_convolutions() -> None:
    bireal, res, plain = (counted("bireal-18", shortcut=s).total for s in ("bireal", "res", "plain"))
    for other in (res, plain):
        assert other.binary_weights == bireal.binary_weights
        assert other.binary_macs == bireal.binary_macs
    assert replace(res, packed_bytes=0) == replace(bireal, packed_bytes=0)
    assert res.packed_bytes < bireal.packed_bytes  # without shortcut, a norm is 33 bits a channel, not 64
    assert bireal.real_weights - plain.real_weights == 8_192 + 32_768 + 131_072
    assert bireal.norm - plain.norm == 2 * (128 + 256 + 512)


def test_bireal_20() -> None:
    """As ResNet-20, with a real 1x1 convolution and its norm in two shortcuts."""
    total = cost(build("bireal-20", input_shape=(32, 32, 3)), (1, 32, 32, 3)).total
    assert total.binary_weights == 267_264
    assert total.binary_macs == 40_108_032
    assert total.real_weights == 27 * 16 + 16 * 32 + 32 * 64 + 640
    assert total.norm == 2 * (16 + 6 * (16 + 32 + 64) + 32 + 64)


def test_a_binary_convolution_is_one_layer() -> None:
    model = build("bireal-34")
    binary = [layer for _, layer in model.layers() if isinstance(layer, Conv2d) and layer.weight is not None]
    assert len(binary) == 32
