"""FDA-BNN beside the clipped STE: a limit of its windowed slope, never one of its slopes."""

from __future__ import annotations

import numpy as np

from analysis.ledger.claim import Finding, claim, collected, near
from analysis.ledger.numeric import largest, sine_error
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.estimators.ste import HardTanh

PAPER, OURS = "fda2021", "ours"
PERIOD = 2 * np.pi


@claim(
    "fda-clip-is-a-limit", PAPER, OURS, "D",
    "The clipped STE is, up to scale, the windowed slope as omega -> 0.",
)  # fmt: skip
def clip_is_a_limit() -> Finding:
    x = np.linspace(-1.5, 1.5, 3001)
    gaps = [
        largest(FourierSeries(10, omega).derivative(x) * np.pi / (40 * omega) - HardTanh().derivative(x))
        for omega in (0.1, 0.01, 1e-4)
    ]
    return Finding(
        gaps[0] > gaps[1] > gaps[2] and gaps[2] < 1e-5, gaps[2], "largest difference, omega = 0.0001"
    )


@claim(
    "fda-clip-scale", PAPER, OURS, "D",
    "The slope at 0 is the clipped STE's where N omega = pi/4: omega = 0.0785 for 10 terms.",
)  # fmt: skip
def clip_scale() -> Finding:
    """By bisection: the slope at 0 rises with omega."""
    low, high = 0.01, 0.5
    for _ in range(60):
        middle = (low + high) / 2
        steep = float(FourierSeries(10, middle).derivative(np.zeros(1))[0]) > 1
        low, high = (low, middle) if steep else (middle, high)
    return near(low, 0.0785, 5e-5, "the omega at which ten terms have the slope 1 at 0")


@claim(
    "fda-clip-is-no-member", PAPER, OURS, "D",
    "No number of terms and no omega > 0 give the clipped STE: the slope is not constant in the window.",
)  # fmt: skip
def clip_is_no_member() -> Finding:
    def drop(terms: int, omega: float) -> float:
        """The share of the slope at 0 that is lost at x = 1."""
        slope = FourierSeries(terms, omega).derivative(np.array([0.0, 1.0]))
        return float(1 - slope[1] / slope[0])

    drops = [drop(terms, omega) for terms in (1, 2, 10, 18) for omega in (1e-3, 0.01, 0.1, 1.0)]
    return Finding(min(drops) > 1e-7, min(drops), "least share lost between 0 and 1: 1 term, omega = 0.001")


@claim(
    "fda-clip-disturbs", PAPER, "ours, after the comparison of Fig. 1", "D",
    "On a period the clipped STE's T differs from sign in every harmonic, even ones too.",
)  # fmt: skip
def clip_disturbs() -> Finding:
    errors = [sine_error(HardTanh(), k, PERIOD) for k in range(1, 41)]
    return Finding(min(errors) > 1e-3, min(errors), "least error of harmonics 1 to 40, T = 2 pi")


CLAIMS = collected(globals())
