"""Real-to-Binary's half blocks and the network made of them: what stands where, what reads what."""

from __future__ import annotations

import numpy as np
import pytest
from model_calls import feeds, kinds

from bnn_ref import cost, data, estimators, pack, train
from bnn_ref.auditing import audit_layer, audit_model
from bnn_ref.layers import AttentionLoss, Gate, SoftmaxCrossEntropy
from bnn_ref.models import Operands, RealToBinaryBlock, build
from bnn_ref.parameter import Array

RNG = np.random.default_rng(0)
OPERANDS = Operands(estimators.get("approxsign"), estimators.get("ste"), None, RNG)


def test_a_half_block_is_norm_sign_conv_gate_prelu_sum() -> None:
    gate = ["GlobalAvgPool", "Linear", "ReLU", "Linear", "Activation", "Multiply"]
    block = RealToBinaryBlock(OPERANDS, 4, 4)
    assert kinds(block) == ["BatchNorm", "Conv2d", *gate, "PReLU", "Add"]
    assert block.conv.activation is not None
    project = ["AvgPool2d", "Conv2d", "BatchNorm"]
    assert kinds(RealToBinaryBlock(OPERANDS, 4, 6, 2)) == [
        *("BatchNorm", *project, "Conv2d", *gate, "PReLU", "Add")
    ]


def test_gate_and_sign_read_the_norm_and_the_shortcut_does_not() -> None:
    block = RealToBinaryBlock(OPERANDS, 4, 4)
    read = feeds(block)
    assert read[id(block.gate.mean)] == read[id(block.conv)] == [block.norm]
    assert read[id(block.gate.multiply)] == [block.conv, block.gate.sigmoid]
    assert read[id(block.add)] == [block.bend, None], "the input itself"


@pytest.mark.parametrize(("channels", "stride"), [(4, 1), (6, 2)])
def test_a_half_block_passes_with_its_gate(channels: int, stride: int) -> None:
    block = RealToBinaryBlock(OPERANDS, 4, channels, stride)
    report = audit_layer(block, np.random.default_rng(0).normal(size=(3, 6, 6, 4)))
    assert report.passed, str(report)


def test_the_gate_reads_real_numbers_that_the_sign_forgets() -> None:
    """Twice the activations have the same signs, but not the same output: the gate has seen their size."""
    rng = np.random.default_rng(0)
    block = RealToBinaryBlock(Operands(OPERANDS.activation, OPERANDS.weight, None, rng), 32, 32).eval()
    x: Array = rng.normal(size=(2, 5, 5, 32)).astype(np.float32) + 1
    gated = [block(size * x) - size * x for size in (1, 2)]
    assert np.abs(gated[0] - gated[1]).max() > 1e-3
    block.gate.excite.latent.value *= 0
    plain = [block(size * x) - size * x for size in (1, 2)]
    np.testing.assert_allclose(plain[0], plain[1], atol=1e-5)


def test_what_cannot_be_packed_is_named() -> None:
    with pytest.raises(ValueError, match=r"pack: gate\.sigmoid \(Activation\)"):
        pack(RealToBinaryBlock(OPERANDS, 4, 4))


# The network


def test_sixteen_half_blocks_in_the_layout_of_bireal_18() -> None:
    """The same products as Bi-Real-18 at 224 pixels, and a gate for each of the sixteen blocks.

    By hand: gates of (64, 64) x 4, (64, 128), (128, 128) x 3 ...: C (C // 8) + (C // 8) F weights, C // 8 + F
    biases; the norm in front of the first convolution of a stage has the channels of the stage before.
    """
    image = (224, 224, 3)
    own, other = (
        cost(build(name, input_shape=image, classes=1000), (1, *image)).total
        for name in ("real-to-binary", "bireal-18")
    )
    pairs = [
        (64 * 2 ** (stage - (stage > 0 and i == 0)), 64 * 2**stage) for stage in range(4) for i in range(4)
    ]
    gates = sum(c * (c // 8) + (c // 8) * f for c, f in pairs)
    assert own.real_weights == other.real_weights + gates
    assert own.binary_weights == other.binary_weights == 10_985_472
    assert own.binary_macs == other.binary_macs
    assert own.real_macs == other.real_macs + gates
    assert own.bias == other.bias + sum(c // 8 + f for c, f in pairs)
    assert own.slope == sum(f for _, f in pairs) == 3840
    assert own.norm == other.norm - 2 * sum(f - c for c, f in pairs)


def test_every_image_weighs_its_own_channels() -> None:
    model = build("real-to-binary", input_shape=(9, 7, 2), width=8, blocks=(1, 2), classes=3).eval()
    gates = [layer for _, layer in model.layers() if isinstance(layer, Gate)]
    assert [gate.squeeze.latent.value.shape for gate in gates] == [(8, 1), (8, 1), (16, 2)]
    x = RNG.normal(size=(3, 9, 7, 2)).astype(np.float32)
    np.testing.assert_allclose(model(x)[1], model(x[1:2])[0], rtol=1e-5, atol=1e-6)


def test_it_learns_from_labels_and_passes_as_a_whole() -> None:
    options = {"input_shape": (8, 8, 1), "width": 6, "blocks": (2, 2)}
    rng = np.random.default_rng(1)
    report = audit_model(
        build("real-to-binary", **options),
        SoftmaxCrossEntropy(),
        rng.normal(size=(4, 8, 8, 1)),
        rng.integers(0, 10, 4),
    )
    assert report.passed, str(report)
    digits = data.load("digits").take(300, 100)
    model = build("real-to-binary", **options)
    history = train.fit(model, digits, train.Config(epochs=3, batch_size=32, lr=5e-3))
    assert history[-1].loss < 0.9 * history[0].loss


def test_its_half_blocks_can_be_drawn_to_where_a_teacher_looks() -> None:
    """The attention loss between a half block of a binary student and of its real twin, and its gradient."""
    options = {"input_shape": (16, 16, 1), "width": 4, "blocks": (1, 1)}
    student, teacher = (build("real-to-binary", estimator=name, **options) for name in ("ste", "real"))
    images = RNG.normal(size=(4, 16, 16, 1)).astype(np.float32)
    a, b = (net.body.parts[0](net.stem(images)) for net in (student, teacher))
    value, cache = AttentionLoss().forward(a, b)
    assert 0 < float(value) < 2
    da, _ = AttentionLoss().backward(np.ones((), np.float32), cache)
    closer, _ = AttentionLoss().forward(a - 1e-2 * da / np.abs(da).max(), b)
    assert closer < value
