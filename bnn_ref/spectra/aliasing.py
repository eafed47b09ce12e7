"""What a sampled T must show: each harmonic together with all those that the samples cannot tell from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.parameter import Array
from bnn_ref.spectra.lines import checked, lines
from bnn_ref.spectra.quadrature import reach
from bnn_ref.spectra.subject import Examined, Function, Subject, as_subject

_SMALL = 1e-11  # what a summed block may add before the sum ends
_MOST = 2**23  # evaluations of H


def aliased(subject: Examined, period: float, samples: int, **hints: Any) -> Array:
    """What `dft(T, period, samples)` equals: sum over all integers q of (-1)^q b_{k + qM}.

    With b_n = 2/(pi n) * (H_P(n omega) - (-1)^n T(P/2)) it falls into four parts, each summed where it is
    easy:

    - the jump at P/2, in closed form: -(-1)^k T(P/2) * (2/M) / sin(pi k/M);
    - what T' has outside the period, in x (there T' is short, as in Ewald's sums);
    - the jumps of T', which make H fall like 1/w only, in closed form;
    - the rest of H, which falls like 1/w^2 or faster, term by term.

    Parameters
    ----------
    subject : Binarizer, Curve or str
        With a gain in closed form, or periodic on `period` itself.
    period : float
        P, in units of x.
    samples : int
        M, even.

    Returns
    -------
    array of shape (M/2 - 1,)
        k = 1 .. M/2 - 1, to about 1e-10.

    Raises
    ------
    ValueError
        Without a closed form, or when the sum would need more than 2^23 terms.

    Source: ours.
    """
    omega = checked(period, samples)
    examined = as_subject(subject, period=period, **hints)
    k = np.arange(1, samples // 2)
    if examined.period is not None:
        return _folded_lines(examined, period, samples)
    if examined.closed is None or not examined.odd:
        raise ValueError(f"{examined.name}: required an odd T with its gain in closed form")
    corners = _slope_jumps(examined)
    return (
        _outside(examined, k, period, samples)
        + _corners(corners, k, omega, samples)
        + _rest(examined.name, _without(examined.closed, corners), k, omega, samples)
    )


def _folded_lines(subject: Subject, period: float, samples: int) -> Array:
    if not np.isclose(period, subject.period or 0, rtol=1e-12, atol=0):
        raise ValueError(f"period: required {subject.name}'s own, {subject.period}, got {period}")
    b = np.zeros(samples)
    for line in lines(subject):
        turns, k = divmod(line.harmonic, samples)
        b[k] += (-1) ** turns * line.coefficient
        b[-k] += (-1) ** turns * line.coefficient  # q = -(turns + 1), where b_{-n} = -b_n
    return np.asarray(b[1 : samples // 2])


def _outside(subject: Subject, k: Array, period: float, samples: int) -> Array:
    """The jump at P/2 and the share of T' beyond, summed in x: steps of T cell by cell, k periodic in M."""
    end, slow = reach(subject)
    if slow:
        raise ValueError(f"{subject.name}: required a T' that falls off exponentially or has a support")
    cell = period / samples
    cells = max(0, int(np.ceil((end - period / 2) / cell))) + 1
    x = period / 2 + np.append(0.0, (np.arange(cells) + 0.5) * cell)
    steps = np.bincount(np.arange(cells) % samples, np.diff(subject.value(x)), samples)
    steps[0] += float(subject.value(x[:1])[0])
    sums = np.cos(2 * np.pi * np.outer(k, np.arange(samples)) / samples) @ steps
    return np.asarray(-((-1.0) ** k) * 2 / samples / np.sin(np.pi * k / samples) * sums)


def _slope_jumps(subject: Subject) -> tuple[tuple[float, float], ...]:
    """(x, T'(x+) - T'(x-)) at each kink, from the neighbouring floats."""
    x = np.asarray(subject.kinks, np.float64)
    jumps = subject.slope(np.nextafter(x, np.inf)) - subject.slope(np.nextafter(x, -np.inf))
    return tuple(zip(x.tolist(), jumps.tolist(), strict=True))


def _without(closed: Function, corners: tuple[tuple[float, float], ...]) -> Function:
    """H less the part that the jumps J of T' make: -1/2 sum J sin(w x) / w."""
    return lambda w: closed(w) + sum(jump * x / 2 * np.sinc(w * x / np.pi) for x, jump in corners)


def _corners(corners: tuple[tuple[float, float], ...], k: Array, omega: float, samples: int) -> Array:
    """-1/(pi omega) sum J A(omega x), A(phi) = sum_q (-1)^q sin(n phi) / n^2 at n = k + qM.

    A'(phi) = sum_q (-1)^q cos(n phi)/n = (pi/M) cos(2 pi k r/M) / sin(pi k/M), r = phi M / (2 pi) rounded: a
    staircase. Its integral from 0 is a sum of cosines over the cells passed, and the cell that phi is in.
    """
    cell, theta = 2 * np.pi / samples, 2 * np.pi * k / samples
    total = np.zeros(len(k))
    for x, jump in corners:
        phi = abs(omega * x)
        r = round(phi / cell)
        passed = cell * np.sin((r - 0.5) * theta) / (2 * np.sin(theta / 2))
        staircase = passed + (phi - (r - 0.5) * cell) * np.cos(r * theta)
        total -= jump * np.sign(x) * staircase / (samples * omega * np.sin(theta / 2))
    return total


def _rest(name: str, h: Function, k: Array, omega: float, samples: int) -> Array:
    """2/pi sum_q (-1)^q h(n omega)/n over q = 0, +-1, ..., in blocks that double until one adds nothing."""
    total = h(k * omega) / k
    first, last = 1, 64
    while last * len(k) <= _MOST:
        added, size = _block(h, k, omega, samples, np.arange(first, last))
        total = total + added
        if size <= _SMALL:
            return np.asarray(2 / np.pi * total)
        first, last = last, 2 * last
    raise ValueError(f"{name}: required a period and samples whose aliased sum ends within {_MOST} terms")


def _block(h: Function, k: Array, omega: float, samples: int, q: Array) -> tuple[Array, float]:
    """The sum over +-q, shape (K,), and the largest sum of absolute values."""
    added, sizes = np.zeros(len(k)), np.zeros(len(k))
    for part in np.array_split(q, 1 + len(q) * len(k) // 2**18):
        for turns in (part, -part):
            n = k[:, None] + turns * samples
            terms = (-1.0) ** turns * h(n * omega) / n
            added, sizes = added + terms.sum(axis=1), sizes + np.abs(terms).sum(axis=1)
    return added, float(sizes.max())
