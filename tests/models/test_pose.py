"""Pose networks: how many multiplications and weights, what must be zero, and that their gradients are right.

Rows 15 to 19 are the properties of networks in our specification of BBC's pose networks; 16 and 17 stand with
their layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from model_calls import kinds

from bnn_ref import estimators
from bnn_ref.auditing.bench import STEP, Bench, at_base_point
from bnn_ref.auditing.composition import WithLoss
from bnn_ref.binarizer import Sign
from bnn_ref.cost import Cost, Counts, LayerCost, cost, counting
from bnn_ref.layers import (
    CHANNEL_SCALE,
    BatchNorm,
    BilinearUpsample,
    Conv2d,
    Layer,
    MeanSquaredError,
    NearestUpsample,
    PReLU,
    Product,
    ReLU,
    Sequential,
)
from bnn_ref.models import MODELS, Operands, build, fold_scale
from bnn_ref.models.hrnet import Module

SIZES = {"256x192": (256, 192, 3), "384x288": (384, 288, 3)}
TINY: dict[str, Any] = {"width": 8, "modules": (1, 1, 1), "depth": 1, "first": 8}


class Undrawn:
    """A generator of zeros: what is counted need not be drawn."""

    def uniform(self, low: float, high: float, size: tuple[int, ...]) -> Any:
        return np.zeros(size, np.float32)

    def normal(self, scale: float, size: tuple[int, ...]) -> Any:
        return np.zeros(size, np.float32)


def network(name: str, **options: Any) -> Layer:
    drawn: Any = Undrawn()
    operands = Operands(estimators.get("approxsign"), estimators.get("clipped-ste"), None, drawn)
    return MODELS[name](operands, input_shape=SIZES["256x192"], classes=1, **options)


@dataclass(frozen=True)
class Counted:
    """A network counted from shapes: nothing is computed, nothing is packed."""

    layers: list[LayerCost]

    @property
    def total(self) -> Counts:
        return sum((row.counts for row in self.layers), start=Counts())


@cache
def counted(name: str, size: str = "256x192", **options: Any) -> Counted:
    return Counted(counting._count(network(name, **options), SIZES[size]))


@cache
def public(name: str, size: str = "256x192", **options: Any) -> Cost:
    """The same as a user counts it: built, its weights drawn, and packed."""
    shape = SIZES[size]
    return cost(build(name, input_shape=shape, **options), (1, *shape))


def weights(total: Counts) -> int:
    """Parameters without the slopes of PReLU."""
    return total.parameters - total.slope


def megabytes(total: Counts) -> float:
    """On disk: 4 bytes for a real weight, bias, gamma or beta, a bit for a binary weight; nothing else."""
    return (4 * (total.real_weights + total.bias + total.norm) + total.binary_weights / 8) / 1e6


@pytest.mark.parametrize(
    ("name", "options", "real", "binary"),
    [
        ("sbpn", {"head": "deconv"}, 147_849_216, 2_749_366_272),
        ("sbpn", {}, 154_140_672, 4_020_240_384),
        ("sbpn", {"trunk": 34}, 154_140_672, 5_832_179_712),
        ("bhrnet-w32", {}, 73_236_480, 7_571_767_296),
        # 256 channels are no multiple of 48 or 96: two real 1x1 convolutions beside the transitions
        ("bhrnet-w48", {}, 74_072_064 + 256 * 48 * 64 * 48 + 256 * 96 * 32 * 24, 15_617_753_088),
    ],
)
def test_row_15_multiplications_to_the_integer(
    name: str, options: dict[str, Any], real: int, binary: int
) -> None:
    for total in (counted(name, **options).total, public(name, **options).total):
        assert (total.real_macs, total.binary_macs) == (real, binary)


@pytest.mark.parametrize(
    ("name", "real", "binary", "ops"),
    [("bireal-18", 137.8, 1676.3, 164.0), ("bireal-34", None, None, 192.9)],
)
def test_the_convention_gives_the_known_numbers_of_imagenet(
    name: str, real: float | None, binary: float | None, ops: float
) -> None:
    """Real multiplications, the head's among them, and binary ones / 64."""
    total = cost(build(name, input_shape=(224, 224, 3), classes=1000), (1, 224, 224, 3)).total
    assert round(total.ops / 1e6, 1) == ops
    if real:
        assert round(total.real_macs / 1e6, 1) == real
        assert round(total.binary_macs / 1e6, 1) == binary


def test_row_15_operations_and_parameters_to_the_integer() -> None:
    assert counted("bhrnet-w32").total.ops == 191_545_344
    for name in ("hrnet-w32", "bhrnet-w32"):
        assert weights(counted(name).total) == 28_536_113


@pytest.mark.parametrize(
    ("name", "options", "size", "row"),
    [
        ("simplebaseline-18", {}, "256x192", (2897.2, 0, 2897.2, 15.38, "61.5")),
        ("sbpn", {"head": "real-deconv"}, "256x192", (1255.1, 1642.1, 1280.8, 15.38, "18.9")),
        ("sbpn", {"head": "deconv"}, "256x192", (147.8, 2749.4, 190.8, 15.38, "2.69")),
        ("sbpn", {}, "256x192", (154.1, 4020.2, 217.0, 13.08, "2.91")),
        ("sbpn", {"trunk": 34}, "256x192", (154.1, 5832.2, 245.3, 23.19, "4.20")),
        ("sbpn", {}, "384x288", (346.8, 9045.5, 488.2, 13.08, "2.91")),
        ("sbpn", {"trunk": 34}, "384x288", (346.8, 13122.4, 551.9, 23.19, "4.20")),
        ("hrnet-w32", {}, "256x192", (7645.0, 0, 7645.0, 28.54, "114.1")),
        ("bhrnet-w32", {}, "256x192", (73.2, 7571.8, 191.5, 28.54, "3.85")),
        ("bhrnet-w32", {"precision": "D"}, "256x192", (186.5, 7458.5, 303.0, 28.54, "3.99")),
        ("bhrnet-w32", {"precision": "B"}, "256x192", (584.8, 7060.2, 695.1, 28.54, "5.29")),
        ("bhrnet-w32", {"precision": "C"}, "256x192", (1004.4, 6640.6, 1108.1, 28.54, "5.02")),
        ("bhrnet-w32", {}, "384x288", (164.8, 17036.5, 431.0, 28.54, "3.85")),
        # ours, with the real shortcuts of both transitions
        ("bhrnet-w48", {}, "256x192", (130.7, 15617.8, 374.7, 63.63, "8.48")),
    ],
)
def test_row_15_tables_to_the_printed_digits(
    name: str, options: dict[str, Any], size: str, row: tuple[Any, ...]
) -> None:
    report, (*millions, parameters, disk) = public(name, size, **options), row
    assert report.unpacked is None
    total, (height, width, _) = report.total, SIZES[size]
    assert report.layers[-1].output_shape == (height // 4, width // 4, 17)
    found = [round(number / 1e6, 1) for number in (total.real_macs, total.binary_macs, total.ops)]
    assert found == millions
    assert round(weights(total) / 1e6, 2) == parameters
    assert f"{megabytes(total):.{len(disk.split('.')[1])}f}" == disk


@pytest.mark.parametrize(
    ("name", "millions", "published", "at_384"),
    [("hrnet-w32", 28.54, 7.12, 16.02), ("hrnet-w48", 63.60, 14.61, 32.88)],
)
def test_the_parents_are_the_published_networks(
    name: str, millions: float, published: float, at_384: float
) -> None:
    """HRNet's published GFLOPs, 7.1, 14.6, 16.0 and 32.9, are multiplications / 2^30."""
    assert round(weights(counted(name).total) / 1e6, 2) == millions
    assert round(counted(name).total.real_macs / 2**30, 2) == published
    assert round(counted(name, "384x288").total.real_macs / 2**30, 2) == at_384


@pytest.mark.parametrize(("layers", "millions"), [(50, 34.00), (101, 52.99), (152, 68.64)])
def test_simple_baselines_are_the_published_networks(layers: int, millions: float) -> None:
    report = counted(f"simplebaseline-{layers}")
    assert round(weights(report.total) / 1e6, 2) == millions
    assert layers != 50 or round(report.total.real_macs / 1e9, 2) == 5.43


@pytest.mark.parametrize(
    ("layers", "small", "large"), [(50, "8.99", "20.23"), (101, "12.38", "27.85"), (152, "15.76", "35.47")]
)
def test_what_simple_baseline_prints_counts_deconvolutions_four_times(
    layers: int, small: str, large: str
) -> None:
    """K^2 multiplications for every pixel that comes out, not for every one that comes in; / 2^30."""
    for size, printed in (("256x192", small), ("384x288", large)):
        report = counted(f"simplebaseline-{layers}", size)
        deconvs = sum(row.counts.real_macs for row in report.layers if row.type == "ConvTranspose2d")
        assert f"{(report.total.real_macs + 3 * deconvs) / 2**30:.2f}" == printed


def test_the_parts_of_sbpn() -> None:
    parts = dict.fromkeys(("stem", "projections", "reduce", "final", "trunk", "head"), 0)
    for row in counted("sbpn").layers:
        where = row.name.split(".")
        position = int(where[2]) if where[0] == "body" else -1
        if row.counts.binary_macs:
            parts["trunk" if position < 17 else "head"] += row.counts.binary_macs
        elif row.counts.real_macs:
            part = {-1: "final", 0: "stem", 17: "reduce"}.get(position, "projections")
            parts[part] += row.counts.real_macs
    found = {part: round(macs / 1e6, 2) for part, macs in parts.items()}
    assert found == {
        "stem": 115.61,
        "projections": 18.87,
        "reduce": 6.29,
        "final": 13.37,
        "trunk": 1642.07,
        "head": 2378.17,
    }


def part_of_hrnet(name: str, layer: Product) -> str:
    """Where a convolution of HRNet stands."""
    k, pointwise = layer.latent.value.shape[0], layer.latent.value.shape[0] == 1
    where = name.split(".")
    if where[0] == "final":
        return "final"
    if where[1] == "stem":
        position = int(where[3])
        if position < 4:
            return "stem2" if position == 3 else "stem1"
        if "shortcut" in name:
            return "projection"
        wide = layer.latent.value.shape[-1] == 256
        return "spatial" if k == 3 else "out" if wide else "in"
    if where[1] == "transitions":
        return "transitions"
    return "blocks" if "branches" in name else "up" if pointwise else "down"


@pytest.mark.parametrize("name", ["hrnet-w32", "bhrnet-w32"])
def test_the_parts_of_hrnet(name: str) -> None:
    model = dict(network(name).layers())
    parts: dict[str, int] = {}
    for row in counted(name).layers:
        if isinstance(layer := model[row.name], Product):
            part = part_of_hrnet(row.name, layer)
            parts[part] = parts.get(part, 0) + row.counts.macs
    assert {part: round(macs / 1e6, 2) for part, macs in parts.items()} == {
        "stem1": 21.23,
        "stem2": 113.25,
        "in": 163.58,
        "spatial": 452.98,
        "out": 201.33,
        "projection": 50.33,
        "transitions": 368.05,
        "blocks": 5888.80,
        "up": 33.42,
        "down": 350.36,
        "final": 1.67,
    }


@pytest.mark.parametrize("shape", [(0.0, 3.0), (-1.0, 1.0), (-5.0, -1.0)])
def test_row_18_the_sign_of_a_relu_is_never_minus_one(shape: tuple[float, float]) -> None:
    """But sign(PReLU(x)) = sign(x) as long as no slope is negative."""
    x = np.linspace(*shape, 11)[:, None]
    assert (Sign()(ReLU()(x)) == 1).all()
    np.testing.assert_array_equal(Sign()(PReLU(1)(x)), Sign()(x))


@pytest.mark.parametrize("name", ["sbpn", "bhrnet-w32"])
def test_row_18_no_relu_stands_in_a_binary_network(name: str) -> None:
    found = kinds(build(name, input_shape=(32, 32, 1), **({} if name == "sbpn" else TINY)))
    assert "ReLU" not in found
    assert "PReLU" in found


@pytest.mark.parametrize("name", ["hrnet-w32", "bhrnet-w32"])
@pytest.mark.parametrize("mode", [True, False])
def test_row_19_without_its_paths_an_exchange_is_the_nonlinearity(name: str, mode: bool) -> None:
    """The norms of all paths zeroed, gain and shift: output i is PReLU(x_i), in HRNet ReLU(x_i)."""
    model = build(name, input_shape=(32, 32, 1), **TINY).astype(np.float64).train(mode)
    modules = [layer for _, layer in model.layers() if isinstance(layer, Module)]
    assert [len(module.exchanges) for module in modules] == [2, 3, 1]
    rng = np.random.default_rng(0)
    for module in modules:
        xs = [rng.normal(size=(2, 8 >> i, 8 >> i, 8 << i)) for i in range(len(module.branches))]
        for target, exchange in enumerate(module.exchanges):
            for _, layer in exchange.layers():
                if isinstance(layer, BatchNorm):
                    layer.gamma.value, layer.beta.value = 0 * layer.gamma.value, 0 * layer.beta.value
                if isinstance(layer, PReLU):
                    layer.slope.value = rng.uniform(0.1, 1, layer.slope.value.shape)
            bend = exchange.bend
            slope = bend.slope.value if isinstance(bend, PReLU) else 0.0
            expected = np.where(xs[target] > 0, xs[target], slope * xs[target])
            np.testing.assert_array_equal(exchange(*xs), expected)


def moved_together(bench: Bench, rng: np.random.Generator) -> tuple[float, float]:
    """The derivative along one direction of all tensors, each with an equal share; the same by backward."""
    directions = []
    for slot in bench.slots:
        direction = rng.normal(size=slot.grad.shape)
        directions.append(direction / max(float(np.linalg.norm(slot.grad)), 1e-6))
    for slot, direction in zip(bench.slots[1:], directions[1:], strict=True):
        slot.put(slot.get() + 1j * STEP * direction)
    found = bench.along(bench.slots[0], directions[0])
    for slot in bench.slots[1:]:
        slot.put(slot.get().real.astype(np.complex128))
    return found, sum(float((s.grad * d).sum()) for s, d in zip(bench.slots, directions, strict=True))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("sbpn", {"width": 8}),
        ("sbpn", {"width": 8, "head": "deconv", "scale": "channel"}),
        ("sbpn", {"width": 8, "reduce": "binary", "upsample": "bilinear"}),
        *(("bhrnet-w32", TINY | {"precision": precision}) for precision in "AB"),
        ("bhrnet-w48", TINY | {"width": 12}),
        ("hrnet-w32", TINY),
        ("simplebaseline-50", {"width": 4, "blocks": (1, 1, 1, 1)}),
    ],
)
def test_the_derivative_of_the_recentred_network_is_its_gradient(name: str, options: dict[str, Any]) -> None:
    """Level 2 of the audit, with all parameters moved at once: a pass for each would take minutes."""
    rng = np.random.default_rng(0)
    model = build(name, input_shape=(32, 32, 2), joints=3, **options)
    images, maps = rng.normal(size=(4, 32, 32, 2)), rng.normal(size=(4, 8, 8, 3))
    bench = at_base_point(WithLoss(model, MeanSquaredError()), (images, maps), None, np.dtype(float), rng)
    assert [slot.name for slot in bench.slots if not slot.grad.any()] == []
    for _ in range(2):
        found, expected = moved_together(bench, rng)
        assert abs(found - expected) < 1e-10 * np.sqrt(len(bench.slots))


@pytest.mark.parametrize("options", [{}, {"head": "deconv"}, {"upsample": "bilinear", "reduce": "binary"}])
def test_norms_take_the_scale_of_binary_weights(options: dict[str, Any]) -> None:
    rng = np.random.default_rng(0)
    model = build("sbpn", input_shape=(32, 32, 1), width=4, scale="channel", **options)
    folded = fold_scale(model)
    assert not any(isinstance(layer, Product) and layer.scaled for _, layer in folded.layers())
    x = rng.normal(size=(2, 32, 32, 1)).astype(np.float32)
    np.testing.assert_allclose(folded.eval()(x), model.eval()(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize("larger", [NearestUpsample(), BilinearUpsample()])
def test_a_scale_passes_upsampling(larger: Layer) -> None:
    rng = np.random.default_rng(0)
    sign = estimators.get("ste")
    conv = Conv2d(3, 4, 3, rng=rng, activation=sign, weight=sign, scale=CHANNEL_SCALE)
    model = Sequential(conv, larger, BatchNorm(4))
    x = rng.normal(size=(2, 5, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(fold_scale(model).eval()(x), model.eval()(x), rtol=0, atol=1e-5)
