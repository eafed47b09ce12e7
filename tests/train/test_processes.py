"""Calls side by side come back in order, at most so many at a time."""

from __future__ import annotations

import pytest

from bnn_ref.train.processes import in_processes


def test_results_keep_the_order_of_their_tasks() -> None:
    tasks = [(2, 5), (3, 2), (7, 0)]
    assert list(in_processes(pow, tasks, 1)) == list(in_processes(pow, tasks, 2)) == [32, 9, 1]


def test_no_jobs_are_refused_before_any_call() -> None:
    with pytest.raises(ValueError, match="jobs: required a whole number >= 1, got 0"):
        in_processes(pow, [(2, 5)], 0)
