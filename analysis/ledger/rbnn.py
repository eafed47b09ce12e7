"""RBNN's estimator, a triangle that narrows."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from analysis.ledger.claim import Finding, at_most, claim, collected
from analysis.ledger.numeric import integral, largest
from bnn_ref.annealing import Moment
from bnn_ref.estimators.irnet import LogSpaced
from bnn_ref.estimators.rbnn import ActivationLaw, Triangle
from bnn_ref.spectra import distance_to_sign, quadrature_gain

PAPER, OURS, CODE = "rbnn2020", "ours", "released code"
SHAPES = ((100.0, 0.01), (1.0, 1.0), (1.0, 10.0))


@claim("rbnn-area", PAPER, OURS, "D", "RBNN's slope has area 2k.")
def area() -> Finding:
    curves = [Triangle(k, t) for k, t in SHAPES]
    gaps = [2 * integral(c.derivative, 0, c.support) / (2 * c.k) - 1 for c in curves]
    return at_most(largest(np.array(gaps)), 1e-12, "largest relative difference")


@claim("rbnn-distance", PAPER, OURS, "D", "With k = 1 RBNN's L1 distance to sign is 2 sqrt(2)/(3t).")
def distance() -> Finding:
    gaps = [distance_to_sign(Triangle(1.0, t)).l1 * t - 2 * np.sqrt(2) / 3 for t in (1.0, 3.0, 10.0)]
    return at_most(largest(np.array(gaps)), 1e-12, "largest difference of distance times t, t = 1, 3, 10")


@claim("rbnn-peak", PAPER, OURS, "D", "RBNN's steepest slope is k sqrt(2) t, its half width sqrt(2)/t.")
def peak() -> Finding:
    gaps = []
    for k, t in SHAPES:
        x = np.linspace(0, 2 * np.sqrt(2) / t, 4001)
        slope = Triangle(k, t).derivative(x)
        width = x[np.flatnonzero(slope > 0)[-1] + 1]
        gaps += [slope.max() / (k * np.sqrt(2) * t) - 1, width * t / np.sqrt(2) - 1]
    return at_most(largest(np.array(gaps)), 1e-12, "largest relative difference, seen on a grid")


@claim(
    "rbnn-filter", PAPER, OURS, "D",
    "RBNN's filter is k (sin u/u)^2 with u = w/(sqrt(2) t): never negative.",
)  # fmt: skip
def spectrum_is() -> Finding:
    u = np.linspace(0.01, 30, 200)
    found = quadrature_gain(Triangle(1.0, 3.0), u * 3 * np.sqrt(2))[0]
    return at_most(largest(found - (np.sin(u) / u) ** 2), 1e-12, "difference to quadrature")


@claim(
    "rbnn-weights-law", PAPER, CODE, "C",
    "For weights RBNN's t goes from 0.01 to 10 in equal factors, k = max(1/t, 1).",
)  # fmt: skip
def weights_law() -> Finding:
    values = [LogSpaced(t_min=0.01)(Moment.at(i / 30)) for i in range(31)]
    factors = [b["t"] / a["t"] for a, b in pairwise(values)]
    heights = [v["k"] - max(1 / v["t"], 1.0) for v in values]
    ends = [values[0]["t"] - 0.01, values[-1]["t"] - 10]
    gap = largest(np.array([*(f / factors[0] - 1 for f in factors), *heights, *ends]))
    return at_most(gap, 1e-12, "largest deviation, 30 steps")


@claim("rbnn-activations-law", PAPER, CODE, "C", "For activations RBNN's k = 1 and t never falls below 1.")
def activations_law() -> Finding:
    values = [ActivationLaw()(Moment.at(i / 30)) for i in range(31)]
    least = min(v["t"] for v in values)
    return Finding(least == 1 and {v["k"] for v in values} == {1.0}, least, "smallest t of the schedule")


@claim(
    "rbnn-early-gain", PAPER, OURS, "D",
    "RBNN's first slope for weights is nearly constant on [-1, 1]: an STE that is 41 % too steep.",
)  # fmt: skip
def early_gain() -> Finding:
    slope = Triangle(**LogSpaced(t_min=0.01)(Moment.at(0.0))).derivative(np.linspace(-1, 1, 2001))
    return Finding(slope.max() - slope.min() < 0.011, float(slope.mean()), "mean slope on [-1, 1]")


CLAIMS = collected(globals())
