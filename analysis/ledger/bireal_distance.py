"""Bi-Real Net's argument for ApproxSign, and what is exactly true of it: areas, distances, identities."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from analysis.ledger.claim import Claim, Finding, at_most, claim, collected, near
from analysis.ledger.numeric import area_to_sign, integral, largest
from bnn_ref.binarizer import Curve
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.dsq import SoftQuantizer
from bnn_ref.estimators.rbnn import Triangle
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.parameter import Array
from bnn_ref.spectra import distance_to_sign, quadrature_gain

PAPER, OURS = "bireal2018", "ours"
CLIP, APPROX = HardTanh(), PiecewiseQuadratic()


@claim(
    "bireal-tighter", PAPER, "the argument for ApproxSign: shaded areas 1 and 2/3", "P?",
    "ApproxSign is closer to sign than the clip: the area between them is 2/3, the clip's is 1.",
)  # fmt: skip
def tighter() -> Finding:
    clip, approx = (area_to_sign(curve) for curve in (CLIP, APPROX))
    ours = distance_to_sign(CLIP).l1, distance_to_sign(APPROX).l1
    same = largest(np.array(ours) - (clip, approx)) < 1e-12
    return Finding(same and abs(clip - 1) < 1e-12 and abs(approx - 2 / 3) < 1e-12, approx, "the area, 2/3")


@claim("bireal-l2", PAPER, OURS, "D", "Squared, ApproxSign's distance to sign is 2/5, the clip's 2/3.")
def l2() -> Finding:
    found = distance_to_sign(APPROX).l2_squared, distance_to_sign(CLIP).l2_squared
    return at_most(largest(np.array(found) - (2 / 5, 2 / 3)), 1e-12, "largest difference")


@claim(
    "bireal-sup", PAPER, OURS, "D",
    "In the largest difference ApproxSign is no closer than the clip: both are 1 off at 0.",
)  # fmt: skip
def sup() -> Finding:
    x = np.array([5e-324, 1e-9])
    return near(min(largest(1 - curve(x)) for curve in (CLIP, APPROX)), 1.0, 1e-6, "the smaller of the two")


def _moments(weight: Callable[[Array, Array], Array], clip: float, approx: float) -> Finding:
    """Twice the integral over (0, 1) of weight(x, T'), for the clip and for ApproxSign."""

    def moment(curve: Curve) -> float:
        return 2 * integral(lambda x: weight(x, curve.derivative(x)), 0, 1)

    gaps = np.array([moment(CLIP) - clip, moment(APPROX) - approx])
    return at_most(largest(gaps), 1e-12, "largest difference of the two integrals")


MOMENTS = tuple(
    Claim(f"bireal-{name}", PAPER, OURS, "D", f"The integral of {says}.", partial(_moments, weight, *values))
    for name, says, weight, values in (
        ("area", "T' is 2 for both: T runs from -1 to +1", lambda x, g: g, (2.0, 2.0)),
        ("slope-energy", "T'^2 is 2 (clip) and 8/3 (ApproxSign)", lambda x, g: g * g, (2.0, 8 / 3)),
        ("first-moment", "abs(x) T' is 1 and 2/3: the distances to sign", lambda x, g: x * g, (1.0, 2 / 3)),
        ("second-moment", "x^2 T' is 2/3 and 1/3", lambda x, g: x * x * g, (2 / 3, 1 / 3)),
    )
)


@claim(
    "bireal-distance-is-moment", PAPER, OURS, "D",
    "For any odd T that rises to 1 the L1 distance to sign is the integral of abs(x) T'.",
)  # fmt: skip
def distance_is_moment() -> Finding:
    def gap(curve: Curve) -> float:
        return 2 * integral(lambda x: x * curve.derivative(x), 0, curve.support) - distance_to_sign(curve).l1

    curves: list[Curve] = [CLIP, APPROX, Triangle(1.0, 3.0), SoftQuantizer(0.2)]
    return at_most(
        largest(np.array([gap(curve) for curve in curves])), 1e-12, "largest difference, four shapes"
    )


@claim("bireal-clip-apart", PAPER, OURS, "D", "Clip and ApproxSign are 1/3 apart, their slopes 1 (areas).")
def clip_apart() -> Finding:
    values = 2 * integral(lambda x: np.abs(APPROX(x) - CLIP(x)), 0, 1)
    slopes = 2 * integral(lambda x: np.abs(APPROX.derivative(x) - CLIP.derivative(x)), 0, 1)
    return Finding(
        abs(values - 1 / 3) < 1e-12 and abs(slopes - 1) < 1e-12, values, "the first of the two areas"
    )


@claim(
    "bireal-continuous-slope", PAPER, "released code, activation backward", "C",
    "ApproxSign's slope is continuous: 2 at 0, and 0 at the ends, where the clip's jumps.",
)  # fmt: skip
def continuous_slope() -> Finding:
    x = np.array([-1.0, 0.0, 1.0])
    steps = APPROX.derivative(np.nextafter(x, 9)) - APPROX.derivative(np.nextafter(x, -9))
    return at_most(largest(steps), 1e-15, "largest step of the slope across -1, 0, 1")


@claim("bireal-is-rbnn", PAPER, OURS, "D", "RBNN's estimator at k = 1, t = sqrt 2 is ApproxSign.")
def is_rbnn() -> Finding:
    x, twin = np.linspace(-2, 2, 4001), Triangle(1.0, float(np.sqrt(2)))
    gaps = np.stack([twin(x) - APPROX(x), twin.derivative(x) - APPROX.derivative(x)])
    return at_most(largest(gaps), 1e-14, "largest difference of T and of T'")


@claim(
    "bireal-filter", PAPER, OURS, "D",
    "ApproxSign's filter is the clip's at half the frequency, squared: never negative.",
)  # fmt: skip
def filter_squared() -> Finding:
    w = np.linspace(0, 40, 161)
    approx, clip = quadrature_gain(APPROX, w)[0], quadrature_gain(CLIP, w / 2)[0]
    return at_most(largest(approx - clip**2), 1e-12, "largest difference of the two quadratures")


@claim(
    "bireal-kinks-are-common", PAPER, "ours: released masks differ at abs(x) = 1", "D",
    "What an estimator does at abs(x) = 1 is no matter of measure 0: 30 % of sums of 27 signs are there.",
)  # fmt: skip
def kinks_are_common() -> Finding:
    counts = np.ones(1)
    for _ in range(27):  # the distribution of a sum of signs, one sign at a time
        counts = np.convolve(counts, [0.5, 0.0, 0.5])
    share = float(counts[np.abs(np.arange(-27, 28)) == 1].sum())
    return near(share, 0.30, 5e-3, "share of sums that are -1 or +1")


CLAIMS = collected(globals())
