"""Harmonics on a period: T repeated from (-P/2, P/2), beside the square wave that sign becomes."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.parameter import Array
from bnn_ref.spectra.lines import checked
from bnn_ref.spectra.quadrature import quadrature_gain
from bnn_ref.spectra.subject import Examined, as_subject


def square_wave(count: int) -> Array:
    """b_1 .. b_count of the unit square wave: 4/(pi k) at odd k, 0 at even k, shape (count,).

    Source: fda2021, Eq. 4-6.
    """
    k = np.arange(1, count + 1)
    return np.asarray(np.where(k % 2, 4 / (np.pi * k), 0.0))


def sine_coefficients(subject: Examined, period: float, count: int, **hints: Any) -> Array:
    """b_1 .. b_count of T on (-P/2, P/2), repeated with its jump at P/2.

    b_k = (2/P) * integral of T(x) sin(k omega x), omega = 2 pi/P. By parts, with T odd:

        b_k = 2/(pi k) * (H_P(k omega) - (-1)^k T(P/2)),
        H_P(w) = 1/2 * integral of T'(x) cos(w x) over (-P/2, P/2)

    H_P is the closed form H where T' lives within the period, exact; elsewhere it is found by quadrature
    (error about 1e-12), since H differs from it by the share of T' outside.

    Parameters
    ----------
    subject : Binarizer, Curve, str, pair or callable
        As in `spectrum`, with its `hints`; T odd. It may lack a gain: identity STE becomes a sawtooth.
    period : float
        P, in units of x.
    count : int

    Returns
    -------
    array of shape (count,)

    Raises
    ------
    ValueError
        When T is not odd, or is not the integral of its slope (it jumps, or T' is not its slope).

    Source: ours.
    """
    omega = checked(period)
    examined = as_subject(subject, **hints)
    if not examined.odd:
        raise ValueError(f"{examined.name}: required an odd T")
    part = examined.within(period / 2)
    k = np.arange(count + 1)
    h = quadrature_gain(part, k * omega)[0] if part.closed is None else part.closed(k * omega)
    edge = float(examined.value(np.array(period / 2)))
    if abs(h[0] - edge) > 1e-9 * max(1.0, abs(edge)):
        raise ValueError(f"{examined.name}: required T to be the integral of T', got {edge} and {h[0]}")
    return np.asarray(2 / (np.pi * k[1:]) * (h[1:] - (-1.0) ** k[1:] * edge))


def harmonic_errors(subject: Examined, period: float, count: int, **hints: Any) -> Array:
    """Delta_k = b_k(square wave) - b_k(T), k = 1 .. count, shape (count,).

    Where T = 1 at P/2 this is 2/(pi k) * (1 - H(k omega)), at even k too. Parameters and errors as in
    `sine_coefficients`. Source: ours, after fda2021's comparison of spectra.
    """
    return square_wave(count) - sine_coefficients(subject, period, count, **hints)
