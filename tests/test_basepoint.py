"""Decisions: made outside, kept by `record`, answered again by `replay`, never left behind."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import numpy as np
import pytest

from bnn_ref.basepoint import BasePoint, decide, recentring, record, replay


def side(x: float) -> str:
    return decide(lambda: "right" if x > 0 else "left", lambda: int(x == 0))


def test_outside_a_decision_is_just_made_and_ties_are_not_counted() -> None:
    assert decide(lambda: 3, lambda: pytest.fail("counted")) == 3
    assert not recentring()


def test_recorded_decisions_are_answered_in_order() -> None:
    with record() as point:
        assert [side(x) for x in (1.0, -1.0, 0.0)] == ["right", "left", "left"]
    assert point.decisions == ["right", "left", "left"]
    assert point.on_kinks == 1
    for _ in range(2):
        with replay(point):
            assert [side(x) for x in (-5.0, 5.0, 5.0)] == ["right", "left", "left"]
    assert point.on_kinks == 1
    assert side(5.0) == "right"


def test_what_was_decided_is_not_computed_again() -> None:
    with record() as point:
        first = decide(lambda: np.ones(3))
    with replay(point):
        again = decide(lambda: pytest.fail("computed"), lambda: pytest.fail("counted"))
    assert again is first


def test_recentring_is_true_inside_both_blocks_only() -> None:
    seen = []
    with record() as point:
        seen.append(recentring())
        decide(lambda: seen.append(recentring()))
    with replay(point):
        seen.append(recentring())
        decide(lambda: None)
    assert seen == [True, False, True]
    assert not recentring()


def test_a_decision_inside_a_decision_belongs_to_it() -> None:
    """Otherwise the replay, which does not compute, would answer the inner one's outcome to somebody else."""

    def outer() -> tuple[str, str]:
        return decide(lambda: (side(0.0), side(1.0)), lambda: int(side(0.0) == "left"))

    with record() as point:
        assert outer() == ("left", "right")
        side(2.0)
    assert point.decisions == [("left", "right"), "right"]
    assert point.on_kinks == 1, "the outer count only"
    with replay(point):
        assert (outer(), side(-2.0)) == (("left", "right"), "right")


def test_a_replay_that_decides_more_often_is_refused() -> None:
    with record() as point:
        side(1.0)
    with pytest.raises(RuntimeError, match="decides more often than the recorded"), replay(point):
        side(1.0), side(1.0)
    assert not recentring()


def test_a_replay_that_decides_less_often_is_refused() -> None:
    with record() as point:
        side(1.0), side(1.0), side(1.0)
    with (
        pytest.raises(RuntimeError, match="the replayed evaluation made 1 decisions, the recorded one 3"),
        replay(point),
    ):
        side(1.0)
    with replay(point):
        assert [side(-1.0) for _ in range(3)] == ["right"] * 3


def test_an_exception_inside_leaves_nothing_active_and_is_not_replaced() -> None:
    for block in (record, lambda: replay(BasePoint())):
        with pytest.raises(KeyError, match="mine"), block():
            raise KeyError("mine")
        assert not recentring()
    with record() as point:
        side(1.0), side(1.0)
    with pytest.raises(KeyError, match="mine"), replay(point):
        raise KeyError("mine")


def test_an_exception_in_a_decision_keeps_recording_what_follows() -> None:
    with record() as point:
        with pytest.raises(ZeroDivisionError):
            decide(lambda: 1 / 0)
        assert recentring()
        with pytest.raises(ZeroDivisionError):
            decide(lambda: 1, lambda: 1 // 0)
        side(1.0)
    assert point.decisions == ["right"]


def test_blocks_nest_and_the_inner_one_answers() -> None:
    with record() as outer:
        side(1.0)
        with record() as inner:
            side(-1.0)
        with replay(inner):
            assert side(7.0) == "left"
        side(2.0)
    assert outer.decisions == ["right", "right"]
    assert inner.decisions == ["left"]


def test_a_thread_does_not_see_the_block_of_another() -> None:
    with record() as point:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(recentring).result() is False
            assert pool.submit(side, 1.0).result() == "right"
            assert pool.submit(copy_context().run, recentring).result() is True
        side(-1.0)
    assert point.decisions == ["left"]


def test_threads_record_and_replay_side_by_side() -> None:
    together = threading.Barrier(2, timeout=30)

    def work(sign: float) -> list[Any]:
        with record() as point:
            for _ in range(3):
                together.wait()
                side(sign)
        with replay(point):
            answers = []
            for _ in range(3):
                together.wait()
                answers.append(side(0.0))
        return answers

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, (1.0, -1.0))) == [["right"] * 3, ["left"] * 3]


def test_two_threads_may_replay_one_point() -> None:
    together = threading.Barrier(2, timeout=30)
    with record() as point:
        side(1.0), side(-1.0)

    def work(_: int) -> list[str]:
        with replay(point):
            together.wait()
            first = side(0.0)
            together.wait()
            return [first, side(0.0)]

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(work, range(2))) == [["right", "left"]] * 2
