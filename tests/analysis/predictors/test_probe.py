"""What a probe sees is what the training step does, and it leaves nothing behind."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.predictors.probe import OPERANDS, probe
from bnn_ref.autodiff import Tensor, backward
from bnn_ref.layers import SoftmaxCrossEntropy
from bnn_ref.models import Model, build
from bnn_ref.parameter import Array


@pytest.fixture
def case() -> tuple[Model, Array, Array]:
    rng = np.random.default_rng(0)
    model = build("cnn", input_shape=(8, 8, 1), classes=3, width=4, weight_estimator="ede", scale="channel")
    return model, rng.normal(size=(6, 8, 8, 1)).astype(np.float32), rng.integers(3, size=6)


def test_weights_receive_what_the_step_gives_them(case: tuple[Model, Array, Array]) -> None:
    model, images, labels = case
    calls = list(probe(model, images, labels, "weight"))
    model.train()
    backward(SoftmaxCrossEntropy()(model(Tensor(images)), labels))
    latent = [p for p in model.parameters() if p.latent]
    assert len(calls) == len(latent) == 3
    by_shape = {p.value.shape: p.grad for p in latent}
    for call in calls:
        # the gradient at the binarizer, behind the scale: all of what the latent weight receives
        np.testing.assert_array_equal(call.dx, by_shape[call.x.shape])


@pytest.mark.parametrize("operand", OPERANDS)
def test_dx_is_the_slope_times_dy(operand: str, case: tuple[Model, Array, Array]) -> None:
    model, images, labels = case
    for call in probe(model, images, labels, operand):
        step = 1e-6
        x = call.x.astype(np.float64)
        slope = (call.surrogate(x + step) - call.surrogate(x - step)) / (2 * step)
        away = np.min(np.abs(np.abs(x)[..., None] - np.array([0.0, 1.0])), axis=-1) > 2 * step
        np.testing.assert_allclose(call.dx[away], (slope * call.dy)[away], rtol=1e-4, atol=1e-7)


def test_the_model_is_left_as_it_is(case: tuple[Model, Array, Array]) -> None:
    model, images, labels = case
    before = {key: value.copy() for key, value in model.state_dict().items()}
    list(probe(model, images, labels, "activation"))
    assert all(p.grad is None for p in model.parameters())
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[key])
