"""LAB: its scale minimises a weighted distance, and its weights are what Adam publishes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

import bnn_ref
from bnn_ref import data, estimators, models, train
from bnn_ref.estimators.lab import CurvatureScale
from bnn_ref.layers import Linear
from bnn_ref.optim import SGD, Adam
from bnn_ref.parameter import Curvature

RNG = np.random.default_rng(0)


def weighed(w: np.ndarray, d: np.ndarray) -> float:
    return float(CurvatureScale(Curvature(d))(w).item())


@given(st.floats(1e-3, 1e3), st.integers(0, 99))
def test_of_constant_curvature_it_is_the_mean_size(d: float, seed: int) -> None:
    w = np.random.default_rng(seed).normal(size=(3, 3, 2, 4))
    assert weighed(w, np.full(w.shape, d)) == pytest.approx(np.abs(w).mean())
    assert estimators.get("lab")(w) == pytest.approx(np.abs(w).mean() * np.sign(w))


@given(st.integers(0, 99))
def test_it_minimises_the_weighted_distance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    w, d = rng.normal(size=30), rng.exponential(size=30)
    best = optimize.minimize_scalar(lambda a: (d * np.square(w - a * np.sign(w))).sum())
    assert weighed(w, d) == pytest.approx(best.x, rel=1e-6)


def layer() -> Linear:
    return Linear(5, 3, rng=np.random.default_rng(0), bias=False, weight=estimators.get("lab"))


def test_adam_publishes_the_root_of_its_second_moment() -> None:
    """Two steps with gradients g1, g2: v = 0.001 (0.999 g1^2 + g2^2), and no correction for the start."""
    lab = layer()
    optimizer = Adam(lab.parameters(), 1e-3)
    grads = RNG.normal(size=(2, 5, 3)).astype(np.float32)
    for grad in grads:
        lab.latent.grad = grad
        optimizer.step()
    assert lab.latent.curvature is not None
    wanted = np.sqrt(0.001 * (0.999 * grads[0] ** 2 + grads[1] ** 2)) + 1e-8
    np.testing.assert_allclose(lab.latent.curvature.value, wanted, rtol=1e-5)
    d, w = wanted.astype(np.float64), lab.latent.value.astype(np.float64)
    scale = lab.deployed_weight()[1]
    assert float(scale[0]) == pytest.approx((d * np.abs(w)).sum() / d.sum(), rel=1e-5)


def test_an_optimizer_without_an_estimate_leaves_ones() -> None:
    lab = layer()
    lab.latent.grad = np.ones((5, 3), np.float32)
    SGD(lab.parameters(), 0.1).step()
    np.testing.assert_array_equal(lab.latent.curvature.value, np.ones((5, 3)))


def test_nobody_else_has_a_curvature() -> None:
    assert Linear(2, 2, rng=RNG, weight=estimators.get("ste")).latent.curvature is None
    assert Linear(2, 2, rng=RNG).latent.curvature is None


def test_the_curvature_trains_is_saved_and_packed() -> None:
    digits = data.load("digits").take(120, 40)
    model = models.build("cnn", input_shape=digits.shape, width=4, weight_estimator="lab")
    train.fit(model, digits, train.Config(epochs=1))
    curvature = {key: v for key, v in model.state_dict().items() if key.endswith("curvature")}
    assert len(curvature) == 3
    assert all((v > 0).all() and np.ptp(v) > 0 for v in curvature.values())
    x = train.evaluation.Preprocessing.fit(digits)(digits.test_images)
    np.testing.assert_array_equal(bnn_ref.pack(model)(x), model(x))


def test_the_curvature_is_no_parameter() -> None:
    """Nobody trains it: it is among the buffers, and follows the dtype of the model."""
    lab = layer()
    assert list(lab.named_parameters()) == ["latent"]
    assert list(lab.named_buffers()) == ["weight.curvature"]
    assert lab.astype(np.float64).state_dict()["weight.curvature"].dtype == np.float64


def test_the_gradient_passes_unchanged() -> None:
    w, dy = RNG.normal(size=(2, 7))
    np.testing.assert_array_equal(estimators.get("lab").backward(3 * w, dy), dy)


def test_a_weight_without_gradient_still_has_a_curvature() -> None:
    """sqrt(0) + 1e-8: where no weight has a gradient, the scale is the mean size, not 0 / 0."""
    lab = layer()
    lab.latent.grad = np.zeros((5, 3), np.float32)
    Adam(lab.parameters(), 1e-3).step()
    assert lab.latent.curvature is not None
    np.testing.assert_allclose(lab.latent.curvature.value, 1e-8)
    scale = lab.deployed_weight()[1]
    np.testing.assert_allclose(scale, np.abs(lab.latent.value).mean(), rtol=1e-5)
