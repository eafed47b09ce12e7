"""Level 3: flips and a smoothed loss, where their gradients are known or can be found otherwise."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bnn_ref import estimators, models
from bnn_ref.auditing import Site, agreement
from bnn_ref.auditing.fidelity import OPERANDS
from bnn_ref.layers import CHANNEL_SCALE, Layer, Linear, Sequential, SoftmaxCrossEntropy
from bnn_ref.models import Model
from bnn_ref.parameter import Array
from bnn_ref.train import carry_over


class Plain(Layer):
    """sum(y * target): with it a layer is linear in each of its operands."""

    def forward(self, y: Array, target: Array) -> tuple[Array, Any]:
        return np.asarray((y * target).sum()), target

    def backward(self, dy: Array, cache: Any) -> tuple[Array, None]:
        return dy * cache, None


@pytest.fixture
def product() -> Linear:
    signs = estimators.get("clipped-ste")
    return Linear(5, 4, rng=np.random.default_rng(1), bias=False, activation=signs, weight=signs)


@pytest.fixture
def batch() -> tuple[Array, Array]:
    rng = np.random.default_rng(2)
    return rng.normal(size=(6, 5)), rng.normal(size=(6, 4))


def small(estimator: str = "approxsign") -> Model:
    """Two binary convolutions behind one another, with batch norms and shortcuts."""
    options = {"input_shape": (4, 4, 1), "classes": 3, "width": 2, "blocks": (2,), "seed": 5}
    return models.build("bireal-20", estimator=estimator, weight_estimator="bnn-weight", **options)


@pytest.fixture
def images() -> tuple[Array, Array]:
    rng = np.random.default_rng(4)
    return rng.normal(size=(4, 4, 4, 1)).astype(np.float32), rng.integers(3, size=4)


FIRST, SECOND = "body.parts.0.branch.parts.0", "body.parts.1.branch.parts.0"


@pytest.mark.parametrize("operand", OPERANDS)
def test_on_a_linear_loss_flips_and_gradient_are_one(
    operand: str, product: Linear, batch: tuple[Array, Array]
) -> None:
    site = Site(Sequential(product), Plain(), *batch, "parts.0", operand)
    x, signs, target = batch[0], np.where(product.latent.value >= 0, 1.0, -1.0), batch[1]
    by_hand = target @ signs.T if operand == "activation" else np.where(x >= 0, 1.0, -1.0).T @ target
    of_signs, of_z = site.gradients()
    np.testing.assert_allclose(of_signs, by_hand, rtol=1e-12)
    np.testing.assert_allclose(site.flips(), by_hand, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(of_z, by_hand * (np.abs(site.z) <= 1), rtol=1e-12)


@pytest.mark.parametrize("operand", OPERANDS)
def test_the_smoothed_gradient_is_the_density_of_the_noise_there(
    operand: str, product: Linear, batch: tuple[Array, Array]
) -> None:
    """E[sign(z + sigma e)] = 2 Phi(z / sigma) - 1, so a linear loss has 2 density(z) times its slope."""
    site = Site(Sequential(product), Plain(), *batch, "parts.0", operand)
    draws = site.smoothed(0.7, 4000, np.random.default_rng(0))
    wanted = site.gradients()[0] * 2 * stats.norm.pdf(site.z, scale=0.7)
    error = draws.std(axis=0) / np.sqrt(len(draws))
    assert np.abs((draws.mean(axis=0) - wanted) / error).max() < 4.5
    assert agreement(wanted, draws).low > 0.95


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_a_flipped_weight_is_that_of_another_network(name: str, images: tuple[Array, Array]) -> None:
    """The sign of a latent weight turned round in the network itself, in float64 and training mode."""
    model, loss = small(), SoftmaxCrossEntropy()
    site = Site(model, loss, *images, name, "weight")
    other = copy.deepcopy(model).astype(np.float64).train()
    latent: Any = dict(other.layers())[name]

    def loss_now() -> float:
        return float(loss.forward(other.forward(images[0].astype(np.float64))[0], images[1])[0])

    plain, found, wanted = loss_now(), site.flips(), np.zeros(site.z.shape)
    for i in np.ndindex(site.z.shape):
        sign = np.sign(latent.latent.value[i])
        latent.latent.value[i] *= -1
        wanted[i] = sign * (plain - loss_now()) / 2
        latent.latent.value[i] *= -1
    assert np.abs(wanted).max() > 1e-3
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12)


def test_a_network_is_left_as_it_was(images: tuple[Array, Array]) -> None:
    model = small().eval()
    before = model.state_dict()
    site = Site(model, SoftmaxCrossEntropy(), *images, FIRST, "activation")
    plain = site.loss()
    site.flips()
    site.smoothed(0.5, 2, np.random.default_rng(0))
    assert site.loss() == plain
    assert not model.training
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_estimators_stand_in_for_one_another(images: tuple[Array, Array]) -> None:
    """Of the last signs the gradients are the same: no estimator is behind them; in front of them, T' is."""
    model = small()
    twin = small("clipped-ste")
    carry_over(model, twin)
    last, first = (Site(model, SoftmaxCrossEntropy(), *images, n, "activation") for n in (SECOND, FIRST))
    own, others = last.gradients(), last.gradients(twin)
    np.testing.assert_allclose(own[0], others[0], rtol=1e-12)
    inside = (np.abs(last.z) < 1) & (others[1] != 0)
    ratio = own[1][inside] / others[1][inside]
    np.testing.assert_allclose(ratio, 2 - 2 * np.abs(last.z[inside]), rtol=1e-9)
    assert not np.allclose(first.gradients()[0], first.gradients(twin)[0], rtol=1e-3)


def test_what_cannot_be_flipped_is_refused(product: Linear, batch: tuple[Array, Array]) -> None:
    net = Sequential(product)
    rng, signs = np.random.default_rng(0), estimators.get("clipped-ste")
    scaled = Linear(5, 4, rng=rng, bias=False, weight=signs, scale=CHANNEL_SCALE)
    with pytest.raises(ValueError, match="operand: required one of activation, weight, got 'bias'"):
        Site(net, Plain(), *batch, "parts.0", "bias")
    with pytest.raises(ValueError, match=r"name: required one of parts\.0, got 'parts\.1'"):
        Site(net, Plain(), *batch, "parts.1", "weight")
    with pytest.raises(ValueError, match="operand: required one that is binarized to -1 and \\+1"):
        Site(Sequential(scaled), Plain(), *batch, "parts.0", "weight")
    with pytest.raises(ValueError, match="operand: required one that is binarized"):
        Site(Sequential(scaled), Plain(), *batch, "parts.0", "activation")
    square = Linear(5, 5, rng=rng, bias=False, activation=signs, weight=signs)
    twice = Sequential(square, square)
    with pytest.raises(
        ValueError, match="name: required a product that is used once, got '2 calls by that name'"
    ):
        Site(twice, Plain(), batch[0], np.ones((6, 5)), "parts.1", "weight")
    site = Site(net, Plain(), *batch, "parts.0", "weight")
    with pytest.raises(ValueError, match="sigma: required a positive number, got 0"):
        site.smoothed(0, 2, rng)
    with pytest.raises(ValueError, match="draws: required a whole number >= 2, got 1"):
        site.smoothed(1.0, 1, rng)
    product.latent.value = -product.latent.value
    with pytest.raises(ValueError, match="model: required the same values in front of the signs"):
        site.gradients(net)
