"""Max pooling as training needs it: where each maximum stands, and the gradient that goes back there."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bnn_ref.kernels.pool import windows


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
    shape = windows(x, kernel, stride, padding, ceil)
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
