"""IR-Net's error decay estimator and its schedule."""

from __future__ import annotations

import numpy as np

from analysis.ledger.claim import Finding, at_most, claim, collected, near
from analysis.ledger.numeric import integral, largest
from bnn_ref.annealing import Moment
from bnn_ref.estimators.irnet import EDE, LogSpaced
from bnn_ref.spectra import distance_to_sign, quadrature_gain

PAPER, OURS = "irnet2020", "ours"
LAW = LogSpaced()


def _stages() -> list[EDE]:
    """The estimator in the 101 moments of a schedule from progress 0 to 1."""
    return [EDE(**LAW(Moment.at(i / 100))) for i in range(101)]


@claim(
    "irnet-unit-slope", PAPER, "released code: k = max(1/t, 1)", "C",
    "While t < 1 the slope of EDE at 0 is 1.",
)  # fmt: skip
def unit_slope() -> Finding:
    slopes = [float(ede.derivative(np.zeros(1))[0]) for ede in _stages() if ede.t < 1]
    return at_most(largest(np.array(slopes) - 1), 1e-12, "largest deviation from 1")


@claim("irnet-peak", PAPER, OURS, "D", "Throughout its schedule the slope of EDE at 0 is max(1, t).")
def peak() -> Finding:
    gaps = [float(ede.derivative(np.zeros(1))[0]) - max(1.0, ede.t) for ede in _stages()]
    return at_most(largest(np.array(gaps)), 1e-12, "largest deviation")


@claim(
    "irnet-identity-first", PAPER, "the idea of the error decay estimator", "P?",
    "Early in training EDE is close to the identity, so that every weight is updated.",
)  # fmt: skip
def identity_first() -> Finding:
    x = np.linspace(-1, 1, 2001)
    return at_most(
        largest(_stages()[0](x) - x), 0.01, "largest distance to the identity on [-1, 1] at the start"
    )


@claim(
    "irnet-sign-last", PAPER, "the idea of the error decay estimator", "P?",
    "Late in training EDE is close to sign.",
)  # fmt: skip
def sign_last() -> Finding:
    distances = [distance_to_sign(ede, 1.0).l1 for ede in _stages()]
    falls = bool((np.diff(distances[-51:]) < 0).all())
    return Finding(falls and distances[-1] < 0.15, distances[-1], "L1 distance to sign on [-1, 1] at the end")


@claim(
    "irnet-end-reached", PAPER, "its schedule, as the released code runs it", "R",
    "EDE's t runs from 0.1 up to 10.",
)  # fmt: skip
def end_reached() -> Finding:
    last = LAW(Moment.of_epoch(399, 400))["t"]
    return near(last, 10.0, 1e-9, "t in the last of 400 epochs: e/E stays below 1")


@claim("irnet-area", PAPER, OURS, "D", "EDE's slope has area 2k.")
def area() -> Finding:
    gaps = [
        integral(EDE(k, t).derivative, -40 / t, 40 / t) / (2 * k) - 1 for k, t in ((10, 0.1), (1, 1), (1, 10))
    ]
    return at_most(largest(np.array(gaps)), 1e-12, "largest relative difference")


@claim("irnet-distance", PAPER, OURS, "D", "With k = 1 the L1 distance from EDE to sign is 2 ln 2/t.")
def distance() -> Finding:
    gaps = [distance_to_sign(EDE(1.0, t)).l1 * t - 2 * np.log(2) for t in (1.0, 3.0, 10.0)]
    return at_most(largest(np.array(gaps)), 1e-9, "largest difference of distance times t, t = 1, 3, 10")


@claim("irnet-limit", PAPER, OURS, "D", "With k = 1/t EDE tends to the identity STE as t -> 0.")
def limit() -> Finding:
    x = np.linspace(-1, 1, 2001)
    gaps = [largest(EDE(1 / t, t).derivative(x) - 1) for t in (1e-1, 1e-2, 1e-3)]
    return Finding(
        gaps[0] > gaps[1] > gaps[2] and gaps[2] < 2e-6, gaps[2], "largest deviation of the slope, t = 0.001"
    )


@claim("irnet-filter", PAPER, OURS, "D", "The filter of EDE is k v/sinh v, v = pi w/(2t).")
def spectrum_is() -> Finding:
    w = np.linspace(0.1, 40, 100)
    v = np.pi * w / 20
    return at_most(
        largest(quadrature_gain(EDE(), 0.1 * w)[0] - v / np.sinh(v)), 1e-11, "difference to quadrature"
    )


CLAIMS = collected(globals())
