"""BBC's question, is the soft function necessary: the estimating errors of those that it argues against."""

from __future__ import annotations

from functools import partial

import numpy as np

from analysis.ledger.claim import Claim, Finding, claim, collected
from analysis.ledger.numeric import integral, series
from bnn_ref.binarizer import Curve
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.reste import PowerFunction
from bnn_ref.estimators.ste import HardTanh, Identity, Tanh
from bnn_ref.spectra import distance_to_sign

PAPER, OURS = "bbc2023", "ours, for the estimators it compares with"


def _error(curve: Curve, wanted: float) -> Finding:
    """The integral over [-1, 1] of abs(sign - T), twice: plainly, and by the package."""
    plain = 2 * integral(lambda x: np.abs(1 - curve(x)), 0, 1, 20_000)
    same = abs(distance_to_sign(curve, 1.0).l1 - plain) < 1e-8
    return Finding(same and abs(plain - wanted) <= 5e-6, plain, "the integral of abs(sign - T) over [-1, 1]")


ERRORS = tuple(
    Claim(
        f"bbc-error-{name}", PAPER, OURS, "D", f"The estimating error of {says} on [-1, 1] is {wanted:.6g}.",
        partial(_error, curve, wanted),
    )
    for name, says, curve, wanted in (
        ("identity", "the identity", Identity(), 1.0),
        ("clip", "the clip", HardTanh(), 1.0),
        ("approxsign", "ApproxSign", PiecewiseQuadratic(), 2 / 3),
        ("tanh-1", "tanh(x)", Tanh(1.0), 1.13244),
        ("tanh-3", "tanh(3x)", Tanh(3.0), 0.46045),
        ("tanh-10", "tanh(10x)", Tanh(10.0), 0.13863),
        ("root-2", "the square root", PowerFunction(2.0, 1e-13, 1.0), 2 / 3),
        ("root-3", "the cube root", PowerFunction(3.0, 1e-13, 1.0), 1 / 2),
        ("fourier-1", "1 term of the series, omega = pi/2,", series(1, np.pi / 2), 0.68614),
        ("fourier-3", "3 terms of the series, omega = pi/2,", series(3, np.pi / 2), 0.32674),
        ("fourier-9", "9 terms of the series, omega = pi/2,", series(9, np.pi / 2), 0.14074),
    )
)  # fmt: skip


@claim("bbc-error-steep-clip", PAPER, OURS, "D", "A clip of slope a >= 1 has the estimating error 1/a.")
def steep_clip() -> Finding:
    def error(a: float) -> float:
        return distance_to_sign((lambda x: np.clip(a * x, -1, 1), lambda x: a * (np.abs(x) <= 1 / a)), 1.0).l1

    worst = max(abs(error(a) * a - 1) for a in (1.0, 2.0, 7.0))
    return Finding(worst < 1e-9, worst, "largest relative difference, a = 1, 2, 7")


CLAIMS = collected(globals())
