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
        self._replaying = False
        self._next = 0

    def answer(self, compute: Callable[[], T], ties: Callable[[], int] | None) -> T:
        """Record what `compute` gives, or replay what it gave."""
        if self._replaying:
            if self._next >= len(self.decisions):
                raise RuntimeError("the replayed evaluation decides more often than the recorded one did")
            self._next += 1
            return self.decisions[self._next - 1]
        with _activated(None):
            outcome = compute()
            self.on_kinks += ties() if ties else 0
        self.decisions.append(outcome)
        return outcome


_active: ContextVar[BasePoint | None] = ContextVar("base_point", default=None)


@contextmanager
def _activated(point: BasePoint | None) -> Iterator[None]:
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
    point._replaying, point._next = True, 0
    with _activated(point):
        yield
    if point._next != len(point.decisions):
        raise RuntimeError(
            f"the replayed evaluation made {point._next} decisions, the recorded one {len(point.decisions)}"
        )
