"""Largest value and sum of windows of images (N, H, W, C): 16 channels at a time, in registers."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import numpy_support
from numpy.typing import NDArray

from bnn_ref.kernels.conv import output_size
from bnn_ref.kernels.tiles import INTERPRETED, LANES

_intrinsic: Any = intrinsic


class Window(NamedTuple):
    """Where windows lie, in pixels.

    Attributes
    ----------
    kernel, stride, padding : int
    height, width : int
        Of an image.
    around, margin : int
        Pixels around an image in x, and around its windows in y.
    """

    kernel: int
    stride: int
    padding: int
    height: int
    width: int
    around: int = 0
    margin: int = 0


def _larger(builder: Any, best: Any, value: Any) -> Any:
    """The value where it is larger, or a NaN; a NaN that was there stays."""
    if isinstance(value.type.element, ir.IntType):
        return builder.select(builder.icmp_signed(">=", best, value), best, value)
    kept = builder.or_(builder.fcmp_ordered(">=", best, value), builder.fcmp_unordered("uno", best, best))
    return builder.select(kept, best, value)


def _added(builder: Any, total: Any, value: Any) -> Any:
    whole = isinstance(value.type.element, ir.IntType)
    return builder.add(total, value) if whole else builder.fadd(total, value)


STEPS: dict[str, Callable[..., Any]] = {"largest": _larger, "total": _added}


def least(dtype: np.dtype[Any]) -> Any:
    """What every number of `dtype` is at least."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


@_intrinsic(prefer_literal=True)
def _window(typing: Any, x: Any, at: Any, rows: Any, columns: Any, y: Any, target: Any, op: Any) -> Any:
    """Sixteen channels of a window: all taps from x[at:] on, in row-major order, into y[target:].

    rows, columns: how many, and how far apart in x.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, out = (context.make_array(signature.args[i])(context, builder, args[i]).data for i in (0, 4))
        element, size = source.type.pointee, context.get_abi_sizeof(source.type.pointee)
        kind = ir.VectorType(element, LANES)

        def vector(pointer: Any, offset: Any) -> Any:
            return builder.bitcast(builder.gep(pointer, [offset]), kind.as_pointer())

        place = vector(out, args[5])
        nothing = least(numpy_support.as_dtype(x.dtype)) if op.literal_value == "largest" else 0
        kept = cgutils.alloca_once_value(builder, ir.Constant(kind, [nothing] * LANES))
        (high, down), (wide, right) = (cgutils.unpack_tuple(builder, args[i], 2) for i in (2, 3))
        with cgutils.for_range(builder, high) as row:
            first = builder.add(args[1], builder.mul(row.index, down))
            with cgutils.for_range(builder, wide) as column:
                tap = vector(source, builder.add(first, builder.mul(column.index, right)))
                value = builder.load(tap, align=size)
                builder.store(STEPS[op.literal_value](builder, builder.load(kept), value), kept)
        builder.store(builder.load(kept), place, align=size)
        return context.get_dummy_value()

    return types.void(x, types.int64, rows, columns, y, types.int64, op), build


@njit(cache=True, nogil=True)
def _largest(best: Any, row: Any, first: int) -> None:
    for c in range(first, best.size):
        kept = (best[c] >= row[c]) | (best[c] != best[c])  # a NaN wins and stays
        best[c] = best[c] if kept else row[c]


@njit(cache=True, nogil=True)
def _total(total: Any, row: Any, first: int) -> None:
    for c in range(first, total.size):
        total[c] += row[c]


@cache
def pooling(op: str) -> Callable[[Any, Window, int, Any], None]:
    """The compiled pass of "largest" or "total": it takes x, windows, vectors a pixel, and y.

    x (N, Hx, Wx, C) and y (N, Hy, Wy, C) are C-contiguous and of one dtype. What the vectors leave of a pixel
    is done one by one, and combined with what y holds.
    """

    def pool(x: Any, window: Window, vectors: int, y: Any) -> None:
        kernel, stride, padding, height, width, around, margin = window
        (tall, across, channels), (rows, columns) = x.shape[1:], y.shape[1:3]
        flat, out = x.reshape(-1), y.reshape(-1)
        for n in range(y.shape[0]):
            for oy in range(rows - 2 * margin):
                top = max(oy * stride - padding, 0)
                high = min(oy * stride - padding + kernel, height) - top
                for ox in range(columns - 2 * margin):
                    left = max(ox * stride - padding, 0)
                    wide = max(min(ox * stride - padding + kernel, width) - left, 0)
                    at = ((n * tall + top + around) * across + left + around) * channels
                    target = ((n * rows + oy + margin) * columns + ox + margin) * channels
                    for v in range(vectors):
                        steps = ((high, across * channels), (wide, channels))
                        _window(flat, at + LANES * v, steps[0], steps[1], out, target + LANES * v, op)
                    if vectors * LANES < channels:
                        for tap in range(max(high, 0) * wide):
                            start = at + (tap // wide * across + tap % wide) * channels
                            pixel = flat[start : start + channels]
                            if op == "largest":
                                _largest(out[target : target + channels], pixel, vectors * LANES)
                            else:
                                _total(out[target : target + channels], pixel, vectors * LANES)

    pool.__qualname__ = f"pool_{op}"
    compiled: Callable[[Any, Window, int, Any], None] = njit(cache=True, nogil=True)(pool)
    return compiled


def windows(x: NDArray[Any], kernel: int, stride: int, padding: int, ceil: bool) -> tuple[int, ...]:
    """The output's shape; ValueError for other than four axes, or where no window fits."""
    if x.ndim != 4:
        raise ValueError(f"pool: x must have four axes, got shape {x.shape}")
    rows, columns = (output_size(size, kernel, stride, padding, ceil) for size in x.shape[1:3])
    return len(x), rows, columns, x.shape[3]


def _pool(op: str, x: NDArray[Any], sizes: tuple[int, int, int], y: NDArray[Any]) -> None:
    if x.dtype.kind == "c":  # sums of real and imaginary parts
        x, y = np.ascontiguousarray(x).view(x.real.dtype), y.view(x.real.dtype)
    vectors = 0 if INTERPRETED else y.shape[3] // LANES
    if x.size:
        pooling(op)(np.ascontiguousarray(x), Window(*sizes, *x.shape[1:3]), vectors, y)


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
    y = np.full(windows(x, kernel, stride, padding, ceil), least(x.dtype), x.dtype)
    _pool("largest", x, (kernel, stride, padding), y)
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
    y = np.zeros(windows(x, kernel, stride, padding, ceil), x.dtype)
    _pool("total", x, (kernel, stride, padding), y)
    return y


def sum_image(x: NDArray[Any]) -> NDArray[Any]:
    """The sum over each image's pixels, added in row-major order.

    Parameters
    ----------
    x : any number (N, H, W, C)

    Returns
    -------
    The same dtype (N, C).

    Notes
    -----
    Source: ours.
    """
    y = np.zeros((len(x), 1, 1, x.shape[3]), x.dtype)
    _pool("total", x, (max(x.shape[1:3]), 1, 0), y)
    return y[:, 0, 0]
