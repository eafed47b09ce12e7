"""FDA's truncated Fourier series: golden values, identities of fda.md 2.3, and what its window does."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from bnn_ref import estimators
from bnn_ref.estimators.fda import FourierSeries

terms, omega, angle = st.integers(1, 40), st.floats(0.02, 5), st.floats(-10, 10)

GOLDEN = [
    (10, 0.0, 0.0, 1.273239544735),
    (10, 0.25, 0.3139327112683, 1.220974289861),
    (10, 0.5, 0.6023750900754, 1.071840678065),
    (10, 0.75, 0.8435562650992, 0.8474943442635),
    (10, 1.0, 1.022499908758, 0.5798426421967),
    (10, 2.0, 1.11979923125, -0.2425112272549),
    (18, 0.0, 0.0, 2.291831180523),
    (18, 0.25, 0.5478109976407, 1.994933394654),
    (18, 0.5, 0.9587459647872, 1.240458107122),
    (18, 0.75, 1.157744664796, 0.3631116308497),
    (18, 1.0, 1.160116326791, -0.2821873410133),
    (18, 2.0, 0.9387766308472, 0.254324435884),
]


def series(n: int, w: float = 1.0) -> FourierSeries:
    return FourierSeries(n, w, window=None)


@pytest.mark.parametrize(("n", "t", "value", "slope"), GOLDEN)
def test_golden_values(n: int, t: float, value: float, slope: float) -> None:
    x = np.array([t, -t])
    np.testing.assert_allclose(series(n, 0.1)(x), [value, -value], rtol=0, atol=1e-12)
    np.testing.assert_allclose(series(n, 0.1).derivative(x), slope, rtol=0, atol=1e-12)
    if t <= 1:  # the default window is closed
        np.testing.assert_allclose(estimators.get("fda", terms=n).surrogate(x), [value, -value], atol=1e-12)
        np.testing.assert_allclose(estimators.get("fda", terms=n).backward(x, np.ones(2)), slope, atol=1e-12)


@given(terms, omega, angle)
def test_closed_form_of_the_slope(n: int, w: float, theta: float) -> None:
    """(2 w/pi) sin(2N w t) / sin(w t), at 40 digits."""
    t = theta / w
    with mp.workdps(40):
        u = mp.mpf(w) * mp.mpf(t)
        slope = 2 * w / mp.pi * (mp.sin(2 * n * u) / mp.sin(u) if mp.sin(u) else 2 * n * mp.cos(u))
    assert abs(series(n, w).derivative(np.array(t)) - float(slope)) <= 1e-12 * n * w


@given(
    n=st.sampled_from([1, 2, 10, 18, 100, 1000]),
    quarters=st.integers(-40, 40),
    aside=st.one_of(st.just(0.0), st.floats(-0.8, 0.8), st.floats(-1e-6, 1e-6)),
)
def test_the_recurrence_of_the_series(n: int, quarters: int, aside: float) -> None:
    """Term by term at 40 digits, at and around multiples of pi/2, where plain recurrences lose digits."""
    t = quarters * np.pi / 2 + aside
    with mp.workdps(40):
        exact = 4 / mp.pi * mp.fsum(mp.sin((2 * i + 1) * mp.mpf(t)) / (2 * i + 1) for i in range(n))
    eps = np.finfo(float).eps
    assert abs(series(n)(np.array(t)) - float(exact)) <= 16 * eps * (1 + n * abs(t))
    single = series(n)(np.array(t, np.float32))
    assert single.dtype == np.float32
    assert abs(single - series(n)(np.array(np.float32(t), float))) <= 2e-7


@given(st.integers(1, 12), st.floats(0, 3))
def test_the_series_is_the_integral_of_a_kernel(n: int, theta: float) -> None:
    """(2/pi) * integral of sin(2N u)/sin(u) from 0 to w t."""
    nodes, weights = np.polynomial.legendre.leggauss(120)
    u = theta * (nodes + 1) / 2
    kernel = np.sin(2 * n * u) / np.where(u > 0, np.sin(u), 1)
    assert abs(series(n)(np.array(theta)) - theta / np.pi * float(weights @ kernel)) <= 1e-12


@given(terms, omega, angle)
def test_symmetries(n: int, w: float, theta: float) -> None:
    curve, t, half = series(n, w), np.array(theta / w), np.pi / w
    close: dict[str, Any] = {"rtol": 0, "atol": 1e-11 * n * max(1.0, w)}
    np.testing.assert_allclose(curve(t + half), -curve(t), **close)
    np.testing.assert_allclose(curve(half - t), curve(t), **close)
    np.testing.assert_allclose(curve.derivative(t + half), -curve.derivative(t), **close)


@given(terms, omega)
def test_peak_and_zeros_of_the_slope(n: int, w: float) -> None:
    """4 w N/pi at 0; zeros at m pi/(2 N w), odd m maxima of the series."""
    curve = series(n, w)
    assert np.isclose(curve.derivative(np.array(0.0)), 4 * w * n / np.pi, rtol=1e-13)
    assert np.isclose(curve.peak, 4 * w * n / np.pi, rtol=1e-15)
    m = np.arange(1, 2 * n)
    zeros = m * np.pi / (2 * n * w)
    np.testing.assert_allclose(curve.derivative(zeros), 0, atol=1e-11 * n * w)
    around = curve(zeros[:, None] + np.array([-1e-3, 1e-3]) / (n * w))
    assert (np.where(m % 2, 1, -1)[:, None] * (curve(zeros)[:, None] - around) > 0).all()


@given(terms, omega, st.floats(0.01, 3.13))
def test_error_bound_and_tail_envelope(n: int, w: float, theta: float) -> None:
    t = np.array(theta / w)
    assert abs(1 - series(n, w)(t)) <= 4 / (np.pi * (2 * n + 1) * np.sin(theta)) + 1e-12
    assert abs(series(n, w).derivative(t)) <= 2 * w / (np.pi * np.sin(theta)) * (1 + 1e-9)


@given(terms, omega)
def test_energy_of_the_slope_and_value_at_a_quarter(n: int, w: float) -> None:
    """(1/T) * integral of slope^2 = 8 w^2 N/pi^2 grows with N; at T/4 the series of arctan 1."""
    t = np.arange(8 * n) * (2 * np.pi / w) / (8 * n)  # a mean over enough equidistant points is the integral
    assert np.isclose((series(n, w).derivative(t) ** 2).mean(), 8 * w**2 * n / np.pi**2, rtol=1e-11)
    leibniz = 4 / np.pi * sum((-1) ** i / (2 * i + 1) for i in range(n))
    assert np.isclose(series(n, w)(np.array(np.pi / (2 * w))), leibniz, rtol=1e-11)


def test_main_lobe_mass() -> None:
    assert f"{2 * float(series(2000)(np.array(np.pi / 4000))):.5f}" == "2.35796"


@pytest.mark.parametrize(("n", "plateau"), [(9, "0.9591"), (10, "1.0225"), (15, "1.1773"), (18, "1.1601")])
def test_plateau_of_the_default_window(n: int, plateau: str) -> None:
    curve = estimators.get("fda", terms=n).surrogate
    ends = np.array([-50.0, -1.5, 1.0, 1.5, 50.0])
    assert [f"{v:.4f}" for v in np.abs(curve(ends))] == [plateau] * 5
    np.testing.assert_array_equal(np.sign(curve(ends)), [-1, -1, 1, 1, 1])
    assert isinstance(curve, FourierSeries)
    assert curve.area is not None
    assert f"{curve.area / 2:.4f}" == plateau


@given(terms, omega, st.floats(0.1, 5))
def test_the_window_is_closed(n: int, w: float, c: float) -> None:
    """T = series(clip(x, -c, c)): the slope is kept at c itself and 0 beyond it."""
    curve, free = FourierSeries(n, w, c), series(n, w)
    edge = np.array([-c, c])
    np.testing.assert_array_equal(curve.derivative(edge), free.derivative(edge))
    np.testing.assert_array_equal(curve.derivative(np.nextafter(edge, 2 * edge)), 0)
    x = np.linspace(-2 * c, 2 * c, 41)
    np.testing.assert_allclose(curve(x), free(np.clip(x, -c, c)), rtol=0, atol=1e-13)


@pytest.mark.parametrize("n", range(1, 31))
def test_negative_lobes_at_omega_one_tenth_from_16_terms_on(n: int) -> None:
    curve = estimators.get("fda", terms=n).surrogate
    assert isinstance(curve, FourierSeries)
    lowest = curve.derivative(np.linspace(-1, 1, 20_001)).min()
    assert (lowest < 0) == (n >= 16)
    assert curve.monotone == (n < 16)


@pytest.mark.parametrize(
    ("n", "slope", "share"), [(16, "-0.037", "1.3"), (18, "-0.282", "9.6"), (19, "-0.390", "13.3")]
)
def test_how_negative_for_unit_normals(n: int, slope: str, share: str) -> None:
    """The slope at 1, and the per cent of unit normals inside the window that see a negative one."""
    curve = FourierSeries(n)
    assert f"{float(curve.derivative(np.array(1.0))):.3f}" == slope
    first_zero = np.pi / (2 * n * 0.1)
    assert curve.derivative(np.array(first_zero - 1e-6)) > 0 > curve.derivative(np.array(first_zero + 1e-6))
    inside = norm.cdf(1) - norm.cdf(-1)
    assert f"{100 * 2 * (norm.cdf(1) - norm.cdf(first_zero)) / inside:.1f}" == share


@pytest.mark.parametrize(("n", "gain"), [(9, "0.98"), (10, "1.05")])
def test_mean_slope_for_unit_normals_in_the_window(n: int, gain: str) -> None:
    """fda.md 1.4: about that of the plain estimator."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    density = norm.pdf(nodes)
    assert f"{weights @ (FourierSeries(n).derivative(nodes) * density) / (weights @ density):.2f}" == gain


@given(terms, omega)
def test_without_window_the_far_lobe_is_as_deep_as_the_peak(n: int, w: float) -> None:
    assert np.isclose(series(n, w).derivative(np.array(np.pi / w)), -4 * w * n / np.pi, rtol=1e-11)
    assert not series(n, w).monotone
    assert (series(n, w).support, series(n, w).area) == (np.inf, None)
    assert series(n, w).period == 2 * np.pi / w


@given(st.integers(1, 20))
def test_clipped_ste_is_a_limit(n: int) -> None:
    """N omega = pi/4, omega to 0, as many terms as you like."""
    curve = FourierSeries(n, 1e-6, 1.0)
    scale = np.pi / (4 * n * 1e-6)
    x = np.linspace(-1.5, 1.5, 31)
    np.testing.assert_allclose(scale * curve.derivative(x), np.abs(x) <= 1, atol=1e-8)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"terms": 0}, "terms: required a whole number >= 1, got 0"),
        ({"terms": 2.0}, "terms: required a whole number >= 1, got 2.0"),
        ({"terms": True}, "terms: required a whole number >= 1, got True"),
        ({"omega": 0.0}, "omega: required a positive number, got 0.0"),
        ({"window": -1.0}, "window: required a positive number or None, got -1.0"),
        ({"window": 0.0}, "window: required"),
    ],
)
def test_wrong_parameters_are_named(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimators.get("fda", **parameters)
