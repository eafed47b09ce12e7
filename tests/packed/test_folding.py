"""A threshold answers as the layers do, at every integer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.binarizer import Sign
from bnn_ref.kernels import unpack_signs
from bnn_ref.layers import BatchNorm, HardTanh, Layer, PReLU
from bnn_ref.packed import folding, steps
from bnn_ref.packed.translate import elementwise
from bnn_ref.parameter import Array

FINITE = st.floats(-(2.0**50), 2.0**50, width=32)
AWKWARD = st.one_of(
    FINITE,
    st.integers(-9, 9).map(float),
    st.sampled_from([0.0, -0.0, 1e-40, -1e-40, 2.0**-126, 3.0, 1 / 3]),
)


def ask(layers: list[Layer], zero: int, fan_in: int, channels: int) -> tuple[Array, Array] | None:
    """The threshold's signs and the layers' own, at -fan_in..fan_in; None if there is no threshold."""
    chain = [step for layer in layers for step in elementwise("layer", layer) or ()]
    threshold = folding.fold(chain, zero, fan_in, channels)
    if threshold is None:
        return None
    z = np.repeat(np.arange(-fan_in, fan_in + 1, dtype=np.int32)[:, None], channels, axis=1)
    y = z.astype(np.float32)
    for layer in layers:
        y = layer(y)
    return unpack_signs(threshold((z,)), channels), Sign(zero)(y)


def norm(gamma: list[float], beta: list[float], mean: list[float], var: list[float]) -> Layer:
    layer = BatchNorm(len(gamma))
    layer.gamma.value, layer.beta.value = (np.array(v, np.float32) for v in (gamma, beta))
    layer.running_mean, layer.running_var = (np.array(v, np.float32) for v in (mean, var))
    return layer.eval()


@st.composite
def norms(draw: st.DrawFn, channels: int) -> Layer:
    columns = [draw(st.lists(AWKWARD, min_size=channels, max_size=channels)) for _ in range(3)]
    var = draw(st.lists(st.floats(0, 1e6, width=32), min_size=channels, max_size=channels))
    return norm(*columns, var)


@given(st.data(), st.sampled_from([-1, 1]), st.integers(1, 600), st.integers(1, 5))
def test_batch_norm(data: st.DataObject, zero: int, fan_in: int, channels: int) -> None:
    with np.errstate(over="ignore"):
        both = ask([data.draw(norms(channels))], zero, fan_in, channels)
    assert both is not None, "a rounded affine map never turns"
    np.testing.assert_array_equal(*both)


@given(st.data(), st.sampled_from([-1, 1]), st.integers(1, 300), st.integers(1, 5))
def test_chains(data: st.DataObject, zero: int, fan_in: int, channels: int) -> None:
    prelu = PReLU(channels)
    slopes = st.lists(st.floats(-2, 2, width=32), min_size=channels, max_size=channels)
    prelu.slope.value = np.array(data.draw(slopes), np.float32)
    chain = [data.draw(norms(channels)), prelu, HardTanh(), data.draw(norms(channels))]
    with np.errstate(over="ignore"):
        both = ask(chain, zero, fan_in, channels)
    if both is None:
        assert (prelu.slope.value < 0).any()
    else:
        np.testing.assert_array_equal(*both)


@pytest.mark.parametrize(
    ("gamma", "mean", "zero", "threshold", "rising"),
    [
        (1, 2, 1, 2, 1),  # sign(0) = +1: the tie belongs to the upper side
        (1, 2, -1, 3, 1),
        (-1, 2, 1, 2, -1),
        (-1, 2, -1, 1, -1),
        (0, 2, 1, -5, 1),  # always 0: constant, +1 or -1
        (0, 2, -1, 6, 1),
        (1, 99, 1, 6, 1),  # never reached
        (1, -99, 1, -5, 1),  # always reached
        (-1, 99, 1, -5, 1),
    ],
)
def test_thresholds_by_hand(gamma: int, mean: int, zero: int, threshold: int, rising: int) -> None:
    layer = norm([gamma], [0], [mean], [1])
    (step,) = elementwise("layer", layer)  # type: ignore[misc]
    folded = folding.fold([step], zero, 5, 1)
    assert folded is not None
    assert folded.threshold.tolist() == [threshold]
    assert folded.rising.values().tolist() == [rising]


def test_a_curve_that_turns_has_no_threshold() -> None:
    turning = [steps.PReLU(np.array([-1], np.float32)), steps.Bias(np.array([-2], np.float32))]
    assert folding.fold(turning, 1, 9, 1) is None
    assert folding.fold([steps.RealSign(1), *turning], 1, 9, 1) is not None


def test_one_channel_that_turns_is_enough() -> None:
    slopes = steps.PReLU(np.array([1, -1], np.float32)), steps.Bias(np.array([-2, -2], np.float32))
    assert folding.fold(slopes, 1, 9, 2) is None


def test_nan_has_no_threshold() -> None:
    """Infinity times zero: left to the float path, which says so when it happens."""
    chain = [steps.Scale(np.array([3e38], np.float32)), steps.PReLU(np.array([0], np.float32))]
    assert folding.fold(chain, 1, 9, 1) is None


def test_blocks_of_channels_join(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    chain = [steps.Affine(*rng.normal(size=(2, 70)).astype(np.float32) * 3)]
    whole = folding.fold(chain, 1, 20, 70)
    monkeypatch.setattr(folding, "_ENTRIES", 41 * 8)
    parts = folding.fold(chain, 1, 20, 70)
    assert whole is not None
    assert parts is not None
    for one, other in zip(whole.tensors().values(), parts.tensors().values(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_one_slope_for_all_channels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folding, "_ENTRIES", 41 * 2)
    shift = np.arange(-3, 4, dtype=np.float32)
    chain = [steps.PReLU(np.array([0.5], np.float32)), steps.Bias(shift)]
    folded = folding.fold(chain, 1, 20, 7)
    assert folded is not None
    assert folded.threshold.tolist() == [3, 2, 1, 0, -2, -4, -6]


def test_order_of_integers() -> None:
    up = steps.Affine(np.array([1, 0], np.float32), np.array([0, 1], np.float32))
    down = steps.Affine(np.array([1, -1], np.float32), np.array([0, 0], np.float32))
    assert folding.nondecreasing([], 3, 2)
    assert folding.nondecreasing([up], 3, 2)
    assert not folding.nondecreasing([down], 3, 2)
    flat = steps.Scale(np.array([1, 0], np.float32))  # -0 of what is negative: equal numbers, other bits
    assert not folding.nondecreasing([flat], 3, 2)
