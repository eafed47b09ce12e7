"""FDA-BNN's comparison of spectra on a period: the exact errors of each surrogate, and their totals."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from analysis.ledger.claim import Claim, Finding, at_most, claim, collected, near
from analysis.ledger.numeric import integral, mean_square, series, sine_error
from bnn_ref.binarizer import Curve
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.ste import HardTanh, Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.parameter import Array
from bnn_ref.spectra import energy_error, harmonic_errors

PAPER, OURS = "fda2021", "ours, after the comparison of Fig. 1"
PERIOD = 2 * np.pi
STEEP = 20.0


def sinh_ratio(v: Array) -> Array:
    """v / sinh v."""
    return v / np.sinh(v)


def swish_filter(v: Array) -> Array:
    """v/sinh v - v (1/sinh v - v cosh v/sinh^2 v)."""
    return sinh_ratio(v) - v * (1 / np.sinh(v) - v * np.cosh(v) / np.sinh(v) ** 2)


def _table(curve: Curve, lost: Callable[[Array], Array]) -> Finding:
    """Delta_k = 2/(pi k) (1 - H(k)): the formula, the package, and sines integrated against sign - T."""
    k = np.array([1, 2, 3, 17, 40])
    formula = 2 / (np.pi * k) * lost(k.astype(float))
    integrals = np.array([sine_error(curve, int(n), PERIOD) for n in k])
    ours = harmonic_errors(curve, PERIOD, 40)[k - 1]
    gap = max(float(np.abs(formula - integrals).max()), float(np.abs(ours - integrals).max()))
    return at_most(gap, 1e-9, "largest difference to integrals of sign - T, k = 1, 2, 3, 17, 40")


HARMONICS = tuple(
    Claim(f"fda-delta-{name}", PAPER, OURS, "D", f"On T = 2 pi the harmonics of {name} err by {says}.", check)
    for name, says, check in (
        ("clip", "2/(pi k) (1 - sin k/k)", partial(_table, HardTanh(), lambda k: 1 - np.sin(k) / k)),
        (
            "polynomial", "2/(pi k) (1 - 2 (1 - cos k)/k^2)",
            partial(_table, PiecewiseQuadratic(), lambda k: 1 - 2 * (1 - np.cos(k)) / k**2),
        ),
        (
            "tanh", "2/(pi k) (1 - v/sinh v), v = pi k/(2 beta)",
            partial(_table, Tanh(STEEP), lambda k: 1 - sinh_ratio(np.pi * k / (2 * STEEP))),
        ),
        (
            "swish-sign", "2/(pi k) (1 - G + v G'), v = pi k/beta, G = v/sinh v",
            partial(_table, SwishSign(STEEP), lambda k: 1 - swish_filter(np.pi * k / STEEP)),
        ),
    )
)  # fmt: skip


def _total(curve: Curve, wanted: float) -> Finding:
    """The printed total, by quadrature, and as the package has it."""
    half = [integral(lambda x: (1 - curve(x)) ** 2, a, b) for a, b in ((0, 1), (1, np.pi))]
    total = 2 / PERIOD * sum(half)
    same = abs(energy_error(curve, PERIOD).value - total) < 1e-9
    return Finding(same and abs(total - wanted) < 1e-6, total, "mean square error on T = 2 pi, by quadrature")


TOTALS = tuple(
    Claim(
        f"fda-total-{name}", PAPER, OURS, "D",
        f"The total mean square error of {name} on T = 2 pi is {wanted}.", partial(_total, curve, wanted),
    )
    for name, curve, wanted in (
        ("clip", HardTanh(), 0.106103), ("polynomial", PiecewiseQuadratic(), 0.063662),
        ("tanh-20", Tanh(STEEP), 0.006148), ("swish-sign-20", SwishSign(STEEP), 0.006843),
        ("series-20", series(20), 0.010130),
    )
)  # fmt: skip


@claim(
    "fda-smaller-error", PAPER, "Section 3 and Fig. 1, as they are easily read", "R",
    "The 20-term series has a smaller total error than tanh(20x) and the sign-Swish of 20x.",
)  # fmt: skip
def smaller_error() -> Finding:
    ours, tanh, swish = (mean_square(c, PERIOD) for c in (series(20), Tanh(STEEP), SwishSign(STEEP)))
    means = "its error over the larger of theirs: its advantage is where the error is, not how much"
    return at_most(ours / max(tanh, swish), 1.0, means)


@claim(
    "fda-smaller-error-one-jump", PAPER, OURS, "D",
    "Charged for the jump at 0 alone, the 20-term series has the smaller error.",
)  # fmt: skip
def smaller_error_one_jump() -> Finding:
    ours, tanh, swish = (mean_square(c, PERIOD) for c in (series(20), Tanh(STEEP), SwishSign(STEEP)))
    return at_most(ours / 2 / min(tanh, swish), 1.0, "half its error over the smaller of theirs")


@claim("fda-tanh-worst", PAPER, OURS, "D", "tanh(20x) errs most at k = 34.07, by 0.0117680.")
def tanh_worst() -> Finding:
    found = minimize_scalar(lambda k: -_real_error(Tanh(STEEP), k), bounds=(20, 50))
    worst, at = -float(found.fun), float(found.x)
    return Finding(abs(at - 34.07) < 0.01 and abs(worst - 0.0117680) < 1e-7, worst, "largest error")


@claim("fda-swish-zero", PAPER, OURS, "D", "The error of the sign-Swish of 20x changes sign at k = 17.04.")
def swish_zero() -> Finding:
    zero = float(brentq(lambda k: _real_error(SwishSign(STEEP), k), 10, 25))
    return near(zero, 17.04, 0.005, "where it is 0, k taken as a real number")


def _real_error(curve: Curve, k: float) -> float:
    """2/(pi k) (1 - H(k)) at a real k, H integrated."""
    h = integral(lambda x: curve.derivative(x) * np.cos(k * x), 0, np.pi)
    return 2 / (np.pi * k) * (1 - h)


CLAIMS = collected(globals())
