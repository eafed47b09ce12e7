"""Intervals and powers against printed tables, another library path, quadrature and simulation."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from bnn_ref.train.statistics import deviation, interval, noncentrality, smallest_difference

VALUES = st.lists(st.floats(0, 1), min_size=2, max_size=8)


@given(VALUES)
def test_the_deviation_is_the_sample_one(values: list[float]) -> None:
    assert deviation(values) == pytest.approx(statistics.stdev(values), rel=1e-9, abs=1e-12)


def test_one_value_has_no_spread() -> None:
    assert deviation([0.5]) is None
    assert interval([0.5]) is None


def test_the_interval_is_the_printed_one() -> None:
    # Student's table: t(0.975, 2) = 4.303; values 1, 2, 3 have s = 1
    assert interval([1, 2, 3]) == pytest.approx(
        (2 - 4.303 / math.sqrt(3), 2 + 4.303 / math.sqrt(3)), abs=3e-4
    )


@given(st.lists(st.floats(0, 1), min_size=3, max_size=8, unique=True))
def test_the_interval_of_differences_is_that_of_the_paired_test(values: list[float]) -> None:
    other = [math.sin(7 * value + index) for index, value in enumerate(values)]
    test = stats.ttest_rel(values, other).confidence_interval()
    found = interval([a - b for a, b in zip(values, other, strict=True)])
    assert found == pytest.approx((test.low, test.high), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("difference", "runs", "paired"),
    # the smallest sample sizes for effects d at level 5 % and power 80 %: Cohen 1988, tables 2.3 and 2.4
    [(0.2, 394, False), (0.5, 64, False), (0.8, 26, False), (0.5, 34, True)],
)
def test_sample_sizes_are_the_printed_ones(difference: float, runs: int, paired: bool) -> None:
    enough = smallest_difference(1.0, runs, paired=paired)
    too_few = smallest_difference(1.0, runs - 1, paired=paired)
    assert enough <= difference < too_few


def test_power_is_the_printed_one() -> None:
    # R's manual of power.t.test: n = 20, delta = 1, sd = 1 has power 0.8689528
    assert smallest_difference(1.0, 20, paired=False, power=0.8689528) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("freedom", [1, 2, 4, 30])
def test_the_noncentrality_is_that_of_quadrature(freedom: int) -> None:
    """T = (Z + delta) / S with S^2 = chi^2 / freedom: average the normal's tails over S."""
    delta, critical = noncentrality(freedom, 0.05, 0.8), stats.t.ppf(0.975, freedom)

    def tails(s: float) -> float:
        beyond = stats.norm.cdf(delta - critical * s) + stats.norm.cdf(-delta - critical * s)
        return float(beyond * stats.chi.pdf(s * math.sqrt(freedom), freedom) * math.sqrt(freedom))

    assert integrate.quad(tails, 0, np.inf)[0] == pytest.approx(0.8, abs=1e-8)


@pytest.mark.parametrize("paired", [True, False])
def test_simulated_sweeps_find_it_in_four_of_five_cases(paired: bool) -> None:
    rng = np.random.default_rng(0)
    sweeps, runs = 20_000, 3
    # independent arms of deviation 1: their differences have sqrt(2)
    d = smallest_difference(math.sqrt(2) if paired else 1.0, runs, paired=paired)
    a, b = rng.normal(d, 1, (sweeps, runs)), rng.normal(0, 1, (sweeps, runs))
    p = (stats.ttest_rel if paired else stats.ttest_ind)(a, b, axis=1).pvalue
    assert np.mean(p < 0.05) == pytest.approx(0.8, abs=4 * math.sqrt(0.16 / sweeps))


@given(st.integers(2, 50), st.booleans(), st.floats(0.001, 10))
def test_it_scales_with_the_spread_and_falls_with_the_runs(runs: int, paired: bool, s: float) -> None:
    d = smallest_difference(s, runs, paired=paired)
    assert d == pytest.approx(s * smallest_difference(1.0, runs, paired=paired))
    assert smallest_difference(s, runs + 1, paired=paired) < d
    assert smallest_difference(s, runs, paired=paired, power=0.9) > d


def test_no_spread_shows_any_difference() -> None:
    assert smallest_difference(0.0, 3, paired=True) == 0


def test_bad_arguments_are_named() -> None:
    for bad in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="deviation: required a finite number >= 0"):
            smallest_difference(bad, 3, paired=True)
    with pytest.raises(ValueError, match="runs: required at least 2, got 1"):
        smallest_difference(1.0, 1, paired=True)
    for level, power in ((0.0, 0.8), (0.05, 1.0), (0.8, 0.05), (0.05, 0.05)):
        with pytest.raises(ValueError, match="level, power: required 0 < level < power < 1"):
            smallest_difference(1.0, 3, paired=True, level=level, power=power)
