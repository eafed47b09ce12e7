"""The harness: equal outputs first, interleaved, ratios. Its clock is replaced: no test depends on speed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bnn_ref import timing


def test_unequal_outputs_are_refused() -> None:
    with pytest.raises(ValueError, match="required equal outputs"):
        timing.paired(lambda: np.zeros(2), lambda: np.ones(2))


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 3, got 2"):
        timing.paired(lambda: np.zeros(2), lambda: np.zeros(2), 2)


def test_ratio_is_that_of_neighbours_under_a_drifting_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Theirs takes three times ours while the machine slows down by 10 % a call: the ratio hardly notices."""
    clock, pace = [0.0], [1.0]

    def work(cost: float) -> Callable[[], np.ndarray]:
        def call() -> np.ndarray:
            clock[0] += cost * pace[0]
            pace[0] *= 1.1
            return np.zeros(1)

        return call

    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])
    result = timing.paired(work(1.0), work(3.0), 9)
    assert result.low <= result.ratio <= result.high
    assert abs(result.ratio - 3) < 0.05
    assert result.to_dict()["pairs"] == 9
