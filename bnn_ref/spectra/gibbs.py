"""Gibbs's overshoot: the bump beside the jump that more terms make narrower and never lower."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import sici

from bnn_ref.estimators.fda import FourierSeries


@dataclass(frozen=True)
class Gibbs:
    """The first extrema of the square wave's series of N terms, beside the jump at 0.

    Attributes
    ----------
    terms : int
        N.
    location : float
        omega t of the first maximum, pi / (2N), radians.
    peak : float
        Its value: the largest of the series.
    overshoot : float
        peak - 1.
    first_minimum : float or None
        The value at omega t = pi / N; None for N = 1, which has one bump alone.
    limit, minimum_limit : float
        peak and first_minimum as N grows: (2/pi) Si(pi) and (2/pi) Si(2 pi).
    """

    terms: int
    location: float
    peak: float
    overshoot: float
    first_minimum: float | None
    limit: float
    minimum_limit: float


def gibbs(terms: int) -> Gibbs:
    """The overshoot of the series of `terms` sines; independent of omega.

    Raises
    ------
    ValueError
        When `terms` is not a whole number >= 1.

    Source: ours, for the series of fda2021, Eq. 9.
    """
    series = FourierSeries(terms, omega=1.0, window=None)
    location = np.pi / (2 * terms)
    peak, minimum = series(np.array([location, 2 * location])).tolist()
    limits = (2 / np.pi * sici(np.array([np.pi, 2 * np.pi]))[0]).tolist()
    return Gibbs(terms, location, peak, peak - 1, minimum if terms > 1 else None, *limits)
