"""Scales of a binary convolution's output: XNOR-Net's K, XNOR-Net++'s Gamma, Real-to-Binary's gate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators, pack
from bnn_ref.auditing import audit_layer, audit_model
from bnn_ref.binarizer import MeanAbs
from bnn_ref.layers import (
    CHANNEL_SCALE,
    Add,
    BatchNorm,
    ChannelMeanAbs,
    Composite,
    Conv2d,
    Gate,
    GlobalAvgPool,
    InputScale,
    Linear,
    MaxPool2d,
    Multiply,
    OutputScale,
    Sequential,
    SoftmaxCrossEntropy,
    XnorConv2d,
)
from bnn_ref.parameter import Array

STE = estimators.get("ste")


def binary(c: int, f: int, k: int, rng: np.random.Generator, **more: Any) -> Conv2d:
    return Conv2d(c, f, k, rng=rng, activation=STE, weight=STE, **{"scale": CHANNEL_SCALE} | more)


# XNOR-Net's K


@given(seed=st.integers(0, 999), k=st.integers(1, 3), stride=st.integers(1, 2), padding=st.integers(0, 2))
def test_k_is_the_mean_size_under_each_window(seed: int, k: int, stride: int, padding: int) -> None:
    padding = min(padding, k - 1)
    x = np.random.default_rng(seed).normal(size=(2, 5, 4, 3))
    got = InputScale(k, stride, padding)(x)
    rows, columns = ((size + 2 * padding - k) // stride + 1 for size in (5, 4))
    assert got.shape == (2, rows, columns, 1)
    for n, i, j in np.ndindex(2, rows, columns):
        total = 0.0
        for di, dj, c in np.ndindex(k, k, 3):
            row, column = i * stride + di - padding, j * stride + dj - padding
            if 0 <= row < 5 and 0 <= column < 4:
                total += abs(x[n, row, column, c])
        assert got[n, i, j, 0] == pytest.approx(total / (k * k * 3), rel=1e-12)


@pytest.mark.parametrize("padding", [0, 1])
def test_images_and_filters_of_one_size_are_convolved_exactly(padding: int) -> None:
    """I = +-a, W = +-b: nothing is lost away from the border, where padding makes windows of two sizes."""
    rng = np.random.default_rng(0)
    conv = binary(3, 4, 3, rng, padding=padding)
    conv.latent.value = 0.3 * np.sign(conv.latent.value)
    x = 1.7 * rng.choice([-1.0, 1.0], (2, 6, 6, 3))
    real = Conv2d(3, 4, 3, rng=rng, padding=padding)
    real.latent = conv.latent
    inside = slice(padding, 6 - padding) if padding else slice(None)
    got, wanted = (layer.astype(np.float64)(x)[:, inside, inside] for layer in (XnorConv2d(conv), real))
    np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-12)


def test_what_is_convolved_is_approximated_to_the_angle_of_normal_vectors() -> None:
    """The correlation of alpha K (sign I * sign W) with I * W is 2/pi for independent normal entries,

    and no other multiple of it is nearer to I * W; without K and alpha that multiple is 2/pi.
    """
    rng = np.random.default_rng(0)
    conv = binary(32, 64, 3, rng)
    conv.latent.value = rng.normal(size=conv.latent.value.shape)
    real = Conv2d(32, 64, 3, rng=rng)
    real.latent = conv.latent
    x = rng.normal(size=(8, 8, 8, 32))
    estimate, true = XnorConv2d(conv)(x).ravel(), real(x).ravel()
    assert np.corrcoef(estimate, true)[0, 1] == pytest.approx(2 / np.pi, abs=0.01)
    assert (estimate @ true) / (estimate @ estimate) == pytest.approx(1, abs=0.02)
    unscaled = binary(32, 64, 3, rng, scale=None)
    unscaled.latent = conv.latent
    plain = unscaled(x).ravel()
    assert (plain @ true) / (plain @ plain) == pytest.approx(2 / np.pi, abs=0.02), "without K and alpha"


def test_the_gradient_goes_through_k_too() -> None:
    """y = conv(x) K(x): with the sign's own gradient cut off, K's remains, |x| at a time."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1, 4, 4, 2)) + np.array([9.0, -9.0])  # outside of the clip
    layer = XnorConv2d(binary(2, 3, 2, rng)).astype(np.float64)
    y, cache = layer.forward(x)
    dy = rng.normal(size=y.shape)
    dx, z = layer.backward(dy, cache), layer.conv(x)
    for at in np.ndindex(x.shape):
        moved = x.copy()
        moved[at] *= 1.001
        wanted = (dy * z * (InputScale(2)(moved) - InputScale(2)(x))).sum() / (moved[at] - x[at])
        assert dx[at] == pytest.approx(wanted, rel=1e-9)


def test_k_knows_neither_dilation_nor_signs_around() -> None:
    with pytest.raises(ValueError, match="conv: required no dilation: K is a mean over whole windows, got 2"):
        XnorConv2d(binary(2, 3, 2, np.random.default_rng(0), dilation=2))
    with pytest.raises(ValueError, match="conv: required padding that is absent, as in K, got -1"):
        XnorConv2d(binary(2, 3, 2, np.random.default_rng(0), padding_value=-1))


class XnorOrder(Composite):
    """norm -> sign -> conv, with K -> max pool: the order in which a pool meets sums and not signs."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.stem, self.mean, self.head = (
            Conv2d(2, 4, 3, padding=1, rng=rng),
            GlobalAvgPool(),
            Linear(6, 3, rng=rng),
        )
        weight = {"scale": MeanAbs()}  # XNOR-Net's, its gradient not stopped
        first, second = (binary(4, f, 3, rng, padding=1, **weight) for f in (4, 6))
        self.body = Sequential(
            *(BatchNorm(4), XnorConv2d(first), MaxPool2d(2)), *(BatchNorm(4), XnorConv2d(second))
        )

    def compute(self, x: Any) -> Any:
        return self.head(self.mean(self.body(self.stem(x))))


def test_a_network_in_xnor_order_passes_as_a_whole() -> None:
    rng = np.random.default_rng(0)
    net = XnorOrder(rng)
    report = audit_model(net, SoftmaxCrossEntropy(), rng.normal(size=(4, 8, 8, 2)), rng.integers(0, 3, 4))
    assert report.passed, str(report)


def test_k_is_refused_by_the_packer_with_the_layer_and_what_there_is() -> None:
    with pytest.raises(
        ValueError, match=r"pack: multiply \(Multiply\): required one of Conv2d|pack: scale\.size \(Ch"
    ):
        pack(XnorConv2d(binary(3, 4, 3, np.random.default_rng(0))))


# XNOR-Net++'s Gamma


@pytest.mark.parametrize(("case", "numbers"), [(1, 6), (2, 4 * 5 * 6), (3, 6 + 4 * 5), (4, 6 + 4 + 5)])
def test_gamma_case_by_case(case: int, numbers: int) -> None:
    """How many numbers each case has, and which product of them meets which place."""
    layer, rng = OutputScale(6, (4, 5), case), np.random.default_rng(0)
    assert sum(p.value.size for p in layer.parameters()) == numbers
    x = rng.normal(size=(2, 4, 5, 6))
    np.testing.assert_array_equal(layer(x), x)
    for parameter in layer.parameters():
        assert set(np.unique(parameter.value)) == {1.0}
        parameter.value = rng.normal(size=parameter.value.shape)
    held = {key: p.value for key, p in layer.named_parameters().items()}
    y = layer(x)
    for n, h, w, f in np.ndindex(x.shape):
        factor = {
            1: lambda f=f: held["channel"][f],
            2: lambda h=h, w=w, f=f: held["gamma"][h, w, f],
            3: lambda h=h, w=w, f=f: held["channel"][f] * held["place"][h, w, 0],
            4: lambda h=h, w=w, f=f: held["channel"][f] * held["row"][h, 0, 0] * held["column"][w, 0],
        }[case]()
        assert y[n, h, w, f] == pytest.approx(factor * x[n, h, w, f], rel=1e-13)
    report = audit_layer(layer, x)
    assert report.passed, str(report)


def test_case_4_has_rank_one_in_every_direction_and_case_2_has_not() -> None:
    for case, ranks in ((4, {1}), (3, {1, 4}), (2, {4, 5, 6})):
        layer, rng = OutputScale(6, (4, 5), case), np.random.default_rng(0)
        for parameter in layer.parameters():
            parameter.value = rng.normal(size=parameter.value.shape)
        gamma = layer(np.ones((1, 4, 5, 6)))[0]
        unfolded = [np.moveaxis(gamma, axis, 0).reshape(gamma.shape[axis], -1) for axis in range(3)]
        assert {int(np.linalg.matrix_rank(m)) for m in unfolded} == ranks


def test_rank_one_is_the_case_unless_asked() -> None:
    assert set(OutputScale(6, (4, 5)).named_parameters()) == {"channel", "row", "column"}


def test_case_1_packs_as_a_scale_and_folds_and_the_others_say_why_not() -> None:
    rng = np.random.default_rng(0)
    gamma = OutputScale(4, case=1)
    gamma.factors()[0].value = rng.normal(size=4).astype(np.float32)
    net = Sequential(binary(3, 4, 3, rng), gamma, BatchNorm(4), binary(4, 2, 1, rng))
    x = rng.normal(size=(2, 5, 5, 3)).astype(np.float32)
    packed = pack(net)
    np.testing.assert_array_equal(packed(x), net.eval()(x))
    assert "threshold" in [node.step.kind for node in packed.graph.nodes]
    for case in (2, 3, 4):
        with pytest.raises(
            ValueError, match=rf"parts\.1 \(OutputScale\): required one number .*got case {case}"
        ):
            pack(Sequential(binary(3, 4, 3, rng), OutputScale(4, (3, 3), case)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((4, (3, 3), 5), "case: required 1, 2, 3 or 4, got 5"),
        ((4, None, 4), r"size: required \(H, W\), whole numbers >= 1, got None"),
        ((4, (3, 0), 2), "size: required"),
        ((0, (3, 3), 2), "channels: required a whole number >= 1"),
    ],
)
def test_a_form_that_does_not_exist_is_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OutputScale(*arguments)


def test_an_input_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match=r"OutputScale: required an input of shape \(N, ..., 3, 3, 4\)"):
        OutputScale(4, (3, 3))(np.zeros((2, 3, 2, 4)))
    with pytest.raises(ValueError, match=r"Multiply: required \(N, H, W, C\) and"):
        Multiply()(np.zeros((2, 3, 3, 4)), np.zeros((2, 3, 3, 4)))
    with pytest.raises(ValueError, match="ChannelMeanAbs: required an input"):
        ChannelMeanAbs()(np.zeros((2, 3)))


# Real-to-Binary's gate


def test_the_gate_is_two_layers_on_the_mean_image_by_image() -> None:
    rng = np.random.default_rng(0)
    gate = Gate(16, 5, rng=rng).astype(np.float64)
    assert gate.squeeze.latent.value.shape == (16, 2), "C / 8"
    for parameter in gate.parameters():
        parameter.value = rng.normal(size=parameter.value.shape)
    x, z = rng.normal(size=(3, 4, 4, 16)), rng.normal(size=(3, 2, 2, 5))
    y = gate(x, z)
    w1, b1, w2, b2 = (
        gate.named_parameters()[k].value
        for k in ("squeeze.latent", "squeeze.bias", "excite.latent", "excite.bias")
    )
    for n in range(3):
        mean = [x[n, :, :, c].sum() / 16 for c in range(16)]
        hidden = [max(0.0, sum(mean[c] * w1[c, m] for c in range(16)) + b1[m]) for m in range(2)]
        for f in range(5):
            weight = 1 / (1 + np.exp(-(sum(hidden[m] * w2[m, f] for m in range(2)) + b2[f])))
            np.testing.assert_allclose(y[n, :, :, f], weight * z[n, :, :, f], rtol=1e-12)


def test_with_weights_of_zero_every_channel_passes_by_half() -> None:
    rng = np.random.default_rng(0)
    gate = Gate(4, 5, rng=rng)
    for parameter in gate.parameters():
        parameter.value = 0 * parameter.value
    x, z = rng.normal(size=(3, 4, 4, 4)), rng.normal(size=(3, 2, 2, 5))
    np.testing.assert_array_equal(gate(x, z), z / 2)


class Gated(Composite):
    def __init__(self, rng: np.random.Generator) -> None:
        self.conv, self.gate, self.add = binary(3, 3, 3, rng, padding=1), Gate(3, 3, rng=rng), Add()

    def compute(self, x: Any) -> Any:
        return self.add(self.gate(x, self.conv(x)), x)


def test_the_packer_says_that_the_sigmoid_is_in_its_way() -> None:
    message = r"pack: gate\.sigmoid \(Activation\): .*clip or ReLU, got Sigmoid"
    with pytest.raises(ValueError, match=message):
        pack(Gated(np.random.default_rng(0)))


def test_both_inputs_of_the_gate_receive_their_part(derivative: Any) -> None:
    rng = np.random.default_rng(3)
    gate = Gate(3, 2, 1, rng=rng).astype(np.float64)
    x, z, dy = rng.normal(size=(2, 2, 2, 3)), rng.normal(size=(2, 2, 2, 2)), rng.normal(size=(2, 2, 2, 2))
    dx, dz = gate.backward(dy, gate.forward(x, z)[1])

    def value(v: Array) -> Array:
        mean = v.mean(axis=(1, 2))
        h = mean @ gate.squeeze.latent.value + gate.squeeze.bias.value  # type: ignore[union-attr]
        g = (h * (h.real > 0)) @ gate.excite.latent.value + gate.excite.bias.value  # type: ignore[union-attr]
        return z / (1 + np.exp(-g[:, None, None, :]))

    np.testing.assert_allclose(dx, derivative(value, x, dy), rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(dz, dy * gate(x, np.ones_like(z)), rtol=1e-13)
