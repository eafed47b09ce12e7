"""Straight-through estimators: conventions at the clip, tanh against mpmath, safe extremes."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.estimators.ste import HardTanh, Identity, Tanh, over_sinh, sech_squared

positive = st.floats(0.05, 20)


@given(st.floats(-1e300, 1e300), st.floats(-1e3, 1e3))
def test_identity_passes_every_gradient(x: float, dy: float) -> None:
    assert estimators.get("identity-ste").backward(np.array([x]), np.array([dy]))[0] == dy
    assert Identity()(np.array([x]))[0] == x


@given(positive)
def test_the_mask_keeps_the_clip_itself_or_not(clip: float) -> None:
    """papers/README.md, decision 2: inclusive by default, strict by request."""
    edge = np.array([-clip, clip])
    inside, outside = np.nextafter(edge, 0), np.nextafter(edge, 2 * edge)
    for inclusive in (True, False):
        curve = HardTanh(clip, inclusive)
        np.testing.assert_array_equal(curve.derivative(edge), [inclusive, inclusive])
        np.testing.assert_array_equal(curve.derivative(inside), 1)
        np.testing.assert_array_equal(curve.derivative(outside), 0)
        np.testing.assert_array_equal(curve(edge), edge)
        np.testing.assert_array_equal(curve(5 * edge), edge)


def test_inclusive_is_the_default_of_the_table() -> None:
    assert estimators.get("clipped-ste").backward(np.ones(2), np.array([3.0, -4.0])).tolist() == [3.0, -4.0]
    strict = estimators.get("clipped-ste", inclusive=False)
    assert strict.backward(-np.ones(2), np.array([3.0, -4.0])).tolist() == [0.0, 0.0]


@given(positive, st.floats(-30, 30))
def test_tanh_is_the_logistic_of_2x(beta: float, u: float) -> None:
    """tanh = 2 s(2x) - 1 and its slope 4 beta s (1 - s), at 60 digits."""
    x = u / beta
    with mp.workdps(60):
        s = 1 / (1 + mp.exp(-2 * mp.mpf(beta) * mp.mpf(x)))
        value, slope = float(2 * s - 1), float(4 * beta * s * (1 - s))
    assert abs(Tanh(beta)(np.array(x)) - value) <= 1e-14
    assert np.isclose(Tanh(beta).derivative(np.array(x)), slope, rtol=1e-12, atol=0)


@given(st.floats(-200, 200))
def test_helpers_to_the_last_digits(v: float) -> None:
    with mp.workdps(30):
        sech, ratio = float(mp.sech(v) ** 2), float(v / mp.sinh(v)) if v else 1.0
    assert np.isclose(sech_squared(np.array(v)), sech, rtol=1e-13, atol=0)
    assert np.isclose(over_sinh(np.array(v)), ratio, rtol=1e-13, atol=0)


def test_helpers_at_the_extremes() -> None:
    huge = np.array([-1e300, -800.0, 0.0, 800.0, 1e300])
    np.testing.assert_array_equal(sech_squared(huge), [0, 0, 1, 0, 0])
    np.testing.assert_array_equal(over_sinh(huge), [0, 0, 1, 0, 0])
    assert over_sinh(np.array(5e-324)) == 1
    assert sech_squared(np.float32([0.5])).dtype == np.float32


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_wrong_parameters_are_named(value: float) -> None:
    with pytest.raises(ValueError, match="clip: required a positive number"):
        HardTanh(value)
    with pytest.raises(ValueError, match="beta: required a positive number"):
        estimators.get("tanh", beta=value)
