"""What is exactly true of the square wave's series, of its slope, and of the steps it is compared with.

Integrals are Gauss's rule on cells between kinks: it knows T and T' alone, no closed form.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.estimators.ste import Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.parameter import Array
from bnn_ref.spectra import energy_error, harmonic_errors, quadrature_gain

terms, omega, angle = st.integers(1, 40), st.floats(0.02, 5), st.floats(-10, 10)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)


def series(n: int, w: float = 1.0) -> FourierSeries:
    return FourierSeries(n, w, window=None)


def gauss(f: Callable[[Array], Array], *edges: float, cells: int = 40) -> float:
    """The integral of f from the first edge to the last, `cells` cells between each two."""
    total = 0.0
    for a, b in itertools.pairwise(edges):
        ends = np.linspace(a, b, cells + 1)
        half = np.diff(ends)[:, None] / 2
        x = ends[:-1, None] + half * (1 + NODES)
        total += float((half * WEIGHTS * f(x.ravel()).reshape(x.shape)).sum())
    return total


# --- the slope ---------------------------------------------------------------------------------------------


@given(terms, omega, angle)
def test_the_slope_is_a_sum_of_cosines(n: int, w: float, theta: float) -> None:
    """4 w/pi sum_i cos((2i+1) w t), one at a time."""
    t = theta / w
    cosines = math.fsum(math.cos((2 * i + 1) * w * t) for i in range(n))
    assert abs(series(n, w).derivative(np.array(t)) - 4 * w / np.pi * cosines) <= 1e-12 * n * n * w


@given(terms, omega, angle)
def test_the_slope_is_that_of_the_series(n: int, w: float, theta: float) -> None:
    """By a central difference."""
    curve, t, h = series(n, w), theta / w, 1e-4 / (n * w)
    rise = curve(np.array(t + h)) - curve(np.array(t - h))
    assert abs(rise / (2 * h) - curve.derivative(np.array(t))) <= 1e-8 * n * w


@given(terms, omega, angle)
def test_the_series_is_odd_and_its_slope_even(n: int, w: float, theta: float) -> None:
    curve, t = series(n, w), np.array(theta / w)
    assert curve(-t) == -curve(t)
    assert curve.derivative(-t) == curve.derivative(t)


@given(terms, omega, angle, st.floats(-1, 1))
def test_lipschitz(n: int, w: float, theta: float, apart: float) -> None:
    """abs(T') <= 4 w N/pi, abs(T'') <= 4 w^2 N^2/pi: of any two points, near or far."""
    curve, pair = series(n, w), np.array([theta, theta + apart]) / w
    way = abs(float(np.diff(pair)[0]))
    rounding = 1e-11 * n * n * max(1.0, w)
    assert abs(np.diff(curve(pair))[0]) <= 4 * w * n / np.pi * way + rounding
    assert abs(np.diff(curve.derivative(pair))[0]) <= 4 * w**2 * n**2 / np.pi * way + rounding


@given(terms, omega)
def test_the_slope_is_steepest_at_the_jumps_alone_and_has_no_other_zeros(n: int, w: float) -> None:
    """Strictly below 4 w N/pi elsewhere; its sign changes 2N - 1 times between 0 and T/2."""
    inner = (np.arange(64 * n) + 0.37) * np.pi / (64 * n)  # off every zero
    slope = series(n, w).derivative(inner / w)
    assert (np.abs(slope) < 4 * w * n / np.pi).all()
    assert (np.diff(np.sign(slope)) != 0).sum() == 2 * n - 1


@given(terms, omega, st.floats(0.01, 8))
def test_the_mass_of_the_slope(n: int, w: float, c: float) -> None:
    """From -c to c it is 2 T(c)."""
    curve, end = series(n, w), c / w
    cells = 4 + int(n * c)
    assert abs(gauss(curve.derivative, -end, end, cells=cells) - 2 * curve(np.array(end))) <= 1e-11


@given(terms, omega, st.data())
def test_the_tail_reaches_its_envelope_whatever_n(n: int, w: float, data: st.DataObject) -> None:
    """2 w/(pi abs(sin w t)) wherever sin(2N w t) is 1 or -1: more terms oscillate faster, not lower."""
    u = (2 * data.draw(st.integers(0, 2 * n - 1)) + 1) * np.pi / (4 * n)
    envelope = 2 * w / (np.pi * np.sin(u))
    assert np.isclose(np.abs(series(n, w).derivative(np.array(u / w))), envelope, rtol=1e-10)


@given(st.integers(1, 300))
def test_the_value_at_a_quarter_tends_to_1(n: int) -> None:
    """Leibniz: off by (-1)^(N-1)/(pi N), to third order in 1/N."""
    off = float(series(n)(np.array(np.pi / 2))) - 1
    assert abs(off * (-1) ** (n - 1) * np.pi * n - 1) <= 1 / (4 * n * n) + 1e-12


# --- mean square error -------------------------------------------------------------------------------------


@given(terms, omega)
def test_the_mean_square_error_by_quadrature_and_half_of_it_at_each_jump(n: int, w: float) -> None:
    """(1/T) * integral of (s - T)^2, whatever omega; T/4 is half way between the jumps."""
    curve, quarter = series(n, w), np.pi / (2 * w)
    at_0, at_half = (gauss(lambda t: (1 - curve(t)) ** 2, a, a + quarter, cells=n + 2) for a in (0, quarter))
    found = energy_error(curve, 4 * quarter).value
    assert np.isclose(at_0 + at_half, found * 2 * quarter, rtol=1e-10)
    assert np.isclose(at_0, at_half, rtol=1e-10)


@given(st.integers(1, 12), omega, st.data())
def test_the_series_is_the_best_of_its_degree(n: int, w: float, data: st.DataObject) -> None:
    """Another polynomial of degree <= 2N costs its own mean square more: the series is a projection."""
    sines, cosines = (np.array(data.draw(st.lists(st.floats(-1, 1), min_size=2 * n + 1, max_size=2 * n + 1)))
                      for _ in range(2))  # fmt: skip
    k = np.arange(2 * n + 1)

    def other(t: Array) -> Array:
        return np.sin(w * np.outer(t, k)) @ sines + np.cos(w * np.outer(t, k)) @ cosines

    def error(t: Array) -> Array:
        return (np.where(t > 0, 1, -1) - series(n, w)(t) - other(t)) ** 2

    half = np.pi / w
    found = gauss(error, -half, 0, half, cells=2 * n + 4) / (2 * half)
    own = cosines[0] ** 2 + ((sines**2 + cosines**2)[1:]).sum() / 2
    assert np.isclose(found, energy_error(series(n, w), 2 * half).value + own, rtol=1e-9, atol=1e-12)


# --- beside the clipped straight-through estimator ---------------------------------------------------------


def test_where_the_slope_at_0_is_that_of_the_clipped_ste() -> None:
    """N omega = pi/4: omega = 0.0785 at 10 terms; 7.85 terms at omega = 0.1."""
    at_0 = np.zeros(1)
    assert FourierSeries(10, 0.0785).derivative(at_0) < 1 < FourierSeries(10, 0.0786).derivative(at_0)
    per_term = FourierSeries(1, 0.1).derivative(at_0)[0]
    assert f"{1 / per_term:.2f}" == "7.85"
    assert np.isclose(FourierSeries(8, 0.1).derivative(at_0)[0], 8 * per_term, rtol=1e-12)


@given(terms, st.floats(1e-3, 0.7), st.floats(0.2, 2))
def test_no_member_of_the_family_is_the_clipped_ste(n: int, w: float, c: float) -> None:
    """Its slope falls from the middle of the window on, by more than the first cosine does alone."""
    slope = FourierSeries(n, w, c).derivative(np.array([0.0, c]))
    assert slope[1] <= slope[0] * (1 - (w * c) ** 2 / 2 + (w * c) ** 4 / 24) * (1 + 1e-12)


@given(terms, omega, st.floats(0.1, 5), st.floats(-3, 3))
def test_the_windowed_slope_is_that_of_the_series_at_the_clipped_input(
    n: int, w: float, c: float, share: float
) -> None:
    """0 beyond c; elsewhere the central difference of T, away from the corners."""
    curve, t, h = FourierSeries(n, w, c), share * c, 1e-4 / (n * w)
    if abs(t) > c:
        assert curve.derivative(np.array(t)) == 0
    if abs(abs(t) - c) > 2 * h:
        clipped = np.clip([t - h, t + h], -c, c)
        rise = float(np.diff(series(n, w)(clipped))[0])
        assert abs(rise / (2 * h) - curve.derivative(np.array(t))) <= 3e-8 * n * w


# --- the table of sine-coefficient errors ------------------------------------------------------------------


def off_by(curve: Callable[[Array], Array], k: int, period: float, *inner: float) -> float:
    """(2 w/pi) * integral over half a period of (1 - T) sin(k w t), w = 2 pi/period."""
    w = 2 * np.pi / period
    edges = (0.0, *(x for x in inner if x < period / 2), period / 2)
    return 2 * w / np.pi * gauss(lambda t: (1 - curve(t)) * np.sin(k * w * t), *edges, cells=30 + k)


def swish(v: float) -> float:
    """G - v (1/sinh v - v cosh v/sinh^2 v), G = v/sinh v."""
    return v / np.sinh(v) - v * (1 / np.sinh(v) - v * np.cosh(v) / np.sinh(v) ** 2)


@given(st.integers(1, 40), st.floats(0.2, 3), st.floats(1, 20))
def test_clip(k: int, c: float, spare: float) -> None:
    """(2/(pi k)) (1 - sin(wc)/(wc)), in all 2c/(3T); not 0 for any k."""

    def clip(t: Array) -> Array:
        return np.clip(t / c, -1, 1)

    period = 2 * c + spare
    w = 2 * np.pi * k / period
    printed = 2 / (np.pi * k) * (1 - np.sin(w * c) / (w * c))
    assert printed > 0
    assert abs(off_by(clip, k, period, c) - printed) <= 1e-12
    hints: Any = {"slope": lambda t: (np.abs(t) <= c) / c, "kinks": (-c, c), "support": c}
    assert abs(harmonic_errors(clip, period, k, **hints)[-1] - printed) <= 1e-11
    assert np.isclose(2 * gauss(lambda t: (1 - clip(t)) ** 2, 0, c), 2 * c / 3, rtol=1e-12)
    assert np.isclose(energy_error(clip, period, **hints).value, 2 * c / (3 * period), rtol=1e-11)


@given(st.integers(1, 40), st.floats(2.1, 30))
def test_piecewise_quadratic(k: int, period: float) -> None:
    """(2/(pi k)) (1 - 2 (1 - cos w)/w^2), in all 2/(5T)."""
    curve, w = PiecewiseQuadratic(), 2 * np.pi * k / period
    printed = 2 / (np.pi * k) * (1 - 2 * (1 - np.cos(w)) / w**2)
    assert abs(off_by(curve, k, period, 1.0) - printed) <= 1e-11
    assert abs(harmonic_errors(curve, period, k)[-1] - printed) <= 1e-11
    assert np.isclose(2 * gauss(lambda t: (1 - curve(t)) ** 2, 0, 1), 2 / 5, rtol=1e-12)
    assert np.isclose(energy_error(curve, period).value, 2 / (5 * period), rtol=1e-12)


@given(st.integers(1, 40), st.floats(1, 50), st.floats(80, 400))
def test_steps_without_an_end(k: int, beta: float, widths: float) -> None:
    """tanh(beta t): 1 - v/sinh v, v = pi w/(2 beta), in all 2 (2 ln 2 - 1)/(beta T); sign-Swish beside it."""
    period = widths / beta
    w = 2 * np.pi * k / period
    steps = (
        (Tanh(beta), np.pi * w / (2 * beta), lambda v: v / np.sinh(v), 2 * (2 * np.log(2) - 1)),
        (SwishSign(beta), np.pi * w / beta, swish, 2 * np.pi**2 / 9 - 4 / 3),
    )
    for curve, v, h, total in steps:
        printed = 2 / (np.pi * k) * (1 - h(v))
        assert abs(off_by(curve, k, period, 3 / beta, 30 / beta) - printed) <= 1e-10
        assert abs(harmonic_errors(curve, period, k)[-1] - printed) <= 1e-10
        assert np.isclose(energy_error(curve, period).value, total / (beta * period), rtol=1e-10)
        squares = gauss(lambda t, f=curve: (1 - f(t)) ** 2, 0, 3 / beta, 30 / beta)
        assert np.isclose(2 * squares, total / beta, rtol=1e-10)


def test_the_constant_of_the_swish() -> None:
    assert f"{2 * np.pi**2 / 9 - 4 / 3:.9f}" == "0.859912089"


V = 2.676073965
"""v of v^2 cosh v = sinh^2 v."""


@given(st.floats(0.5, 60))
def test_exact_points_for_every_steepness(beta: float) -> None:
    """tanh errs most at w = 2 beta V/pi; sign-Swish has too much below w = beta V/pi, too little above."""
    near = np.array([0.99, 1.0, 1.01])
    w = 2 * beta * V / np.pi * near
    errors = (1 - quadrature_gain(Tanh(beta), w)[0]) / w
    assert errors.argmax() == 1
    below, at, above = 1 - quadrature_gain(SwishSign(beta), beta * V / np.pi * near)[0]
    assert below < -1e-3 < 1e-3 < above
    assert abs(at) <= 1e-8


@pytest.mark.parametrize("beta", [1.0, 20.0])
def test_the_peak_of_the_swish(beta: float) -> None:
    """1.19967864 at beta t = 2.39935728: the slope changes sign within a unit of the last digit."""
    at = np.array([2.39935728, 2.39935729]) / beta
    slope = SwishSign(beta).derivative(at)
    assert slope[0] > 0 > slope[1]
    assert f"{float(SwishSign(beta)(at[:1])[0]):.8f}" == "1.19967864"
