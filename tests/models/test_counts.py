"""Bi-Real networks at 224 x 224 pixels, counted by `bnn_ref.cost`: every integer of the tables of layers.

The integers were computed by hand from the graph of the release, by a script that knows no layer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from bnn_ref.cost import CONVENTIONS, Cost, cost
from bnn_ref.cost.conventions import BESIDE_WEIGHTS
from bnn_ref.layers import Conv2d
from bnn_ref.models import build

IMAGE = (224, 224, 3)


@cache
def counted(name: str, convention: str = "library", **options: Any) -> Cost:
    return cost(build(name, input_shape=IMAGE, classes=1000, **options), (1, *IMAGE), convention)


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


@pytest.mark.parametrize("name", BLOCKS)
def test_sizes_of_images(costs: dict[str, Cost], name: str) -> None:
    """112 pixels behind the stem, 56 behind the pool, then 56, 28, 14, 7; stem and head as they are."""
    stem, _, pool, *rest = costs[name].layers
    assert (stem.output_shape, pool.output_shape) == ((112, 112, 64), (56, 56, 64))
    sizes = [row.output_shape for row in rest if row.counts.binary_weights]
    stages = [(56, 56, 64), (28, 28, 128), (14, 14, 256), (7, 7, 512)]
    assert sizes == [at for at, count in zip(stages, BLOCKS[name], strict=True) for _ in range(count)]
    assert (rest[-1].output_shape, rest[-1].counts.bias, rest[-1].counts.real_weights) == (
        (1000,),
        1_000,
        512_000,
    )


RELEASED = {
    "none": ((0, 33.176, 373.73), (0, 43.276, 696.95)),
    "bias of the head": ((1_000, 33.208, 373.76), (1_000, 43.308, 696.98)),
    "library": ((10_600, 33.515, 374.06), (18_024, 43.853, 697.53)),
    "larq": ((20_200, 33.822, 374.37), (35_048, 44.398, 698.07)),
    "caffe": ((13_608, 33.611, 374.16), (24_744, 44.068, 697.74)),
    "caffe, no bias on shortcuts": ((12_712, 33.582, 374.13), (23_848, 44.039, 697.71)),
    "paper": ((12_520, 33.576, 374.13), (12_520, 43.677, 697.35)),
}
"""Of 18 and 34 layers: real numbers beside the real weights, Mbit, and Mbit in full precision."""


def extras(depth: int) -> dict[str, int]:
    """What each rule counts beside the real weights, from the fields of the reports."""
    release, caffe = (counted(f"bireal-{depth}{suffix}").total for suffix in ("", "-caffe"))
    return {
        "none": 0,
        "bias of the head": release.bias,
        "library": release.norm + release.bias,
        "larq": 2 * release.norm + release.bias,
        "caffe": caffe.norm + caffe.bias,
        "caffe, no bias on shortcuts": caffe.norm + caffe.bias - (128 + 256 + 512),
        "paper": counted(f"bireal-{depth}", convention="paper").whole,
    }


@pytest.mark.parametrize(("column", "depth"), [(0, 18), (1, 34)])
def test_memory_by_what_is_counted(column: int, depth: int) -> None:
    total, found = counted(f"bireal-{depth}").total, extras(depth)
    for rule, rows in RELEASED.items():
        beside, here, real = rows[column]
        assert found[rule] == beside, rule
        bits = total.binary_weights + 32 * (total.real_weights + found[rule])
        full = 32 * (total.binary_weights + total.real_weights + found[rule])
        assert (round(bits / 1e6, 3), round(full / 1e6, 2)) == (here, real), rule
        if rule in CONVENTIONS:
            report = counted(f"bireal-{depth}", convention=rule)
            assert (report.total.memory_bits, report.full_precision.memory_bits) == (bits, full), rule


def test_the_number_of_the_convention_paper_follows_from_the_figures_as_we_know_them() -> None:
    """Every R whose memory, saving, XNOR-Net's memory and saving, and full precision print as they do.

    At either depth there is a range, and the two ranges have little in common: no rule by channel is in both.
    """
    figures = {
        18: ("33.6", "11.14", "33.7", "11.10", "374.1"),
        34: ("43.7", "15.97", "43.9", "15.88", "697.3"),
    }

    def prints(depth: int, real: int) -> tuple[str, ...]:
        total = totals[depth]
        full, own = 32 * (total.binary_weights + real), total.binary_weights + 32 * real
        xnor = own + 32 * total.binary_channels
        return (
            f"{own / 1e6:.1f}",
            f"{full / own:.2f}",
            f"{xnor / 1e6:.1f}",
            f"{full / xnor:.2f}",
            f"{full / 1e6:.1f}",
        )

    totals = {depth: counted(f"bireal-{depth}").total for depth in figures}
    fits = {
        depth: [e for e in range(40_000) if prints(depth, 693_440 + e) == figures[depth]] for depth in figures
    }
    assert [(min(fit), max(fit), len(fit)) for fit in fits.values()] == [
        (12_271, 13_246, 976),
        (11_896, 12_539, 644),
    ]
    both = sorted({693_440 + e for e in set(fits[18]) & set(fits[34])})
    assert (both[0], both[-1]) == (705_711, 705_979)
    assert 693_440 + BESIDE_WEIGHTS == 705_960
    for rule in set(RELEASED) - {"paper"}:
        assert not all(extras(depth)[rule] in fits[depth] for depth in figures), rule


@pytest.mark.parametrize(
    ("name", "weights", "macs", "memory", "without", "ops", "norms", "channels", "outputs"),
    [
        ("bireal-50", 20_672_512, 3_596_615_680, 182.48, 180.75, 625_836_032, 26_560, 22_592, 8_605_184),
        ("bireal-152", 55_209_984, 11_021_058_048, 220.17, 215.29, 741_842_944, 75_712, 71_744, 20_045_312),
    ],
)
def test_deep(
    name: str,
    weights: int,
    macs: int,
    memory: float,
    without: float,
    ops: int,
    norms: int,
    channels: int,
    outputs: int,
) -> None:
    report = counted(name)
    total = report.total
    assert (total.binary_weights, total.binary_macs) == (weights, macs)
    assert (total.real_weights, total.real_macs) == (5_002_432, 569_638_912)
    assert (total.ops, total.norm, total.bias) == (ops, 2 * norms, 1_000)
    assert (total.binary_channels, total.binary_outputs) == (channels, outputs)
    assert round(total.memory_bits / 1e6, 2) == memory
    assert round(32e-6 * total.real_weights + 1e-6 * weights, 2) == without
    assert report.xnor.ops - ops == 2 * outputs
    assert report.xnor.memory_bits - total.memory_bits == 32 * channels


def test_operations_grow_with_depth() -> None:
    """Of 18 to 34, and of 50 to 152 layers; real multiplications do not grow at all."""
    for shallow, deep in (("bireal-18", "bireal-34"), ("bireal-50", "bireal-152")):
        first, second = counted(shallow).total, counted(deep).total
        assert first.ops < second.ops
        assert first.real_macs == second.real_macs


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
