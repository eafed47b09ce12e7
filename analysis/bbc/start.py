"""What the formulas decide: which way the slope points at first, and that a logit's area is conserved."""

from __future__ import annotations

from itertools import pairwise
from math import inf, sqrt

import numpy as np
from scipy import integrate

from analysis.bbc.learned import core, slope
from analysis.tables import Cell, Table
from bnn_ref import estimators
from bnn_ref.binarizer import Binarizer

DRAWS = 4000
EXACT = {"bbc": sqrt(2) / 3, "bbc-linear": sqrt(2 / 3)}
"""Standard deviation of E'(0): two logits of 1/3 u v each, summed; two slopes uniform on (-1, 1), summed."""
HEIGHTS = STEEPNESS = (0.5, 1.0, 2.0, 4.0)


def starts(seed: int = 0, draws: int = DRAWS) -> Table:
    """E'(0) of fresh draws, beside the exact standard deviation and P(E'(0) < 0) = 1/2."""
    rows: list[list[Cell]] = []
    for name, exact in EXACT.items():
        rng, rule = np.random.default_rng(seed), estimators.get(name)
        found = np.array([slope(rule.bind((), -1, rng)) for _ in range(draws)])
        rows.append([name, draws, found.mean(), found.std(), exact, float((found < 0).mean()), 0.5])
    columns = ("estimator", "draws", "mean", "deviation", "exact deviation", "share falling", "exact share")
    return Table.of(columns, rows)


def areas() -> Table:
    """The integral of E' for one logit h tanh(a x), by quadrature: 2 where h > 1, else 2 h."""
    columns = ("height", "steepness", "slope at 0", "window", "area", "2 min(height, 1)")
    rows = [_area(height, steep) for height in HEIGHTS for steep in STEEPNESS]
    return Table.of(columns, rows)


def _area(height: float, steep: float) -> list[Cell]:
    b = logit(height, steep)
    window = np.arctanh(1 / height) / steep if height > 1 else inf
    edges = (0.0, *([window] if window < inf else []), 60.0)
    half = sum(_integral(b, low, high) for low, high in pairwise(edges))
    name: Cell = float(window) if window < inf else "none"
    return [height, steep, slope(b), name, 2 * half, 2 * min(height, 1)]


def logit(height: float, steep: float) -> Binarizer:
    """BBC with one hidden unit and one logit that counts: f_0(x) = h tanh(a x), f_1 = 0."""
    rule = core(estimators.get("bbc", hidden=1).bind((), -1, np.random.default_rng(0)))
    first, second = rule.parameters()
    first.value, second.value = np.array([[steep]]), np.array([[height, 0.0]])
    return rule


def _integral(b: Binarizer, low: float, high: float) -> float:
    found, _ = integrate.quad(lambda x: float(b.surrogate.derivative(np.array(x))), low, high, limit=200)
    return float(found)
