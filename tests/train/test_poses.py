"""Finding joints as a task: trained, tested, resumed and saved by what trains classifiers."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnn_ref import models, pose, train
from bnn_ref.data import Dataset
from bnn_ref.layers import Layer
from bnn_ref.train.task import as_task

CONFIG = train.Config(2, 4, lr=0.01, loss="heatmap")
VIEW = pose.View((32, 32), 1.5, pose.Augmentation(scale=0.2, rotation=20, rotate=0.5, flip=0.5))
Bits = Callable[[Layer], Any]


@pytest.fixture(scope="session")
def figures() -> train.Poses:
    easy = pose.figures.Difficulty(company=0, clutter=0, noise=0)
    return train.Poses.drawn(9, 3, 5, VIEW, side=32, difficulty=easy)


def network(**options: Any) -> models.Model:
    return models.build("sbpn", input_shape=(32, 32, 3), classes=17, width=1, **options)


@pytest.fixture(scope="module")
def run(figures: train.Poses) -> tuple[models.Model, train.History]:
    model = network()
    return model, train.fit(model, figures, CONFIG)


def test_a_run_is_the_same_again_and_another_with_another_seed(
    figures: train.Poses, run: Any, bits: Bits
) -> None:
    model, history = run
    again = network()
    assert train.fit(again, figures, CONFIG) == history
    assert bits(again) == bits(model)
    other = network()
    train.fit(other, figures, replace(CONFIG, seed=1))
    assert bits(other) != bits(model)


def test_what_an_epoch_says(figures: train.Poses, run: Any) -> None:
    """9 persons in batches of 4, 4 and 1, of which the last is left out: two steps an epoch."""
    model, history = run
    assert [epoch.end_step for epoch in history] == [2, 4]
    assert {epoch.measure for epoch in history} == {"AP"}
    assert 0 <= history[-1].train_accuracy <= 1
    assert history[-1].test_accuracy == figures.test(model)
    assert str(history[-1]).startswith("epoch 1: loss 0.0")
    assert "test AP" in str(history[-1])
    assert not model.training


def test_a_resumed_run_ends_as_the_uninterrupted_one(
    figures: train.Poses, run: Any, bits: Bits, tmp_path: Path
) -> None:
    def stop(epoch: train.Epoch) -> None:
        raise KeyboardInterrupt

    model, history = run
    with pytest.raises(KeyboardInterrupt):
        train.fit(network(), figures, CONFIG, on_epoch_end=stop, checkpoint=tmp_path / "c")
    resumed = network(seed=7)
    resumed.spec = network().spec
    assert train.fit(resumed, figures, CONFIG, resume=tmp_path / "c") == history
    assert bits(resumed) == bits(model)
    blurred = replace(figures, view=replace(VIEW, sigma=2.0))
    with pytest.raises(ValueError, match=r"the checkpoint of another run: its data is .*'sigma': 1\.5"):
        train.fit(network(), blurred, CONFIG, resume=tmp_path / "c")


def test_the_loss_falls_when_few_figures_are_shown_often(figures: train.Poses) -> None:
    plain = replace(figures, view=pose.View((32, 32), 1.5))
    history = train.fit(network(estimator="real"), plain, replace(CONFIG, epochs=8, lr=0.03))
    assert history[-1].loss < 0.8 * history[0].loss


def test_a_perfect_network_has_all_right(figures: train.Poses) -> None:
    """The ceiling of both measures: maps as they are wanted."""
    rng = np.random.default_rng(0)
    inputs, targets = next(figures.batches(9, rng))
    assert inputs.shape == (9, 32, 32, 3)
    assert inputs.dtype == np.float32
    assert figures.right(targets[0], targets) == 9
    assert figures.right(np.zeros_like(targets[0]), targets) == 0
    nobody = tuple(np.zeros_like(target) for target in targets)
    assert figures.right(targets[0], nobody) == 0


@pytest.mark.parametrize("exact", [False, True])
def test_peaks_are_read_as_the_view_says(
    figures: train.Poses, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    find = pose.find
    monkeypatch.setattr(pose, "find", lambda *a, **k: asked.append(k["exact"]) or find(*a, **k))
    replace(figures, view=replace(VIEW, exact=exact)).test(network())
    assert asked == [exact]


def test_the_inputs_in_order_are_the_plain_crops(figures: train.Poses) -> None:
    pixels, _, _ = figures.train.sample(range(9), VIEW)
    whole = figures.preprocessing(pixels)
    parts = list(figures.inputs(4))
    assert [len(part) for part in parts] == [4, 4, 1]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_norms_are_measured_frozen_layers_stay_and_laws_move(figures: train.Poses) -> None:
    """What every task gets from the loop, on poses."""
    often = replace(CONFIG, epochs=1, reestimate_norms=True, anneal="step", frozen=("final",))
    model = network(estimator="fda-growing")
    before = {key: value.copy() for key, value in model.state_dict().items()}
    train.fit(model, figures, often)
    after = model.state_dict()
    moved = {key for key in before if not np.array_equal(before[key], after[key])}
    assert not any(key.startswith("final.") for key in moved)
    assert any("latent" in key for key in moved)
    measured = network(estimator="fda-growing")
    measured.load_state_dict(after)
    measured.anneal(train.fit(network(estimator="fda-growing"), figures, often).moment(1, "step"))
    train.reestimate_norms(measured, figures.train.sample(range(9), VIEW)[0], figures.preprocessing)
    for key, value in measured.state_dict().items():
        np.testing.assert_allclose(value, after[key], rtol=1e-5, atol=1e-7, err_msg=key)


def test_its_file_says_what_it_is(figures: train.Poses, run: Any, tmp_path: Path) -> None:
    model, history = run
    known = (figures.preprocessing, figures.outputs, history, CONFIG)
    train.save_model(tmp_path / "m.safetensors", model, *known, data=figures.describe())
    back = train.load_model(tmp_path / "m.safetensors")
    assert back.classes == pose.JOINTS
    assert back.preprocessing == pose.normalisation((32, 32))
    assert back.history == history
    said = {"name": "figures-5", "train": 9, "test": 3, "size": [32, 32], "sigma": 1.5}
    assert {key: back.data[key] for key in said} == said
    assert back.data["augmentation"]["rotation"] == 20
    assert figures.test(back.model) == history[-1].test_accuracy


def test_sweeps_compare_poses(figures: train.Poses, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs in processes of their own are tested with classifiers."""
    here = sys.modules["bnn_ref.train.compare"]
    monkeypatch.setattr(here, "in_processes", lambda work, tasks, jobs: (work(*task) for task in tasks))
    arms = {"sign": {}, "clip": {"estimator": "real"}}
    result = train.compare(figures, "sbpn", arms, [0], CONFIG, {"width": 1})
    assert (result.data, result.runs[0].history) == ("figures-5", run[1])
    assert str(result.runs[1]).startswith("clip, seed 0: test AP ")


def test_what_does_not_fit_is_refused_before_any_work(figures: train.Poses, few: Dataset) -> None:
    with pytest.raises(ValueError, match=r"loss: required one of heatmap for figures-5, got 'cross-entropy'"):
        train.fit(network(), figures, replace(CONFIG, loss="cross-entropy"))
    mlp = models.build("mlp", input_shape=(8, 8, 1))
    with pytest.raises(ValueError, match=r"loss: required one of cross-entropy, squared-hinge for digits"):
        train.fit(mlp, few, CONFIG)
    with pytest.raises(ValueError, match=r"model: required input_shape \(32, 32, 3\), got \(8, 8, 1\)"):
        train.fit(mlp, figures, CONFIG)
    with pytest.raises(ValueError, match="model: required 17 classes, got 10"):
        train.fit(models.build("mlp", input_shape=(32, 32, 3)), figures, CONFIG)
    with pytest.raises(ValueError, match=r"model: required one that answers with maps \(8, 8, 17\), got"):
        train.fit(models.build("mlp", input_shape=(32, 32, 3), classes=17), figures, CONFIG)
    with pytest.raises(ValueError, match="preprocessing: required none beside a task, which has its own"):
        train.fit(network(), figures, CONFIG, pose.normalisation((64, 64)))
    one = replace(figures, train=pose.Persons(figures.train.truth.take([1]), figures.train.pictures))
    with pytest.raises(ValueError, match="dataset: required at least 2 training images"):
        train.fit(network(), one, CONFIG)
    nobody = pose.Persons(figures.train.truth.take([]), figures.train.pictures)
    with pytest.raises(ValueError, match="tested: required at least one person with a labelled joint, got 0"):
        replace(figures, tested=nobody)


def test_a_data_set_is_a_task_too(few: Dataset) -> None:
    task = as_task(few)
    assert (len(task), task.shape, task.outputs) == (130, few.shape, few.classes)
    assert as_task(task) is task
    assert task.describe() == {"name": "digits", "train": 130, "test": 50}
