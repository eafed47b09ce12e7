"""Compiled passes over rows of channels: batch norm and PReLU, forward and backward, float32 and float64.

Each reads and writes the memory once. Sums over the rows are made of blocks of rows, added up in double
precision within a section, and then over sections: their order is that of the rows, whatever threads there
are, and float32 sums of a million rows lose no more than sums of a block.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bnn_ref.kernels import naive
from bnn_ref.kernels.threads import share
from bnn_ref.kernels.tiles import INTERPRETED

Array = NDArray[Any]

ROWS = 64
"""Rows of a block."""

SECTIONS, NUMBERS = 16, 2**17
"""Parts of the rows that have sums of their own, at most, and what is worth one; a thread takes some."""


def _sections(rows: int, channels: int) -> list[slice]:
    """Whole blocks each, as even as may be."""
    blocks = -(-rows // ROWS)
    count = max(1, min(SECTIONS, blocks, rows * channels // NUMBERS))
    bounds = [blocks * part // count * ROWS for part in range(count + 1)]
    return [slice(*pair) for pair in pairwise(bounds)]


def _by_sections(work: Callable[[slice, int], None], sections: list[slice], nbytes: int) -> None:
    """work(rows, number) for every section."""

    def some(first: int, last: int) -> None:
        for number in range(first, last):
            work(sections[number], number)

    share(some, len(sections), nbytes)


def compiled(*arrays: Array) -> bool:
    """Whether these passes take such arrays: all float32 or all float64, with a compiler."""
    kind = arrays[0].dtype
    return kind in (np.float32, np.float64) and all(a.dtype == kind for a in arrays) and not INTERPRETED


def rows_of(x: Array) -> Array:
    """(..., C) -> (rows, C), C-contiguous and in native byte order."""
    return np.ascontiguousarray(x, x.dtype.newbyteorder("=")).reshape(-1, x.shape[-1])


@njit(cache=True, nogil=True)
def _moments(x: Any, mean: Any, square: Any) -> None:
    """mean and sum of squared distances from it, a channel each: blocks are joined by Chan's formula."""
    channels, number = x.shape[1], x.dtype.type
    total, part = np.empty(channels, x.dtype), np.empty(channels, x.dtype)
    for start in range(0, x.shape[0], ROWS):
        stop = min(start + ROWS, x.shape[0])
        count, share = stop - start, number(1) / number(stop - start)
        total[:] = 0
        part[:] = 0
        for r in range(start, stop):
            for c in range(channels):
                total[c] += x[r, c]
        for c in range(channels):
            total[c] *= share
        for r in range(start, stop):
            for c in range(channels):
                away = x[r, c] - total[c]
                part[c] += away * away
        for c in range(channels):
            step = total[c] - mean[c]
            mean[c] += step * count / stop
            square[c] += part[c] + step * step * start * count / stop


@njit(cache=True, nogil=True)
def _normalize(x: Any, mean: Any, inverse: Any, gamma: Any, beta: Any, y: Any) -> None:
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            y[r, c] = gamma[c] * ((x[r, c] - mean[c]) * inverse[c]) + beta[c]


@njit(cache=True, nogil=True)
def _norm_sums(x: Any, dy: Any, mean: Any, inverse: Any, sums: Any) -> None:
    """sums (2, C): of dy, and of dy times the normalized x."""
    channels = x.shape[1]
    plain, along = np.empty(channels, x.dtype), np.empty(channels, x.dtype)
    for start in range(0, x.shape[0], ROWS):
        plain[:] = 0
        along[:] = 0
        for r in range(start, min(start + ROWS, x.shape[0])):
            for c in range(channels):
                plain[c] += dy[r, c]
                along[c] += dy[r, c] * ((x[r, c] - mean[c]) * inverse[c])
        for c in range(channels):
            sums[0, c] += plain[c]
            sums[1, c] += along[c]


@njit(cache=True, nogil=True)
def _norm_grad(x: Any, dy: Any, mean: Any, inverse: Any, gain: Any, plain: Any, along: Any, dx: Any) -> None:
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            normal = (x[r, c] - mean[c]) * inverse[c]
            dx[r, c] = gain[c] * (dy[r, c] - plain[c] - normal * along[c])


def moments(x: Array) -> tuple[Array, Array]:
    """Mean and (biased) variance over every axis but the last, float64 (C,); x (..., C) without a 0.

    Of another dtype in that dtype, as are the results of the functions below. Source: ours; the joining of
    blocks is Chan, Golub and LeVeque, 1979.
    """
    if not compiled(x):
        return naive.moments(x)
    rows = rows_of(x)
    sections = _sections(*rows.shape)
    means, squares = np.zeros((2, len(sections), x.shape[-1]))
    _by_sections(lambda some, i: _moments(rows[some], means[i], squares[i]), sections, rows.nbytes)
    shares = np.array([len(rows[some]) for some in sections])[:, None] / len(rows)
    with np.errstate(invalid="ignore", over="ignore"):  # infinite numbers have no variance, as in NumPy
        mean = (shares * means).sum(axis=0)
        return mean, squares.sum(axis=0) / len(rows) + (shares * (means - mean) ** 2).sum(axis=0)


def normalize(x: Array, mean: Array, inverse: Array, gamma: Array, beta: Array) -> Array:
    """gamma (x - mean) inverse + beta; x (..., C), the others (C,) of its dtype. Source: ours."""
    if not compiled(x, mean, inverse, gamma, beta):
        return naive.normalize(x, mean, inverse, gamma, beta)
    y, rows = np.empty(x.shape, x.dtype), rows_of(x)
    out = y.reshape(rows.shape)

    def part(first: int, last: int) -> None:
        _normalize(rows[first:last], mean, inverse, gamma, beta, out[first:last])

    share(part, len(rows), 2 * y.nbytes)
    return y


def normalize_grad(
    x: Array, dy: Array, mean: Array, inverse: Array, gamma: Array
) -> tuple[Array, Array, Array]:
    """(dx, dgamma, dbeta) of `normalize` where mean and inverse are those of x's own rows.

    dx = gamma inverse (dy - mean(dy) - xhat mean(dy xhat)). Source: ours, after batchnorm2015.
    """
    if not compiled(x, dy, mean, inverse, gamma):
        return naive.normalize_grad(x, dy, mean, inverse, gamma)
    dx, rows, grads = np.empty(x.shape, x.dtype), rows_of(x), rows_of(dy)
    sections, out, gain = _sections(*rows.shape), dx.reshape(rows.shape), gamma * inverse
    parts = np.zeros((len(sections), 2, x.shape[-1]))

    def add(some: slice, i: int) -> None:
        _norm_sums(rows[some], grads[some], mean, inverse, parts[i])

    _by_sections(add, sections, 2 * dx.nbytes)
    sums = parts.sum(axis=0)
    plain, along = (sums / len(rows)).astype(x.dtype)

    def part(first: int, last: int) -> None:
        some = slice(first, last)
        _norm_grad(rows[some], grads[some], mean, inverse, gain, plain, along, out[some])

    share(part, len(rows), 3 * dx.nbytes)
    dbeta, dgamma = sums.astype(x.dtype)
    return dx, dgamma, dbeta


@njit(cache=True, nogil=True)
def _prelu(x: Any, slope: Any, y: Any) -> None:
    for r in range(x.shape[0]):
        for c in range(x.shape[1]):
            y[r, c] = x[r, c] if x[r, c] > 0 else slope[c] * x[r, c]


@njit(cache=True, nogil=True)
def _prelu_grad(x: Any, dy: Any, slope: Any, dx: Any, sums: Any) -> None:
    channels, number = x.shape[1], dy.dtype.type
    part, zero = np.empty(channels, dy.dtype), number(0)
    for start in range(0, x.shape[0], ROWS):
        part[:] = 0
        for r in range(start, min(start + ROWS, x.shape[0])):
            for c in range(channels):
                above = x[r, c] > 0
                dx[r, c] = dy[r, c] if above else slope[c] * dy[r, c]
                part[c] += zero if above else number(x[r, c]) * dy[r, c]
        for c in range(channels):
            sums[c] += part[c]


def _slopes(slope: Array, channels: int) -> Array:
    return np.ascontiguousarray(np.broadcast_to(slope, channels))


def prelu(x: Array, slope: Array, above: Array | None = None) -> Array:
    """x where x > 0, or `above` says so, slope x elsewhere; x (..., C), slope (C,) or (1,) of its dtype.

    Source: prelu2015.
    """
    if above is not None or not compiled(x, slope):
        return naive.prelu(x, slope, above)
    y, rows, slopes = np.empty(x.shape, x.dtype), rows_of(x), _slopes(slope, x.shape[-1])
    out = y.reshape(rows.shape)
    share(lambda first, last: _prelu(rows[first:last], slopes, out[first:last]), len(rows), 2 * y.nbytes)
    return y


def prelu_grad(x: Array, dy: Array, slope: Array, above: Array | None = None) -> tuple[Array, Array]:
    """(dx, dslope): dx = dy where x > 0, slope dy elsewhere; dslope (C,) = sum of x dy where not x > 0.

    x may be what `prelu_narrow` made of it. Source: prelu2015.
    """
    if above is not None or not (compiled(dy, slope) and x.dtype in (dy.dtype, np.int16)):
        return naive.prelu_grad(x, dy, slope, above)
    dx, rows, grads = np.empty(x.shape, dy.dtype), rows_of(x), rows_of(dy)
    sections, out, slopes = _sections(*rows.shape), dx.reshape(rows.shape), _slopes(slope, x.shape[-1])
    sums = np.zeros((len(sections), x.shape[-1]))

    def part(some: slice, i: int) -> None:
        _prelu_grad(rows[some], grads[some], slopes, out[some], sums[i])

    _by_sections(part, sections, 3 * dx.nbytes)
    return dx, sums.sum(axis=0).astype(dy.dtype)


@njit(cache=True, nogil=True)
def _prelu_narrow(x: Any, slope: Any, y: Any, kept: Any) -> bool:
    """y as in `_prelu`, kept = x; False, the rest undone, at a block of other than whole 16-bit numbers."""
    for start in range(0, x.shape[0], ROWS):
        bad = False
        for r in range(start, min(start + ROWS, x.shape[0])):
            for c in range(x.shape[1]):
                number = x[r, c]
                y[r, c] = number if number > 0 else slope[c] * number
                kept[r, c] = np.int16(number if abs(number) <= 32767 else 0)
                bad |= kept[r, c] != number
        if bad:
            return False
    return True


def prelu_narrow(x: Array, slope: Array) -> tuple[Array, Array]:
    """`prelu`; and x, as int16 where all of it are such whole numbers (sums of signs are; -0.0 becomes 0).

    Source: ours.
    """
    if x.dtype != np.float32 or not compiled(x, slope):
        return prelu(x, slope), x
    y, kept = np.empty(x.shape, x.dtype), np.empty(x.shape, np.int16)
    rows, slopes = rows_of(x), _slopes(slope, x.shape[-1])
    out, small, fits = y.reshape(rows.shape), kept.reshape(rows.shape), []

    def part(first: int, last: int) -> None:
        some = slice(first, last)
        fits.append(_prelu_narrow(rows[some], slopes, out[some], small[some]))

    share(part, len(rows), 2 * y.nbytes)
    return (y, kept) if all(fits) else (prelu(x, slope), x)
