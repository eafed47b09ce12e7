"""The loop: it learns, it repeats itself to the bit, and it does in each epoch what it says."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from bnn_ref import models
from bnn_ref.annealing import Moment
from bnn_ref.binarizer import Binarizer, Curve, Sign
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.layers import Composite, Flatten, Layer, Linear, Sequential
from bnn_ref.parameter import Array
from bnn_ref.train import Config, Epoch, fit

QUICK = Config(epochs=3, batch_size=43, lr=0.02)
Build = Callable[..., models.Model]
Bits = Callable[[Layer], Any]


class Spy(Composite):
    """A perceptron that notes the images of every training batch."""

    def __init__(self, inner: Layer) -> None:
        self.inner = inner
        self.seen: list[list[bytes]] = []

    def compute(self, x: Any) -> Any:
        if self.training:
            self.seen.append([image.tobytes() for image in x.value])
        return self.inner(x)


@pytest.mark.parametrize(
    ("name", "estimator", "width", "accuracy"), [("cnn", "approxsign", 8, 0.9), ("mlp", "real", 32, 0.95)]
)
def test_a_small_network_learns_the_digits(
    digits: Dataset, name: str, estimator: str, width: int, accuracy: float
) -> None:
    model = models.build(name, input_shape=digits.shape, estimator=estimator, width=width)
    history = fit(model, digits, Config(epochs=6, batch_size=32, lr=0.02))
    assert history[-1].test_accuracy > accuracy
    assert history[-1].loss < history[0].loss / 2


@pytest.mark.parametrize(
    "config",
    [
        replace(QUICK, optimizer="sgd", lr=0.1, nesterov=True),
        replace(QUICK, optimizer="sgd", lr=0.1, momentum=0.0, schedule="constant", clip=None),
        replace(QUICK, loss="squared-hinge", schedule="linear", weight_decay=1e-4),
    ],
)
def test_every_way_of_training_learns(few: Dataset, tiny: Build, config: Config) -> None:
    history = fit(tiny(width=32), few, replace(config, epochs=6))
    assert history[-1].train_accuracy > 0.6 > 0.4 > history[0].train_accuracy


def test_one_seed_is_one_result_to_the_bit(few: Dataset, tiny: Build, bits: Bits) -> None:
    np.random.seed(3)  # noqa: NPY002 (the global generator must be neither read nor moved)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second, other = tiny(), tiny(), tiny()
    history = fit(first, few, QUICK)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002
    np.random.seed(4)  # noqa: NPY002
    assert fit(second, few, QUICK) == history
    assert bits(second) == bits(first)
    assert fit(other, few, replace(QUICK, seed=1)) != history
    assert bits(other) != bits(first)


@pytest.mark.parametrize(
    ("size", "lengths"), [(43, [43, 43, 43]), (64, [64, 64, 2]), (65, [65, 65]), (500, [130])]
)
def test_every_image_is_seen_once_but_a_single_last_one(
    few: Dataset, tiny: Build, size: int, lengths: list[int]
) -> None:
    spy = Spy(tiny())
    fit(spy, few, replace(QUICK, epochs=2, batch_size=size))
    assert [len(batch) for batch in spy.seen] == lengths * 2
    epochs = [set().union(*spy.seen[: len(lengths)]), set().union(*spy.seen[len(lengths) :])]
    assert len(epochs[0]) == len(epochs[1]) == sum(lengths)
    assert (epochs[0] == epochs[1]) == (sum(lengths) == 130)  # another image is left out each time
    assert spy.seen[0] != spy.seen[len(lengths)]


def test_frozen_layers_stay_and_the_others_move(few: Dataset, tiny: Build) -> None:
    model = tiny()
    before = model.state_dict()
    fit(model, few, replace(QUICK, frozen=("hidden", "head")))
    after = model.state_dict()
    trained = {key for key, p in model.named_parameters().items()}
    for key in trained:
        same = bool(np.array_equal(before[key], after[key]))
        assert same is key.startswith(("hidden.", "head.")), key
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("name", ["blocks", "hid", "head.", "flatten", "head.latent"])
def test_a_name_under_which_nothing_can_be_frozen(few: Dataset, tiny: Build, name: str) -> None:
    with pytest.raises(ValueError, match="frozen: required names of layers that have parameters, got"):
        fit(tiny(), few, replace(QUICK, frozen=("head", name)))


@dataclass(frozen=True)
class Note:
    """A law that notes when it is asked, and moves nothing."""

    moments: list[Moment] = field(default_factory=list)

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        self.moments.append(moment)
        return {}


def test_annealing_happens_once_an_epoch_at_its_start(few: Dataset, rng: np.random.Generator) -> None:
    law = Note()
    activation = Binarizer(Sign(), HardTanh(), law=law)
    model = Sequential(Flatten(), Linear(64, 10, activation=activation, rng=rng))
    history = fit(model, few, replace(QUICK, lr=0.5))
    # three epochs of three steps under a cosine over nine
    lrs = [0.5 * (1 + math.cos(math.pi * step / 9)) / 2 for step in range(9)]
    assert [m.progress for m in law.moments] == [0, 0.5, 1]
    assert [m.fraction for m in law.moments] == [0, 1 / 3, 2 / 3]
    assert [m.step for m in law.moments] == [0, 3, 6]
    assert [m.lr_sum for m in law.moments] == pytest.approx([0, sum(lrs[:3]), sum(lrs[:6])])
    assert [epoch.lr for epoch in history] == pytest.approx(lrs[::3])
    assert [epoch.step for epoch in history] == [0, 3, 6]
    assert history.moment(3) == law.moments[-1]


def test_an_annealed_estimator_ends_where_its_law_ends(few: Dataset, tiny: Build) -> None:
    model = tiny("bnn++")
    fit(model, few, QUICK)
    curves = [m.surrogate for _, layer in model.layers() if (m := getattr(layer, "activation", None))]
    assert [curve.beta for curve in curves] == pytest.approx([20.0] * len(curves))  # its law: from 2 to 20


@dataclass(frozen=True)
class Same(Curve):
    """Maps everything to 1: a network deployed with it cannot tell two images apart."""

    def __call__(self, x: Array) -> Array:
        return np.ones_like(x)


def test_accuracy_is_that_of_the_deployed_network(few: Dataset, rng: np.random.Generator) -> None:
    blind = Binarizer(HardTanh(), HardTanh(), Same())
    model = Sequential(Flatten(), Linear(64, 10, activation=blind, rng=rng))
    history = fit(model, few, replace(QUICK, epochs=8))
    assert history[-1].train_accuracy > 0.8
    assert history[-1].test_accuracy in [(few.test_labels == label).mean() for label in range(10)]


def test_soft_training_is_tested_with_hard_signs(few: Dataset, tiny: Build) -> None:
    model = tiny("bnn++", width=24)
    accuracies: list[float] = []

    def by_hand(epoch: Epoch) -> None:
        scores = model.eval()(Preprocessing.fit(few)(few.test_images))
        accuracies.append(float(np.mean(np.argmax(scores, axis=1) == few.test_labels)))

    history = fit(model, few, QUICK, on_epoch_end=by_hand)
    assert [epoch.test_accuracy for epoch in history] == accuracies


def test_clipping_touches_latent_weights_only(few: Dataset, tiny: Build) -> None:
    model = tiny()
    fit(model, few, replace(QUICK, clip=0.05))
    latent = [p.value for p in model.parameters() if p.latent]
    real = [
        p.value for name, p in model.named_parameters().items() if not p.latent and name.endswith("latent")
    ]
    assert all(np.abs(value).max() == np.float32(0.05) for value in latent)
    assert all(np.abs(value).max() > 0.1 for value in real)
    assert len(latent) == len(real) == 2


def test_full_batches_are_softmax_regression(digits: Dataset, rng: np.random.Generator) -> None:
    data = digits.take(train=200, test=20)
    layer = Linear(64, 10, rng=rng)
    w, b = layer.latent.value.astype(np.float64), np.zeros(10)
    config = Config(epochs=5, batch_size=200, optimizer="sgd", lr=0.3, momentum=0.0, schedule="constant")
    history = fit(Sequential(Flatten(), layer), data, config)
    x, t = Preprocessing.fit(data)(data.train_images).reshape(200, 64).astype(np.float64), np.eye(10)
    for epoch in history:
        p = np.exp(x @ w + b) / np.exp(x @ w + b).sum(axis=1, keepdims=True)
        assert epoch.loss == pytest.approx(-np.log(p[np.arange(200), data.train_labels]).mean(), rel=1e-5)
        assert epoch.train_accuracy == np.mean(p.argmax(axis=1) == data.train_labels)
        w -= 0.3 * x.T @ (p - t[data.train_labels]) / 200
        b -= 0.3 * (p - t[data.train_labels]).mean(axis=0)
    np.testing.assert_allclose(layer.latent.value, w, rtol=1e-4, atol=1e-6)


def test_the_callback_sees_every_epoch_and_the_model_comes_back_for_use(few: Dataset, tiny: Build) -> None:
    model, seen = tiny(), list[Epoch]()
    history = fit(model, few, QUICK, on_epoch_end=seen.append)
    assert tuple(seen) == history.epochs
    assert [epoch.epoch for epoch in seen] == [0, 1, 2]
    assert not any(layer.training for _, layer in model.layers())
    assert all(parameter.grad is None for parameter in model.parameters())


def test_memory_is_kept_from_step_to_step_of_an_epoch(
    few: Dataset, tiny: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And given back after it, before the callback."""
    inside: list[bool] = []

    @contextmanager
    def keeping() -> Iterator[None]:
        inside.append(True)
        yield
        inside[-1] = False

    monkeypatch.setattr(sys.modules["bnn_ref.train.fit"], "keeping", keeping)
    seen: list[list[bool]] = []
    fit(tiny(), few, replace(QUICK, epochs=2), on_epoch_end=lambda epoch: seen.append(list(inside)))
    assert seen == [[False], [False, False]]


def test_nothing_is_printed(few: Dataset, tiny: Build, capfd: pytest.CaptureFixture[str]) -> None:
    fit(tiny(), few, replace(QUICK, epochs=1))
    assert capfd.readouterr() == ("", "")


def test_a_diverging_loss_is_named_with_epoch_and_step(few: Dataset, tiny: Build) -> None:
    config = Config(epochs=3, batch_size=43, optimizer="sgd", lr=1e30, clip=None, schedule="constant")
    with pytest.raises(FloatingPointError, match=r"loss: .* in epoch 0, step [12]; the step size 1e\+30"):
        fit(tiny(), few, config)


def test_weights_that_the_last_step_ruined_are_found(few: Dataset, tiny: Build) -> None:
    config = Config(epochs=1, batch_size=130, optimizer="sgd", lr=1e300, clip=None)
    with pytest.raises(FloatingPointError, match=r"latent: required finite numbers, .* in epoch 0, step 1"):
        fit(tiny(), few, config)


def test_what_does_not_fit_together_is_refused(few: Dataset, digits: Dataset, tiny: Build) -> None:
    with pytest.raises(ValueError, match=r"model: required input_shape \(8, 8, 1\), got \(4, 8, 1\)"):
        fit(tiny(input_shape=(4, 8, 1)), few, QUICK)
    with pytest.raises(ValueError, match="model: required 10 classes, got 11"):
        fit(tiny(classes=11), few, QUICK)
    maps = models.build("bhrnet-w32", input_shape=few.shape, width=2, first=4, modules=(1,))
    with pytest.raises(
        ValueError, match=r"model: required one that answers with a number a class, got \(2, 2, 17\)"
    ):
        fit(maps, few, QUICK)
    with pytest.raises(ValueError, match=r"preprocessing: required shape \(8, 8, 1\), got \(4, 4, 1\)"):
        fit(tiny(), few, QUICK, Preprocessing(16, (0.5,), (0.5,), (4, 4, 1)))
    with pytest.raises(ValueError, match="dataset: required at least 2 training images"):
        fit(tiny(), digits.take(train=1), QUICK)


def test_the_preprocessing_that_is_passed_is_used(few: Dataset, tiny: Build) -> None:
    own = Preprocessing.fit(few)
    other = replace(own, mean=(0.0,))
    assert fit(tiny(), few, QUICK, own) == fit(tiny(), few, QUICK)
    assert fit(tiny(), few, QUICK, other) != fit(tiny(), few, QUICK)
