"""How proximal optimizers are made, remembered, hardened; the recipes of released code; trained networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bnn_ref
from bnn_ref import data, estimators, models, train
from bnn_ref.annealing import Moment
from bnn_ref.binarizer import Binarizer
from bnn_ref.estimators.proxquant import StepByEpoch, SumOfSteps
from bnn_ref.estimators.shrinkage import ProxQuant
from bnn_ref.estimators.ste import Identity
from bnn_ref.optim import PROXIMAL, SGD, Adam, ProxConnect
from bnn_ref.optim import ProxQuant as ProximalGradient
from bnn_ref.parameter import Array, Parameter

Drive = Callable[..., Any]
SOFT = Binarizer(ProxQuant(0.2), Identity())
MODES = {"post-training": "w*", "prox-connect": "w", "prox-quant": "w", "reverse-prox-connect": "w*"}


def latent(values: Any) -> Parameter:
    return Parameter(np.array(values, np.float64), "w", latent=True)


@pytest.mark.parametrize("name", PROXIMAL)
def test_the_table_of_updates(name: str, drive: Drive) -> None:
    """Two steps by hand: P pulls to +-1 by 0.2; the gradient is 1 at values above 0.5, else -1."""
    seen: list[float] = []

    def gradient(w: Array, _: int) -> Array:
        seen.append(w[0])
        return np.where(w > 0.5, 1.0, -1.0)

    path = drive(PROXIMAL[name], SOFT, [0.4], gradient, [0.125, 0.25])
    expected = {
        "post-training": ([0.4, 0.525, 0.275], [0.4, 0.525]),
        "prox-connect": ([0.4, 0.275, 0.525], [0.6, 0.475]),
        "prox-quant": ([0.4, 0.475, 0.425], [0.6, 0.675]),
        "reverse-prox-connect": ([0.4, 0.725, 0.675], [0.4, 0.725]),
    }[name]
    np.testing.assert_allclose(path.stars[:, 0], expected[0], rtol=1e-14)
    np.testing.assert_allclose(seen, expected[1], rtol=1e-14)
    np.testing.assert_allclose(path.points, np.minimum(path.stars + 0.2, 1), rtol=1e-14)


@pytest.mark.parametrize("name", PROXIMAL)
def test_other_parameters_are_the_rules(name: str) -> None:
    own: dict[str, Any] = {"betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": 0.1, "clip": 0.5}
    one, other = Parameter(np.array([3.0, -2.0])), Parameter(np.array([3.0, -2.0]))
    wrapped, plain = PROXIMAL[name]([one], 0.1, proximal=SOFT, **own), Adam([other], 0.1, **own)
    wrapped.anneal(Moment(0.0, 0.0))
    for lr in (0.1, 0.05, 0.02):
        wrapped.lr = plain.lr = lr
        for parameter, optimizer in ((one, wrapped), (other, plain)):
            parameter.grad = np.sin(parameter.value)
            optimizer.step()
    np.testing.assert_array_equal(one.value, other.value)
    assert set(wrapped.state_dict()) == set(plain.state_dict())


@pytest.mark.parametrize("name", PROXIMAL)
@pytest.mark.parametrize("rule", [Adam, SGD, partial(SGD, nesterov=True)])
def test_both_weights_are_remembered_to_the_bit(name: str, rule: Any) -> None:
    make = partial(PROXIMAL[name], lr=0.1, proximal=SOFT, rule=rule)
    whole, parts = latent([0.7, -0.1, 0.3]), latent([0.7, -0.1, 0.3])

    def steps(optimizer: Any, count: int) -> None:
        optimizer.anneal(Moment(0.0, 0.0))
        for _ in range(count):
            parameter = optimizer.parameters[0]
            parameter.grad = np.sin(3 * parameter.value)
            optimizer.step()

    one, first = make([whole]), make([parts])
    steps(one, 7)
    steps(first, 3)
    second = make([latent(parts.value)])
    second.load_state_dict(first.state_dict())
    steps(second, 4)
    np.testing.assert_array_equal(second.parameters[0].value, whole.value)
    for key, value in one.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[key], value)
    assert "0.other" in one.state_dict()
    missing = {key: value for key, value in one.state_dict().items() if key != "0.other"}
    with pytest.raises(ValueError, match=r"state: required '0\.other' beside"):
        second.load_state_dict(missing)


@pytest.mark.parametrize("name", PROXIMAL)
def test_hardened_weights_stay_and_the_rest_goes_on(name: str) -> None:
    weight, other = latent([0.7, -0.1, 0.3]), Parameter(np.zeros(3))
    optimizer = PROXIMAL[name]([weight, other], 0.1, proximal=SOFT)
    optimizer.anneal(Moment(0.0, 0.0))
    for step in range(6):
        if step == 3:
            optimizer.harden()
            before, signs = other.value, weight.value
        weight.grad, other.grad = np.ones(3), np.ones(3)
        optimizer.step()
    optimizer.anneal(Moment(1.0, 1.0))
    np.testing.assert_array_equal(weight.value, signs)
    assert set(np.abs(signs)) == {1.0}
    assert (other.value < before).all()


def test_a_map_that_falls_is_no_proximal_map() -> None:
    for name in ("bnn++", "irnet-weight"):
        with pytest.raises(ValueError, match="proximal: required a curve that never falls, forward"):
            ProxConnect([latent([0.5])], proximal=bnn_ref.get(name))


def test_the_laws_read_the_clocks() -> None:
    moment = Moment.of_step(30, 60, 10, lr_sum=0.75, lr=0.5)
    assert SumOfSteps("strength", 2.0)(moment) == {"strength": 3.5}
    assert SumOfSteps("strength", 2.0, 0.0)(moment) == {"strength": 1.5}
    assert StepByEpoch("strength", 0.1)(moment) == {"strength": pytest.approx(0.5 * 0.1 * 5)}
    assert StepByEpoch("strength", 0.1)(Moment.of_epoch(3, 10, lr=2.0)) == {"strength": pytest.approx(0.6)}
    for law in (lambda: SumOfSteps("strength", -1.0), lambda: StepByEpoch("strength", np.nan)):
        with pytest.raises(ValueError, match="rate: required a number >= 0, got"):
            law()


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=6), st.floats(0, 1.5))
def test_clip_and_prox_commute(values: list[float], strength: float) -> None:
    """ProxQuant's code clips behind the map; here w* is clipped before it: the same w."""
    w, p = np.array(values), ProxQuant(strength)
    np.testing.assert_allclose(np.clip(p(w), -1, 1), p(np.clip(w, -1, 1)), rtol=0, atol=1e-15)


def test_proxquants_recipe() -> None:
    """Adam, behind each step the map with threshold lr * (rate * epoch), then the clip: number by number."""
    rng, steps, epochs, rate, lr = np.random.default_rng(0), 5, 6, 0.4, 0.02
    pull = rng.normal(size=(epochs * steps, 8))
    weight = latent(rng.uniform(-1, 1, 8))
    mine, m, v = weight.value.tolist(), [0.0] * 8, [0.0] * 8
    optimizer = ProximalGradient([weight], lr, proximal=bnn_ref.get("proxquant", rate=rate), clip=1.0)
    for step in range(epochs * steps):
        epoch = step // steps
        if step % steps == 0:
            optimizer.anneal(Moment.of_epoch(epoch, epochs, step, lr * step, lr))
        weight.grad = pull[step] + weight.value
        optimizer.step()
        for i, w in enumerate(mine):
            g = pull[step][i] + w
            m[i], v[i] = 0.9 * m[i] + 0.1 * g, 0.999 * v[i] + 0.001 * g * g
            w -= lr * m[i] / (1 - 0.9 ** (step + 1)) / ((v[i] / (1 - 0.999 ** (step + 1))) ** 0.5 + 1e-8)
            side, threshold = (1 if w >= 0 else -1), lr * (rate * epoch)
            if step % steps == steps - 1:  # the one difference from the released code
                threshold = lr * (rate * min(epoch + 1, epochs - 1))
            off = abs(w) - 1
            w = side * (1 + (1 if off >= 0 else -1) * max(abs(off) - threshold, 0))
            mine[i] = min(max(w, -1), 1)
        if step % steps < steps - 1:
            np.testing.assert_allclose(weight.value, mine, rtol=1e-12, atol=1e-14)
    assert (np.abs(weight.value) < 1).any()
    assert (np.abs(weight.value) == 1).any()


DIGITS = data.load("digits").take(600, 300)
CONFIG = train.Config(epochs=4, batch_size=50, lr=0.01, reestimate_norms=True)


def network(**options: Any) -> Any:
    chosen = {"width": 8, "weight_estimator": "projected", "estimator": "clip-activation"} | options
    return models.build("cnn", input_shape=DIGITS.shape, **chosen)


RUNS: dict[str, dict[str, Any]] = {
    "post-training": {},
    "prox-connect": {"anneal": "step"},
    "prox-quant": {
        "prox": "proxquant",
        "prox_parameters": {"rate": 20.0},
        "schedule": "constant",
        "harden": 3,
    },
    "reverse-prox-connect": {"prox": "binary-relax", "anneal": "step", "rule": "sgd", "lr": 0.05},
}


@pytest.mark.parametrize("estimator", ["clip-activation", "approxsign"])
@pytest.mark.parametrize("name", PROXIMAL)
def test_digits_are_learned_with_weights_alone_and_with_activations(name: str, estimator: str) -> None:
    model, config = network(estimator=estimator), replace(CONFIG, optimizer=name, **RUNS[name])
    history = train.fit(model, DIGITS, config)
    assert history[-1].test_accuracy > {"prox-connect": 0.5, "prox-quant": 0.6}.get(name, 0.25)
    latents = [p.value for p in model.parameters() if p.latent]
    gap = max(float(np.abs(w - np.where(w >= 0, 1, -1)).max()) for w in latents)
    found = [most for most, _ in history[-1].gaps.values()]
    assert gap == pytest.approx(max(found, default=0.0))
    hard = name in ("prox-connect", "prox-quant")
    assert (gap == 0) == hard
    if hard and estimator == "approxsign":
        x = data.Preprocessing.fit(DIGITS)(DIGITS.test_images)
        np.testing.assert_array_equal(bnn_ref.pack(model)(x), model(x))


@pytest.mark.parametrize("name", PROXIMAL)
def test_resumed_runs_end_in_the_same_bits(name: str, tmp_path: Path) -> None:
    config = replace(CONFIG, optimizer=name, epochs=4, **RUNS[name])
    whole, first, second = network(), network(), network()
    history = train.fit(whole, DIGITS.take(150, 50), config)

    def stop(epoch: train.Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train.fit(first, DIGITS.take(150, 50), config, on_epoch_end=stop, checkpoint=tmp_path / "run")
    assert train.fit(second, DIGITS.take(150, 50), config, resume=tmp_path / "run") == history
    for key, value in whole.state_dict().items():
        np.testing.assert_array_equal(second.state_dict()[key], value)


@pytest.mark.parametrize("anneal", ["epoch", "step"])
def test_in_the_layer_or_in_the_optimizer_training_ends_in_the_same_bits(anneal: str) -> None:
    """(L, 1) as the weights' estimator and Adam, or L in ProxConnect around Adam: L of w* is w."""
    config, few = replace(CONFIG, epochs=3, anneal=anneal), DIGITS.take(150, 50)
    inside, outside = network(weight_estimator="proxconnect"), network()
    train.fit(inside, few, config)
    train.fit(outside, few, replace(config, optimizer="prox-connect"))
    own = dict(inside.named_parameters())
    for key, parameter in outside.named_parameters().items():
        held = next((h for _, h in inside.layers() if getattr(h, "latent", None) is own[key]), None)
        inner = own[key].value if held is None or held.weight is None else held.weight(own[key].value)
        np.testing.assert_array_equal(inner, parameter.value)


def test_weights_are_at_their_signs_from_the_given_epoch_on() -> None:
    """Nothing pulls them there before; batch norms and the real layers are trained on."""
    model, config = network(), replace(CONFIG, optimizer="prox-quant", prox="proxquant", harden=2)
    before: list[Array] = []

    def look(epoch: train.Epoch) -> None:
        before.append(model.head.latent.value)

    history = train.fit(model, DIGITS.take(150, 50), config, on_epoch_end=look)
    assert [bool(epoch.gaps) for epoch in history] == [True, True, False, False]
    assert (before[2] != before[3]).all()


def test_a_network_without_latent_weights_is_refused() -> None:
    real = models.build("mlp", input_shape=DIGITS.shape, estimator="real")
    with pytest.raises(ValueError, match="optimizer: required one of real weights"):
        train.fit(real, DIGITS, replace(CONFIG, optimizer="prox-quant"))
    assert "projected" in estimators.names()
