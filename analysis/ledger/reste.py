"""ReSTE's power function: what the root, the secant and the window of the released code make of it."""

from __future__ import annotations

import numpy as np

from analysis.ledger.claim import Finding, at_most, claim, collected, near
from analysis.ledger.numeric import integral, largest
from bnn_ref.annealing import Moment
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.reste import CosineRoot, PowerFunction
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.spectra import distance_to_sign

PAPER, OURS, CODE = "reste2023", "ours", "released code"
BARE = 1e-13
"""A secant too short to matter: the power function itself."""


@claim(
    "reste-distance", PAPER, OURS, "D",
    "ReSTE's bare power function is 2/(o+1) from sign on [-1, 1] (L1).",
)  # fmt: skip
def distance() -> Finding:
    gaps = [distance_to_sign(PowerFunction(o, BARE, 1.0), 1.0).l1 - 2 / (o + 1) for o in (1.0, 1.5, 2.0, 3.0)]
    return at_most(largest(np.array(gaps)), 1e-9, "largest difference, o = 1, 1.5, 2, 3")


@claim("reste-as-approxsign", PAPER, OURS, "D", "At o = 2 ReSTE is as far from sign as ApproxSign: 2/3.")
def as_approxsign() -> Finding:
    found = distance_to_sign(PowerFunction(2.0, BARE, 1.0), 1.0).l1
    return near(found, distance_to_sign(PiecewiseQuadratic()).l1, 1e-9, "its L1 distance on [-1, 1]")


@claim("reste-starts-as-clip", PAPER, OURS, "D", "At o = 1 ReSTE is the clipped STE of its window, 1.5.")
def starts_as_clip() -> Finding:
    x = np.linspace(-3, 3, 6001)
    start = PowerFunction(**CosineRoot()(Moment.at(0.0)))
    gap = np.stack([start(x) - HardTanh(1.5)(x), start.derivative(x) - HardTanh(1.5).derivative(x)])
    return at_most(largest(gap), 1e-14, "largest difference of T and of T'")


@claim(
    "reste-equilibrium", PAPER, "the equilibrium of estimating error and gradient stability", "P?",
    "In ReSTE a larger root lowers the estimating error and raises the variance of the gradient.",
)  # fmt: skip
def equilibrium() -> Finding:
    x = np.linspace(-1, 1, 20_000)
    curves = [PowerFunction(o) for o in np.linspace(1, 3, 21).tolist()]
    errors = [float(((np.sign(x) - c(x)) ** 2).mean()) for c in curves]
    spread = [float(np.abs(c.derivative(x)).var()) for c in curves]
    trade = bool((np.diff(errors) < 0).all() and (np.diff(spread) > 0).all())
    return Finding(trade, spread[-1], "variance of the slope at o = 3, inputs uniform on [-1, 1]; 0 at o = 1")


@claim(
    "reste-area", PAPER, "ours, on released code", "D",
    "ReSTE's secant near 0 keeps the area of the slope, 2 t^(1/o).",
)  # fmt: skip
def area() -> Finding:
    gaps = []
    for o in (1.5, 3.0):
        slope = PowerFunction(o).derivative
        found = 2 * (integral(slope, 0, 0.1) + integral(slope, 0.1, 1.5))
        gaps.append(found - 2 * 1.5 ** (1 / o))
    return at_most(largest(np.array(gaps)), 1e-12, "largest difference, o = 1.5 and 3")


@claim(
    "reste-jump", PAPER, "ours, on released code", "D",
    "At the end of ReSTE's secant the slope falls by the factor o.",
)  # fmt: skip
def jump() -> Finding:
    below, above = PowerFunction(3.0).derivative(np.array([0.1, np.nextafter(0.1, 1)]))
    return near(float(below / above), 3.0, 1e-9, "slope on the secant over slope beside it, o = 3")


@claim(
    "reste-reaches-one", PAPER, "ours, on released code", "D",
    "With its window, 1.5, ReSTE's T ends above 1, at 1.1447.",
)  # fmt: skip
def reaches_one() -> Finding:
    return near(float(PowerFunction(3.0)(np.array(2.0))), 1.5 ** (1 / 3), 1e-12, "T beyond the window, o = 3")


@claim(
    "reste-schedule", PAPER, CODE, "C",
    "ReSTE's o is 1 + (1 - cos(pi/2 i/N)) 2: 1.152, 1.586, 2.235, 2.997 at i = 250, 500, 750, 999 of 1,000.",
)  # fmt: skip
def schedule() -> Finding:
    found = [CosineRoot()(Moment.of_epoch(i, 1000))["o"] for i in (250, 500, 750, 999)]
    return at_most(largest(np.array(found) - (1.152, 1.586, 2.235, 2.997)), 5e-4, "largest difference")


CLAIMS = collected(globals())
