"""What is exactly true of the truncated Fourier series of a square wave: its symmetries and its slope."""

from __future__ import annotations

import numpy as np

from analysis.ledger.claim import Finding, at_most, claim, collected, near
from analysis.ledger.numeric import integral, largest, series
from bnn_ref.parameter import Array

PAPER, OURS = "fda2021", "ours"


@claim("fda-symmetries", PAPER, OURS, "D", "The series is odd, even about T/4, and reverses after T/2.")
def symmetries() -> Finding:
    t, curve = np.linspace(-7, 7, 1001), series(9)
    odd, even, half = curve(t) + curve(-t), curve(np.pi - t) - curve(t), curve(t + np.pi) + curve(t)
    return at_most(
        largest(np.concatenate([odd, even, half])), 1e-13, "largest violation of the three, 9 terms"
    )


@claim(
    "fda-dirichlet", PAPER, OURS, "D",
    "The series is 2/pi times the integral of sin(2Nu)/sin(u) from 0 to omega t.",
)  # fmt: skip
def dirichlet() -> Finding:
    def kernel(u: Array) -> Array:
        return 2 / np.pi * np.sin(20 * u) / np.sin(u)

    gaps = [integral(kernel, 0, t) - float(series(10)(np.array(t))) for t in (0.1, 0.7, 1.5, 3.0)]
    return at_most(max(map(abs, gaps)), 1e-13, "largest difference at four points, 10 terms")


@claim("fda-peak-slope", PAPER, OURS, "D", "The series' steepest slope is 4 omega N/pi, at t = 0.")
def peak_slope() -> Finding:
    t = np.linspace(-np.pi, np.pi, 20_001)
    ratios = [largest(series(n).derivative(t)) * np.pi / (4 * n) for n in (1, 7, 18)]
    return at_most(max(abs(r - 1) for r in ratios), 1e-12, "largest relative difference, 1, 7 and 18 terms")


@claim("fda-curvature", PAPER, OURS, "D", "The series' curvature stays below 4 omega^2 N^2/pi.")
def curvature() -> Finding:
    t = np.linspace(0, np.pi, 20_001)
    shares = [
        largest(np.diff(series(n).derivative(t)) / np.diff(t)) * np.pi / (4 * n * n) for n in (1, 7, 18)
    ]
    return at_most(max(shares), 1 + 1e-9, "largest share of the bound, 1, 7 and 18 terms")


@claim(
    "fda-slope-energy", PAPER, OURS, "D",
    "The mean square of the series' slope is 8 omega^2 N/pi^2: without a limit.",
)  # fmt: skip
def slope_energy() -> Finding:
    def gap(terms: int) -> float:
        mean = integral(lambda t: series(terms).derivative(t) ** 2, 0, np.pi) / np.pi
        return mean * np.pi**2 / (8 * terms) - 1

    gaps = np.array([gap(1), gap(10), gap(50)])
    return at_most(largest(gaps), 1e-12, "largest relative difference, 1, 10 and 50 terms")


@claim(
    "fda-main-lobe", PAPER, OURS, "D",
    "The main lobe of the series' slope has mass 2.35796 in the limit, not 2.",
)  # fmt: skip
def main_lobe() -> Finding:
    edge = np.pi / 2000
    return near(
        2 * integral(series(1000).derivative, 0, edge), 2.35796, 1e-5, "mass of the lobe, 1,000 terms"
    )


@claim(
    "fda-tail-envelope", PAPER, OURS, "D",
    "More terms do not lower the slope's tail: its envelope is 2 omega/(pi abs(sin)).",
)  # fmt: skip
def tail_envelope() -> Finding:
    t = np.linspace(0.5, np.pi / 2, 5001)
    shares = [largest(series(n).derivative(t) * np.sin(t)) * np.pi / 2 for n in (10, 100, 1000)]
    return Finding(
        max(shares) <= 1 + 1e-9 and min(shares) > 0.99, min(shares), "share reached, 10 to 1,000 terms"
    )


CLAIMS = collected(globals())
