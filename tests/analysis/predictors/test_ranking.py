"""Rank correlation: all orders of a few values, another library, and how often its interval is right."""

from __future__ import annotations

from itertools import permutations
from math import factorial

import numpy as np
import pytest
from scipy import stats

from analysis.predictors import ranking
from analysis.predictors.ranking import rank


def test_of_all_orders() -> None:
    """Five values: every order counted, where the study shuffles."""
    values, accuracies = [1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0]
    found = rank(values, accuracies)
    assert found is not None
    assert found.rho == pytest.approx(0.8)  # 1 - 6 * 4 / (5 * 24)
    rhos = [
        1 - 6 * sum((a - b) ** 2 for a, b in zip(values, p, strict=True)) / 120 for p in permutations(values)
    ]
    exact = sum(abs(rho) >= 0.8 - 1e-9 for rho in rhos) / factorial(5)
    assert found.p == pytest.approx(exact, abs=0.02)


def test_ties_as_scipy() -> None:
    rng = np.random.default_rng(0)
    values, accuracies = rng.integers(4, size=12).astype(float), rng.normal(size=12)
    found = rank(values.tolist(), accuracies.tolist())
    assert found is not None
    assert found.rho == pytest.approx(stats.spearmanr(values, accuracies).statistic)
    assert found.p == pytest.approx(stats.spearmanr(values, accuracies).pvalue, abs=0.03)
    assert found.low < found.rho < found.high


def test_the_interval_holds_the_truth_as_often_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Normal pairs of correlation r have Spearman's 6 / pi arcsin(r / 2); 0.92 without the term rho^2 / 2."""
    monkeypatch.setattr(ranking, "PERMUTATIONS", 1)
    rng = np.random.default_rng(0)
    truth = 6 / np.pi * np.arcsin(0.9 / 2)
    inside = 0
    for _ in range(1000):
        x = rng.normal(size=30)
        found = rank(x.tolist(), (0.9 * x + np.sqrt(0.19) * rng.normal(size=30)).tolist())
        assert found is not None
        inside += found.low <= truth <= found.high
    assert 0.935 <= inside / 1000 <= 0.972


def test_nothing_to_rank() -> None:
    assert rank([1.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0]) is None
    assert rank([1.0, 2.0, 3.0, 4.0, 5.0], [0.5] * 5) is None
    with pytest.raises(ValueError, match="values: required at least five pairs, got 4"):
        rank([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0])


def test_a_perfect_order_has_an_interval_below_one() -> None:
    found = rank([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert found is not None
    assert found.rho == pytest.approx(found.high) == 1
