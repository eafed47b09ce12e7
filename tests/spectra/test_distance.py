"""Distances to sign: the exact values of bireal.md 2.1 and 2.2, the interval values of bbc.md 2."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf

from bnn_ref import estimators
from bnn_ref.binarizer import Sign
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.dsq import SoftQuantizer
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.estimators.irnet import EDE
from bnn_ref.estimators.rbnn import Triangle
from bnn_ref.estimators.reste import PowerFunction
from bnn_ref.estimators.ste import HardTanh, Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.spectra import distance_to_sign

positive = st.floats(0.05, 20)


@pytest.mark.parametrize(
    ("curve", "l1", "l2_squared"), [(HardTanh(), 1, 2 / 3), (PiecewiseQuadratic(), 2 / 3, 2 / 5)]
)
@pytest.mark.parametrize("within", [math.inf, 1.0, 5.0])
def test_clip_and_approxsign(curve: Any, l1: float, l2_squared: float, within: float) -> None:
    found = distance_to_sign(curve, within)
    assert abs(found.l1 - l1) <= 1e-13
    assert abs(found.l2_squared - l2_squared) <= 1e-13
    assert found.within == within
    assert found.error <= 1e-12


@given(positive)
def test_steps_on_the_line(t: float) -> None:
    """bireal.md 2.2: 2 ln 2 / t for EDE, 2 sqrt2 / (3t) for RBNN, 2.22772 / beta for sign-Swish."""
    assert np.isclose(distance_to_sign(EDE(1.0, t)).l1, 2 * np.log(2) / t, rtol=1e-12)
    assert np.isclose(distance_to_sign(Triangle(1.0, t)).l1, 2 * np.sqrt(2) / (3 * t), rtol=1e-12)
    assert f"{distance_to_sign(SwishSign(t)).l1 * t:.5f}" == "2.22772"
    assert np.isclose(distance_to_sign(Tanh(t)).l2_squared, 2 * (2 * np.log(2) - 1) / t, rtol=1e-12)
    exact = (2 * np.pi**2 / 9 - 4 / 3) / t
    assert np.isclose(distance_to_sign(SwishSign(t)).l2_squared, exact, rtol=1e-12)


@pytest.mark.parametrize(("alpha", "l1"), [(0.1, "0.74662"), (0.2, "0.83757"), (0.4, "0.92691")])
def test_dsq(alpha: float, l1: str) -> None:
    assert f"{distance_to_sign(SoftQuantizer(alpha)).l1:.5f}" == l1


@pytest.mark.parametrize(
    ("curve", "l1"),
    [
        (Tanh(1.0), "1.13244"),
        (Tanh(3.0), "0.46045"),
        (Tanh(10.0), "0.13863"),
        (FourierSeries(1, np.pi / 2, None), "0.68614"),
        (FourierSeries(3, np.pi / 2, None), "0.32674"),
        (FourierSeries(9, np.pi / 2, None), "0.14074"),
        (EDE(1.0, 3.0), "0.46045"),
    ],
)
def test_on_the_interval_of_weights(curve: Any, l1: str) -> None:
    assert f"{distance_to_sign(curve, 1.0).l1:.5f}" == l1


@given(st.floats(1, 12), st.floats(1e-6, 0.5))
def test_reste_on_the_interval_of_weights(o: float, m: float) -> None:
    """2/(o+1) without the secant; the secant lies below the root by m^(1 + 1/o) (o/(o+1) - 1/2) a side."""
    found = distance_to_sign(PowerFunction(o, m), 1.0)
    exact = 2 / (o + 1) + 2 * m ** (1 + 1 / o) * (o / (o + 1) - 0.5)
    assert np.isclose(found.l1, exact, rtol=1e-12)


def test_a_root_of_2_is_as_far_as_approxsign() -> None:
    found = distance_to_sign(PowerFunction(2.0, 1e-9), 1.0)
    assert abs(found.l1 - distance_to_sign(PiecewiseQuadratic()).l1) <= 1e-12


@pytest.mark.parametrize(
    "subject",
    [
        "identity-ste",
        "fda",
        "reste",
        EDE(2.0, 1.0),
        Triangle(0.9),
        HardTanh(1.1),
        FourierSeries(5, 0.1, None),
    ],
)
def test_what_never_becomes_sign_is_infinitely_far(subject: Any) -> None:
    found = distance_to_sign(subject)
    assert (found.l1, found.l2_squared) == (math.inf, math.inf)
    near = distance_to_sign(subject, 1.0)
    assert 0 < near.l2_squared < math.inf


def test_a_slow_tail_may_have_one_distance_and_not_the_other() -> None:
    """1 - (2/pi) arctan x falls like 1/x: no area, but a square of 8 ln 2 / pi. x/(1+abs(x)): 2."""
    found = distance_to_sign(lambda x: 2 / np.pi * np.arctan(x), slope=lambda x: 2 / np.pi / (1 + x * x))
    assert found.l1 == math.inf
    assert abs(found.l2_squared - 8 * np.log(2) / np.pi) <= 1e-9
    found = distance_to_sign(lambda x: x / (1 + np.abs(x)), slope=lambda x: 1 / (1 + np.abs(x)) ** 2)
    assert found.l1 == math.inf
    assert abs(found.l2_squared - 2) <= 1e-9


def test_foreign_steps() -> None:
    """erf: 2 * integral of erfc = 2/sqrt(pi). A ramp from 0 to 1 is off by 1 on the whole negative line."""
    found = distance_to_sign(erf, slope=lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x))
    assert abs(found.l1 - 2 / np.sqrt(np.pi)) <= 1e-12
    ramp = {"slope": lambda x: (x > 0) & (x < 1), "kinks": (0.0, 1.0), "support": 1.0}
    assert distance_to_sign(lambda x: np.clip(x, 0, 1), **ramp).l1 == math.inf
    assert abs(distance_to_sign(lambda x: np.clip(x, 0, 1), 2.0, **ramp).l1 - 2.5) <= 1e-12


def test_sign_is_sign() -> None:
    assert distance_to_sign(Sign()).l1 == 0


@pytest.mark.parametrize("name", list(estimators.curves()))
def test_every_estimator_has_a_distance(name: str) -> None:
    whole, part = distance_to_sign(name), distance_to_sign(name, 1.0)
    assert 0 < part.l1 <= whole.l1
    assert 0 < part.l2_squared <= whole.l2_squared


@pytest.mark.parametrize("within", [0.0, -1.0, math.nan])
def test_widths_are_positive(within: float) -> None:
    with pytest.raises(ValueError, match="within: required a positive number"):
        distance_to_sign("tanh", within)
