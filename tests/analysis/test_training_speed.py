"""The harness of the comparison with torch: our side, and what it does with answers."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.training_speed import steps
from analysis.training_speed.networks import CASES, Case, Ours
from analysis.training_speed.steps import Answer, Process


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


class Fake:
    """A worker that takes one and two seconds in turns, or whatever it is told."""

    def __init__(self, side: str, *rest: str) -> None:
        self.seconds, self.loss = (1.0, 2.0) if side == "ours" else (3.0, 2.001)

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
    with pytest.raises(ValueError, match=r"required equal losses, got 2\.0 and 2\.001"):
        steps.compare("cnn", "clipped-ste", "nchw", 3, tolerance=1e-4)


def test_the_cases_are_those_of_the_page() -> None:
    assert {case.batch for case in CASES.values()} == {64, 128}
