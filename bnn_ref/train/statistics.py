"""What a few runs can show: intervals of means, and the smallest difference that they would not miss."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite, sqrt

import numpy as np
from scipy import optimize, special

LEVEL = 0.05
POWER = 0.8


def deviation(values: Sequence[float]) -> float | None:
    """Sample standard deviation (divisor n - 1); None for a single value, which has none."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float] | None:
    """The t interval mean -+ t(1 - level/2, n - 1) s / sqrt(n), by default of 95 %; None for a single value.

    For paired runs pass their differences. Source: Student, The probable error of a mean, 1908.
    """
    spread = deviation(values)
    if spread is None:
        return None
    half = float(special.stdtrit(len(values) - 1, 1 - level / 2)) * spread / sqrt(len(values))
    return float(np.mean(values)) - half, float(np.mean(values)) + half


def smallest_difference(
    deviation: float, runs: int, *, paired: bool, level: float = LEVEL, power: float = POWER
) -> float:
    """The smallest true difference of means that a two-sided t test finds with probability `power`.

    Parameters
    ----------
    deviation : float
        Paired: standard deviation of the differences between partners. Unpaired: that of the runs, pooled.
    runs : int
        n, at least 2: number of pairs, or of runs in each of the two groups.
    paired : bool
        Whether partners share their seed.
    level, power : float
        Of the test, with level < power.

    Returns
    -------
    float
        In units of `deviation`'s values.

    Raises
    ------
    ValueError
        For arguments out of range.

    Notes
    -----
    d = delta s / sqrt(n), n - 1 degrees of freedom (paired), or d = delta s sqrt(2/n), 2n - 2 of them, with
    delta such that P(F' > F) = power: F' is noncentral F with (1, df) degrees of freedom and noncentrality
    delta^2, the square of a noncentral t, and F the central one's quantile at 1 - level. s is itself
    estimated: of three runs, it may well be half or twice the true one. Source: Cohen, Statistical Power
    Analysis for the Behavioral Sciences, 1988, chapter 2.
    """
    if not (isfinite(deviation) and deviation >= 0):
        raise ValueError(f"deviation: required a finite number >= 0, got {deviation}")
    if runs < 2:
        raise ValueError(f"runs: required at least 2, got {runs}")
    if not 0 < level < power < 1:
        raise ValueError(f"level, power: required 0 < level < power < 1, got {level} and {power}")
    freedom, width = (runs - 1, sqrt(1 / runs)) if paired else (2 * runs - 2, sqrt(2 / runs))
    return noncentrality(freedom, level, power) * width * deviation


def noncentrality(freedom: int, level: float, power: float) -> float:
    """delta at which a two-sided t test with so many degrees of freedom has that power."""
    # not above: scipy.stats takes a third of the package's import time, in every process of a sweep
    from scipy import stats

    critical = stats.f.ppf(1 - level, 1, freedom)

    def excess(delta: float) -> float:
        return float(stats.ncf.sf(critical, 1, freedom, delta * delta)) - power

    top = 1.0
    while excess(top) < 0:
        top *= 2
    return float(optimize.brentq(excess, 0.0, top, xtol=1e-10))
