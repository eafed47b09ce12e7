"""Which optimizer moves what: a group of estimators' own parameters, beside all else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnn_ref import models
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.layers import Layer
from bnn_ref.optim import Adam
from bnn_ref.train import Config, Epoch, fit
from bnn_ref.train.optimizers import divided
from bnn_ref.train.training import Training

Build = Callable[..., models.Model]
CONFIG = Config(epochs=2, batch_size=43, optimizer="sgd", lr=0.05, weight_decay=1e-2, schedule="linear")
OWN = replace(CONFIG, estimator_lr=3e-3, estimator_schedule="step")
BBC: dict[str, Any] = {"weight_estimator": "bbc", "estimator": "bbc-affine"}


@pytest.fixture(scope="module")
def trained(few: Dataset, tiny: Build) -> tuple[models.Model, dict[str, list[Any]]]:
    """A network after two epochs, and every value and gradient that Adam should have seen."""
    model = tiny(**BBC)
    training = Training(model, few, OWN, Preprocessing.fit(few))
    seen: dict[str, list[Any]] = {}
    step = training.beside.step

    def spied() -> None:
        for name, parameter in model.named_parameters().items():
            seen.setdefault(name, []).append((parameter.value.copy(), parameter.grad, training.beside.lr))
        step()

    training.beside.step = spied  # type: ignore[method-assign]
    for _ in range(OWN.epochs):
        training.run_epoch()
    return model, seen


def test_what_maps_hold_is_estimators_own(tiny: Build) -> None:
    model = tiny(**BBC)
    everything = model.parameters()
    main, own = divided(model, everything, OWN)
    assert {p.name for p in own} == {"w0", "w1", "gain", "shift"}
    assert {p.name for p in main} == {"latent", "gamma", "beta", "bias"}
    assert divided(model, everything, CONFIG) == (everything, [])
    assert divided(model, main, OWN) == (main, []), "what is frozen stays out"


def test_its_own_adam_moves_them_by_its_own_schedule_without_decay(
    trained: tuple[models.Model, dict[str, list[Any]]],
) -> None:
    """Against Adam written out, fed with the gradients that the network really had."""
    model, seen = trained
    own = [name for name in seen if name.rpartition(".")[2] in ("w0", "w1", "gain", "shift")]
    assert len(own) == 6, "one MLP, and two affine maps of their own"
    for name in own:
        value, m, v = seen[name][0][0].astype(np.float64), 0.0, 0.0
        for t, (before, grad, lr) in enumerate(seen[name], 1):
            np.testing.assert_allclose(before, value, rtol=1e-4, atol=1e-6)
            assert lr == pytest.approx(3e-3 * 0.1 ** (((t - 1) / 6 >= 0.5) + ((t - 1) / 6 >= 0.75)))
            g = grad.astype(np.float64)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            value = value - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        np.testing.assert_allclose(model.named_parameters()[name].value, value, rtol=1e-4, atol=1e-6)


def test_without_a_rate_of_their_own_they_are_trained_like_all_else(few: Dataset, tiny: Build) -> None:
    one, other = tiny(**BBC), tiny(**BBC)
    training = Training(one, few, CONFIG, Preprocessing.fit(few))
    assert training.beside.parameters == []
    assert [id(p) for p in training.optimizer.parameters] == [id(p) for p in one.parameters()]
    assert fit(other, few, replace(CONFIG, estimator_schedule="bbc")) == fit(one, few, CONFIG)


def test_a_network_without_such_parameters_does_not_care(few: Dataset, tiny: Build, bits: Any) -> None:
    one, other = tiny(), tiny()
    assert fit(one, few, CONFIG) == fit(other, few, OWN)
    assert bits(one) == bits(other)


def test_a_resumed_run_remembers_both(
    few: Dataset, tiny: Build, bits: Callable[[Layer], Any], tmp_path: Path
) -> None:
    path, config = tmp_path / "run", replace(OWN, epochs=3, optimizer="adam")
    whole, first, second = (tiny(**BBC) for _ in range(3))
    history = fit(whole, few, config)

    def stop(epoch: Epoch) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        fit(first, few, config, checkpoint=path, on_epoch_end=stop)
    for parameter in second.parameters():
        parameter.value = parameter.value + 1
    assert fit(second, few, config, resume=path) == history
    assert bits(second) == bits(whole)


def test_frozen_layers_keep_their_estimators_parameters(few: Dataset, tiny: Build) -> None:
    model = tiny(**BBC)
    frozen = next(name for name, p in model.named_parameters().items() if p.name == "gain").split(".")[0]
    training = Training(model, few, replace(OWN, frozen=(frozen,)), Preprocessing.fit(few))
    inside = {id(p) for name, p in model.named_parameters().items() if name.startswith(f"{frozen}.")}
    assert isinstance(training.beside, Adam)
    assert not inside & {id(p) for p in [*training.beside.parameters, *training.optimizer.parameters]}
