"""FDA-BNN's statements about its series, one after another."""

from __future__ import annotations

import numpy as np

from analysis.ledger.claim import Finding, at_most, claim, collected, near
from analysis.ledger.numeric import integral, largest, mean_square, series, sine_error
from bnn_ref.binarizer import Sign
from bnn_ref.estimators.ste import Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.spectra import harmonic_errors

PAPER = "fda2021"
PERIOD = 2 * np.pi


@claim(
    "fda-series-lossless", PAPER, "Section 3; Eq. 6-7", "P",
    "The whole series is sign: on half a period the partial sums tend to it, away from the jumps.",
)  # fmt: skip
def series_lossless() -> Finding:
    t = np.arcsin(np.linspace(0.1, 1, 400))
    few, many = (largest(series(terms)(t) - 1) for terms in (200, 2000))
    return Finding(many < few / 8, many, "largest error of 2,000 terms where sin t >= 0.1")


@claim(
    "fda-series-at-zero", PAPER, "Eq. 1 and 7", "P",
    "The series equals sign at t = 0 too, where Eq. 1 sets sign(0) = -1.",
)  # fmt: skip
def series_at_zero() -> Finding:
    zero = np.zeros(1)
    gap = largest(series(1000)(zero) - Sign(zero=-1)(zero))
    return at_most(gap, 1e-12, "distance at t = 0: every partial sum is 0 there")


@claim(
    "fda-series-domain", PAPER, "Eq. 7", "P",
    "The series equals sign for all abs(t) < T, T the period (as printed).",
)  # fmt: skip
def series_domain() -> Finding:
    value = float(series(2000)(np.array(0.75 * PERIOD)))
    return near(value, 1.0, 0.1, "the series at t = 3T/4, where sign is 1: it holds for abs(t) < T/2 only")


@claim(
    "fda-mse-vanishes", PAPER, "Theorem 1", "P",
    "The mean square error on a period decreases with the number of terms and tends to 0.",
)  # fmt: skip
def mse_vanishes() -> Finding:
    errors = np.array([mean_square(series(n), PERIOD) for n in range(1, 101)])
    like_one_over_n = abs(100 * errors[-1] - 2 / np.pi**2) < 1e-5
    return Finding(bool((np.diff(errors) < 0).all()) and like_one_over_n, errors[-1], "that of 100 terms")


@claim(
    "fda-slope-series", PAPER, "Eq. 8", "P",
    "The derivative of the whole series is the infinite sum of cosines, term by term.",
)  # fmt: skip
def slope_series() -> Finding:
    at = np.ones(1)
    sums = [float(series(terms).derivative(at)[0]) for terms in range(1000, 1100)]
    spread = max(sums) - min(sums)
    return at_most(spread, 1e-3, "spread of the sums of 1,000 to 1,099 terms at t = 1, omega = 1: no limit")


@claim(
    "fda-slope-distribution", PAPER, "ours, on Eq. 8", "D",
    "As a distribution the sum of cosines is twice a comb of alternating impulses, one at every T/2.",
)  # fmt: skip
def slope_distribution() -> Finding:
    test = series(100)
    paired = integral(lambda t: test.derivative(t) * np.exp(-(t**2) / 4), -24, 24, 4000)
    impulses = np.arange(-7, 8)
    wanted = 2 * ((-1.0) ** impulses * np.exp(-((impulses * np.pi) ** 2) / 4)).sum()
    return at_most(abs(paired - wanted), 1e-9, "100 terms against the comb, tested with a Gaussian")


@claim(
    "fda-low-frequencies-kept", PAPER, "Section 3 and Fig. 1", "P",
    "The series leaves sign's low frequencies untouched: the first 2N harmonics are exact.",
)  # fmt: skip
def low_frequencies_kept() -> Finding:
    curve = series(20)
    plain = np.array([sine_error(curve, k, PERIOD) for k in range(1, 41)])
    worst = largest(np.stack([plain, harmonic_errors(curve, PERIOD, 40)]))
    return at_most(worst, 1e-13, "largest error of harmonics 1 to 40, 20 terms, of T and by its slope")


@claim(
    "fda-window-disturbs", PAPER, "ours, on the window of third-party code", "D",
    "With a window (omega = 0.1, abs(t) <= 1) low frequencies are kept no more: each is off.",
)  # fmt: skip
def window_disturbs() -> Finding:
    errors = np.abs(harmonic_errors("fda", 2 * np.pi / 0.1, 19))
    return Finding(bool((errors[::2] > 1e-4).all()), float(errors.max()), "largest error, harmonics 1 to 19")


@claim(
    "fda-others-disturb", PAPER, "Section 3 and Fig. 1", "P",
    "tanh(20x) and the sign-Swish of 20x disturb the low frequencies.",
)  # fmt: skip
def others_disturb() -> Finding:
    errors = np.array([harmonic_errors(curve, PERIOD, 39) for curve in (Tanh(20.0), SwishSign(20.0))])
    every = bool((np.abs(errors) > 1e-6).all())
    return Finding(every, largest(errors), "largest error of harmonics 1 to 39; none of the 78 is exact")


@claim("fda-energy-is-low", PAPER, "Section 3", "P", "The low frequencies hold most of the energy of sign.")
def energy_is_low() -> Finding:
    share = 1 - mean_square(series(1), PERIOD)
    return Finding(share > 0.5, share, "share of the first harmonic alone")


@claim(
    "fda-energy-in-ten", PAPER, "ours, on Section 3", "D",
    "The first ten odd harmonics hold 97.97526 % of the energy of sign.",
)  # fmt: skip
def energy_in_ten() -> Finding:
    share = 1 - mean_square(series(10), PERIOD)
    return near(share, 0.9797526, 5e-8, "their share, by what is left of the mean square")


@claim(
    "fda-residual-mean", PAPER, "Section 3.2", "P",
    "The residual sign - series has mean 0 and a finite variance, whatever N.",
)  # fmt: skip
def residual_mean() -> Finding:
    curves = [series(terms) for terms in (1, 5, 20)]
    halves = [(integral(c, -np.pi, 0) + np.pi, integral(c, 0, np.pi) - np.pi) for c in curves]
    mean = largest(np.array([left + right for left, right in halves]) / PERIOD)
    finite = all(0 < mean_square(curve, PERIOD) < 0.2 for curve in curves)
    return Finding(finite and mean <= 1e-14, mean, "largest mean; its variance is the mean square error")


CLAIMS = collected(globals())
