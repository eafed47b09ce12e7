"""Sign-Swish: the facts of proxconnect.md 3.6 and bireal.md 2.2."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar

from bnn_ref import estimators
from bnn_ref.estimators.swish import SwishSign

UNIT = SwishSign(1.0)
Z0 = float(mp.findroot(lambda z: z * mp.tanh(z / 2) - 2, 2.4))
beta, u = st.floats(0.05, 50), st.floats(-60, 60)


def value(x: float) -> float:
    return float(UNIT(np.array(x)))


def slope(x: float) -> float:
    return float(UNIT.derivative(np.array(x)))


@given(beta, u)
def test_primitive_and_logistic_form(b: float, z: float) -> None:
    """d/dx [x tanh(bx/2)] and 2 s (1 + bx (1 - s)) - 1, at 40 digits."""
    x = z / b
    with mp.workdps(40):
        primitive = mp.diff(lambda t: t * mp.tanh(b * t / 2), x)
        s = 1 / (1 + mp.exp(-mp.mpf(b) * x))
        logistic = 2 * s * (1 + b * x * (1 - s)) - 1
    found = float(SwishSign(b)(np.array(x)))
    assert abs(found - float(primitive)) <= 1e-13
    assert abs(found - float(logistic)) <= 1e-13


@given(beta, u)
def test_the_slope_as_larq_writes_it(b: float, z: float) -> None:
    """beta (2 - bx tanh(bx/2)) / (1 + cosh bx), at 40 digits."""
    x = z / b
    with mp.workdps(40):
        bx = mp.mpf(b) * mp.mpf(x)
        larq = float(b * (2 - bx * mp.tanh(bx / 2)) / (1 + mp.cosh(bx)))
    assert abs(SwishSign(b).derivative(np.array(x)) - larq) <= 1e-13 * b


def test_b2_zero_of_the_slope_and_peak() -> None:
    """z0 = 2.3993572805, root of z tanh(z/2) = 2; the peak is exactly z0/2 = 1.1996786."""
    assert f"{Z0:.10f}" == "2.3993572805"
    assert abs(brentq(slope, 2, 3, xtol=1e-14) - Z0) <= 1e-12
    assert abs(value(Z0) - Z0 / 2) <= 1e-14
    assert f"{value(Z0):.7f}" == "1.1996786"


@given(beta, st.floats(0, 40))
def test_sign_of_the_slope(b: float, z: float) -> None:
    if abs(z - Z0) > 1e-9:
        assert (SwishSign(b).derivative(np.array([z, -z]) / b) > 0).all() == (z < Z0)
        assert (SwishSign(b).derivative(np.array([z, -z]) / b) < 0).all() == (z > Z0)


def test_it_crosses_1_and_returns() -> None:
    assert f"{brentq(lambda x: value(x) - 1, 1, 2, xtol=1e-13):.7f}" == "1.2784645"
    assert value(60.0) == 1.0


def test_minimum_of_the_slope() -> None:
    found = minimize_scalar(slope, bounds=(2.5, 5), options={"xatol": 1e-10})
    assert f"{found.fun:.7f}" == "-0.0738287"
    assert f"{found.x:.5f}" == "3.43584"


def test_curvature() -> None:
    """max abs(T'') = 0.616363 at 1.03196: T'' as the third derivative of x tanh(x/2), and from the slope."""

    def bend(x: float) -> float:
        with mp.workdps(30):
            return float(mp.diff(lambda t: t * mp.tanh(t / 2), x, 3))

    found = minimize_scalar(bend, bounds=(0.3, 2), options={"xatol": 1e-9})
    assert f"{-found.fun:.6f}" == "0.616363"
    assert f"{found.x:.5f}" == "1.03196"
    h = 1e-4
    assert abs((slope(found.x + h) - slope(found.x - h)) / (2 * h) - found.fun) <= 1e-8


def test_b2_areas() -> None:
    """2 with its sign, 2.79871 without."""
    parts = [quad(slope, a, b, epsabs=1e-13)[0] for a, b in ((0, Z0), (Z0, 60))]
    assert abs(2 * sum(parts) - 2) <= 1e-12
    assert f"{2 * (parts[0] - parts[1]):.5f}" == "2.79871"


@given(st.floats(-0.05, 0.05))
def test_taylor_series(x: float) -> None:
    """x - x^3/6 + x^5/40 + ..."""
    assert abs(value(x) - (x - x**3 / 6 + x**5 / 40)) <= abs(x) ** 7 / 100 + 1e-16


@given(beta, u)
def test_b2_beta_only_scales(b: float, z: float) -> None:
    assert abs(SwishSign(b)(np.array(z / b)) - value(z)) <= 1e-13
    assert abs(SwishSign(b).derivative(np.array(z / b)) - b * slope(z)) <= 1e-13 * b
    assert SwishSign(b).derivative(np.array(0.0)) == b == SwishSign(b).peak


@given(beta, st.floats(1e-6, 1e3))
def test_b2_it_keeps_the_sign(b: float, x: float) -> None:
    assert (np.sign(SwishSign(b)(np.array([x, -x]))) == [1, -1]).all()


@given(beta, u)
def test_b2_odd_and_its_slope_even(b: float, z: float) -> None:
    x = np.array([z, -z]) / b
    assert SwishSign(b)(x[:1]) == -SwishSign(b)(x[1:])
    assert SwishSign(b).derivative(x[:1]) == SwishSign(b).derivative(x[1:])
    assert SwishSign(b)(np.zeros(1)) == 0


@pytest.mark.parametrize("x", [1e-3, 0.02, 1.0, 40.0])
def test_b2_it_tends_to_sign_at_every_point_but_not_uniformly(x: float) -> None:
    """At each w the distance to sign vanishes; its maximum over w stays 1, and at 0 the value stays 0."""
    sizes = np.array([1e2, 1e3, 1e5]) / x
    distance = [abs(float(SwishSign(b)(np.array(x))) - 1) for b in sizes]
    assert distance == sorted(distance, reverse=True)
    assert max(distance) <= 1e-12
    for b in sizes:
        assert abs(float(SwishSign(b)(np.array(1e-6 / b))) - 1) >= 0.999
        assert SwishSign(b)(np.zeros(1)) == 0


@given(beta, st.floats(12, 30))
def test_b2_how_it_approaches_1(b: float, z: float) -> None:
    """SS - 1 ~ 2 (bw - 1) exp(-bw), the next term smaller by exp(-bw)."""
    over = float(SwishSign(b)(np.array(z / b))) - 1
    assert abs(over - 2 * (z - 1) * np.exp(-z)) <= 10 * z * np.exp(-2 * z) + 4e-15


def test_b2_a_weight_far_out_is_frozen() -> None:
    """Where abs(w) is well above 2.4 / mu nothing moves it: at 40 / mu the slope is 1e-14 of its peak."""
    for b in (1.0, 5.0, 20.0):
        assert abs(SwishSign(b).derivative(np.array(40 / b))) <= 1e-14 * b


def test_at_the_default_a_weight_of_1_already_moves_backwards() -> None:
    assert f"{float(estimators.get('swish-sign').backward(np.ones(1), np.ones(1))[0]):.3f}" == "-0.195"


def test_bnn_pp_uses_it_both_ways_and_deploys_sign() -> None:
    x = np.linspace(-2, 2, 9)
    b = estimators.get("bnn++", beta=3.0)
    np.testing.assert_array_equal(b.forward(x), SwishSign(3.0)(x))
    np.testing.assert_array_equal(b.surrogate(x), SwishSign(3.0)(x))
    np.testing.assert_array_equal(b.deployed(x), np.where(x >= 0, 1, -1))
    np.testing.assert_array_equal(estimators.get("bnn+")(x), np.where(x >= 0, 1, -1))


@pytest.mark.parametrize(("progress", "steepness"), [(0.0, 2.0), (0.5, np.sqrt(40)), (1.0, 20.0)])
def test_bnn_pp_tightens_by_equal_factors(progress: float, steepness: float) -> None:
    b = estimators.get("bnn++").at(progress)
    for curve in (b.forward, b.surrogate):
        assert isinstance(curve, SwishSign)
        assert np.isclose(curve.beta, steepness, rtol=1e-14)


@pytest.mark.parametrize("name", ["swish-sign", "bnn++"])
def test_wrong_parameters_are_named(name: str) -> None:
    with pytest.raises(ValueError, match="beta: required a positive number, got 0"):
        estimators.get(name, beta=0)
