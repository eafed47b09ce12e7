"""RBNN's triangle: ApproxSign is one of them; two laws, one for weights and one for activations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators, models, pack
from bnn_ref.annealing import Moment
from bnn_ref.auditing import audit_model
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.irnet import Centre, UnitSpread
from bnn_ref.estimators.rbnn import Triangle
from bnn_ref.layers import SoftmaxCrossEntropy

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


# Each image standardised


def test_each_image_is_standardised_by_its_own_mean_and_spread() -> None:
    """By a loop over images, with numpy's std of n - 1; sign and slope are taken there."""
    x, dy = np.random.default_rng(0).normal(0.7, 2, size=(2, 3, 4, 4, 2))
    b = estimators.get("rbnn-standardised", t=1.2, k=0.5)
    y, dx = b(x), b.backward(x, dy)
    for image, signs, g, got in zip(x, y, dy, dx, strict=True):
        spread = image.std(ddof=1)
        z = (image - image.mean()) / spread
        np.testing.assert_array_equal(signs, np.where(z >= 0, 1, -1))
        dz = 0.5 * np.maximum(1.2 * np.sqrt(2) - 1.44 * np.abs(z), 0) * g
        wanted = (dz - dz.mean() - z * (dz * z).sum() / (z.size - 1)) / spread
        np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-14)


def test_an_image_may_be_moved_and_stretched_and_does_not_see_the_others() -> None:
    rng = np.random.default_rng(0)
    b, x, dy = estimators.get("rbnn-standardised"), *rng.normal(size=(2, 3, 4, 4, 2))
    other = x * np.array([1, 3, 0.5]).reshape(3, 1, 1, 1) + np.array([0, 1, -2]).reshape(3, 1, 1, 1)
    np.testing.assert_array_equal(b(other), b(x))
    dx = b.backward(x, dy)
    np.testing.assert_allclose(dx.sum(axis=(1, 2, 3)), 0, atol=1e-13)
    np.testing.assert_allclose((dx * x).sum(axis=(1, 2, 3)), 0, atol=1e-13)
    assert np.abs(dx).min(axis=(1, 2, 3)).max() > 0
    np.testing.assert_allclose(b.backward(other, dy)[1], dx[1] / 3, rtol=1e-12)


def test_it_has_the_law_of_activations_and_trains_in_a_network_that_is_not_packed() -> None:
    for epoch in (0, 5, 9):
        moment = Moment.of_epoch(epoch, 10)
        surrogate = estimators.get("rbnn-standardised").at(moment).surrogate
        (curve,) = (part for part in surrogate.parts() if isinstance(part, Triangle))
        assert curve == annealed("rbnn-activation", moment)
    model = models.build("cnn", input_shape=(8, 8, 1), width=4, estimator="rbnn-standardised")
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 1)).astype(np.float32)
    report = audit_model(model, SoftmaxCrossEntropy(), images.astype(np.float64), np.arange(4))
    assert report.passed, str(report)
    apart = [model.eval()(images[i : i + 1])[0] for i in range(4)]
    np.testing.assert_allclose(model(images), apart, rtol=1e-6, atol=1e-6)
    with pytest.raises(ValueError, match=r"that eval mode computes as shift, .*sign, .*got Centre"):
        pack(model)


def test_slices_are_filters_or_images() -> None:
    assert not estimators.get("rbnn-standardised").reduces, "an activation: images do not mix"
    assert estimators.get("rbnn-weight").reduces
    for slices in (Centre, UnitSpread):
        with pytest.raises(ValueError, match=r"axis: required -1 \(filters\) or 0 \(images\), got 1"):
            slices(axis=1)
