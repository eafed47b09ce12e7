"""The mean square error of T against sign on a period, three ways: closed form, quadrature, Parseval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import polygamma

from bnn_ref.parameter import Array
from bnn_ref.spectra.harmonics import harmonic_errors
from bnn_ref.spectra.integration import integrate, panel_edges
from bnn_ref.spectra.lines import checked
from bnn_ref.spectra.subject import Examined, as_subject


@dataclass(frozen=True)
class EnergyError:
    """(1/P) * integral over a period of (sign - T)^2, a pure number.

    Attributes
    ----------
    value : float
    method : str
        "closed form" or "quadrature".
    error : float
        Estimate of the absolute error of `value`.
    """

    value: float
    method: str
    error: float


def energy_error(subject: Examined, period: float, **hints: Any) -> EnergyError:
    """(1/P) * integral of (sign(x) - T(x))^2 over (-P/2, P/2).

    In closed form where the curve declares one for that period (`Curve.energy`); by quadrature otherwise.

    Parameters
    ----------
    subject : Binarizer, Curve, str, pair or callable
        As in `spectrum`, with its `hints`; T need not be odd.
    period : float
        P, in units of x.

    Source: ours; fda2021's Theorem 1 is about this number and gives no value.
    """
    checked(period)
    examined = as_subject(subject, **hints)
    closed = None if examined.curve is None else examined.curve.energy(period)
    if closed is not None:
        return EnergyError(closed, "closed form", 4e-16 * closed)

    def integrand(x: Array) -> Array:
        squares = (1 - examined.value(x)) ** 2 + (1 + examined.value(-x)) ** 2
        return np.asarray(squares[:, None])

    total, error = integrate(integrand, panel_edges(examined, period / 2))
    return EnergyError(float(total[0]) / period, "quadrature", error / period)


def parseval(subject: Examined, period: float, count: int, **hints: Any) -> float:
    """The same number as 1/2 * sum of Delta_k^2 over every k: the independent check of `energy_error`.

    The first `count` terms (even) are summed; beyond them H counts as 0, which leaves the two jumps of
    height 1 (at 0) and u = 1 - T(P/2) (at P/2): 2/pi^2 * sum of (1 + u^2 - 2 u (-1)^k) / k^2, a trigamma
    function. Off by at most 4/pi^2 * (1 + abs(u)) * max abs(H) / count; exact for a series of that length.

    Raises
    ------
    ValueError
        When `count` is odd or below 2, and as `sine_coefficients` does.

    Source: ours (Parseval).
    """
    if count < 2 or count % 2:
        raise ValueError(f"count: required an even number >= 2, got {count}")
    errors = harmonic_errors(subject, period, count, **hints)
    u = 1 - float(as_subject(subject, **hints).value(np.array(period / 2)))
    every, evens = polygamma(1, count + 1), polygamma(1, count / 2 + 1) / 4
    rest = 2 / np.pi**2 * ((1 + u * u) * every - 2 * u * (2 * evens - every))
    return float((errors**2).sum() / 2 + rest)
