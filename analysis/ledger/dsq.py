"""DSQ's one-bit case: a scaled tanh between the clip and sign."""

from __future__ import annotations

import numpy as np

from analysis.ledger.claim import Finding, at_most, claim, collected
from analysis.ledger.numeric import area_to_sign, integral, largest
from bnn_ref.estimators.dsq import SoftQuantizer
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.spectra import distance_to_sign

PAPER, OURS = "dsq2019", "ours"


@claim("dsq-reaches-one", PAPER, "its one-bit case", "P?", "DSQ's soft step reaches exactly 1 at the clip.")
def reaches_one() -> Finding:
    inside = np.nextafter(1.0, 0)
    ends = [float(SoftQuantizer(a)(np.array(inside))) for a in (0.01, 0.2, 0.9)]
    return at_most(largest(np.array(ends) - 1), 1e-12, "largest distance to 1, alpha = 0.01, 0.2, 0.9")


@claim("dsq-area", PAPER, OURS, "D", "DSQ's slope has area 2 for every alpha.")
def area() -> Finding:
    areas = [2 * integral(SoftQuantizer(a).derivative, 0, 1) for a in (0.01, 0.2, 0.9)]
    return at_most(largest(np.array(areas) - 2), 1e-12, "largest difference, alpha = 0.01, 0.2, 0.9")


@claim("dsq-to-clip", PAPER, OURS, "D", "As alpha -> 1 DSQ becomes the clipped STE.")
def to_clip() -> Finding:
    x = np.linspace(-2, 2, 4001)
    gaps = [largest(SoftQuantizer(a).derivative(x) - HardTanh().derivative(x)) for a in (0.9, 0.99, 0.999)]
    return Finding(
        gaps[0] > gaps[1] > gaps[2] and gaps[2] < 1e-5, gaps[2], "largest difference, alpha = 0.999"
    )


@claim(
    "dsq-to-sign", PAPER, "its idea: alpha -> 0 approaches the hard quantizer", "P?",
    "As alpha -> 0 DSQ becomes sign.",
)  # fmt: skip
def to_sign() -> Finding:
    distances = [distance_to_sign(SoftQuantizer(10.0**-n)).l1 for n in range(1, 17)]
    slow = bool((np.diff(distances) < 0).all())
    return Finding(
        slow and distances[-1] < 0.08, distances[-1], "L1 distance at alpha = 1e-16: like 1/log(1/alpha)"
    )


@claim(
    "dsq-distance", PAPER, OURS, "D",
    "DSQ is 0.74662, 0.83757, 0.92691 from sign at alpha = 0.1, 0.2, 0.4.",
)  # fmt: skip
def distance() -> Finding:
    found = [area_to_sign(SoftQuantizer(a)) for a in (0.1, 0.2, 0.4)]
    same = largest(np.array([distance_to_sign(SoftQuantizer(a)).l1 for a in (0.1, 0.2, 0.4)]) - found) < 1e-11
    gap = largest(np.array(found) - (0.74662, 0.83757, 0.92691))
    return Finding(same and gap < 5e-6, gap, "largest difference of the L1 distances")


CLAIMS = collected(globals())
