"""An image under an affine map, bilinear: one walk over what is seen of it."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bnn_ref.kernels import naive
from bnn_ref.kernels.tiles import INTERPRETED


@njit(cache=True, nogil=True)
def _at(image: Any, row: int, column: int, channel: int) -> Any:
    """A pixel's value, 0 outside."""
    inside = 0 <= row < image.shape[0] and 0 <= column < image.shape[1]
    return np.float32(image[row, column, channel]) if inside else np.float32(0)


@njit(cache=True, nogil=True)
def _bilinear(image: Any, back: Any, y: Any) -> None:
    height, width, channels = image.shape
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            column = min(max(back[0, 0] * j + (back[0, 1] * i + back[0, 2]), -1.0), float(width))
            row = min(max(back[1, 0] * j + (back[1, 1] * i + back[1, 2]), -1.0), float(height))
            left, top = int(np.floor(column)), int(np.floor(row))
            right, down = np.float32(column - left), np.float32(row - top)
            for c in range(channels):
                upper, lower = _at(image, top, left, c), _at(image, top + 1, left, c)
                upper += right * (_at(image, top, left + 1, c) - upper)
                lower += right * (_at(image, top + 1, left + 1, c) - lower)
                y[i, j, c] = np.uint8(np.rint(upper + down * (lower - upper)))


def bilinear(image: NDArray[np.uint8], back: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.uint8]:
    """What lies at back (x, y, 1) for every pixel (x, y) of a picture of `size`, rounded; 0 outside.

    Parameters
    ----------
    image : uint8 (H, W, C)
    back : float64 (2, 3)
        From the picture to the image, in pixels (x, y).
    size : tuple of int (W', H')

    Returns
    -------
    uint8 (H', W', C)

    Notes
    -----
    Source: ours.
    """
    if INTERPRETED:
        return naive.bilinear(image, back, size)
    y = np.empty((size[1], size[0], image.shape[2]), np.uint8)
    _bilinear(image, np.ascontiguousarray(back), y)
    return y
