"""The study of ProxConnect's methods: equal budgets, pairs, nothing chosen by test images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis.proxconnect import __main__ as study
from analysis.proxconnect import memory, training
from analysis.proxconnect.methods import CONTRASTS, METHODS, asked
from analysis.tables import RESULTS, read
from bnn_ref import data
from bnn_ref.train import Config, Run
from bnn_ref.train.history import Epoch, History

IMAGES = data.load("digits").take(60)
WORK = training.Work(
    IMAGES, "real", {"CNN": {"width": 2}}, Config(1, 20, "adam", 0.01), (0.01, 0.02, 0.03), 1
)


def run(arm: str, seed: int, accuracy: float | None) -> Run:
    epoch = Epoch(0, 0, 0.0, 0.1, 1.0, 1.0, accuracy or 0.0, 0.0)
    return Run(arm, seed, History((epoch,)), None if accuracy is not None else "loss: NaN")


def test_images_set_apart_are_no_test_images() -> None:
    apart = WORK.apart
    whole = np.concatenate([apart.train_images, apart.test_images])
    assert len(whole) == len(IMAGES.train_images)
    assert sorted(map(bytes, whole)) == sorted(map(bytes, IMAGES.train_images))
    assert len(apart.test_images) == len(whole) // training.HELD_OUT


@pytest.mark.parametrize(("found", "rate"), [((0.2, 0.9, 0.5), 0.02), ((0.7, None, 0.7), 0.01)])
def test_the_step_size_is_the_best_on_images_set_apart(
    found: tuple[float | None, ...], rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_for: list[tuple[int, float, int]] = []
    answers = dict(zip(WORK.rates, found, strict=True))

    def train(self: Any, images: data.Dataset, arm: Any, rate: float, seed: int, real: Any) -> Run:
        asked_for.append((len(images.train_images), rate, seed))
        return run("x", seed, answers[rate])

    monkeypatch.setattr(training.Work, "train", train)
    one = training.tuned(WORK, ("CNN", "end-to-end", "BC"), (0, 1))
    assert one.rate == rate
    assert one.trials == found
    tuning, final = asked_for[:3], asked_for[3:]
    assert tuning == [(48, r, training.TUNING_SEED) for r in WORK.rates]
    assert final == [(60, rate, 0), (60, rate, 1)]


def test_binaryconnect_and_bnn_are_one_method_where_weights_are_clipped() -> None:
    """The mask of the clipped STE is 1 on [-1, 1]: the same runs to the bit."""
    runs = [WORK.train(IMAGES, ("CNN", "end-to-end", name), 0.05, 0, None) for name in ("BC", "BNN", "PC")]
    first, second, other = (one.history.epochs for one in runs)
    assert [replace(epoch, gaps={}) for epoch in first] == [replace(epoch, gaps={}) for epoch in second]
    assert first != other


def test_a_seed_draws_the_same_first_weights_for_every_method() -> None:
    states = [WORK.network("CNN", method, 3).state_dict() for method in METHODS]
    for name, value in states[0].items():
        assert all(np.array_equal(value, state[name]) for state in states)


def test_fine_tuning_starts_from_the_real_network(monkeypatch: pytest.MonkeyPatch) -> None:
    real = WORK.real(IMAGES, "CNN", 0)
    started: list[dict[str, Any]] = []

    def fit(model: Any, *rest: Any) -> None:
        started.append(model.state_dict())

    monkeypatch.setattr(training, "fit", fit)
    WORK.train(IMAGES, ("CNN", "fine-tuned", "BNN++"), 0.01, 0, real)
    (state,) = started
    assert all(np.array_equal(state[name], value) for name, value in real.state_dict().items())
    fresh = WORK.network("CNN", "BNN++", 0).state_dict()
    assert any(not np.array_equal(state[name], value) for name, value in fresh.items())


def test_contrasts_are_asked_of_every_network_and_start() -> None:
    questions = asked(["CNN", "ViT"], ["end-to-end"], list(METHODS))
    assert len(questions) == 2 * len(CONTRASTS)
    assert {one.arm.split(" / ")[0] for one in questions} == {"CNN", "ViT"}
    few = asked(["CNN"], ["fine-tuned"], ["PC", "BC"])
    assert [(one.arm, one.against) for one in few] == [("CNN / fine-tuned / PC", "CNN / fine-tuned / BC")]
    assert {one.arm for one in CONTRASTS} | {one.against for one in CONTRASTS} <= set(METHODS)


def test_memory() -> None:
    """The ratios of 'blocks' and of 'also patch embedding and head', as computed for the specification."""
    rows = {(row["network"], row["binary"]): row for row in memory.table().records()}
    found = {
        name: [
            float(rows[name, part]["ratio of all numbers"])
            for part in ("matrices of the blocks", "these, patch embedding and head")
        ]
        for name in ("deit-tiny", "deit-small", "deit-base")
    }
    assert found == {"deit-tiny": [9.9, 23.2], "deit-small": [14.9, 26.8], "deit-base": [20.2, 29.1]}
    assert float(rows["bireal-18", "3x3 convolutions of the blocks"]["ratio of all numbers"]) == 11.2


def test_what_is_committed_follows_from_the_runs_on_record() -> None:
    arms = {
        f"{row['network']} / {row['start']} / {row['method']}": row
        for row in read(RESULTS / "proxconnect-arms.csv").records()
    }
    seeds = {arm: np.array([float(value) for value in row["by seed"].split()]) for arm, row in arms.items()}
    assert len(arms) == 4 * len(METHODS)
    for row in arms.values():
        trials = [float(value) for value in row["set apart"].split()]
        assert float(row["step size"]) == (0.01, 0.03)[int(np.argmax(trials))]
    for row in read(RESULTS / "proxconnect-contrasts.csv").records():
        gaps = seeds[row["arm"]] - seeds[row["minus"]]
        assert float(row["difference"]) == pytest.approx(gaps.mean(), abs=0.02)
        half = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps))
        assert float(row["low"]) == pytest.approx(gaps.mean() - half, abs=0.06)


@pytest.mark.parametrize(
    "wrong",
    [
        ["--methods", "XYZ"],
        ["--seeds", "0"],
        ["--cnn-width", "0"],
        ["--rates", "0.1", "0.1"],
        ["--rates", "-1"],
        ["--pretraining", "0"],
    ],
)
def test_wrong_options(wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        study.main([*wrong, "--networks", "CNN", "--limit", "40", "--out", str(tmp_path / "out")])
    assert stop.value.code == 2
    assert "error:" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
