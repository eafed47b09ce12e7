"""An interrupted run that goes on from its checkpoint ends where the uninterrupted one does, bit for bit."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnn_ref import models
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.layers import Layer
from bnn_ref.train import Config, Epoch, fit
from bnn_ref.train.checkpoint import load_checkpoint, save_checkpoint
from bnn_ref.train.training import Training

ADAM = Config(epochs=4, batch_size=43, lr=0.02, weight_decay=1e-4)
SGD = replace(ADAM, optimizer="sgd", lr=0.1, nesterov=True)
Build = Callable[..., models.Model]
Bits = Callable[[Layer], Any]


class Interrupted(Exception):
    """Stands for a power cut."""


def interrupt(after: int) -> Callable[[Epoch], None]:
    def check(epoch: Epoch) -> None:
        if epoch.epoch == after:
            raise Interrupted

    return check


@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize(
    ("config", "options"),
    [
        (ADAM, {"estimator": "approxsign"}),
        (SGD, {"estimator": "bnn++"}),
        (ADAM, {"estimator": "dsq", "parameters": {"learn": True}, "scale": "channel"}),
    ],
)
def test_resumed_is_uninterrupted(
    few: Dataset, tiny: Build, bits: Bits, tmp_path: Path, config: Config, options: dict[str, Any], after: int
) -> None:
    path, whole, first, second = tmp_path / "run", *(tiny(**options) for _ in range(3))
    history = fit(whole, few, config)
    with pytest.raises(Interrupted):
        fit(first, few, config, checkpoint=path, on_epoch_end=interrupt(after))
    for parameter in second.parameters():
        parameter.value = parameter.value + 1  # what is not restored shows
    seen = list[Epoch]()
    assert fit(second, few, config, resume=path, checkpoint=path, on_epoch_end=seen.append) == history
    assert bits(second) == bits(whole)
    assert [epoch.epoch for epoch in seen] == list(range(after + 1, 4))


def test_a_finished_run_is_not_trained_further(few: Dataset, tiny: Build, bits: Bits, tmp_path: Path) -> None:
    path, first, second = tmp_path / "run", tiny("bnn++"), tiny("bnn++")
    history = fit(first, few, ADAM, checkpoint=path)
    assert fit(second, few, ADAM, resume=path) == history
    assert bits(second) == bits(first)
    images = Preprocessing.fit(few)(few.test_images)
    np.testing.assert_array_equal(second(images), first(images))
    np.testing.assert_array_equal(second.train()(images), first.train()(images))  # annealed alike


def test_a_plain_layer_has_checkpoints_too(few: Dataset, tiny: Build, bits: Bits, tmp_path: Path) -> None:
    path, first, second = tmp_path / "run", tiny(), tiny()
    for model in (first, second):
        del model.spec
    assert fit(first, few, ADAM, checkpoint=path) == fit(second, few, ADAM, resume=path)
    assert bits(first) == bits(second)


def test_a_checkpoint_before_the_first_epoch_is_a_start(few: Dataset, tiny: Build, tmp_path: Path) -> None:
    preprocessing = Preprocessing.fit(few)
    save_checkpoint(tmp_path / "run", Training(tiny(), few, ADAM, preprocessing))
    resumed = Training(tiny(), few, ADAM, preprocessing)
    load_checkpoint(tmp_path / "run", resumed)
    assert resumed.run_epoch() == Training(tiny(), few, ADAM, preprocessing).run_epoch()


def test_the_checkpoint_of_another_run_is_refused_and_changes_nothing(
    few: Dataset, digits: Dataset, tiny: Build, bits: Bits, tmp_path: Path
) -> None:
    path, own = tmp_path / "run", Preprocessing.fit(few)
    fit(tiny(), few, replace(ADAM, epochs=1), own, checkpoint=path)
    others: list[tuple[str, models.Model, Dataset, Config, Preprocessing]] = [
        ("config", tiny(), few, replace(ADAM, epochs=2), own),
        ("config", tiny(), few, replace(ADAM, epochs=1, seed=1), own),
        ("model", tiny(width=13), few, replace(ADAM, epochs=1), own),
        ("model", tiny(seed=1), few, replace(ADAM, epochs=1), own),
        ("preprocessing", tiny(), few, replace(ADAM, epochs=1), replace(own, mean=(0.5,))),
        ("data", tiny(), digits.take(train=131, test=50), replace(ADAM, epochs=1), own),
    ]
    double = tiny()
    double.astype(np.float64)
    others.append(("dtypes", double, few, replace(ADAM, epochs=1), own))
    for part, model, dataset, config, preprocessing in others:
        before = bits(model)
        with pytest.raises(ValueError, match=rf"run: .*the checkpoint of another run: its {part} is"):
            fit(model, dataset, config, preprocessing, resume=path)
        assert bits(model) == before


def test_a_missing_or_foreign_checkpoint_is_refused(few: Dataset, tiny: Build, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none: required a bnn_ref checkpoint file, got none"):
        fit(tiny(), few, ADAM, resume=tmp_path / "none")
    (tmp_path / "text").write_text("not a checkpoint, though long enough to hold a header")
    with pytest.raises(ValueError, match="text: required a complete bnn_ref checkpoint"):
        fit(tiny(), few, ADAM, resume=tmp_path / "text")


def test_a_folder_that_does_not_exist_is_noticed_before_training(
    few: Dataset, tiny: Build, bits: Bits, tmp_path: Path
) -> None:
    model = tiny()
    before = bits(model)
    with pytest.raises(FileNotFoundError, match="required an existing folder"):
        fit(model, few, ADAM, checkpoint=tmp_path / "nowhere" / "run")
    assert bits(model) == before


def test_a_crash_while_writing_leaves_the_last_checkpoint(
    few: Dataset, tiny: Build, bits: Bits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, whole, resumed = tmp_path / "run", tiny(), tiny()
    history = fit(whole, few, ADAM)
    left = [os.replace, os.replace]

    def crash(source: Any, target: Any) -> None:
        if not left:
            raise OSError("no space left")
        left.pop()(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", crash)
        with pytest.raises(OSError, match="no space left"):
            fit(tiny(), few, ADAM, checkpoint=path)
    assert os.listdir(tmp_path) == ["run"]
    assert fit(resumed, few, ADAM, resume=path) == history
    assert bits(resumed) == bits(whole)
