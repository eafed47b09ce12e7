"""The mean square error on a period: the table of fda.md 2.2, closed form = quadrature = Parseval."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.binarizer import Curve
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.estimators.ste import HardTanh, Identity, Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.spectra import energy_error, parseval

TABLE = [
    (1, "0.189430531", "81.05695"),
    (2, "0.0993672565", "90.06327"),
    (3, "0.0669444777", "93.30555"),
    (5, "0.0403952132", "95.96048"),
    (9, "0.0224927533", "97.75072"),
    (10, "0.0202474085", "97.97526"),
    (15, "0.0135044954", "98.64955"),
    (18, "0.0112550169", "98.87450"),
    (19, "0.0106629281", "98.93371"),
    (20, "0.0101300093", "98.98700"),
    (21, "0.00964781454", "99.03522"),
    (50, "0.00405271227", "99.59473"),
    (100, "0.00202640679", "99.79736"),
]


def printed(value: float, like: str) -> str:
    return f"{value:.{len(like.split('.')[1])}f}"


def series(n: int, omega: float = 1.0) -> FourierSeries:
    return FourierSeries(n, omega, window=None)


def quadrature(curve: Curve, period: float) -> float:
    """The same curve as a stranger: no closed form can be looked up."""
    found = energy_error(lambda x: curve(x), period, slope=curve.derivative, kinks=curve.kinks)
    assert found.method == "quadrature"
    assert found.error <= 1e-11
    return found.value


@pytest.mark.parametrize(("n", "mse", "captured"), TABLE)
def test_printed_table(n: int, mse: str, captured: str) -> None:
    found = energy_error(series(n), 2 * np.pi)
    assert found.method == "closed form"
    assert printed(found.value, mse) == mse
    assert printed(100 * (1 - found.value), captured) == captured
    assert abs(quadrature(series(n), 2 * np.pi) - found.value) <= 1e-12
    assert abs(parseval(series(n), 2 * np.pi, 2 * n) - found.value) <= 1e-12


@given(st.integers(1, 500), st.floats(0.01, 10))
def test_trigamma_bounds_and_sum(n: int, omega: float) -> None:
    found = energy_error(series(n, omega), 2 * np.pi / omega)
    assert found.method == "closed form"
    assert 2 / (np.pi**2 * n) * (1 - 1 / (12 * n * n)) < found.value < 2 / (np.pi**2 * n)
    energies = 8 / np.pi**2 / (2 * np.arange(n) + 1.0) ** 2
    assert abs(found.value - (1 - energies.sum())) <= 1e-13


def test_half_of_it_belongs_to_each_jump() -> None:
    """fda.md 2.2: the error on (-P/4, P/4) is half the error on the period."""
    near_0 = energy_error(series(20), np.pi).value / 2
    assert abs(near_0 - energy_error(series(20), 2 * np.pi).value / 2) <= 1e-13
    assert f"{near_0:.6f}" == "0.005065"


@given(st.floats(2, 100))
def test_supported_ones_in_closed_form(period: float) -> None:
    for curve in (HardTanh(), PiecewiseQuadratic()):
        found = energy_error(curve, period)
        assert found.method == "closed form"
        assert abs(found.value - quadrature(curve, period)) <= 1e-13


@given(st.floats(0.5, 50), st.floats(90, 1000))
def test_smooth_steps_in_closed_form(beta: float, radians: float) -> None:
    for curve in (Tanh(beta), SwishSign(beta)):
        found = energy_error(curve, 1.0001 * radians / beta)
        assert found.method == "closed form"
        assert abs(found.value - quadrature(curve, 1.0001 * radians / beta)) <= 1e-13


@pytest.mark.parametrize(
    ("curve", "mse"),
    [
        (Tanh(20.0), "0.006148"),
        (SwishSign(20.0), "0.006843"),
        (HardTanh(), "0.106103"),
        (PiecewiseQuadratic(), "0.063662"),
        (series(20), "0.010130"),
    ],
)
def test_fda_md_compares_them_on_2_pi(curve: Curve, mse: str) -> None:
    assert printed(energy_error(curve, 2 * np.pi).value, mse) == mse


def test_another_clip_is_not_the_clip_at_1() -> None:
    """(2/P) * (integral of (1 - x)^2 over (0, 3/2) + (1/2)^2 times the rest) at P = 4."""
    found = energy_error(HardTanh(1.5), 4.0)
    assert abs(found.value - ((1 + 0.5**3) / 3 + 0.25 * 0.5) / 2) <= 1e-14


@pytest.mark.parametrize("curve", [HardTanh(), PiecewiseQuadratic(), Tanh(20.0), SwishSign(20.0), series(3)])
def test_closed_forms_are_not_used_where_they_do_not_hold(curve: Curve) -> None:
    found = energy_error(curve, 1.7)
    assert found.method == "quadrature"
    assert abs(found.value - parseval(curve, 1.7, 400)) <= 1e-6


@pytest.mark.parametrize("name", [name for name, curve in estimators.curves().items() if curve.odd])
@pytest.mark.parametrize("period", [1.5, 2 * np.pi, 30.0])
def test_parseval(name: str, period: float) -> None:
    """Equal but for the H of the harmonics left out: below 2e-6 from 400 on, for each of them."""
    assert abs(parseval(name, period, 400) - energy_error(name, period).value) <= 2e-6


@given(st.floats(0.1, 10))
def test_identity_by_hand(period: float) -> None:
    """(2/P) * integral of (1 - x)^2 over (0, P/2)."""
    h = period / 2
    assert np.isclose(energy_error(Identity(), period).value, (1 - (1 - h) ** 3) / (3 * h), rtol=1e-12)


def test_t_need_not_be_odd() -> None:
    """T = 1: off by 2 on the negative half."""
    found = energy_error(np.ones_like, 3.0, slope=np.zeros_like)
    assert abs(found.value - 2) <= 1e-14


@pytest.mark.parametrize("count", [0, 1, 7])
def test_counts(count: int) -> None:
    with pytest.raises(ValueError, match="count: required an even number >= 2"):
        parseval("tanh", 1.0, count)


@pytest.mark.parametrize("function", [energy_error, lambda s, p: parseval(s, p, 2)])
def test_periods(function: Any) -> None:
    with pytest.raises(ValueError, match="period: required a positive number"):
        function("tanh", -1.0)
