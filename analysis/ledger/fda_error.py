"""What is exactly true of the truncated Fourier series of a square wave: its error and its overshoot."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.optimize import minimize_scalar

from analysis.ledger.claim import Finding, at_most, claim, collected, near
from analysis.ledger.numeric import integral, largest, mean_square, series
from bnn_ref.parameter import Array
from bnn_ref.spectra import energy_error, gibbs

PAPER, OURS = "fda2021", "ours"
PERIOD = 2 * np.pi
SEED = 1


@claim(
    "fda-mse-trigamma", PAPER, OURS, "D",
    "The series' mean square error is (2/pi^2) psi_1(N + 1/2), whatever omega.",
)  # fmt: skip
def mse_trigamma() -> Finding:
    cases = [(terms, omega) for terms in (1, 2, 5, 10, 20) for omega in (0.1, 1.0, 3.0)]
    pairs = [
        (energy_error(series(n, omega), PERIOD / omega).value, mean_square(series(n, omega), PERIOD / omega))
        for n, omega in cases
    ]
    return at_most(max(abs(a / b - 1) for a, b in pairs), 1e-12, "largest relative difference to quadrature")


@claim(
    "fda-mse-bounds", PAPER, OURS, "D",
    "That error is between 2/(pi^2 N) (1 - 1/(12 N^2)) and 2/(pi^2 N), strictly.",
)  # fmt: skip
def mse_bounds() -> Finding:
    n = np.arange(1, 101)
    scaled = np.array([mean_square(series(int(k)), PERIOD) for k in n]) * np.pi**2 * n / 2
    inside = bool(((scaled > 1 - 1 / (12 * n**2)) & (scaled < 1)).all())
    return Finding(inside, float(scaled[0]), "the error over the upper bound at N = 1; N = 1 to 100 inside")


@claim(
    "fda-mse-halves", PAPER, OURS, "D",
    "Half of that error belongs to each of the jumps, at 0 and at T/2.",
)  # fmt: skip
def mse_halves() -> Finding:
    def squares(t: Array) -> Array:
        return (1 - series(10)(t)) ** 2

    share = integral(squares, 0, np.pi / 2) / integral(squares, 0, np.pi)
    return near(share, 0.5, 1e-12, "share of the error nearer to 0 than to T/2, 10 terms")


@claim(
    "fda-error-bound", PAPER, OURS, "D",
    "The series' error at t is at most 4/(pi (2N+1) abs(sin omega t)).",
)  # fmt: skip
def error_bound() -> Finding:
    t = np.linspace(1e-4, np.pi / 2, 20_001)
    ratios = [largest((1 - series(n)(t)) * np.pi * (2 * n + 1) * np.sin(t) / 4) for n in (1, 9, 18, 50)]
    return at_most(max(ratios), 1.0, "largest share of the bound")


def _with_sines(extra: Array, t: Array) -> Array:
    """The series of 5 terms with other coefficients of sin t .. sin 10t."""
    return np.asarray(series(5)(t) + np.sin(np.outer(t, np.arange(1, 11))) @ extra)


@claim(
    "fda-best-approximation", PAPER, OURS, "D",
    "No other sum of sines up to the same frequency has a smaller error.",
)  # fmt: skip
def best_approximation() -> Finding:
    rng = np.random.default_rng(SEED)
    least = mean_square(series(5), PERIOD)
    gains = []
    for extra in 0.01 * rng.normal(size=(20, 10)):
        gains.append(mean_square(partial(_with_sines, extra), PERIOD) - least)
    return Finding(min(gains) > 0, min(gains), "least increase of 20 random changes of ten coefficients")


def _peak(terms: int) -> float:
    """The first maximum, found by search."""
    curve = series(terms)
    return -float(minimize_scalar(lambda t: -float(curve(np.array(t))), bounds=(0, np.pi / terms)).fun)


@claim(
    "fda-gibbs", PAPER, OURS, "D",
    "The series' overshoot falls with N to 8.94898722 % of the jump, never lower.",
)  # fmt: skip
def overshoot() -> Finding:
    peaks = [_peak(terms) for terms in (1, 2, 5, 10, 100, 1000)]
    falls = bool((np.diff(peaks) < 0).all() and peaks[-1] > gibbs(1).limit)
    share = (gibbs(1).limit - 1) / 2
    return Finding(
        falls and abs(share - 0.0894898722) < 1e-10, share, "the limit; peaks found by search fall to it"
    )


@claim("fda-gibbs-rate", PAPER, OURS, "D", "Above its limit the series' peak has 1/(12 N^2) left.")
def gibbs_rate() -> Finding:
    left = (gibbs(200).peak - gibbs(200).limit) * 12 * 200**2
    return near(left, 1.0, 1e-3, "what is left at 200 terms, times 12 N^2")


@claim("fda-first-minimum", PAPER, OURS, "D", "The dip behind that peak tends to 0.902823334.")
def first_minimum() -> Finding:
    dip = float(series(2000)(np.array(np.pi / 2000)))
    return near(dip, 0.902823334, 1e-6, "the dip of 2,000 terms")


CLAIMS = collected(globals())
