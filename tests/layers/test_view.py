"""Inside the block a model shows what it deploys; after it, what it had."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bnn_ref import estimators
from bnn_ref.layers import (
    CHANNEL_SCALE,
    TENSOR_SCALE,
    BatchNorm,
    Conv2d,
    Flatten,
    Linear,
    Sequential,
    binarized,
)


def network() -> Sequential:
    rng, rule = np.random.default_rng(0), estimators.get("ste")
    return Sequential(
        Conv2d(2, 3, 2, rng=rng, bias=True),
        BatchNorm(3),
        Conv2d(3, 4, 2, rng=rng, activation=rule, weight=rule, scale=CHANNEL_SCALE),
        Flatten(),
        Linear(4, 2, rng=rng, activation=rule, weight=rule),
    )


def test_the_view_holds_signs_times_scale_and_nothing_else_changes() -> None:
    model = network()
    before = model.state_dict()
    with binarized(model) as view:
        assert view is model
        inside = view.state_dict()
    assert list(inside) == list(before)
    scaled, plain = before["parts.2.latent"], before["parts.4.latent"]
    for f in range(4):
        column = scaled[..., f].ravel()
        alpha = sum(abs(float(v)) for v in column) / 12
        np.testing.assert_allclose(
            inside["parts.2.latent"][..., f].ravel(), alpha * np.sign(column), rtol=1e-6
        )
    np.testing.assert_array_equal(inside["parts.4.latent"], np.sign(plain))
    for name in set(before) - {"parts.2.latent", "parts.4.latent"}:
        np.testing.assert_array_equal(inside[name], before[name])


def test_one_scale_for_all_channels_shows_too() -> None:
    rule = estimators.get("ste")
    layer = Linear(3, 2, rng=np.random.default_rng(0), weight=rule, scale=TENSOR_SCALE)
    layer.latent.value = np.array([[1.0, -2.0], [-3.0, 4.0], [5.0, -6.0]])
    with binarized(layer):
        assert layer.latent.value.tolist() == [[3.5, -3.5], [-3.5, 3.5], [3.5, -3.5]]


def test_the_latent_weights_return_as_the_same_arrays() -> None:
    model = network()
    held = [parameter.value for parameter in model.parameters()]
    with binarized(model):
        assert any(parameter.value is not value for parameter, value in zip(model.parameters(), held))
    assert all(parameter.value is value for parameter, value in zip(model.parameters(), held, strict=True))


def test_the_latent_weights_return_after_an_exception() -> None:
    model = network()
    before = model.state_dict()
    with pytest.raises(KeyError, match="inside"), binarized(model):
        raise KeyError("inside")
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_binarized_model_answers_as_before() -> None:
    model = network().eval()
    x = np.random.default_rng(1).normal(size=(3, 3, 3, 2)).astype(np.float32)
    outside = model(x)
    with binarized(model):
        np.testing.assert_allclose(model(x), outside, rtol=1e-6)


def test_views_nest() -> None:
    model = network()
    before = model.state_dict()
    with binarized(model):
        once = model.state_dict()
        with binarized(model):
            np.testing.assert_allclose(
                model.state_dict()["parts.2.latent"], once["parts.2.latent"], rtol=1e-6
            )
        np.testing.assert_array_equal(model.state_dict()["parts.2.latent"], once["parts.2.latent"])
    np.testing.assert_array_equal(model.state_dict()["parts.2.latent"], before["parts.2.latent"])


def test_a_layer_used_at_two_places_gets_its_weight_back() -> None:
    layer = Linear(3, 3, rng=np.random.default_rng(0), weight=estimators.get("ste"))
    before = layer.latent.value
    with binarized(Sequential(layer, layer)):
        pass
    np.testing.assert_array_equal(layer.latent.value, before)


def test_the_latent_weights_return_when_the_view_itself_fails(monkeypatch: Any) -> None:
    model = network()
    before = model.state_dict()
    monkeypatch.setattr(model.parts[-1], "deployed_weight", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError), binarized(model):
        pass
    np.testing.assert_array_equal(model.state_dict()["parts.2.latent"], before["parts.2.latent"])
