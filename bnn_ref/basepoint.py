"""Re-centring: what one evaluation decided, replayed so that its smooth continuation can be differentiated.

A binary network is full of decisions: which side of a kink, which arg max, which sign, which detached value.
Every one of them passes through `decide`. Outside an audit that costs one look-up. While `record` is active
each decision is kept, in call order; under `replay` the kept ones are answered again, whatever the
arguments are by then. What remains is a smooth (even analytic) function through the base point, and its true
derivative is the surrogate gradient. Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")


class BasePoint:
    """The decisions of one recorded evaluation, in call order.

    Attributes
    ----------
    decisions : list
        One entry per call of `decide`.
    on_kinks : int
        How many elements lay exactly on a kink or in a tie.
    """

    def __init__(self) -> None:
        self.decisions: list[Any] = []
        self.on_kinks = 0

    def answer(self, compute: Callable[[], T], ties: Callable[[], int] | None) -> T:
        """Record what `compute` gives."""
        with _activated(None):
            outcome = compute()
            self.on_kinks += ties() if ties else 0
        self.decisions.append(outcome)
        return outcome


class _Replay:
    """One walk through the decisions of a base point; several may go on at once."""

    def __init__(self, point: BasePoint) -> None:
        self.point, self.made = point, 0

    def answer(self, compute: Callable[[], T], ties: Callable[[], int] | None) -> T:
        """What was recorded here; neither argument is called."""
        if self.made >= len(self.point.decisions):
            raise RuntimeError("the replayed evaluation decides more often than the recorded one did")
        self.made += 1
        return self.point.decisions[self.made - 1]


_active: ContextVar[BasePoint | _Replay | None] = ContextVar("base_point", default=None)


@contextmanager
def _activated(point: BasePoint | _Replay | None) -> Iterator[None]:
    token = _active.set(point)
    try:
        yield
    finally:
        _active.reset(token)


def recentring() -> bool:
    """Whether a base point is being recorded or replayed."""
    return _active.get() is not None


def decide(compute: Callable[[], T], ties: Callable[[], int] | None = None) -> T:
    """The outcome of a decision: computed now, or the base point's while one is replayed.

    Parameters
    ----------
    compute : callable
        Makes the decision; not called under `replay`.
    ties : callable, optional
        Counts the elements that lie on a kink or in a tie; called only while recording.
    """
    point = _active.get()
    return compute() if point is None else point.answer(compute, ties)


@contextmanager
def record() -> Iterator[BasePoint]:
    """Record every decision made inside the block."""
    point = BasePoint()
    with _activated(point):
        yield point


@contextmanager
def replay(point: BasePoint) -> Iterator[None]:
    """Answer every decision inside the block as `point` recorded it.

    Raises
    ------
    RuntimeError
        When the block decides more or less often than the recorded evaluation.
    """
    walk = _Replay(point)
    with _activated(walk):
        yield
    if walk.made != len(point.decisions):
        raise RuntimeError(
            f"the replayed evaluation made {walk.made} decisions, the recorded one {len(point.decisions)}"
        )
