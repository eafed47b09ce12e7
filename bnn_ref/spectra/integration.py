"""Adaptive integration over an interval, many integrands at a time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.polynomial.legendre import legvander

from bnn_ref.parameter import Array
from bnn_ref.spectra.subject import Function, Subject

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_TOLERANCE = 1e-14  # of a panel, as a share of the integral of abs(f)
# No node lies near the ends, and a jump in the middle looks the same to a panel and to its halves. Either
# shows in f itself, just inside an end, beside the polynomial through the nodes: y @ _TO_ENDS.
_INSIDE = 1 - 1e-11
_TO_ENDS = np.linalg.solve(legvander(_NODES, 15).T, legvander(np.array([-1.0, 1.0]), 15).T)
_SURPRISE = 1e-8  # as a share of the largest abs(f)
_NOTHING = 1e-300  # subnormal numbers have too few digits to agree


def integrate(f: Function, edges: Array) -> tuple[Array, float]:
    """The integral of `f` from edges[0] to edges[-1], and an estimate of its absolute error.

    Gauss's rule of 16 points on each panel; a panel is halved where its halves disagree with the whole, or f
    at its ends with the polynomial inside, so that a jump that is not on an edge is found by bisection.
    Source: ours.

    Parameters
    ----------
    f : callable
        Shape (n,) to (n, m).
    edges : array of shape (p + 1,)
        Ascending.

    Returns
    -------
    integral : array of shape (m,)
    error : float
        Sum of the disagreements, over the worst of the m.

    Raises
    ------
    ValueError
        When 100,000 panels are not enough.
    """
    left, right = edges[:-1], edges[1:]
    whole = _panels(f, left, right).integral
    total, error, accepted, peak = np.zeros_like(whole[0]), 0.0, 0.0, 0.0
    narrow = 2.0**-48 * (edges[-1] - edges[0])
    while len(left):
        middle = (left + right) / 2
        a, b = _panels(f, left, middle), _panels(f, middle, right)
        both, size, surprise = a.integral + b.integral, a.size + b.size, np.maximum(a.surprise, b.surprise)
        gap, peak = np.abs(both - whole).max(axis=1), max(peak, a.peak, b.peak)
        done = gap <= _TOLERANCE * (accepted + size.sum()) + _NOTHING
        done &= surprise <= _SURPRISE * peak + _NOTHING
        done |= right - left <= narrow
        total = total + both[done].sum(axis=0)
        error, accepted = error + float(gap[done].sum()), accepted + float(size[done].sum())
        left, right = np.append(left[~done], middle[~done]), np.append(middle[~done], right[~done])
        whole = np.concatenate([a.integral[~done], b.integral[~done]])
        if len(left) > 100_000 or not np.isfinite(error):
            raise ValueError("the integral does not settle: required an integrable function (or its kinks)")
    return total, error


class _Panels(NamedTuple):
    """p panels: integrals of f (p, m); integral of abs(f) and end surprises, largest of the m, (p,)."""

    integral: Array
    size: Array
    surprise: Array
    peak: float


def _panels(f: Function, left: Array, right: Array) -> _Panels:
    half = (right - left)[:, None] / 2
    x = (left + right)[:, None] / 2 + half * np.concatenate([_NODES, [-_INSIDE, _INSIDE]])
    y = f(x.ravel()).reshape(*x.shape, -1)
    y, ends = y[:, :-2], y[:, -2:]
    integral, size = (half * np.einsum("n,pnm->pm", _WEIGHTS, values) for values in (y, np.abs(y)))
    surprise = np.abs(ends - np.einsum("ne,pnm->pem", _TO_ENDS, y)).max(axis=(1, 2))
    return _Panels(integral, size.max(axis=1), surprise, float(np.abs(y).max()))


def panel_edges(subject: Subject, end: float, frequency: float = 0.0) -> Array:
    """Panels for [0, end]: between kinks, and no longer than 10 radians of `frequency`."""
    if end == 0:
        return np.zeros(2)
    kinks = np.abs(np.asarray(subject.kinks, np.float64))
    waves = np.linspace(0, end, 1 + int(np.ceil(end * frequency / 10)))
    return np.unique(np.concatenate([[0.0, end], kinks[kinks < end], waves]))
