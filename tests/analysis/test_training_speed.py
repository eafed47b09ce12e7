"""The harness of the comparison with torch: our side, and what it does with answers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from analysis.tables import read
from analysis.training_speed import __main__ as study
from analysis.training_speed import convolutions, passes, steps, worker
from analysis.training_speed.networks import CASES, Case, Ours
from analysis.training_speed.steps import Answer, Process
from bnn_ref.timing import Pairing


def test_our_steps_learn() -> None:
    step = Ours(Case("cnn", (8, 8, 1), 16, {"width": 8}), "clipped-ste")
    first = step()
    assert min(step() for _ in range(10)) < first
    assert all(parameter.grad is None for parameter in step.model.parameters())


def test_a_worker_answers_every_line() -> None:
    with Process("ours", "cnn", "approxsign") as worker:
        one, two = worker(), worker()
    assert one.loss != two.loss
    assert two.seconds > 0
    assert 1e7 < one.memory <= two.memory
    assert worker.process.returncode == 0


@pytest.mark.parametrize(
    ("side", "made", "keeps"),
    [("ours", "ours", True), ("nchw", "nchw", False), ("torch, kept", "torch", True)],
)
def test_who_keeps_what_is_freed(side: str, made: str, keeps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    @contextmanager
    def kept() -> Iterator[None]:
        seen.append("kept")
        yield

    monkeypatch.setattr(worker, "keeping", kept)
    monkeypatch.setattr(worker, "stepping", lambda *given: seen.append(given) or (lambda: 1.0))
    monkeypatch.setattr("sys.stdin", StringIO("step\n"))
    assert worker.main([side, "cnn", "clipped-ste"]) == 0
    assert seen == [(made, "cnn", "clipped-ste"), *(["kept"] if keeps else [])]


class Fake:
    """A worker: ours takes a second on one thread, half of it on two, torch three; losses differ a little."""

    other = 2.0

    def __init__(self, side: str, *rest: str, threads: int = 1) -> None:
        self.seconds, self.loss = (1.0 / threads, 2.0) if side == "ours" else (3.0, 2.001)
        self.loss = self.other if threads == 2 else self.loss

    def __call__(self) -> Answer:
        return Answer(self.seconds, self.loss, int(100 * self.seconds))

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: Any) -> None:
        pass


def test_ratios_and_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "Process", Fake)
    found = steps.compare("cnn", "clipped-ste", "nchw", 3)
    assert (found.ratio, found.low, found.high, found.seconds) == (3, 3, 3, 1)
    assert found.memory == pytest.approx(1 / 3)
    monkeypatch.setitem(CASES, "cnn", CASES["cnn"]._replace(tolerance=1e-4))
    with pytest.raises(ValueError, match=r"required equal losses, got 2\.0 and 2\.001"):
        steps.compare("cnn", "clipped-ste", "nchw", 3)


def test_the_cases_are_those_of_the_page() -> None:
    assert {case.batch for case in CASES.values()} == {64, 128}


def test_threads_answer_with_one_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "Process", Fake)
    found = steps.scaled("cnn", "clipped-ste", 2, 3)
    assert (found.ratio, found.low, found.high) == (2, 2, 2)
    monkeypatch.setattr(Fake, "other", 2.0000001)
    with pytest.raises(ValueError, match="required one loss, got 2"):
        steps.scaled("cnn", "clipped-ste", 2, 3)


def test_two_threads_step_as_one() -> None:
    with (
        Process("ours", "cnn", "clipped-ste") as alone,
        Process("ours", "cnn", "clipped-ste", threads=2) as many,
    ):
        assert [alone().loss for _ in range(3)] == [many().loss for _ in range(3)]


def test_tables_are_saved_as_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steps, "Process", Fake)
    monkeypatch.setattr(study, "set_threads", lambda count: None)
    found = Pairing(2.0, 1.0, 4.0, 1.0, 2.0, 3)
    lows = iter([1.0] * 4 + [0.25] * 4)
    times = lambda *given: iter([("forward", replace(found, low=next(lows)))])  # noqa: E731
    monkeypatch.setattr(convolutions, "times", times)
    monkeypatch.setattr(passes, "slope", lambda *given: found)
    monkeypatch.setattr(study, "find_spec", lambda name: name)
    assert study.main(["--pairs", "3", "--out", str(tmp_path)]) == 0
    assert {path.stem for path in tmp_path.iterdir()} == {f"training_speed-{name}" for name in study.TABLES}
    first, *_ = read(tmp_path / "training_speed-steps.csv").records()
    assert (first["network"], first["times as fast"], first["our ms"]) == ("resnet-20", "3", "1000")
    *_, mean = read(tmp_path / "training_speed-convolutions.csv").records()
    assert (mean["product"], mean["times as fast"], mean["low"], mean["high"]) == ("forward", "2", "0.5", "4")
    assert "approxsign" in capsys.readouterr().out


def test_without_torch_the_rest_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steps, "Process", Fake)
    monkeypatch.setattr(study, "set_threads", lambda count: None)
    monkeypatch.setattr(study, "find_spec", lambda name: None)
    assert study.main(["--pairs", "3", "--out", str(tmp_path)]) == 0
    assert {path.stem for path in tmp_path.iterdir()} == {f"training_speed-{name}" for name in study.ALONE}
    assert "steps\ncannot be measured here: torch is missing" in capsys.readouterr().out
