"""How long a call takes when it is its turn: ours and the rivals' alike."""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST = 0.005
"""Seconds: by then caches, clock and vector units are this process's again."""


def turn(call: Callable[[], object], threads: int) -> float:
    """Seconds a call: calls for `LEAST` seconds that do not count, then as long those that do.

    One thread is measured in seconds of this process, for others share the machine; several by the clock on
    the wall.
    """
    clock = time.process_time if threads == 1 else time.perf_counter
    took = 0.0
    for _ in range(2):
        start, calls, took = clock(), 0, 0.0
        while took < LEAST:
            call()
            calls, took = calls + 1, clock() - start
    return took / calls
