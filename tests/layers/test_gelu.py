"""GELU: its slope has it as antiderivative, its value is an expectation, its claims are measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize

import bnn_ref
from bnn_ref.binarizer import Binarizer, Sign
from bnn_ref.layers import GELU
from bnn_ref.layers.gelu import GELUCurve


@given(a=st.floats(-6, 6), b=st.floats(-6, 6))
def test_it_is_the_antiderivative_of_its_slope(a: float, b: float) -> None:
    curve = GELUCurve()
    area, _ = integrate.quad(lambda t: float(curve.derivative(np.array(t))), a, b, epsabs=1e-12)
    ends = curve(np.array([a, b]))
    assert area == pytest.approx(ends[1] - ends[0], abs=1e-10)


def test_it_lets_x_pass_as_often_as_a_normal_number_is_smaller() -> None:
    """E[x 1(z < x)], by the empirical distribution of many quantiles."""
    z = np.sort(np.random.default_rng(0).normal(size=10**6))
    for x in (-2.0, -0.5, 0.0, 0.3, 1.7):
        expected = x * np.searchsorted(z, x) / len(z)
        assert float(GELU()(np.array(x))) == pytest.approx(expected, abs=3e-3)


def test_reflection() -> None:
    """x Phi(x) + x Phi(-x) = x, and far out it is relu."""
    x = np.linspace(-9, 9, 1001)
    curve = GELUCurve()
    np.testing.assert_allclose(curve(x) - curve(-x), x, atol=1e-14)
    np.testing.assert_allclose(curve(x + 20), x + 20, rtol=1e-15)
    np.testing.assert_allclose(curve(-x - 20), 0, atol=1e-15)


def test_it_turns_where_it_says() -> None:
    curve = GELUCurve()
    turn = optimize.brentq(lambda t: float(curve.derivative(np.array(t))), -2, 0)
    assert turn == pytest.approx(-0.7518, abs=5e-5)
    assert (np.diff(curve(np.linspace(-5, turn, 99))) < 0).all()
    assert (np.diff(curve(np.linspace(turn, 5, 99))) > 0).all()


def test_the_audit_passes_and_its_claims_hold() -> None:
    report = bnn_ref.audit(Binarizer(Sign(), GELUCurve()))
    assert report.passed, str(report)
    report = bnn_ref.audit_layer(GELU(), np.random.default_rng(0).normal(size=(40, 5)) * 3)
    assert report.passed, str(report)


def test_eval_mode_is_training_mode() -> None:
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_array_equal(GELU().eval()(x), GELU()(x))
