"""Bi-Real networks at full size and full depth, and the numbered invariants of their specification."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bnn_ref import autodiff, pack
from bnn_ref.auditing import audit_model
from bnn_ref.auditing.bench import STEP, at_base_point
from bnn_ref.auditing.composition import WithLoss
from bnn_ref.autodiff import Tensor
from bnn_ref.estimators import get
from bnn_ref.layers import (
    CHANNEL_SCALE,
    BatchNorm,
    SoftmaxCrossEntropy,
)
from bnn_ref.models import BiRealBlock, Model, Operands, build
from bnn_ref.packed.steps import BinaryConv

IMAGE = (224, 224, 3)


# At 224 x 224 pixels


def settled(name: str, **options: Any) -> Model:
    """The network with the statistics of one image, norms of either sign, and weights of either sign."""
    rng = np.random.default_rng(7)
    model = build(name, input_shape=IMAGE, classes=1000, seed=3, **options)
    norms = [layer for _, layer in model.layers() if isinstance(layer, BatchNorm)]
    for layer in norms:
        layer.momentum = 1.0
        layer.gamma.value = rng.normal(1, 0.5, layer.channels).astype(np.float32)
        layer.beta.value = rng.normal(0, 0.5, layer.channels).astype(np.float32)
    model.train()(rng.normal(size=(1, *IMAGE)).astype(np.float32))
    assert all(np.ptp(layer.running_var) > 0 for layer in norms)
    return model.eval()


@pytest.mark.parametrize("name", ["bireal-18", "bireal-34", "bireal-50"])
def test_packed_equals_eval_mode_at_full_size(name: str) -> None:
    model = settled(name, scale="channel")
    x = np.random.default_rng(8).normal(size=(1, *IMAGE)).astype(np.float32)
    scores = model(x)
    assert scores.shape == (1, 1000)
    assert np.isfinite(scores).all()
    assert scores.std() > 0.01
    packed = pack(model)
    np.testing.assert_array_equal(packed(x), scores)
    binary = sum(isinstance(node.step, BinaryConv) for node in packed.graph.nodes)
    assert binary == {"bireal-18": 16, "bireal-34": 32, "bireal-50": 47}[name]


# The whole depth, with fewer channels and smaller images


@pytest.mark.parametrize("name", ["bireal-18", "bireal-34", "bireal-50", "bireal-18-caffe", "resnet-34"])
def test_all_gradients_at_once_by_complex_step(name: str) -> None:
    """One direction that moves every tensor alike, whatever its gradient's size; the audits of every tensor
    by itself take too long at this depth (`tests/auditing` does them with fewer blocks)."""
    rng = np.random.default_rng(0)
    model = build(name, input_shape=(32, 32, 3), width=4, classes=5, scale="channel")
    batch = rng.normal(size=(3, 32, 32, 3)), rng.integers(0, 5, 3)
    bench = at_base_point(WithLoss(model, SoftmaxCrossEntropy()), batch, None, np.dtype(np.float64), rng)
    sizes = [np.linalg.norm(slot.grad) for slot in bench.slots]
    assert len(sizes) > 60
    least = 1e-6 * np.linalg.norm(sizes)  # a bias in front of a norm has a gradient of rounding alone
    moves = [
        rng.normal(size=slot.grad.shape) / max(size, least)
        for slot, size in zip(bench.slots, sizes, strict=True)
    ]
    expected = [float((slot.grad * move).sum()) for slot, move in zip(bench.slots, moves, strict=True)]
    first, *others = bench.slots
    for slot, move in zip(others, moves[1:], strict=True):
        slot.put(slot.get() + 1j * STEP * move)
    assert abs(bench.along(first, moves[0]) - sum(expected)) <= 1e-8
    assert np.std(expected) > 0.3


def test_18_layers_pass_the_audit() -> None:
    model = build("bireal-18", input_shape=(16, 16, 3), width=2, classes=5, scale="channel")
    rng = np.random.default_rng(0)
    report = audit_model(model, SoftmaxCrossEntropy(), rng.normal(size=(4, 16, 16, 3)), rng.integers(0, 5, 4))
    assert report.passed, str(report)
    gradients = [check for check in report.checks if check.name.startswith("gradient to")]
    assert len(gradients) == 63
    assert max(check.error for check in gradients) <= 1e-10


# The invariants


def test_invariant_3_outputs_have_the_parity_of_their_taps() -> None:
    """|z| <= n and z = n mod 2, n the taps that lie on the image: 9, 6 or 4 of 9 times the channels."""
    model = build("bireal-20", width=6, input_shape=(12, 12, 3)).eval()
    packed = pack(model)
    x = np.random.default_rng(0).normal(size=(2, 12, 12, 3)).astype(np.float32)
    seen = 0
    for i, values in enumerate(packed.graph.walk(x)):
        node = packed.graph.nodes[i - 1] if i else None
        if node is not None and isinstance(node.step, BinaryConv):
            z, c, stride = values[i], node.step.weight.channels, node.step.stride
            rows, columns = (
                [sum(0 <= stride * at + tap < size * stride for tap in (-1, 0, 1)) for at in range(size)]
                for size in z.shape[1:3]
            )
            taps = c * np.outer(rows, columns)[..., None]
            assert {4 * c, 9 * c} <= set(taps.ravel().tolist())
            assert (np.abs(z) <= taps).all()
            assert ((z - taps) % 2 == 0).all()
            seen += 1
    assert seen == 18


def test_invariant_5_scale_and_norm_fold_into_the_norm_alone() -> None:
    """Signs with mean / alpha and (var + eps) / alpha^2 compute what alpha * signs did, all through."""
    scaled = build("bireal-20", width=6, scale="channel", input_shape=(12, 12, 3)).astype(np.float64)
    rng = np.random.default_rng(0)
    for _ in range(3):
        scaled.train()(rng.normal(2, 3, size=(4, 12, 12, 3)))
    plain = build("bireal-20", width=6, input_shape=(12, 12, 3)).astype(np.float64)
    plain.load_state_dict(scaled.state_dict())
    for block in plain.body.parts:
        conv, norm = block.branch.parts
        alpha = np.abs(conv.latent.value).mean(axis=(0, 1, 2))
        norm.running_mean = norm.running_mean / alpha
        norm.running_var = (norm.running_var + norm.eps) / alpha**2 - norm.eps
    x = rng.normal(size=(5, 12, 12, 3))
    expected = scaled.eval()(x)
    np.testing.assert_allclose(plain.eval()(x), expected, rtol=1e-10)
    assert scaled.body.parts[0].branch.parts[0].deployed_weight()[1] is not None
    assert plain.body.parts[0].branch.parts[0].deployed_weight()[1] is None
    for block in plain.body.parts:  # signs without another norm are another network
        block.branch.parts[1].running_mean, block.branch.parts[1].running_var = np.zeros(1), np.ones(1)
    assert np.abs(plain(x) - expected).max() > 0.1


def test_invariant_8_the_shortcut_adds_the_gradient_itself() -> None:
    """dL/dx = dL/dy + what comes through sign, convolution and norm."""
    rng = np.random.default_rng(0)
    operands = Operands(get("approxsign"), get("clipped-ste"), CHANNEL_SCALE, rng)
    block = BiRealBlock(operands, 3, 3).astype(np.float64)
    x, dy = rng.normal(size=(2, 4, 5, 5, 3))
    dx = block.backward(dy, block.forward(x)[1])
    path = block.branch.backward(dy, block.branch.forward(x)[1])
    assert np.abs(path).max() > 0.01
    np.testing.assert_allclose(dx - dy, path, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("shortcut", "arrives"), [("bireal", True), ("res", True), ("plain", False)])
def test_invariant_8_beyond_the_clip_the_gradient_reaches_the_stem_unchanged(
    shortcut: str, arrives: bool
) -> None:
    """Where abs(x) > 1 in front of every sign, ApproxSign's slope is 0: the shortcuts are all there is."""
    model = build("bireal-18", width=3, blocks=(6,), shortcut=shortcut, input_shape=(20, 20, 3))
    rng = np.random.default_rng(0)
    stem_output = 100 * rng.choice([-1.0, 1.0], (2, 5, 5, 3)).astype(np.float32)
    if shortcut == "plain":
        for part in model.body.parts:
            part.parts[1].beta.value = part.parts[1].beta.value + 100
    if shortcut == "res":
        for part in model.body.parts:
            part.branch.parts[1].beta.value = part.branch.parts[1].beta.value + 100
    x = Tensor(stem_output)
    dy = rng.normal(size=stem_output.shape).astype(np.float32)
    autodiff.backward(model.body(x), dy)
    np.testing.assert_array_equal(x.grad, dy if arrives else np.zeros_like(dy))


def test_invariant_8_through_the_wide_stream_too() -> None:
    model = build("bireal-50", width=2, blocks=(3,), input_shape=(20, 20, 3)).astype(np.float64)
    rng = np.random.default_rng(0)
    streams = [Tensor(100 * rng.choice([-1.0, 1.0], (2, 5, 5, channels))) for channels in (2, 8)]
    narrow, wide = streams
    for block in model.body.parts[1:]:
        narrow, wide = block.streams(narrow, wide)
    gradient = rng.normal(size=wide.value.shape)
    autodiff.backward(wide, gradient)
    np.testing.assert_array_equal(streams[1].grad, gradient)
    assert streams[0].grad is None or not streams[0].grad.any()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 3), (33, 17)], ids=str)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bireal-18", {}),
        ("bireal-18", {"shortcut": "res"}),
        ("bireal-18", {"shortcut": "plain"}),
        ("bireal-50", {}),
        ("bireal-18-caffe", {"parameters": {"zero": -1}}),
    ],
)
def test_packed_equals_eval_mode_at_any_size(
    name: str, options: dict[str, Any], size: tuple[int, int]
) -> None:
    """One pixel, one row, odd and not square: pools hang over the end, padding is most of what a tap sees."""
    rng = np.random.default_rng(4)
    model = build(
        name, input_shape=(*size, 2), width=6, blocks=(2, 2, 2), classes=3, scale="channel", **options
    )
    for _ in range(3):
        model.train()(rng.normal(size=(3, *size, 2)).astype(np.float32))
    for _, layer in model.eval().layers():
        if isinstance(layer, BatchNorm):
            layer.gamma.value = rng.normal(1, 0.5, layer.channels).astype(np.float32)
            layer.beta.value = rng.normal(0, 0.5, layer.channels).astype(np.float32)
    x = rng.normal(size=(40, *size, 2)).astype(np.float32)
    scores = model(x)
    if options.get("shortcut") != "plain":  # of one pixel its signs may all be the same for every image
        assert np.ptp(scores, axis=0).min() > 1e-4
    np.testing.assert_array_equal(pack(model)(x), scores)
