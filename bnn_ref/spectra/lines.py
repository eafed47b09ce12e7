"""The lines of a periodic T, by discrete Fourier transform."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref.parameter import Array
from bnn_ref.spectra.subject import Function, Subject

_NOTHING = 1e-12  # below this share of the strongest line there is none


@dataclass(frozen=True)
class Line:
    """One harmonic of a periodic T.

    Attributes
    ----------
    harmonic : int
        k >= 1.
    frequency : float
        k omega, radians per unit of x.
    coefficient : float
        b_k of T(x) = sum b_k sin(k omega x).
    ratio : float
        b_k over 4 / (pi k), what the square wave has at odd k.
    """

    harmonic: int
    frequency: float
    coefficient: float
    ratio: float


def checked(period: float, samples: int = 4) -> float:
    """The angular frequency of `period`; ValueError unless it is positive and `samples` even and >= 4."""
    if not 0 < period < np.inf:
        raise ValueError(f"period: required a positive number, got {period}")
    if samples < 4 or samples % 2:
        raise ValueError(f"samples: required an even number >= 4, got {samples}")
    return 2 * np.pi / period


def dft(f: Function, period: float, samples: int) -> Array:
    """Sine coefficients of `f` on (-period/2, period/2) from its values at the midpoints of M cells.

    (2/M) sum_j f(x_j) sin(k omega x_j), x_j = (j + 1/2) period / M - period/2. Exact where f has no harmonic
    at or above M/2; otherwise equal to `aliased`. Midpoints avoid the jumps at 0 and period/2.

    Parameters
    ----------
    f : callable
        Array to array of the same shape.
    period : float
    samples : int
        M, even.

    Returns
    -------
    array of shape (M/2 - 1,)
        k = 1 .. M/2 - 1.

    Source: ours; fda2021 has a figure of DFTs.
    """
    checked(period, samples)
    x = (np.arange(samples) + 0.5) * (period / samples) - period / 2
    k = np.arange(1, samples // 2)
    turned = np.exp(-1j * np.pi * k / samples) * np.fft.rfft(f(x))[1:-1]
    return np.asarray(-2 / samples * (-1.0) ** k * turned.imag)


def lines(subject: Subject) -> tuple[Line, ...]:
    """The lines of a periodic T, lowest first; () where T is not periodic.

    Raises
    ------
    ValueError
        When T is not odd, or has so many harmonics that 65,536 samples do not separate them.
    """
    if subject.period is None:
        return ()
    if not subject.odd:
        raise ValueError(f"{subject.name}: required an odd T, whose lines are sines")
    omega, samples = checked(subject.period), 64
    while samples <= 65_536:
        b = dft(subject.value, subject.period, samples)
        k = 1 + np.flatnonzero(np.abs(b) > _NOTHING * np.abs(b).max(initial=0))
        if _rebuilds(subject, omega, k, b[k - 1]):  # between the samples too: nothing was aliased
            return tuple(_line(n, omega, float(b[n - 1])) for n in k.tolist())
        samples *= 2
    raise ValueError(f"{subject.name}: required finitely many lines; T has harmonics beyond every sampling")


def _rebuilds(subject: Subject, omega: float, k: Array, b: Array) -> bool:
    x = 2 * np.pi / omega * np.sqrt(np.arange(2.0, 66.0))  # no two of them on one grid
    return bool(np.allclose(np.sin(np.outer(x, k) * omega) @ b, subject.value(x), rtol=0, atol=1e-10))


def _line(k: int, omega: float, coefficient: float) -> Line:
    return Line(k, k * omega, coefficient, coefficient * np.pi * k / 4)
