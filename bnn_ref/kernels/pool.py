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
def _places(x: Any, kernel: int, stride: int, padding: int, y: Any, places: Any) -> None:
    """`_largest`, and the tap where it stands: the first of equal ones, and the first NaN."""
    height, width, channels = x.shape[1:]
    for n in range(y.shape[0]):
        for oy in range(y.shape[1]):
            for ox in range(y.shape[2]):
                top, left, best, at = (
                    oy * stride - padding,
                    ox * stride - padding,
                    y[n, oy, ox],
                    places[n, oy, ox],
                )
                fresh = True
                for iy in range(max(top, 0), min(top + kernel, height)):
                    for ix in range(max(left, 0), min(left + kernel, width)):
                        row, tap = x[n, iy, ix], (iy - top) * kernel + ix - left
                        for c in range(channels):
                            more = (row[c] > best[c]) | ((row[c] != row[c]) & (best[c] == best[c])) | fresh
                            best[c] = row[c] if more else best[c]
                            at[c] = tap if more else at[c]
                        fresh = False


@njit(cache=True, nogil=True)
def _send_back(dy: Any, places: Any, kernel: int, stride: int, padding: int, dx: Any) -> None:
    height, width, channels = dx.shape[1:]
    for n in range(dy.shape[0]):
        for oy in range(dy.shape[1]):
            for ox in range(dy.shape[2]):
                top, left, grad, at = (
                    oy * stride - padding,
                    ox * stride - padding,
                    dy[n, oy, ox],
                    places[n, oy, ox],
                )
                for iy in range(max(top, 0), min(top + kernel, height)):
                    for ix in range(max(left, 0), min(left + kernel, width)):
                        row, tap = dx[n, iy, ix], (iy - top) * kernel + ix - left
                        for c in range(channels):
                            row[c] += grad[c] if at[c] == tap else 0


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


def max_pool2d_places(
    x: NDArray[Any], kernel: int, stride: int, padding: int = 0, ceil: bool = False
) -> tuple[NDArray[Any], NDArray[Any]]:
    """`max_pool2d` of floats, and which tap of its window each value stands at, for the way back.

    Parameters
    ----------
    x : float32 or float64 (N, H, W, C)
    kernel, stride, padding, ceil
        As `max_pool2d`; padding < kernel.

    Returns
    -------
    y : same dtype (N, Ho, Wo, C)
    places : unsigned (N, Ho, Wo, C), row * kernel + column: the first of equal values, or the first NaN.

    Raises
    ------
    ValueError
        As `max_pool2d`.

    Notes
    -----
    Source: ours.
    """
    shape = _windows(x, kernel, stride, padding, ceil)
    y, places = np.empty(shape, x.dtype), np.zeros(shape, np.min_scalar_type(kernel**2 - 1))
    _places(np.ascontiguousarray(x), kernel, stride, padding, y, places)
    return y, places


def max_pool2d_grad(
    dy: NDArray[Any],
    places: NDArray[Any],
    x_shape: tuple[int, ...],
    kernel: int,
    stride: int,
    padding: int = 0,
) -> NDArray[Any]:
    """Send each gradient (N, Ho, Wo, C) back to the tap that `max_pool2d_places` named: dx of `x_shape`.

    Source: ours.
    """
    dx = np.zeros(x_shape, dy.dtype)
    _send_back(np.ascontiguousarray(dy), np.ascontiguousarray(places), kernel, stride, padding, dx)
    return dx


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
