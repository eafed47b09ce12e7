"""RSign: a threshold learned channel by channel, one shift for F, T and what is deployed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators, pack
from bnn_ref.auditing import audit_layer
from bnn_ref.binarizer import Binarizer, Compose, Map
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.reactnet import Shift, shifted
from bnn_ref.layers import Activation, Add, BatchNorm, Composite, Conv2d, Flatten, Linear, Sequential
from bnn_ref.parameter import Array, Parameter


def rsign(shift: Any, **own: Any) -> Binarizer:
    """Bound to as many channels as there are shifts, in float64."""
    b = estimators.get("rsign", **own).bind((len(shift),), -1, np.random.default_rng(0))
    assert isinstance(b, Binarizer)
    (parameter,) = b.parameters()
    parameter.value = np.asarray(shift, np.float64)
    return b


def shift_of(part: Map) -> float | Parameter:
    assert isinstance(part, Compose)
    assert isinstance(part.maps[0], Shift)
    return part.maps[0].shift


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=4), st.integers(0, 99))
def test_it_is_plus_1_above_minus_b_channel_by_channel(shift: list[float], seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=(3, 2, len(shift)))
    b = rsign(shift)
    for at in np.ndindex(x.shape):
        wanted = 1 if x[at] > -shift[at[-1]] else -1
        assert b(x)[at] == b.deploy()(x)[at] == wanted


def test_on_its_threshold_it_answers_zero() -> None:
    for zero in (1, -1):
        assert rsign([0.5, -2.0], zero=zero)(np.array([[-0.5, 2.0]])).tolist() == [[zero, zero]]


def test_the_gradient_to_the_shift_is_the_sum_of_what_goes_to_x() -> None:
    """And both are those of the primitive T, by its difference quotient at the moved points."""
    shift = np.array([0.3, -0.4, 0.0])
    x, dy = np.random.default_rng(0).normal(size=(2, 4, 2, 3))
    b = rsign(shift)
    dx = b.backward(x, dy)
    (parameter,) = b.parameters()
    grad = parameter.grad
    assert grad is not None
    curve, h = PiecewiseQuadratic(), 1e-6
    for c in range(3):
        total = 0.0
        for n, i in np.ndindex(4, 2):
            at = np.array(x[n, i, c] + shift[c])
            slope = float(curve(at + h) - curve(at - h)) / (2 * h)
            assert dx[n, i, c] == pytest.approx(slope * dy[n, i, c], abs=1e-5)
            total += slope * dy[n, i, c]
        assert grad[c] == pytest.approx(total, abs=1e-5)


def test_f_t_and_what_is_deployed_share_one_shift() -> None:
    b = rsign([0.0] * 5)
    (parameter,) = b.parameters()
    for part in (b.forward, b.surrogate, b.deployed, b.at(0.5).deployed):
        assert shift_of(part) is parameter
    assert estimators.get("rsign").parameters() == [], "the table's own entry has none"
    assert shift_of(estimators.get("rsign", shift=0.25).forward) == 0.25


@pytest.mark.parametrize("shift", [[0.0, 0.0], [1.0, -0.5], [0.5, -2.0]])
def test_it_passes_wherever_the_shift_stands(shift: list[float]) -> None:
    layer = Activation(estimators.get("rsign"), shape=(2,))
    layer.parameters()[0].value = np.array(shift)
    x = np.random.default_rng(0).integers(-2, 3, (4, 3, 2)) / 2
    report = audit_layer(layer, x)
    assert report.passed, str(report)
    assert report.on_kinks > 0


def test_any_estimator_can_be_shifted() -> None:
    b = shifted(estimators.TABLE["ede"].make)(shift=0.5, k=2.0)
    x = np.array([-0.7, -0.5, 0.1])
    assert b(x).tolist() == [-1, 1, 1]
    np.testing.assert_allclose(
        b.backward(x, np.ones(3)), estimators.get("ede", k=2).backward(x + 0.5, 1 + 0 * x)
    )
    assert b.law == estimators.get("ede").law


@pytest.mark.parametrize("shift", [np.nan, "0", None, True])
def test_a_shift_is_a_number(shift: Any) -> None:
    with pytest.raises(ValueError, match="shift: required a finite number"):
        estimators.get("rsign", shift=shift)


def test_it_must_know_the_channels() -> None:
    with pytest.raises(ValueError, match=r"shape: required the channels \(C,\)"):
        Activation(estimators.get("rsign"))


# Packed


class Branches(Composite):
    """conv, norm, and two binary convolutions with shifts of their own that read it; a shortcut or none."""

    def __init__(self, real: bool) -> None:
        rng = np.random.default_rng(0)
        b, w = estimators.get("rsign"), estimators.get("ste")
        self.stem = Conv2d(3, 5, 3, padding=1, rng=rng, activation=b, weight=w)
        self.norm, self.real = BatchNorm(5), real
        self.first, self.second = (Conv2d(5, 4, 3, rng=rng, activation=b, weight=w) for _ in range(2))
        self.add, self.more = Add(), Add()
        self.head = Sequential(Flatten(), Linear(64, 3, rng=rng, activation=b, weight=w))

    def compute(self, x: Any) -> Any:
        h = self.norm(self.stem(x))
        y = self.more(h, h) if self.real else h
        return self.head(self.add(self.first(y), self.second(h)))


@pytest.mark.parametrize("real", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_packed_it_is_part_of_a_threshold_or_a_bias_before_the_signs(real: bool, seed: int) -> None:
    net, rng = Branches(real), np.random.default_rng(seed)
    for key, parameter in net.named_parameters().items():
        if key.endswith("shift"):
            parameter.value = (rng.integers(-3, 4, parameter.value.shape) / 2).astype(np.float32)
    net.norm.running_mean = rng.integers(-4, 5, 5).astype(np.float32)  # ties
    x: Array = rng.integers(-2, 3, (4, 6, 6, 3)).astype(np.float32)
    packed = pack(net)
    np.testing.assert_array_equal(packed(x), net.eval()(x))
    np.testing.assert_array_equal(packed(x, naive=True), net.eval()(x))
    kinds = [(node.layer, node.step.kind) for node in packed.graph.nodes]
    assert [kind for name, kind in kinds if name == "stem"] == ["bias", "pack_signs", "binary_conv"]
    folded = [node for node in packed.graph.nodes if node.step.kind == "threshold"]
    assert len(folded) == (0 if real else 2), "one threshold for each shift"


def test_behind_a_flattening_every_feature_has_its_own_shift() -> None:
    rng = np.random.default_rng(0)
    b, w = estimators.get("rsign"), estimators.get("ste")
    conv = Conv2d(2, 3, 2, rng=rng, activation=b, weight=w)
    net = Sequential(conv, Flatten(), Linear(12, 4, rng=rng, activation=b, weight=w))
    shift = net.parts[2].parameters()[-1]
    shift.value = rng.normal(size=12).astype(np.float32) * 3
    x = rng.normal(size=(5, 3, 3, 2)).astype(np.float32)
    packed = pack(net)
    np.testing.assert_array_equal(packed(x), net.eval()(x))
    assert [node.step.kind for node in packed.graph.nodes][3:5] == ["flatten", "threshold"]
    normed = Sequential(
        conv, BatchNorm(3), Flatten(), net.parts[2]
    )  # now the integers have real numbers behind
    np.testing.assert_array_equal(pack(normed)(x), normed.eval()(x))
    assert "threshold" not in [node.step.kind for node in pack(normed).graph.nodes]
