"""Vision transformers: the arithmetic of DeiT's sizes, what is binary, and what attention must not see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bnn_ref
from bnn_ref.binarizer import Binarizer
from bnn_ref.cost import Cost, cost
from bnn_ref.layers import Attention, LayerNorm, Product, SoftmaxCrossEntropy
from bnn_ref.models import build

IMAGE = (224, 224, 3)
WIDTHS = {"deit-tiny": 192, "deit-small": 384, "deit-base": 768}
SMALL: dict[str, Any] = {"input_shape": (8, 8, 1), "width": 8, "heads": 2, "depth": 2, "scale": "channel"}


def counted(name: str, **options: Any) -> Cost:
    model = build(name, input_shape=IMAGE, estimator="none", **options)
    return cost(model, (1, *IMAGE))


def by_hand(d: int, classes: int) -> dict[str, int]:
    """197 places, 12 blocks of four D x D and two D x 4D matrices, a bias for each, two norms."""
    matrices = 12 * (4 * d * d + 2 * 4 * d * d)
    return {
        "matrices": matrices,
        "ends": 16 * 16 * 3 * d + d * classes,
        "bias": d + 12 * (4 * d + 4 * d + d) + classes,
        "norm": (12 * 2 + 1) * 2 * d,
        "other": d + 197 * d,
        "macs": 196 * 768 * d + 197 * matrices + 12 * 2 * 197 * 197 * d + d * classes,
    }


@pytest.mark.parametrize(("name", "parameters"), [("deit-tiny", 5_717_416), ("deit-small", 22_050_664)])
def test_every_number_of_a_deit(name: str, parameters: int) -> None:
    hand, total = by_hand(WIDTHS[name], 1000), counted(name, classes=1000).total
    assert (total.binary_weights, total.real_weights) == (hand["matrices"], hand["ends"])
    assert (total.bias, total.norm, total.other) == (hand["bias"], hand["norm"], hand["other"])
    assert total.parameters == parameters == sum(hand.values()) - hand["macs"]
    assert (total.real_macs, total.binary_macs) == (hand["macs"], 0)


@pytest.mark.parametrize(
    ("name", "ends", "classes", "parameters", "share", "real", "here", "saving"),
    [
        ("deit-tiny", "real", 1000, 5_717_416, 92.8, 22.87, 2.30, 9.9),
        ("deit-tiny", "binary", 1000, 5_717_416, None, 22.87, 0.98, 23.2),
        ("deit-tiny", "real", 10, 5_526_346, None, None, None, 14.4),
        ("deit-small", "real", 1000, 22_050_664, 96.3, 88.20, 5.92, 14.9),
        ("deit-small", "binary", 1000, 22_050_664, None, 88.20, 3.29, 26.8),
        ("deit-small", "real", 10, 21_669_514, None, None, None, 19.7),
        ("deit-base", "real", 1000, 86_567_656, 98.1, 346.27, 17.15, 20.2),
        ("deit-base", "binary", 1000, 86_567_656, None, 346.27, 11.89, 29.1),
        ("deit-base", "real", 10, 85_806_346, None, None, None, 24.3),
    ],
)
def test_memory_of_the_deits(
    name: str,
    ends: str,
    classes: int,
    parameters: int,
    share: float | None,
    real: float | None,
    here: float | None,
    saving: float,
) -> None:
    """Weights only, without scales; 1 bit a binary weight, 32 any other number; MB are 10^6 bytes."""
    found = counted(name, classes=classes, ends=ends)
    total, d = found.total, WIDTHS[name]
    ends_binary = (768 * d + d * classes) if ends == "binary" else 0
    assert total.parameters == found.full_precision.parameters == parameters
    assert total.binary_weights == 144 * d * d + ends_binary
    assert total.memory_bits == total.binary_weights + 32 * (parameters - total.binary_weights)
    assert total.packed_bytes == total.memory_bits / 8
    assert found.full_precision.memory_bits == 32 * parameters
    assert round(found.memory_saving, 1) == saving
    if share is not None:
        assert round(100 * total.binary_weights / parameters, 1) == share
    if real is not None:
        assert round(found.full_precision.memory_bits / 8e6, 2) == real
    if here is not None:
        assert round(total.memory_bits / 8e6, 2) == here


def test_scales_are_one_number_an_output_channel() -> None:
    plain, scaled = (counted("deit-tiny", classes=10, scale=scale).total for scale in ("none", "channel"))
    numbers = 12 * (4 * 192 + 4 * 192 + 192)
    assert scaled.scale == numbers
    assert scaled.memory_bits == plain.memory_bits + 32 * numbers
    assert scaled.packed_bytes == plain.packed_bytes + 4 * numbers


def test_with_binary_activations_the_scores_stay_real() -> None:
    model = build("deit-tiny", input_shape=IMAGE, classes=1000)
    total, hand = cost(model, (1, *IMAGE)).total, by_hand(192, 1000)
    assert total.binary_macs == 197 * hand["matrices"]
    assert total.real_macs == hand["macs"] - total.binary_macs
    rows = [row.counts for row in cost(model, (1, *IMAGE)).layers if row.type == "Attention"]
    assert [row.real_macs for row in rows] == [2 * 197 * 197 * 192] * 12


def test_larq_s_rule_adds_nothing_to_a_layer_norm() -> None:
    """It has no running statistics; batch norm has two numbers a channel more."""
    model = build("vit-tiny", estimator="none")
    library, larq = (cost(model, (1, 28, 28, 1), rule).total for rule in ("library", "larq"))
    assert larq.memory_bits == library.memory_bits
    assert (library.running, library.norm) == (0, (2 * 4 + 1) * 2 * 96)


@pytest.mark.parametrize(
    ("estimator", "weight", "binary"),
    [("none", "clipped-ste", (32, 1)), ("approxsign", "clipped-ste", (1, 1)), ("none", "real", (32, 32))],
)
@pytest.mark.parametrize("ends", ["real", "binary"])
def test_what_is_binary(estimator: str, weight: str, binary: tuple[int, int], ends: str) -> None:
    model = build("vit-tiny", estimator=estimator, weight_estimator=weight, ends=ends, **SMALL)
    inner = [layer for _, layer in model.blocks.layers() if isinstance(layer, Product)]
    assert len(inner) == 2 * 6
    assert {(layer.input_bits, layer.weight_bits) for layer in inner} == {binary}
    assert all(layer.bias is not None for layer in inner)
    for layer in (model.embedding.patches, model.head):
        bits = 1 if ends == "binary" and weight != "real" else 32
        assert (layer.input_bits, layer.weight_bits) == (32, bits)
        assert not isinstance(layer.activation, Binarizer)


@pytest.mark.parametrize("estimator", ["none", "approxsign", "real"])
def test_patches_may_trade_places_with_their_positions(estimator: str) -> None:
    """Attention sees a set: patches and positions permuted alike give the same scores."""
    model = build("vit-tiny", estimator=estimator, **SMALL).astype(np.float64).eval()
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 8, 8, 1))
    before = model(x)
    order = rng.permutation(4)
    patches = x.reshape(3, 2, 4, 2, 4, 1).swapaxes(2, 3).reshape(3, 4, 4, 4, 1)[:, order]
    moved = patches.reshape(3, 2, 2, 4, 4, 1).swapaxes(2, 3).reshape(x.shape)
    assert np.abs(model(moved) - before).max() > 1e-6
    position = model.embedding.position.embedding
    position.value = np.concatenate([position.value[:1], position.value[1:][order]])
    np.testing.assert_allclose(model(moved), before, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("estimator", ["none", "approxsign"])
@pytest.mark.parametrize("ends", ["real", "binary"])
def test_the_audit_passes(estimator: str, ends: str) -> None:
    model = build("vit-tiny", estimator=estimator, ends=ends, **SMALL)
    rng = np.random.default_rng(0)
    report = bnn_ref.audit_model(
        model, SoftmaxCrossEntropy(), rng.normal(size=(4, 8, 8, 1)), np.array([0, 3, 1, 9])
    )
    assert report.passed, str(report)


def test_a_block_in_the_order_of_its_layers() -> None:
    block = build("vit-tiny", **SMALL).blocks.parts[0]
    block.norm1.gamma.value, block.norm2.beta.value = block.norm1.gamma.value * 2, block.norm2.beta.value + 1
    x = np.random.default_rng(0).normal(size=(2, 5, 8)).astype(np.float32)
    attended = x + block.attention(block.norm1(x))
    hidden = block.gelu(block.expand(block.norm2(attended)))
    assert hidden.shape == (2, 5, 32)
    np.testing.assert_array_equal(block(x), attended + block.reduce(hidden))
    assert isinstance(block.attention.attention, Attention)
    assert {type(layer) for layer in (block.norm1, block.norm2)} == {LayerNorm}
