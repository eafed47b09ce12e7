"""Measures against closed forms of integrals and cases small enough to count."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.predictors.measures import MEASURES, error_to_sign, measure, saturation, unevenness, variance
from analysis.predictors.probe import Call
from bnn_ref.binarizer import Curve
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.reste import PowerFunction
from bnn_ref.estimators.ste import HardTanh, Identity, Tanh
from bnn_ref.estimators.swish import SwishSign


def of(curve: Curve, x: list[float], dy: list[float]) -> Call:
    at, back = np.array(x), np.array(dy)
    return Call(curve, at, back, curve.vjp(at, back))


@pytest.mark.parametrize(
    ("curve", "wanted"),
    [
        (HardTanh(), 1.0),
        (Identity(), 1.0),
        (PiecewiseQuadratic(), 2 / 3),
        *((Tanh(t), 2 * (1 - np.log(np.cosh(t)) / t)) for t in (1.0, 3.0, 10.0)),
        *((PowerFunction(o, 1e-9, 1.5), 2 / (o + 1)) for o in (2.0, 3.0)),
    ],
    ids=str,
)
def test_error_to_sign(curve: Curve, wanted: float) -> None:
    """bbc.md, section 2: closed forms of the integral, derived there."""
    assert error_to_sign(curve) == pytest.approx(wanted, abs=2e-4)


def test_counted_by_hand() -> None:
    call = of(HardTanh(), [-2.0, -0.5, 0.5, 3.0], [1.0, -1.0, 2.0, 5.0])
    assert saturation(call) == 0.5
    assert variance(call) == pytest.approx(np.var([0, -1, 2, 0]) / np.var([1, -1, 2, 5]))
    assert unevenness(call) == 0.5  # slopes 0 1 1 0: mean 1/2, mean square 1/2
    named = dict(zip(MEASURES, measure([call]), strict=True))
    assert named["mean slope"] == 0.5
    assert named["error on the sample"] == pytest.approx((0 + 0.5 + 0.5 + 0) / 4)


def test_calls_are_averaged_where_they_have_the_measure() -> None:
    first, silent = of(HardTanh(), [0.5, 2.0], [1.0, 3.0]), of(HardTanh(), [2.0, 3.0], [1.0, 1.0])
    named = dict(zip(MEASURES, measure([first, silent]), strict=True))
    assert named["saturation"] == 0.75
    assert named["unevenness"] == unevenness(first)  # no slope at all has no unevenness
    assert named["variance ratio"] == variance(first)  # nor has a constant gradient a variance


def test_unevenness_does_not_see_a_factor() -> None:
    x = [-0.9, -0.1, 0.2, 0.7]
    narrow = of(SwishSign(2.0), x, [1.0] * 4)
    wide = of(SwishSign(1.0), [2 * v for v in x], [1.0] * 4)
    assert unevenness(narrow) == pytest.approx(unevenness(wide))  # T(beta x): slopes twice as large
    assert variance(of(Identity(), x, x)) == pytest.approx(1)
