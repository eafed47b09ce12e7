"""Bi-Real-18 and -34 against the arithmetic of their paper, and against counts that others have published."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import floor

import pytest
from bireal_nets import DEPTHS, IMAGE, BiReal, arithmetic

from bnn_ref import models
from bnn_ref.cost import CONVENTIONS, Cost, Counts, cost
from bnn_ref.layers import CHANNEL_SCALE

NETS = {depth: BiReal(blocks) for depth, blocks in DEPTHS.items()}
TWINS = {depth: BiReal(blocks, binary=False) for depth, blocks in DEPTHS.items()}
EACH = pytest.mark.parametrize("depth", [18, 34])


@cache
def report(depth: int, convention: str = "library") -> Cost:
    return cost(NETS[depth], IMAGE, convention)


def mbit(counts: Counts) -> float:
    return counts.memory_bits / 1e6


@EACH
def test_every_count_is_that_of_the_arithmetic(depth: int) -> None:
    counts = arithmetic(DEPTHS[depth])
    assert {key: getattr(report(depth).total, key) for key in counts} == counts


def test_the_totals_of_the_specification() -> None:
    totals = {depth: report(depth).total for depth in DEPTHS}
    assert [total.binary_weights for total in totals.values()] == [10_985_472, 21_086_208]
    assert [total.binary_macs for total in totals.values()] == [1_676_279_808, 3_525_967_872]
    assert [total.binary_channels for total in totals.values()] == [3_840, 7_552]
    assert [total.binary_outputs for total in totals.values()] == [1_505_280, 2_759_680]
    assert [total.norm // 2 for total in totals.values()] == [4_800, 8_512]
    assert {total.real_weights for total in totals.values()} == {693_440}
    assert {total.real_macs for total in totals.values()} == {137_793_536}


def test_layers_of_the_specification() -> None:
    rows = {row.name: row for row in report(18).layers}
    stem, head = rows["parts.parts.0"], rows["parts.parts.20"]
    assert (stem.counts.real_weights, stem.counts.real_macs) == (9_408, 118_013_952)
    assert (stem.output_shape, stem.input_bits) == ((112, 112, 64), 32)
    assert rows["parts.parts.2"].output_shape == (56, 56, 64)
    first, later, short = (
        rows[f"parts.parts.{n}"].counts
        for n in ("15.branch.parts.0", "16.branch.parts.0", "15.shortcut.parts.1")
    )
    assert (first.binary_weights, first.binary_macs) == (1_179_648, 57_802_752)
    assert (later.binary_weights, later.binary_macs) == (2_359_296, 115_605_504)
    assert (short.real_weights, short.real_macs) == (131_072, 6_422_528)
    assert (head.counts.real_weights, head.counts.bias, head.counts.real_macs) == (512_000, 1_000, 512_000)
    assert (head.output_shape, rows["parts.parts.16.branch.parts.0"].input_bits) == ((1000,), 1)


@pytest.mark.parametrize(
    ("depth", "ops", "xnor", "real", "printed", "speedups"),
    [
        (18, 163_985_408, 166_995_968, 1_814_073_344, ["1.67e+08", "1.81e+09"], [11.06, 10.86]),
        (34, 192_886_784, 198_406_144, 3_663_761_408, ["1.98e+08", "3.66e+09"], [18.99, 18.47]),
    ],
)
def test_operations_of_the_paper(
    depth: int, ops: int, xnor: int, real: int, printed: list[str], speedups: list[float]
) -> None:
    """To the printed digits; 1.63e8 of the 18-layer network is truncated, it rounds to 1.64e8."""
    found = report(depth)
    assert (found.total.ops, found.xnor.ops, found.full_precision.ops) == (ops, xnor, real)
    assert [f"{counts.ops:.2e}" for counts in (found.xnor, found.full_precision)] == printed
    assert f"{found.total.ops:.2e}" == {18: "1.64e+08", 34: "1.93e+08"}[depth]
    assert floor(report(18).total.ops / 1e6) / 100 == 1.63
    assert [round(found.speedup, 2), round(real / found.xnor.ops, 2)] == speedups


@EACH
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_the_twin_that_is_built_is_the_twin_of_the_report(depth: int, convention: str) -> None:
    built = cost(TWINS[depth], IMAGE, convention)
    assert replace(built.total, packed_bytes=None) == report(depth, convention).full_precision
    assert (built.memory_saving, built.speedup) == (1, 1)
    assert built.xnor.memory_bits == built.total.memory_bits


@pytest.mark.parametrize(
    ("depth", "parameters", "here", "real"),
    [(18, 11_689_512, 33.515, 374.06), (34, 21_797_672, 43.853, 697.53)],
)
def test_library(depth: int, parameters: int, here: float, real: float) -> None:
    """The parameters are those of torchvision's ResNet-18 and -34: the same convolutions and norms."""
    found = report(depth)
    assert found.total.parameters == found.full_precision.parameters == parameters
    assert round(mbit(found.total), 3) == here
    assert round(mbit(found.full_precision), 2) == real
    assert mbit(found.full_precision) == 32 * parameters / 1e6


def test_larq() -> None:
    """Larq Zoo lists Bi-Real-18 with 11,699,112 parameters and 4.03 MB."""
    total = report(18, "larq").total
    assert total.parameters + total.norm == 11_699_112
    assert f"{total.memory_bits / 2**23:.2f}" == "4.03"
    assert total.memory_bits == 10_985_472 + 32 * (11_699_112 - 10_985_472)
    assert round(mbit(report(34, "larq").total), 3) == 44.398


@pytest.mark.parametrize(
    ("depth", "memory", "savings"),
    [
        (18, [33.5762, 33.6991, 374.1258], [11.1426, 11.1020]),
        (34, [43.6769, 43.9186, 697.3494], [15.9661, 15.8782]),
    ],
)
def test_paper(depth: int, memory: list[float], savings: list[float]) -> None:
    """705,960 real numbers at both depths; XNOR-Net keeps one more for each output channel."""
    found = report(depth, "paper")
    assert [round(mbit(c), 4) for c in (found.total, found.xnor, found.full_precision)] == memory
    assert round(found.memory_saving, 4) == savings[0]
    assert round(found.full_precision.memory_bits / found.xnor.memory_bits, 4) == savings[1]
    assert found.total.memory_bits == found.total.binary_weights + 32 * 705_960


@EACH
def test_no_rule_that_counts_by_channel_gives_one_number_for_both_depths(depth: int) -> None:
    """Numbers beside the weights, channel by channel: of the norms, of the 1-bit convolutions."""
    total = report(depth).total
    assert (3 * total.binary_channels + total.bias == report(depth, "paper").whole) == (depth == 18)
    assert total.norm + total.bias != report(depth, "paper").whole


@EACH
@pytest.mark.parametrize("convention", CONVENTIONS)
def test_xnor_net_costs_so_much_more(depth: int, convention: str) -> None:
    counts, found = arithmetic(DEPTHS[depth]), report(depth, convention)
    assert found.xnor.ops - found.total.ops == 2 * counts["binary_outputs"]
    assert found.xnor.memory_bits - found.total.memory_bits == 32 * counts["binary_channels"]


def test_xnor_net_s_scales_take_the_place_of_the_network_s_own() -> None:
    scaled, plain = (models.build("cnn", scale=scale) for scale in ("channel", "none"))
    for convention in ("library", "larq"):
        with_scales, without = (cost(model, (1, 28, 28, 1), convention) for model in (scaled, plain))
        assert with_scales.total.scale == with_scales.xnor.scale == without.xnor.scale == 32 + 64 + 128
        assert with_scales.xnor.memory_bits == without.xnor.memory_bits
        assert with_scales.full_precision.memory_bits == without.full_precision.memory_bits
    kept = cost(scaled, (1, 28, 28, 1)).total.memory_bits - cost(plain, (1, 28, 28, 1)).total.memory_bits
    assert kept == 32 * (32 + 64 + 128)
    assert cost(scaled, (1, 28, 28, 1), "larq").total == replace(
        cost(plain, (1, 28, 28, 1), "larq").total,
        scale=224,
        packed_bytes=cost(scaled, (1, 28, 28, 1)).total.packed_bytes,
    )


def test_paper_knows_the_network_by_its_weights_at_any_size_of_image() -> None:
    small = cost(NETS[18], (1, 64, 64, 3), "paper").total
    assert small.memory_bits == report(18, "paper").total.memory_bits
    scaled = cost(BiReal(DEPTHS[18], scale=CHANNEL_SCALE), IMAGE, "paper").total
    assert scaled.memory_bits == report(18, "paper").total.memory_bits  # absorbed by the norm behind it


@pytest.mark.parametrize("binary", [True, False])
def test_paper_is_defined_for_no_other_network(binary: bool) -> None:
    wanted = "convention: 'paper' .*required the weights of Bi-Real-18 or -34 .*got "
    with pytest.raises(ValueError, match=wanted + r"[\d,]+ real and [\d,]+ binary ones"):
        cost(BiReal([4, 4, 4, 5], binary), IMAGE, "paper")


def test_paper_refuses_a_network_that_is_half_binary() -> None:
    """All of the weights, but some of the 3x3 convolutions are real."""
    weights = Counts(real_weights=693_440 + 36_864, binary_weights=10_985_472 - 36_864)
    with pytest.raises(ValueError, match=r"got 730,304 real and 10,948,608 binary ones"):
        CONVENTIONS["paper"].whole(weights)
    with pytest.raises(ValueError, match=r"got 693,441 real and 10,985,472 binary ones"):
        CONVENTIONS["paper"].whole(Counts(real_weights=693_441, binary_weights=10_985_472))


@pytest.mark.parametrize("convention", ["Paper", "", None, 3])
def test_unknown_conventions_are_refused(convention: str) -> None:
    with pytest.raises(ValueError, match="convention: required one of library, larq, paper, got "):
        cost(models.build("cnn"), (1, 28, 28, 1), convention)
