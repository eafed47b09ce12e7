"""DSQ's one-bit case: it reaches the clip exactly, lies between clip and sign, and alpha says where."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.estimators.dsq import SoftQuantizer
from bnn_ref.parameter import Parameter

alpha = st.floats(0.001, 0.999)


@given(alpha)
def test_it_reaches_1_at_the_clip_and_stays(a: float) -> None:
    curve = SoftQuantizer(a)
    np.testing.assert_allclose(curve(np.array([-1.0, 1.0])), [-1, 1], rtol=1e-13)
    np.testing.assert_array_equal(curve(np.array([-9.0, -1.001, 1.001, 9.0])), [-1, -1, 1, 1])


@given(alpha, st.floats(-1, 1))
def test_the_tanh_through_the_corner(a: float, x: float) -> None:
    """alpha is how far a tanh of the same steepness stays below 1 at the clip: tanh k = 1 - alpha."""
    with mp.workdps(30):
        k = mp.atanh(1 - mp.mpf(a))
        value, slope = mp.tanh(k * x) / (1 - mp.mpf(a)), k * mp.sech(k * x) ** 2 / (1 - mp.mpf(a))
    assert np.isclose(SoftQuantizer(a)(np.array(x)), float(value), rtol=1e-11, atol=1e-15)
    assert np.isclose(SoftQuantizer(a).derivative(np.array(x)), float(slope), rtol=1e-11)
    assert np.isclose(SoftQuantizer(a).peak, float(k / (1 - mp.mpf(a))), rtol=1e-11)


def test_clip_and_sign_are_its_limits() -> None:
    x = np.linspace(-1.5, 1.5, 30)  # no sample at 0
    clip = estimators.get("clipped-ste")
    np.testing.assert_allclose(SoftQuantizer(1 - 1e-7)(x), clip.surrogate(x), atol=1e-7)
    np.testing.assert_allclose(
        SoftQuantizer(1 - 1e-7).derivative(x), clip.backward(x, np.ones_like(x)), atol=1e-7
    )
    np.testing.assert_allclose(SoftQuantizer(1e-300)(x), np.sign(x), atol=1e-12)


@given(alpha, alpha, st.floats(0.01, 0.99))
def test_smaller_alpha_is_nearer_sign(a: float, b: float, x: float) -> None:
    low, high = sorted((a, b))
    assert SoftQuantizer(low)(np.array(x)) >= SoftQuantizer(high)(np.array(x)) - 1e-12
    assert x - 1e-12 <= SoftQuantizer(high)(np.array(x)) <= 1 + 1e-12


@given(alpha)
def test_the_slope_is_kept_at_the_clip_and_0_beyond(a: float) -> None:
    curve, edge = SoftQuantizer(a), np.array([-1.0, 1.0])
    assert (curve.derivative(edge) > 0).all()
    np.testing.assert_array_equal(curve.derivative(np.nextafter(edge, 2 * edge)), 0)


def test_binding_makes_alpha_a_parameter_only_where_it_is_learned() -> None:
    rng = np.random.default_rng(0)
    assert estimators.get("dsq").bind((4,), -1, rng).parameters() == []
    (learned,) = estimators.get("dsq", learn=True, alpha=0.3).bind((4,), -1, rng).parameters()
    assert isinstance(learned, Parameter)
    assert learned.name == "alpha"
    assert np.isclose(learned.value, 0.3)


def test_it_begins_one_fifth_below_the_clip() -> None:
    """The first alpha of a third-party port: 0.2, so k = log(9) / 2 = log 3."""
    curve = estimators.get("dsq").surrogate
    assert isinstance(curve, SoftQuantizer)
    assert curve.alpha == 0.2
    assert np.isclose(curve.peak * 0.8, np.log(3), rtol=1e-14)


@given(alpha, st.floats(-1.5, 1.5))
def test_the_slope_to_alpha_is_the_derivative(a: float, x: float) -> None:
    """Of the tanh through the corner, tanh(x atanh(1 - alpha)) / (1 - alpha), by mpmath; 0 outside."""
    bound = estimators.get("dsq", learn=True, alpha=a).bind((1,), -1, np.random.default_rng(0))
    (learned,) = bound.parameters()
    learned.value = np.asarray(a)
    bound.vjp(np.array([[x]]), np.ones((1, 1)))
    with mp.workdps(40):
        wanted = mp.diff(lambda b: mp.tanh(x * mp.atanh(1 - b)) / (1 - b), mp.mpf(a)) if abs(x) <= 1 else 0
    assert np.isclose(float(learned.grad), float(wanted), rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("value", [0.0, 1.0, -0.2, 2.0, np.nan])
def test_wrong_parameters_are_named(value: float) -> None:
    with pytest.raises(ValueError, match=r"alpha: required a number in \(0, 1\)"):
        estimators.get("dsq", alpha=value)
