"""BNN+'s sign-Swish: a step that overshoots, with a slope that turns negative."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from analysis.ledger.claim import Finding, at_most, claim, collected, near
from analysis.ledger.numeric import integral, largest
from bnn_ref import estimators
from bnn_ref.binarizer import Curve
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.parameter import Array
from bnn_ref.spectra import distance_to_sign, quadrature_gain

PAPER, OURS = "bnnplus2018", "ours"
UNIT = SwishSign(1.0)
STEP = 1e-40


def value(x: float, curve: Curve = UNIT) -> float:
    """T at one point."""
    return float(curve(np.array(x)))


def slope(x: float, curve: Curve = UNIT) -> float:
    """T' at one point."""
    return float(curve.derivative(np.array(x)))


def turn() -> float:
    """Where the slope is 0."""
    return float(brentq(slope, 1, 4, xtol=1e-14))


@claim(
    "swish-formula", PAPER, "its sign-Swish", "P?",
    "SS is 2 s (1 + bx (1 - s)) - 1 with s = 1/(1 + exp(-bx)).",
)  # fmt: skip
def formula() -> Finding:
    x = np.linspace(-6, 6, 2401)
    s = 1 / (1 + np.exp(-5 * x))
    return at_most(
        largest(SwishSign()(x) - (2 * s * (1 + 5 * x * (1 - s)) - 1)), 1e-13, "difference to ours, b = 5"
    )


@claim(
    "swish-slope", PAPER, "its backward, as larq has it", "T",
    "The slope of SS is b (2 - bx tanh(bx/2))/(1 + cosh bx).",
)  # fmt: skip
def slope_formula() -> Finding:
    x = np.linspace(-6, 6, 2401)
    theirs = 5 * (2 - 5 * x * np.tanh(2.5 * x)) / (1 + np.cosh(5 * x))
    return at_most(
        largest(theirs - SwishSign()(x + 1j * STEP).imag / STEP), 1e-12, "difference to a complex step"
    )


@claim("swish-primitive", PAPER, OURS, "D", "SS is itself a derivative: that of x tanh(bx/2).")
def primitive() -> Finding:
    x = np.linspace(-3, 3, 1201)
    z = x + 1j * STEP
    return at_most(
        largest((z * np.tanh(2.5 * z)).imag / STEP - SwishSign()(x)), 1e-14, "largest difference, b = 5"
    )


@claim("swish-scaling", PAPER, OURS, "D", "SS_b(x) = SS_1(bx), and its slope is b SS_1'(bx).")
def scaling() -> Finding:
    x = np.linspace(-2, 2, 801)
    gaps = [SwishSign(b)(x) - UNIT(b * x) for b in (2.0, 20.0)]
    gaps += [SwishSign(b).derivative(x) / b - UNIT.derivative(b * x) for b in (2.0, 20.0)]
    return at_most(largest(np.stack(gaps)), 1e-13, "largest difference, b = 2 and 20")


@claim(
    "swish-turns", PAPER, OURS, "D",
    "SS is not monotone: its slope is negative beyond abs(bx) = 2.39935728.",
)  # fmt: skip
def turns() -> Finding:
    beyond = UNIT.derivative(np.linspace(turn() + 1e-6, 40, 10_000))
    return Finding(
        abs(turn() - 2.39935728) < 1e-8 and bool((beyond < 0).all()), turn(), "where the slope is 0"
    )


@claim("swish-overshoot", PAPER, OURS, "D", "SS peaks where its slope is 0, at half that number: 1.19967864.")
def overshoot() -> Finding:
    found = -float(minimize_scalar(lambda x: -value(x), bounds=(1, 5)).fun)
    return Finding(abs(found - turn() / 2) < 1e-10, found, "the largest value, found by search")


@claim("swish-crosses", PAPER, OURS, "D", "SS crosses 1 at bx = 1.2784645.")
def crosses() -> Finding:
    return near(float(brentq(lambda x: value(x) - 1, 0.5, 2)), 1.2784645, 1e-7, "where it is 1")


@claim("swish-lobe", PAPER, OURS, "D", "The least slope of SS is -0.0738287 b, at bx = 3.43584.")
def lobe() -> Finding:
    found = minimize_scalar(slope, bounds=(2.5, 6))
    right = bool(abs(found.x - 3.43584) < 1e-4 and abs(found.fun + 0.0738287) < 1e-7)
    return Finding(right, float(found.fun), "at b = 1")


@claim(
    "swish-inverts", PAPER, OURS, "D",
    "At b = 5 the slope of SS is negative already at abs(x) = 1: -0.195.",
)  # fmt: skip
def inverts() -> Finding:
    return near(slope(1.0, SwishSign(5.0)), -0.195, 5e-4, "slope at 1, where weights are clipped")


@claim("swish-curvature", PAPER, OURS, "D", "The curvature of SS is at most 0.616363 b^2, at bx = 1.03196.")
def curvature() -> Finding:
    x = np.linspace(0, 8, 160_001)
    bend = np.abs(np.diff(UNIT.derivative(x)) / np.diff(x))
    most, at = float(bend.max()), float(x[bend.argmax()])
    return Finding(abs(most - 0.616363) < 1e-6 and abs(at - 1.03196) < 2e-3, most, "at b = 1")


@claim("swish-area", PAPER, OURS, "D", "The slope of SS has area 2, its absolute value 2.79871.")
def area() -> Finding:
    inside, outside = 2 * integral(UNIT.derivative, 0, turn()), 2 * integral(UNIT.derivative, turn(), 60)
    right = abs(inside + outside - 2) < 1e-12 and abs(inside - outside - 2.79871) < 5e-6
    return Finding(right, inside - outside, "the absolute area")


@claim("swish-distance", PAPER, OURS, "D", "The L1 distance from SS to sign is 2.22772/b.")
def distance() -> Finding:
    found = [b * distance_to_sign(SwishSign(b)).l1 for b in (2.0, 5.0, 20.0)]
    return at_most(largest(np.array(found) - 2.22772), 5e-6, "largest difference of b times it, b = 2, 5, 20")


@claim(
    "swish-tighter", PAPER, "its argument for a large b", "P?",
    "With a larger b, SS is closer to sign (in area).",
)  # fmt: skip
def tighter() -> Finding:
    found = [distance_to_sign(SwishSign(b)).l1 for b in np.geomspace(1, 100, 21).tolist()]
    return Finding(bool((np.diff(found) < 0).all()), found[-1], "L1 distance at b = 100")


@claim(
    "swish-not-uniform", PAPER, OURS, "D",
    "In the largest difference no b is closer: 1 off at 0, 0.2 beyond 1.",
)  # fmt: skip
def not_uniform() -> Finding:
    above = [float(SwishSign(b)(np.linspace(0, 5, 200_001)).max()) - 1 for b in (5.0, 50.0)]
    return Finding(
        min(above) > 0.199 and value(0.0) == 0, min(above), "overshoot at b = 5 and 50, the smaller"
    )


@claim("swish-sign-kept", PAPER, OURS, "D", "SS(x) has the sign of x: it may be deployed on x or on SS(x).")
def sign_kept() -> Finding:
    x: Array = np.concatenate([np.geomspace(1e-12, 1e3, 4000), -np.geomspace(1e-12, 1e3, 4000)])
    wrong = float((np.sign(estimators.get("bnn++").forward(x)) != np.sign(x)).mean())
    return at_most(wrong, 0.0, "share of wrong signs")


@claim("swish-filter", PAPER, OURS, "D", "The filter of SS is v^2 cosh v/sinh^2 v, v = pi w/b: it amplifies.")
def spectrum_is() -> Finding:
    v = np.linspace(0.1, 12, 100)
    found = quadrature_gain(SwishSign(), 5 * v / np.pi)[0]
    gap = largest(found - v**2 * np.cosh(v) / np.sinh(v) ** 2)
    return Finding(gap < 1e-11 and found.max() > 1, float(found.max()), "largest gain")


CLAIMS = collected(globals())
