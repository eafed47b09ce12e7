"""How far T is from sign: the area between them, and that of its square."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.integrate import quad

from bnn_ref.parameter import Array
from bnn_ref.spectra.integration import integrate, panel_edges
from bnn_ref.spectra.quadrature import reach
from bnn_ref.spectra.subject import Examined, Subject, as_subject


@dataclass(frozen=True)
class Distance:
    """Distances between sign and T on [-within, within].

    Attributes
    ----------
    l1 : float
        Integral of abs(sign - T), in units of x; inf where it diverges.
    l2_squared : float
        Integral of (sign - T)^2, likewise.
    within : float
        Half width of the interval; inf for the real line.
    error : float
        Estimate of the absolute error of the finite ones.
    """

    l1: float
    l2_squared: float
    within: float
    error: float


def distance_to_sign(subject: Examined, within: float = math.inf, **hints: Any) -> Distance:
    """L1 and squared L2 distance to sign, by quadrature between kinks.

    Parameters
    ----------
    subject : Binarizer, Curve, str, pair or callable
        As in `spectrum`, with its `hints`.
    within : float
        Integrate over [-within, within]: 1 is the interval of weights, inf (default) the real line, where
        the distances are inf unless T tends to -1 and +1 fast enough.

    Source: ours.
    """
    if not within > 0:
        raise ValueError(f"within: required a positive number, got {within}")
    examined = as_subject(subject, **hints)
    end, slow = _end(examined) if within == math.inf else (within, False)
    if end == math.inf:
        return Distance(math.inf, math.inf, within, 0.0)
    (l1, l2_squared), error = integrate(lambda x: _gaps(examined, x), panel_edges(examined, end))
    tails = [_tail(examined, end, power) if slow else 0.0 for power in (0, 1)]
    return Distance(float(l1) + tails[0], float(l2_squared) + tails[1], within, error)


def _gaps(subject: Subject, x: Array) -> Array:
    """Both sides at x > 0 together: sums of abs(sign - T) and of squares, shape (n, 2)."""
    right, left = np.abs(1 - subject.value(x)), np.abs(1 + subject.value(-x))
    return np.stack([right + left, right**2 + left**2], axis=-1)


def _end(subject: Subject) -> tuple[float, bool]:
    """Where T has become sign, and whether slowly; inf where it never does."""
    try:
        end, slow = reach(subject)
    except ValueError:  # T' never falls off: no plateau
        return math.inf, False
    beyond = 2 * end if not slow else 1e12
    settled = _gaps(subject, np.array([max(beyond, 1.0)]))[0, 0] <= (1e-6 if slow else 1e-12)
    return (end, slow) if settled else (math.inf, False)


def _tail(subject: Subject, start: float, power: int) -> float:
    """A slow tail by QUADPACK, inf where it reports trouble."""

    def gap(x: float) -> float:
        return float(_gaps(subject, np.array([x]))[0, power])

    value, _, _, *trouble = quad(gap, start, np.inf, epsabs=1e-12, limit=500, full_output=1)
    return math.inf if trouble else float(value)
