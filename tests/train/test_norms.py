"""Step two: what batch norm learns in an epoch, and what stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bnn_ref import models
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.layers import Flatten, Layer, Linear, Sequential
from bnn_ref.train import Config, evaluate, fit, retrain_norms

Bits = Callable[[Layer], Any]


@pytest.fixture(scope="module")
def scaled(digits: Dataset) -> models.Model:
    """A small Bi-Real network, one scale a channel, trained for three epochs."""
    own = {"widths": [16, 32], "blocks": [1, 1], "scale": "channel"}
    model = models.build("bireal-small", input_shape=digits.shape, **own)
    fit(model, digits, Config(epochs=3, lr=1e-2))
    return model


def test_step_two_brings_back_what_dropping_the_scale_costs(digits: Dataset, scaled: models.Model) -> None:
    def accuracy(model: Layer) -> float:
        test = digits.test_images, digits.test_labels
        return evaluate(model, *test, Preprocessing.fit(digits)).accuracy

    dropped = models.drop_scale(scaled)
    trained, without = accuracy(scaled), accuracy(dropped)
    history = retrain_norms(dropped, digits)
    assert len(history) == 1
    assert trained > 0.9
    assert without < trained - 0.2
    assert accuracy(dropped) > trained - 0.03
    assert history[-1].test_accuracy == accuracy(dropped)
    assert accuracy(models.fold_scale(scaled)) == trained  # exactly, and without data


def test_only_batch_norm_moves(digits: Dataset, scaled: models.Model, bits: Bits) -> None:
    model = models.drop_scale(scaled)
    before = bits(model)
    retrain_norms(model, digits, Config(epochs=1, batch_size=256, weight_decay=0.1, clip=0.01))
    after = bits(model)
    moved = {name for name in after if after[name] != before[name]}
    norms = ("gamma", "beta", "running_mean", "running_var")
    assert moved == {name for name in after if name.rsplit(".", 1)[1] in norms}
    assert not any(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())
    assert not any(layer.training for _, layer in model.layers())


def test_running_statistics_become_those_of_the_bare_weights(digits: Dataset, scaled: models.Model) -> None:
    """They approach mean / alpha and var / alpha^2: what folding has set them to."""
    dropped, folded = models.drop_scale(scaled), models.fold_scale(scaled)
    retrain_norms(dropped, digits, Config(epochs=3, lr=1e-12))  # statistics alone
    key = "body.parts.0.branch.parts.1.running_var"
    deep, wanted, old = (model.state_dict()[key] for model in (dropped, folded, scaled))
    assert np.median(np.abs(deep / wanted - 1)) < 0.2
    assert np.median(old / wanted) < 0.05


def test_without_batch_norm_there_is_nothing_to_train(few: Dataset) -> None:
    plain = Sequential(Flatten(), Linear(64, 10, rng=np.random.default_rng(0)))
    with pytest.raises(ValueError, match="model: required a network with batch norms, got 'Sequential'"):
        retrain_norms(plain, few)
