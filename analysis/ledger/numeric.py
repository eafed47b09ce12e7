"""Plain numerical tools of the ledger: they know nothing of the closed forms that they test."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.parameter import Array

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)


def integral(f: Callable[[Array], Array], a: float, b: float, panels: int = 256) -> float:
    """The integral of `f` from a to b: Gauss's rule of 16 points on equal panels; kinks belong on a or b."""
    edges = np.linspace(a, b, panels + 1)
    half = np.diff(edges)[:, None] / 2
    x = (edges[:-1, None] + half) + half * _NODES
    return float((half * _WEIGHTS * f(x.ravel()).reshape(x.shape)).sum())


def series(terms: int, omega: float = 1.0) -> FourierSeries:
    """The paper's series: without a window."""
    return FourierSeries(terms, omega=omega, window=None)


def mean_square(f: Callable[[Array], Array], period: float, panels: int = 128) -> float:
    """(1/P) * integral over a period of (sign - f)^2, f odd."""
    return 2 / period * integral(lambda x: (1 - f(x)) ** 2, 0, period / 2, panels)


def area_to_sign(f: Callable[[Array], Array], end: float = 1.0) -> float:
    """The area between sign and an odd f <= 1 on [-end, end]."""
    return 2 * integral(lambda x: 1 - f(x), 0, end)


def sine_error(f: Callable[[Array], Array], k: int, period: float) -> float:
    """(4/P) * integral from 0 to P/2 of (1 - f(x)) sin(k omega x): how far the k-th sine of f is off."""
    omega = 2 * np.pi / period
    return 4 / period * integral(lambda x: (1 - f(x)) * np.sin(k * omega * x), 0, period / 2, 1024)


def largest(values: Array) -> float:
    """The largest absolute value."""
    return float(np.abs(values).max())


def sums_of_signs(taps: int) -> Array:
    """Every value that a sum of `taps` numbers, each -1 or +1, can take: found one number at a time."""
    found = {0}
    for _ in range(taps):
        found = {total + sign for total in found for sign in (-1, 1)}
    return np.array(sorted(found))


def taps_of_map(size: int, channels: int, kernel: int = 3) -> Array:
    """How many of its taps a convolution of stride 1 has at each pixel of a zero-padded map, (size, size)."""
    inside = np.pad(np.ones((size, size), np.int64), kernel // 2)
    windows = np.lib.stride_tricks.sliding_window_view(inside, (kernel, kernel))
    return np.asarray(channels * windows.sum(axis=(2, 3)))
