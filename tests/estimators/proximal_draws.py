"""Level sets, shifts and weights drawn by Hypothesis, and a scalar proximal map by exhaustive search."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import strategies as st

from bnn_ref.parameter import Array

hundredths = st.integers(-300, 300).map(lambda i: i / 100)


def level_sets(symmetric: bool = False) -> st.SearchStrategy[tuple[float, ...]]:
    """Two to six levels, at least a twentieth apart."""
    if symmetric:
        upper = st.sets(st.integers(1, 40), min_size=1, max_size=3)
        return st.tuples(upper, st.booleans()).map(lambda drawn: _mirrored(*drawn))
    twentieths = st.sets(st.integers(-40, 40), min_size=2, max_size=6)
    return twentieths.map(lambda found: tuple(sorted(i / 20 for i in found)))


def _mirrored(upper: set[int], zero: bool) -> tuple[float, ...]:
    return tuple(sorted({*(i / 20 for i in upper), *(-i / 20 for i in upper), *([0.0] if zero else [])}))


shifts = st.one_of(st.just(0.0), st.floats(0.001, 2.5))
weights = st.lists(st.floats(-4, 4), min_size=1, max_size=30).map(np.array)


def by_search(
    penalty: Callable[[Array], Array], mu: float, w: float, candidates: Array
) -> tuple[Array, float]:
    """Every candidate that minimises (z - w)^2 / (2 mu) + penalty(z) to rounding, and the minimum."""
    cost = (candidates - w) ** 2 / (2 * mu) + penalty(candidates)
    return candidates[cost <= cost.min() + 1e-12], float(cost.min())
