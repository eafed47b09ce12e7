"""RBNN's triangle: ApproxSign is one of them; two laws, one for weights and one for activations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.annealing import Moment
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.rbnn import Triangle

positive = st.floats(0.05, 20)
X = np.linspace(-2, 2, 401)


def annealed(name: str, moment: float | Moment) -> Triangle:
    curve = estimators.get(name).at(moment).surrogate
    assert isinstance(curve, Triangle)
    return curve


def test_height_1_and_steepness_sqrt_2_is_approxsign() -> None:
    triangle = Triangle(1.0, np.sqrt(2))
    np.testing.assert_allclose(triangle(X), PiecewiseQuadratic()(X), rtol=0, atol=1e-15)
    np.testing.assert_allclose(triangle.derivative(X), PiecewiseQuadratic().derivative(X), rtol=0, atol=2e-15)
    assert np.isclose(triangle.support, 1, rtol=1e-15)


@given(positive, positive)
def test_plateau_area_and_peak(k: float, t: float) -> None:
    """k sign(x) for abs(x) >= sqrt2/t, continuously; area 2k; peak k sqrt2 t, falling in a straight line."""
    curve, a = Triangle(k, t), np.sqrt(2) / t
    np.testing.assert_array_equal(curve(np.array([-3, -1.001, 1.001, 3]) * a), [-k, -k, k, k])
    np.testing.assert_allclose(curve(np.array([-1, 1]) * a * (1 - 1e-9)), [-k, k], rtol=1e-15)
    assert curve.area == 2 * k
    heights = curve.derivative(np.array([0, 0.25, 0.5, 0.75, 1, 2]) * a) / (k * np.sqrt(2) * t)
    np.testing.assert_allclose(heights, [1, 0.75, 0.5, 0.25, 0, 0], atol=1e-14)
    assert np.isclose(curve.peak * a, curve.area, rtol=1e-14), "half base times height is half the area"


@given(positive, positive)
def test_all_triangles_are_one(k: float, t: float) -> None:
    stretched = k * PiecewiseQuadratic()(X * t / np.sqrt(2))
    np.testing.assert_allclose(Triangle(k, t)(X), stretched, rtol=0, atol=1e-13 * k)


def test_law_for_weights() -> None:
    """t from 1e-2 to 1e1 evenly in decades, k = max(1/t, 1)."""
    for progress, t in [(0, 1e-2), (1 / 3, 1e-1), (2 / 3, 1), (1, 10)]:
        curve = annealed("rbnn", progress)
        assert np.isclose(curve.t, t, rtol=1e-13)
        assert np.isclose(curve.k, max(1 / t, 1), rtol=1e-13)


@given(st.floats(0, 1))
def test_law_for_activations(progress: float) -> None:
    """t = max(t, 1) and k = 1."""
    curve = annealed("rbnn-activation", progress)
    assert curve.k == 1
    assert curve.t == max(annealed("rbnn", progress).t, 1)


def test_by_epochs_the_clock_is_e_over_e() -> None:
    assert np.isclose(annealed("rbnn", Moment.of_epoch(999, 1000)).t, 10 * 10 ** (-3 / 1000), rtol=1e-12)


@pytest.mark.parametrize("name", ["rbnn", "rbnn-activation"])
@pytest.mark.parametrize("field", ["k", "t"])
def test_wrong_parameters_are_named(name: str, field: str) -> None:
    with pytest.raises(ValueError, match=f"{field}: required a positive number, got -2"):
        estimators.get(name, **{field: -2})
