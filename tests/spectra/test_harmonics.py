"""Sine coefficients on a period against direct integration of T, and the exact points of fda.md 2.5."""

from __future__ import annotations

import itertools

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from bnn_ref import estimators
from bnn_ref.binarizer import Curve, Sign
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.estimators.ste import Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.spectra import harmonic_errors, sine_coefficients, spectrum, square_wave


def by_integration(curve: Curve, period: float, k: int) -> float:
    """(2/P) * integral of T sin over the period, T itself, between kinks (QUADPACK)."""
    inside = sorted({0.0, period / 2, *(x for x in curve.kinks if 0 < x < period / 2)})
    wave = {"weight": "sin", "wvar": 2 * np.pi * k / period, "epsabs": 1e-13, "limit": 200}
    parts = [
        quad(lambda x: float(curve(np.array(x))), a, b, **wave)[0] for a, b in itertools.pairwise(inside)
    ]
    return 4 / period * sum(parts)


@pytest.mark.parametrize("name", [name for name, curve in estimators.curves().items() if curve.odd])
@pytest.mark.parametrize("period", [0.5, 2.0, 2 * np.pi, 25.0])
def test_equal_direct_integration_of_t(name: str, period: float) -> None:
    curve = estimators.get(name).surrogate
    assert isinstance(curve, Curve)
    found = sine_coefficients(name, period, 40)
    for k in (1, 2, 3, 8, 39, 40):
        assert abs(found[k - 1] - by_integration(curve, period, k)) <= 1e-10


@given(st.floats(0.1, 100))
def test_identity_becomes_a_sawtooth(period: float) -> None:
    k = np.arange(1, 21)
    expected = -((-1.0) ** k) * period / (np.pi * k)
    np.testing.assert_allclose(sine_coefficients("identity-ste", period, 20), expected, rtol=1e-12)


@given(st.integers(1, 25), st.floats(0.05, 5))
def test_fourier_series_errs_only_where_it_stops(n: int, omega: float) -> None:
    errors = harmonic_errors(FourierSeries(n, omega, window=None), 2 * np.pi / omega, 2 * n + 20)
    np.testing.assert_allclose(errors[: 2 * n], 0, atol=1e-11)
    np.testing.assert_allclose(errors[2 * n :], square_wave(2 * n + 20)[2 * n :], atol=1e-11)


def test_square_wave() -> None:
    np.testing.assert_allclose(square_wave(4), [4 / np.pi, 0, 4 / (3 * np.pi), 0], rtol=1e-15)


@given(st.floats(0.5, 20))
def test_at_even_harmonics_too_smooth_steps_err(beta: float) -> None:
    """Delta_k = 2/(pi k) (1 - H(k omega)) at every k, where T = 1 at P/2."""
    period = 100 / beta
    k = np.arange(1, 31)
    expected = 2 / (np.pi * k) * (1 - spectrum(Tanh(beta)).gain(2 * np.pi * k / period))
    np.testing.assert_allclose(harmonic_errors(Tanh(beta), period, 30), expected, atol=1e-12)


V_STAR = float(mp.findroot(lambda v: v**2 * mp.cosh(v) - mp.sinh(v) ** 2, 2.7))


def test_tanh_errs_most_where_fda_md_says() -> None:
    """beta = 20, omega = 1: k = 34.07, value 0.0117680; in general w = 2 beta v*/pi, v* = 2.676073965."""
    assert f"{V_STAR:.9f}" == "2.676073965"
    gain = spectrum(Tanh(20.0)).gain
    worst = minimize_scalar(
        lambda w: -2 / (np.pi * w) * (1 - float(gain(w))), bounds=(20, 50), options={"xatol": 1e-9}
    )
    assert abs(worst.x - 2 * 20 * V_STAR / np.pi) <= 1e-5
    assert f"{worst.x:.2f}" == "34.07"
    assert f"{-worst.fun:.7f}" == "0.0117680"
    errors = harmonic_errors(Tanh(20.0), 2 * np.pi, 200)
    assert np.argmax(errors) + 1 == 34
    assert (errors > 0).all()


def test_sign_swish_errs_not_at_all_where_fda_md_says() -> None:
    """beta = 20, omega = 1: zero at k = 17.04 = beta v*/pi; negative below, positive above."""
    zero = 20 * V_STAR / np.pi
    assert f"{zero:.2f}" == "17.04"
    assert abs(spectrum(SwishSign(20.0)).gain(zero) - 1) <= 1e-13
    errors = harmonic_errors(SwishSign(20.0), 2 * np.pi, 100)
    assert (errors[:17] < 0).all()
    assert (errors[17:] > 0).all()


def test_what_has_no_such_coefficients_is_refused() -> None:
    with pytest.raises(ValueError, match="required an odd T"):
        sine_coefficients(np.exp, 1.0, 3, slope=np.exp)
    with pytest.raises(ValueError, match="required T to be the integral of T'"):
        sine_coefficients(np.tanh, 20.0, 3, slope=lambda x: 1.01 / np.cosh(x) ** 2)
    with pytest.raises(ValueError, match="Sign: required an odd T"):
        sine_coefficients(Sign(), 1.0, 3)
    with pytest.raises(ValueError, match="period: required"):
        sine_coefficients("tanh", 0.0, 3)
