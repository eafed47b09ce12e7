"""Speed as a ratio in one run: two callables in turns, after their outputs were checked equal.

On a shared machine identical code varies by a factor of two from one second to the next; the ratio of
neighbouring calls does not. Source: ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from bnn_ref.parameter import Array


@dataclass(frozen=True)
class Pairing:
    """How many times faster `ours` was than `theirs`, over interleaved pairs.

    Attributes
    ----------
    ratio, low, high : float
        Median and quartiles of time(theirs) / time(ours).
    ours, theirs : float
        Median times, in seconds; they drift with the machine, the ratio less.
    pairs : int
        How many were measured.
    """

    ratio: float
    low: float
    high: float
    ours: float
    theirs: float
    pairs: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def interleaved(ours: Callable[[], float], theirs: Callable[[], float], pairs: int) -> Pairing:
    """Theirs, ours, theirs, and so on; each ours against the mean around it.

    Parameters
    ----------
    ours, theirs : callable
        Do the work once and return the seconds that it took; it may have been done in another process.
    pairs : int
        At least 3.

    Raises
    ------
    ValueError
        When `pairs` is too small.
    """
    if pairs < 3:
        raise ValueError(f"pairs: required at least 3, got {pairs}")
    before, ratios, fast, slow = theirs(), [], [], []
    for _ in range(pairs):
        took, after = ours(), theirs()
        ratios.append((before + after) / 2 / took)
        fast.append(took)
        slow.append(after)
        before = after
    low, median, high = np.percentile(ratios, [25, 50, 75])
    return Pairing(
        float(median), float(low), float(high), float(np.median(fast)), float(np.median(slow)), pairs
    )


def paired(
    ours: Callable[[], Array], theirs: Callable[[], Array], pairs: int = 15, tolerance: float = 0.0
) -> Pairing:
    """Time two callables in turns: theirs, ours, theirs, and so on; each ours against the mean around it.

    Parameters
    ----------
    ours, theirs : callable
        Without arguments; they must return equal arrays.
    pairs : int
        At least 3.
    tolerance : float
        Largest difference between elements that counts as equal: 0 for exact arithmetic, more where two
        right ways of adding floats round differently.

    Raises
    ------
    ValueError
        When the outputs differ (then a ratio would mean nothing), or `pairs` is too small.
    """
    if pairs < 3:
        raise ValueError(f"pairs: required at least 3, got {pairs}")
    mine, other = ours(), theirs()
    if mine.shape != other.shape or not np.allclose(mine, other, rtol=0, atol=tolerance):
        raise ValueError("ours, theirs: required equal outputs before timing, got different ones")
    del mine, other  # large arrays kept alive would make the allocator's work different from a caller's
    return interleaved(partial(seconds, ours), partial(seconds, theirs), pairs)


def seconds(call: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
