"""Rank correlation of a measure with accuracy, and how far so few estimators pin it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atanh, sqrt, tanh

import numpy as np
from scipy import special, stats

from analysis.tables import Cell
from bnn_ref.checks import require

PERMUTATIONS = 9999


@dataclass(frozen=True)
class Ranking:
    """Spearman's rho.

    Attributes
    ----------
    rho : float
    low, high : float
        95 % interval by Fisher's z with the variance (1 + rho^2 / 2) / (n - 3).
    p : float
        Of the permutation test, two-sided: how often shuffled accuracies correlate as strongly.
    """

    rho: float
    low: float
    high: float
    p: float


def rank(values: Sequence[float], accuracies: Sequence[float]) -> Ranking | None:
    """How `values` rank with `accuracies`; None where one of the two is the same for all.

    Raises
    ------
    ValueError
        For fewer than five pairs.

    Notes
    -----
    Source: Bonett and Wright, Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations, 2000. Interval and test take estimators as drawn at random, which a list of published ones
    is not.
    """
    require(len(values) == len(accuracies) > 4, "values", "at least five pairs", len(values))
    if len(set(values)) == 1 or len(set(accuracies)) == 1:
        return None
    rho = float(stats.spearmanr(values, accuracies).statistic)
    half = float(special.ndtri(0.975)) * sqrt((1 + rho * rho / 2) / (len(values) - 3))
    z = atanh(max(-1 + 1e-12, min(rho, 1 - 1e-12)))
    return Ranking(rho, tanh(z - half), tanh(z + half), _permuted(values, accuracies, abs(rho)))


def cells(found: Ranking | None) -> list[Cell]:
    """rho, its interval and p as a table shows them; four empty ones where there is none."""
    if found is None:
        return ["", "", "", ""]
    return [*(f"{value:.2f}" for value in (found.rho, found.low, found.high)), f"{found.p:.4f}"]


def _permuted(values: Sequence[float], accuracies: Sequence[float], found: float) -> float:
    """(1 + shuffles at least as strong) / (1 + shuffles)."""
    ranks = [stats.rankdata(given) - (len(values) + 1) / 2 for given in (values, accuracies)]
    shuffled = np.random.default_rng(0).permuted(np.tile(ranks[1], (PERMUTATIONS, 1)), axis=1)
    rhos = shuffled @ ranks[0] / sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum())
    return float((1 + (np.abs(rhos) >= found - 1e-12).sum()) / (1 + PERMUTATIONS))
