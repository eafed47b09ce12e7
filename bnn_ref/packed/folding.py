"""Integer thresholds in place of float arithmetic, derived by evaluating that same arithmetic.

A binary product of fan-in n is one of the integers -n..n. Whatever per-channel float32 arithmetic stands
between it and a sign is a function of that integer: here it is tabulated, so that no tie and no rounding can
differ from eval mode. Source: ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from bnn_ref.binarizer import Sign
from bnn_ref.packed.signs import Signs
from bnn_ref.packed.steps import Elementwise, Threshold
from bnn_ref.parameter import Array

_ENTRIES = 2**22
"""Floats tabulated at once: 16 MiB."""


def tables(steps: Sequence[Elementwise], fan_in: int, channels: int) -> Iterator[Array]:
    """What `steps` make of every integer -n..n: float32 (2n + 1, some channels), a few channels at a time."""
    integers = np.arange(-fan_in, fan_in + 1, dtype=np.int32)[:, None]
    block = max(1, _ENTRIES // len(integers))
    for start in range(0, channels, block):
        part = slice(start, min(start + block, channels))
        y = np.repeat(integers, part.stop - part.start, axis=1).astype(np.float32)
        with np.errstate(over="ignore", invalid="ignore"):  # some integers may never occur
            for step in steps:
                y = step.of(part).apply(y)
        yield y


def nondecreasing(steps: Sequence[Elementwise], fan_in: int, channels: int) -> bool:
    """Whether `steps` keep the order of the integers, so that the largest integer gives the largest float."""
    return not steps or all(_ordered(table) for table in tables(steps, fan_in, channels))


def _ordered(table: Array) -> bool:
    """Whether every column rises; not with zeros of both signs, of which a pool takes the first."""
    zero, minus = table == 0, np.signbit(table)
    mixed = (zero & minus).any(axis=0) & (zero & ~minus).any(axis=0)
    return bool((table[1:] >= table[:-1]).all() and not mixed.any())


def fold(steps: Sequence[Elementwise], zero: int, fan_in: int, channels: int) -> Threshold | None:
    """The threshold that answers as the sign of `steps` does, for every integer and channel.

    Parameters
    ----------
    steps : sequence of Elementwise
        Applied in this order to the integer.
    zero : int
        sign(0), +1 or -1.
    fan_in, channels : int
        n and F.

    Returns
    -------
    Threshold or None
        None where in some channel the sign is not one step in z (a curve that turns, a NaN). A constant
        channel rises at a threshold that is always or never reached.
    """
    thresholds, rising = [], []
    for table in tables(steps, fan_in, channels):
        if np.isnan(table).any():
            return None
        up = Sign(zero)(table) > 0
        if ((up[1:] != up[:-1]).sum(axis=0) > 1).any():
            return None
        count = up.sum(axis=0)
        falls = up[0] & ~up[-1]
        thresholds.append(np.where(falls, count - fan_in - 1, fan_in + 1 - count))
        rising.append(np.where(falls, np.float32(-1), np.float32(1)))
    return Threshold(np.concatenate(thresholds).astype(np.int32), Signs.of(np.concatenate(rising)))
