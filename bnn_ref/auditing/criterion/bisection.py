"""Where a function jumps, found from outside: a jump is a step that does not shrink under bisection."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bnn_ref.parameter import Array

Step = Callable[[Array, Array], Array]
"""(left ends, right ends) of intervals -> a size for each, small on small ones where all is smooth."""

HALVINGS = 30
"""How often an interval is halved in search of a jump: to 1e-9 of its width."""

KEPT = 1e-3
"""A step is a jump when this share of it is left after all halvings; a smooth one keeps 1e-9."""


def halve(step: Step, left: Array, right: Array, times: int) -> tuple[Array, Array]:
    """Every interval, halved so often, always the half with the larger step (the left one of equals)."""
    for _ in range(times):
        middle = (left + right) / 2
        upper = step(middle, right) > step(left, middle)
        left, right = np.where(upper, middle, left), np.where(upper, right, middle)
    return left, right


def jumps(f: Callable[[Array], Array], edges: Array, noise: float) -> Array:
    """Brackets (left, right) around the jumps of `f`, at most one between two neighbouring edges.

    Parameters
    ----------
    f : callable
        Vectorised, array (n,) -> array (n,).
    edges : array (n,)
        Ascending.
    noise : float
        Steps up to this are rounding.

    Returns
    -------
    array (jumps, 2)
    """

    def step(left: Array, right: Array) -> Array:
        return np.abs(f(right) - f(left))

    left, right = edges[:-1], edges[1:]
    first = step(left, right)
    moves = first > noise
    left, right = halve(step, left[moves], right[moves], HALVINGS)
    last = step(left, right)
    found = last > np.maximum(noise, KEPT * first[moves])
    return np.stack([left[found], right[found]], axis=1)


def merged(brackets: Array, within: float) -> Array:
    """The brackets (n, 2) in ascending order, those made one that overlap or lie `within` of each other."""
    kept: list[list[float]] = []
    for left, right in sorted(brackets.tolist()):
        if kept and left - kept[-1][1] <= within:
            kept[-1][1] = max(kept[-1][1], right)
        else:
            kept.append([left, right])
    return np.array(kept, np.float64).reshape(-1, 2)
