"""Largest value and sum of windows of images (N, H, W, C), in one walk through memory."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bnn_ref.kernels.conv import output_size


@njit(cache=True, nogil=True)
def _largest(x: Any, kernel: int, stride: int, padding: int, y: Any) -> None:
    height, width, channels = x.shape[1:]
    for n in range(y.shape[0]):
        for oy in range(y.shape[1]):
            for ox in range(y.shape[2]):
                top, left, best = oy * stride - padding, ox * stride - padding, y[n, oy, ox]
                for iy in range(max(top, 0), min(top + kernel, height)):
                    for ix in range(max(left, 0), min(left + kernel, width)):
                        row = x[n, iy, ix]
                        for c in range(channels):
                            kept = (best[c] >= row[c]) | (best[c] != best[c])  # a NaN wins and stays
                            best[c] = best[c] if kept else row[c]


@njit(cache=True, nogil=True)
def _total(x: Any, kernel: int, stride: int, padding: int, y: Any) -> None:
    height, width, channels = x.shape[1:]
    for n in range(y.shape[0]):
        for oy in range(y.shape[1]):
            for ox in range(y.shape[2]):
                top, left, total = oy * stride - padding, ox * stride - padding, y[n, oy, ox]
                for iy in range(max(top, 0), min(top + kernel, height)):
                    for ix in range(max(left, 0), min(left + kernel, width)):
                        row = x[n, iy, ix]
                        for c in range(channels):
                            total[c] += row[c]


def _windows(x: NDArray[Any], kernel: int, stride: int, padding: int, ceil: bool) -> tuple[int, ...]:
    """The output's shape; ValueError for other than four axes, or where no window fits."""
    if x.ndim != 4:
        raise ValueError(f"pool: x must have four axes, got shape {x.shape}")
    rows, columns = (output_size(size, kernel, stride, padding, ceil) for size in x.shape[1:3])
    return len(x), rows, columns, x.shape[3]


def max_pool2d(
    x: NDArray[Any], kernel: int, stride: int, padding: int = 0, ceil: bool = False
) -> NDArray[Any]:
    """The largest value of each window; padding never wins, a NaN always does.

    Parameters
    ----------
    x : float32 or int32 (N, H, W, C)
    kernel, stride, padding : int, of both axes; ceil : bool, whether windows may hang over the end

    Returns
    -------
    The same dtype (N, Ho, Wo, C); a window of padding alone has the least value that there is.

    Raises
    ------
    ValueError
        No output pixel, or other than four axes.

    Notes
    -----
    Source: ours.
    """
    least = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    y = np.full(_windows(x, kernel, stride, padding, ceil), least, x.dtype)
    _largest(np.ascontiguousarray(x), kernel, stride, padding, y)
    return y


def sum_pool2d(
    x: NDArray[Any], kernel: int, stride: int, padding: int = 0, ceil: bool = False
) -> NDArray[Any]:
    """The sum of each window, its taps added in row-major order; padding adds nothing.

    Parameters
    ----------
    x : any number (N, H, W, C)
    kernel, stride, padding, ceil
        As `max_pool2d`.

    Returns
    -------
    The same dtype (N, Ho, Wo, C).

    Raises
    ------
    ValueError
        As `max_pool2d`.

    Notes
    -----
    Source: ours.
    """
    y = np.zeros(_windows(x, kernel, stride, padding, ceil), x.dtype)
    _total(np.ascontiguousarray(x), kernel, stride, padding, y)
    return y
