"""Convolution of floats and its two gradients: float32 by the tiles of `floats`, the rest by matrix products.

`_Columns` lays every output pixel's receptive field in a row of a matrix (im2col), or adds such rows back
(col2im, the transpose of that map). Each function is then one BLAS product a block of images. At the shapes
of small networks this was faster than one product a tap over shifted rows, and than copying by NumPy.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bnn_ref.kernels import floats
from bnn_ref.kernels.layout import Geometry, geometry
from bnn_ref.kernels.tiles import INTERPRETED

T = TypeVar("T", np.float32, np.float64, np.complex128)

# Elements of the column buffer. A small one stays in the cache, a large one wakes a threaded BLAS less often:
# 2**20 was within 8 % of the best size at one thread, and up to twice as fast as 2**17 at two.
_BLOCK = 2**20


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, ceil: bool = False) -> int:
    """Output pixels along one axis; ValueError where there is none or an argument is bad.

    With `ceil` windows may hang over the end (or all of the image), as long as they start before it.
    Source: ours.
    """
    if kernel < 1 or stride < 1 or padding < 0:
        required = "kernel and stride must be at least 1 and padding at least 0"
        raise ValueError(f"output_size: {required}, got kernel {kernel}, stride {stride}, padding {padding}")
    if ceil and size > 0:
        over = max(0, size + 2 * padding - kernel)
        return min(-(-over // stride), (size + padding - 1) // stride) + 1
    if size + 2 * padding < kernel:
        raise ValueError(f"output_size: size {size} with padding {padding} must be at least kernel {kernel}")
    return (size + 2 * padding - kernel) // stride + 1


def reach(kernel: int, dilation: int) -> int:
    """Pixels from the first tap to the last, both counted; ValueError for a dilation below 1."""
    if dilation < 1:
        raise ValueError(f"dilation must be at least 1, got {dilation}")
    return dilation * (kernel - 1) + 1


def spread(w: NDArray[Any], dilation: int) -> NDArray[Any]:
    """Filters (K, K, C, F) with dilation - 1 zeros between their taps, as undilated ones."""
    size = reach(len(w), dilation)
    if dilation == 1:
        return w
    wide = np.zeros((size, size, *w.shape[2:]), w.dtype)
    wide[::dilation, ::dilation] = w
    return wide


def _framed(x: NDArray[T], padding: int, pad: float) -> NDArray[T]:
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)), constant_values=pad)


@njit(cache=True)
def _im2col(padded: Any, stride: int, columns: Any) -> None:
    """Copy receptive fields of padded (N, H, W*C) into columns (N, Ho, Wo, K, K*C)."""
    images, ho, wo, kernel, run = columns.shape
    step = stride * (run // kernel)
    for n in range(images):
        for oy in range(ho):
            for ox in range(wo):
                for ky in range(kernel):  # K*C neighbours of one image row are contiguous
                    source, target = (
                        padded[n, oy * stride + ky, ox * step : ox * step + run],
                        columns[n, oy, ox, ky],
                    )
                    for i in range(
                        run
                    ):  # in Numba a loop copies such short runs faster than target[:] = source
                        target[i] = source[i]


@njit(cache=True)
def _col2im(columns: Any, stride: int, padded: Any) -> None:
    """Add columns (N, Ho, Wo, K, K*C) to where `_im2col` copies them from."""
    images, ho, wo, kernel, run = columns.shape
    step = stride * (run // kernel)
    for n in range(images):
        for oy in range(ho):
            for ox in range(wo):
                for ky in range(kernel):
                    source, target = (
                        columns[n, oy, ox, ky],
                        padded[n, oy * stride + ky, ox * step : ox * step + run],
                    )
                    for i in range(run):
                        target[i] += source[i]


class _Columns:
    """The map from images (N, H, W, C) to columns and its transpose, a block of images at a time.

    float32, which comes here where no tiles are compiled, has one image a block: BLAS adds few rows in
    another order than many, and no answer shall depend on its batch.
    """

    def __init__(self, shape: Sequence[int], kernel: int, stride: int, padding: int, dtype: Any) -> None:
        self.images, self.height, self.width, channels = shape
        self.stride, self.padding = stride, padding
        self.ho, self.wo = (output_size(size, kernel, stride, padding) for size in shape[1:3])
        fit = _BLOCK // max(1, self.ho * self.wo * kernel * kernel * channels)
        block = max(1, min(self.images, 1 if dtype == np.float32 else fit))
        padded = np.zeros((block, self.height + 2 * padding, self.width + 2 * padding, channels), dtype)
        self.flat = padded.reshape(*padded.shape[:2], -1)
        self.inner = padded[:, padding : padding + self.height, padding : padding + self.width]
        self.columns = np.empty((block, self.ho, self.wo, kernel, kernel * channels), dtype)

    def blocks(self) -> Iterator[slice]:
        block = len(self.columns)
        return (slice(start, min(start + block, self.images)) for start in range(0, self.images, block))

    def matrix(self, images: int) -> NDArray[Any]:
        """The first `images` images' columns as (images*Ho*Wo, K*K*C), a view."""
        return self.columns[:images].reshape(images * self.ho * self.wo, -1)

    def gather(self, x: NDArray[Any]) -> NDArray[Any]:
        self.inner[: len(x)] = x  # the border stays zero
        _im2col(self.flat[: len(x)], self.stride, self.columns[: len(x)])
        return self.matrix(len(x))

    def scatter(self, dx: NDArray[Any]) -> None:
        self.flat[:] = 0
        _col2im(self.columns[: len(dx)], self.stride, self.flat[: len(dx)])
        dx[:] = self.inner[: len(dx)]


def _check(function: str, **arrays: NDArray[Any]) -> None:
    """Raise unless all arrays have four axes, none but the first of length 0, and one dtype of the three."""
    dtype = next(iter(arrays.values())).dtype
    for name, array in arrays.items():
        if array.dtype not in (np.float32, np.float64, np.complex128):
            raise TypeError(f"{function}: {name} must be float32, float64 or complex128, got {array.dtype}")
        if array.dtype != dtype:
            raise TypeError(
                f"{function}: {name} must be {dtype} like {next(iter(arrays))}, got {array.dtype}"
            )
        if array.ndim != 4 or 0 in array.shape[1:]:
            raise ValueError(f"{function}: {name} must have four axes without a 0, got shape {array.shape}")


def _check_shape(what: str, shape: tuple[int, ...], required: tuple[int, ...]) -> None:
    if shape != required:
        raise ValueError(f"{what} must have shape {required}, got {shape}")


def conv2d(
    x: NDArray[T], w: NDArray[T], stride: int = 1, padding: int = 0, dilation: int = 1, pad: float = 0
) -> NDArray[T]:
    """Convolve images with filters (without flipping them, as networks do); bilinear, also where complex.

    Parameters
    ----------
    x : float32, float64 or complex128 (N, H, W, C)
    w : same dtype (K, K, C, F)
    stride, padding, dilation : int, of both axes; padding is on all four sides, dilation 1 is dense
    pad : float, what a padded tap reads; where it is not 0, affine in x

    Returns
    -------
    Same dtype (N, Ho, Wo, F): sum over ky, kx, c of
    x[n, Ho*stride + ky*dilation - padding, ..., c] * w[ky, kx, c, f].

    Raises
    ------
    TypeError
        Another dtype, or two.
    ValueError
        Shapes that do not fit each other, or no output pixel.

    Notes
    -----
    float32 sums of n = K * K * C products are off by at most n u / (1 - n u), u = 2**-24, times the sum of
    the absolute values of those products, as long as nothing underflows: the bound for sums in any order of
    Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1.

    Source: ours; im2col is from Chellapilla et al., High Performance Convolutional Neural Networks, 2006.
    """
    _check("conv2d", x=x, w=w)
    kernel, filters = w.shape[0], w.shape[3]
    _check_shape("conv2d: w", w.shape, (kernel, kernel, x.shape[3], filters))
    shapes: Geometry = _geometry(x.shape, kernel, stride, padding, dilation)
    if pad:
        x, shapes = _framed(x, padding, pad), shapes.filled
    if _in_tiles(x) and len(x):  # of no images only the shape is wanted: nothing is compiled for it
        return floats.convolve(x, w, shapes)
    w = spread(w, dilation)
    columns = _Columns(x.shape, len(w), stride, shapes.padding, x.dtype)
    y = np.empty((len(x), columns.ho, columns.wo, filters), x.dtype)
    for block in columns.blocks():
        np.matmul(columns.gather(x[block]), w.reshape(-1, filters), out=y[block].reshape(-1, filters))
    return y


def _geometry(x_shape: Sequence[int], kernel: int, stride: int, padding: int, dilation: int) -> Geometry:
    """The convolution's shapes; ValueError where there is no output pixel."""
    for size in x_shape[1:3]:
        output_size(size, reach(kernel, dilation), stride, padding)
    return geometry(x_shape[1], x_shape[2], x_shape[3], kernel, stride, padding, dilation)


def _in_tiles(x: NDArray[Any]) -> bool:
    """Whether the tiles of `floats` compute it."""
    return bool(x.dtype == np.float32) and not INTERPRETED


def linear(x: NDArray[T], w: NDArray[T]) -> NDArray[T]:
    """x @ w; each float32 output is summed in one order, however many rows there are.

    Parameters
    ----------
    x : float32, float64 or complex128 (..., C)
    w : same dtype (C, F)

    Returns
    -------
    Same dtype (..., F).

    Raises
    ------
    ValueError
        Shapes that do not fit each other.

    Notes
    -----
    float32 sums are as near as those of `conv2d`, with n = C.

    Source: ours. BLAS adds in another order for few rows than for many: an answer would depend on its batch.
    """
    if x.dtype != np.float32 or w.dtype != np.float32 or 0 in (*x.shape, *w.shape) or x.shape[-1] != len(w):
        return x @ w
    rows: NDArray[T] = conv2d(x.reshape(-1, 1, 1, len(w)), w[None, None])
    return rows.reshape(*x.shape[:-1], w.shape[1])


def conv2d_input_grad(
    dy: NDArray[T],
    w: NDArray[T],
    x_shape: Sequence[int],
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> NDArray[T]:
    """Gradient of `conv2d` to its images: the transpose (no conjugate) of x -> conv2d(x, w).

    Parameters
    ----------
    dy : float32, float64 or complex128 (N, Ho, Wo, F), the incoming gradient
    w : same dtype (K, K, C, F)
    x_shape : (N, H, W, C), which stride leaves ambiguous
    stride, padding, dilation : int, as in the forward call, whose `pad` makes no difference

    Returns
    -------
    Same dtype (N, H, W, C), the gradient to x.

    Raises
    ------
    TypeError, ValueError
        As `conv2d`.

    Notes
    -----
    Source: ours.
    """
    _check("conv2d_input_grad", dy=dy, w=w)
    if len(x_shape) != 4:
        raise ValueError(f"conv2d_input_grad: x_shape must be (N, H, W, C), got {tuple(x_shape)}")
    kernel, filters = w.shape[0], w.shape[3]
    _check_shape("conv2d_input_grad: w", w.shape, (kernel, kernel, x_shape[3], filters))
    w, kernel = spread(w, dilation), reach(kernel, dilation)
    shapes: Geometry = _geometry(x_shape, kernel, stride, padding, 1)
    _check_shape("conv2d_input_grad: dy", dy.shape, (x_shape[0], *shapes.shape, filters))
    if _in_tiles(dy):
        return floats.images_grad(dy, w, shapes)
    columns = _Columns(x_shape, kernel, stride, padding, dy.dtype)
    dx = np.empty(tuple(x_shape), dy.dtype)
    for block in columns.blocks():
        rows = dy[block].reshape(-1, filters)
        np.matmul(rows, w.reshape(-1, filters).T, out=columns.matrix(block.stop - block.start))
        columns.scatter(dx[block])
    return dx


def conv2d_weight_grad(
    x: NDArray[T],
    dy: NDArray[T],
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    pad: float = 0,
) -> NDArray[T]:
    """Gradient of `conv2d` to its filters: the transpose (no conjugate) of w -> conv2d(x, w).

    Parameters
    ----------
    x : float32, float64 or complex128 (N, H, W, C)
    dy : same dtype (N, Ho, Wo, F), the incoming gradient
    kernel : int, K
    stride, padding, dilation, pad : as in the forward call

    Returns
    -------
    Same dtype (K, K, C, F), the gradient to w.

    Raises
    ------
    TypeError, ValueError
        As `conv2d`.

    Notes
    -----
    Source: ours.
    """
    _check("conv2d_weight_grad", x=x, dy=dy)
    shapes: Geometry = _geometry(x.shape, kernel, stride, padding, dilation)
    channels, filters = x.shape[3], dy.shape[3]
    _check_shape("conv2d_weight_grad: dy", dy.shape, (len(x), *shapes.shape, filters))
    if pad:
        x, shapes = _framed(x, padding, pad), shapes.filled
    if _in_tiles(x):
        return floats.filters_grad(x, dy, shapes)
    size = reach(kernel, dilation)
    columns = _Columns(x.shape, size, stride, shapes.padding, x.dtype)
    dw = np.zeros((size * size * channels, filters), x.dtype)
    for block in columns.blocks():
        dw += columns.gather(x[block]).T @ dy[block].reshape(-1, filters)
    return np.ascontiguousarray(dw.reshape(size, size, channels, filters)[::dilation, ::dilation])
