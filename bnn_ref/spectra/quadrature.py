"""Integrals by quadrature: for slopes without a closed form, and to check those that declare one."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import quad

from bnn_ref.parameter import Array
from bnn_ref.spectra.integration import integrate, panel_edges
from bnn_ref.spectra.subject import Examined, Function, Subject, as_subject

_FAR = 2.0 ** (np.arange(-240, 321) / 8)  # a logarithmic ruler, 2^-30 to 2^40


def reach(subject: Subject) -> tuple[float, bool]:
    """Where T' ends, and whether it fades only slowly from there on.

    An exponential tail ends where it is 1e-18 of the peak; a slower one (a power of x) is cut at 1e-3 of
    the peak, and the rest is left to `_slow_tail`.

    Raises
    ------
    ValueError
        When T' does not fall off within x = 2^40.
    """
    if np.isfinite(subject.support):
        return subject.support, False
    with np.errstate(all="ignore"):
        sizes = np.nan_to_num(np.maximum(np.abs(subject.slope(_FAR)), np.abs(subject.slope(-_FAR))))
    bulk, last = (int(np.flatnonzero(sizes >= share * sizes.max())[-1]) for share in (1e-3, 1e-18))
    if bulk == len(_FAR) - 1:
        raise ValueError(f"{subject.name}: T' is not integrable, it never falls off; required a finite area")
    slow = bool(_FAR[last] > 64 * _FAR[bulk])
    return float(_FAR[bulk if slow else last] * 2**0.125), slow


def quadrature_gain(subject: Examined, w: Any, **hints: Any) -> tuple[Array, float]:
    """H(w) = 1/2 * integral of T'(x) exp(-i w x) dx by quadrature, ignoring any closed form.

    Parameters
    ----------
    subject : Binarizer, Curve, str, pair or callable
        As in `spectrum`, with its `hints` (slope, support, kinks).
    w : float or array of any shape
        Angular frequencies, radians per unit of x.

    Returns
    -------
    gain : array of the shape of `w`
        Real for odd T, else complex.
    error : float
        Estimate of the absolute error, typically 1e-12 of the area at abs(w) <= 50.

    Raises
    ------
    ValueError
        When T' is not integrable (it never falls off, or is periodic), or `w` is not finite.
    """
    examined = as_subject(subject, **hints)
    if examined.period is not None:
        raise ValueError(
            f"{examined.name}: T' is periodic and not integrable; it has lines instead of a gain"
        )
    w = np.asarray(w, np.float64)
    if not np.isfinite(w).all():
        raise ValueError(f"w: required finite frequencies, got {w}")
    end, slow = reach(examined)
    flat = w.ravel()
    edges = panel_edges(examined, end, float(np.abs(flat).max(initial=0)))
    block = max(1, 40_000 // len(edges))
    blocks = [_transform(examined, flat[i : i + block], edges) for i in range(0, len(flat), block)]
    total = np.concatenate([np.zeros(0), *(gain for gain, _ in blocks)])
    error = max((error for _, error in blocks), default=0.0)
    if slow:
        tail, more = _slow_tail(examined, flat, end)
        total, error = total + tail, error + more
    return total.reshape(w.shape), error


def _halves(subject: Subject) -> tuple[Function, Function]:
    """The even and the odd part of T' on the half line."""
    slope = subject.slope
    if subject.odd:
        return slope, np.zeros_like
    return (lambda x: (slope(x) + slope(-x)) / 2), (lambda x: (slope(x) - slope(-x)) / 2)


def _transform(subject: Subject, w: Array, edges: Array) -> tuple[Array, float]:
    even, odd = _halves(subject)

    def integrand(x: Array) -> Array:
        waves = x[:, None] * w
        real = even(x)[:, None] * np.cos(waves)
        return real if subject.odd else real - 1j * odd(x)[:, None] * np.sin(waves)

    return integrate(integrand, edges)


def _slow_tail(subject: Subject, w: Array, start: float) -> tuple[Array, float]:
    """The same from `start` to infinity, one frequency at a time (QUADPACK's QAWF)."""
    even, odd = _halves(subject)
    _quad(subject, lambda x: abs(even(np.array(x))) + abs(odd(np.array(x))), start, {})
    total, error = np.zeros(len(w), np.float64 if subject.odd else np.complex128), 0.0
    for i, at in enumerate(w):
        cosine = {"weight": "cos", "wvar": abs(at)} if at else {}
        total[i], found = _quad(subject, lambda x: float(even(np.array(x))), start, cosine)
        if not subject.odd and at:
            sine, more = _quad(subject, lambda x: float(odd(np.array(x))), start, cosine | {"weight": "sin"})
            total[i] -= 1j * np.sign(at) * sine
            found += more
        error = max(error, found)
    return total, error


def _quad(subject: Subject, f: Any, start: float, options: dict[str, Any]) -> tuple[float, float]:
    value, error, _, *trouble = quad(f, start, np.inf, epsabs=1e-12, limit=500, full_output=1, **options)
    if trouble:
        why = str(trouble[0]).split(".")[0]
        raise ValueError(f"{subject.name}: T' is not integrable as far as quadrature can tell ({why})")
    return float(value), float(error)
