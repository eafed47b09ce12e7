"""BinaryConnect: chances, draws that backward sees again, runs that resume, and what cannot be packed."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bnn_ref
from bnn_ref import data, estimators, models, train
from bnn_ref.binarizer import Binarizer, Compose, Scaled
from bnn_ref.estimators.binaryconnect import StochasticSign
from bnn_ref.estimators.ste import Identity, Tanh
from bnn_ref.layers import Activation, Linear

RNG = np.random.default_rng(0)


def test_the_gradient_to_the_binary_weight_is_that_of_the_real_one() -> None:
    for name in ("binaryconnect", "binaryconnect-stochastic"):
        b, (x, dy) = estimators.get(name, height=0.25), RNG.normal(size=(2, 40))
        np.testing.assert_array_equal(np.abs(b(x)), 0.25)
        np.testing.assert_array_equal(b.backward(x, dy), dy)


def test_the_chance_of_plus_is_a_hard_sigmoid() -> None:
    """Mean over many draws of the sign is max(-1, min(x / H, 1)): unbiased inside, certain outside."""
    x, height = np.array([-0.7, -0.5, -0.2, 0.0, 0.1, 0.4, 0.5, 0.9]), 0.5
    draws = StochasticSign(height, seed=3)(np.tile(x, (40_000, 1)))
    np.testing.assert_allclose(draws.mean(axis=0), np.clip(x / height, -1, 1), atol=0.02)
    certain = np.abs(x) >= height
    assert (draws[:, certain] == np.sign(x[certain])).all()


def test_a_drawn_map_is_a_function() -> None:
    b, x = estimators.get("binaryconnect-stochastic"), RNG.normal(size=(50, 4)) / 4
    first, second = (b.drawn(np.random.default_rng(seed)) for seed in (0, 1))
    np.testing.assert_array_equal(first(x), first(x))
    assert (first(x) != second(x)).any()
    np.testing.assert_array_equal(first(x), b.drawn(np.random.default_rng(0))(x))


def test_a_map_that_occurs_twice_is_drawn_once() -> None:
    random = StochasticSign()
    drawn = Binarizer(random, random).drawn(np.random.default_rng(0))
    assert drawn.forward is drawn.surrogate
    assert drawn.forward != random


def test_maps_that_are_not_random_leave_the_generator_alone() -> None:
    rng = np.random.default_rng(5)
    for name in ("fda-noise", "lab", "clipped-ste"):
        assert estimators.get(name).drawn(rng) == estimators.get(name)
    assert rng.bit_generator.state == np.random.default_rng(5).bit_generator.state


def test_backward_sees_the_draw_of_its_forward() -> None:
    """y = tanh(3 s x) with a random sign s: the gradient depends on s; another draw comes in between."""
    rule = Compose((Scaled(StochasticSign(), Identity()), Tanh(3.0)))
    layer, x = Activation(rule), RNG.normal(size=(64, 8)) / 4
    layer.draw(np.random.default_rng(0))
    y, cache = layer.forward(x)
    signs = np.where(y * x > 0, 1, -1)
    assert {-1, 1} == set(signs.reshape(-1).tolist())
    layer.draw(np.random.default_rng(1))
    assert (layer.forward(x)[0] != y).any()
    np.testing.assert_allclose(layer.backward(np.ones_like(x), cache), 3 * signs / np.cosh(3 * x) ** 2)


def test_every_step_of_a_run_draws_anew_and_seeds_decide() -> None:
    model = Linear(20, 10, rng=np.random.default_rng(0), weight=estimators.get("binaryconnect-stochastic"))
    x, rng = np.eye(20, dtype=np.float32), np.random.default_rng(0)
    seen = []
    for _ in range(3):
        model.draw(rng)
        seen.append(model(x))
    assert (seen[0] != seen[1]).any()
    assert (seen[1] != seen[2]).any()
    again = np.random.default_rng(0)
    model.draw(again)
    np.testing.assert_array_equal(model(x), seen[0])


def test_training_draws_before_each_step() -> None:
    digits = data.load("digits").take(100, 40)
    options: dict[str, Any] = {"input_shape": digits.shape, "width": 4, "depth": 2}
    model = models.build("mlp", weight_estimator="binaryconnect-stochastic", **options)
    used = []

    class Watching(Linear):
        def multiply(self, x: Any, w: Any) -> Any:
            if self.training:
                used.append(np.array(w))
            return super().multiply(x, w)

    (binary,) = [
        layer for _, layer in model.layers() if isinstance(layer, Linear) and layer.weight is not None
    ]
    binary.__class__ = Watching
    train.fit(model, digits, train.Config(epochs=1, batch_size=25, lr=1e-9))
    assert len(used) == 4
    assert all((first != second).any() for first, second in itertools.pairwise(used))


def test_a_resumed_run_is_the_whole_run(tmp_path: Path) -> None:
    digits = data.load("digits").take(120, 40)
    options: dict[str, Any] = {"input_shape": digits.shape, "width": 4}
    options |= {"weight_estimator": "binaryconnect-stochastic", "weight_parameters": {"height": 0.2}}
    config = train.Config(epochs=3, batch_size=30)

    def stop(epoch: train.Epoch) -> None:
        if epoch.epoch == 1:
            raise KeyboardInterrupt

    whole, parted, last = (models.build("cnn", **options) for _ in range(3))
    history = train.fit(whole, digits, config)
    file = tmp_path / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train.fit(parted, digits, config, on_epoch_end=stop, checkpoint=file)
    assert train.fit(last, digits, config, resume=file) == history
    for key, value in whole.state_dict().items():
        np.testing.assert_array_equal(last.state_dict()[key], value)


def test_the_stochastic_one_is_deployed_as_real_weights_and_not_packed() -> None:
    rule = estimators.get("binaryconnect-stochastic")
    layer = Linear(4, 3, rng=np.random.default_rng(0), weight=rule, activation=estimators.get("ste"))
    weight, scale = layer.deployed_weight()
    np.testing.assert_array_equal(weight, layer.latent.value)
    assert scale is None
    with pytest.raises(ValueError, match=r"required weights deployed as signs, .* got .* \(Identity\)"):
        bnn_ref.pack(layer)


def test_the_deterministic_one_is_packed_with_its_height() -> None:
    rule = estimators.get("binaryconnect", height=0.3)
    layer = Linear(4, 3, rng=np.random.default_rng(0), weight=rule, activation=estimators.get("ste"))
    x = RNG.normal(size=(6, 4)).astype(np.float32)
    np.testing.assert_array_equal(bnn_ref.pack(layer)(x), layer.eval()(x))
    assert set(np.abs(layer.deployed_weight()[0]).reshape(-1)) == {1.0}
    assert layer.deployed_weight()[1] == np.float32(0.3)


def test_trained_as_published_weights_stay_within_h() -> None:
    """H = 0.05, clip = H, Glorot's update: some weights lie on the bound, none beyond, and it learns."""
    digits = data.load("digits").take(300, 100)
    options: dict[str, Any] = {"weight_estimator": "binaryconnect", "weight_parameters": {"height": 0.05}}
    model = models.build("mlp", input_shape=digits.shape, width=32, **options)
    config = train.Config(epochs=4, lr=1e-3, clip=0.05, glorot=True, loss="squared-hinge", schedule="step")
    history = train.fit(model, digits, config)
    assert history[-1].test_accuracy > history[0].test_accuracy
    latent = np.concatenate([p.value.reshape(-1) for p in model.parameters() if p.latent])
    assert np.abs(latent).max() == np.float32(0.05)
    assert 0.05 < (np.abs(latent) == np.float32(0.05)).mean() < 1


@pytest.mark.parametrize("name", ["binaryconnect", "binaryconnect-stochastic"])
def test_wrong_parameters_are_named(name: str) -> None:
    with pytest.raises(ValueError, match="height: required a positive number"):
        estimators.get(name, height=-1.0)
