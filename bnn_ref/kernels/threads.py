"""Threads that share the work of a kernel: one pool for all, and results that do not depend on how many.

Work is divided where parts do not meet: images, rows, sums of their own. What is summed over rows is summed
over sections that the shape alone decides, and these in order. Source: ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from threading import local

from numba import config

from bnn_ref.checks import require_whole

GRAIN = 2**20
"""Bytes that are worth a thread: handing work over takes some 60 microseconds."""

MOST = 256
"""Threads of the pool, at most: more parts than that wait for each other."""

_state = {"threads": int(config.NUMBA_NUM_THREADS)}  # type: ignore[attr-defined]
_here = local()


def get_threads() -> int:
    """How many threads kernels share their work among."""
    return _state["threads"]


def set_threads(count: int) -> None:
    """Share the work of kernels among `count` threads from now on, in this process.

    By default as many as Numba counts cores, or `NUMBA_NUM_THREADS` says. No result depends on it.

    Raises
    ------
    ValueError
        Below 1.
    """
    require_whole("count", count, 1)
    _state["threads"] = count


@contextmanager
def among(count: int) -> Iterator[None]:
    """What this thread shares meanwhile is shared among `count`, whatever others do; 1 shares nothing.

    Raises
    ------
    ValueError
        Below 1.
    """
    require_whole("count", count, 1)
    before, _here.threads = getattr(_here, "threads", None), count
    try:
        yield
    finally:
        _here.threads = before


def _alone() -> None:
    _here.threads = 1


@cache
def pool() -> ThreadPoolExecutor:
    """The pool: it grows to what is worked on at a time, and its threads wait without spinning."""
    return ThreadPoolExecutor(MOST, thread_name_prefix="bnn_ref", initializer=_alone)


os.register_at_fork(after_in_child=pool.cache_clear)  # threads do not survive a fork


def share(work: Callable[[int, int], object], items: int, nbytes: int) -> None:
    """work(first, last) for consecutive parts of range(items), one a thread, this one among them.

    `nbytes` is what all of it reads and writes: little is not shared. Nor is what a thread of the pool does,
    which would wait for itself. An error of any part is raised when all of them have ended.
    """
    threads = getattr(_here, "threads", None) or get_threads()
    parts = max(1, min(threads, items, nbytes // GRAIN))
    if parts == 1:
        work(0, items)
        return
    (first, last), *rest = pairwise(items * part // parts for part in range(parts + 1))
    others = [pool().submit(work, *bounds) for bounds in rest]
    try:
        work(first, last)
    finally:
        wait(others)
    for other in others:
        other.result()
