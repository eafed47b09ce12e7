"""The same kernels as plain definitions: what they compute, and the oracle they are tested against.

Slow, short, and without checks of arguments; the docstrings of the fast twins say shapes and errors.
"""

from collections.abc import Iterator, Sequence
from math import erfc, prod, sqrt
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

T = TypeVar("T", np.float32, np.float64, np.complex128, np.int64)
Words = NDArray[np.uint64]


def word_count(channels: int) -> int:
    """Words that a loop over the channels would open: one at every 64th. Source: ours."""
    return sum(1 for channel in range(channels) if channel % 64 == 0)


def pack_signs(x: NDArray[np.float32] | NDArray[np.float64]) -> Words:
    """Bit c % 64 of word c // 64 is 1 where x[..., c] >= 0. Source: ours."""
    words = np.zeros((*x.shape[:-1], word_count(x.shape[-1])), np.uint64)
    for (*pixel, channel), value in np.ndenumerate(x):
        if value >= 0:
            words[(*pixel, channel // 64)] |= np.uint64(1 << channel % 64)
    return words


def unpack_signs(words: Words, channels: int, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """+1 where the channel's bit is 1, else -1. Source: ours."""
    signs = np.empty((*words.shape[:-1], channels), dtype)
    for channel in range(channels):
        bit = words[..., channel // 64] >> np.uint64(channel % 64) & np.uint64(1)
        signs[..., channel] = np.where(bit == 1, 1, -1)
    return signs


def stream_bytes(shape: Sequence[int]) -> int:
    """Bytes that hold one bit an element. Source: ours."""
    return (prod(shape) + 7) // 8


def to_stream(words: Words, channels: int) -> NDArray[np.uint8]:
    """Bit i % 8 of byte i // 8 is 1 where element i, in C order, is +1. Source: ours."""
    signs = unpack_signs(words, channels)
    stream = np.zeros(stream_bytes(signs.shape), np.uint8)
    for i, sign in enumerate(signs.flat):
        if sign == 1:
            stream[i // 8] |= np.uint8(1 << i % 8)
    return stream


def from_stream(stream: NDArray[np.uint8], shape: Sequence[int]) -> Words:
    """Read element i from bit i % 8 of byte i // 8. Source: ours."""
    bits = [int(stream[i // 8]) >> i % 8 & 1 for i in range(prod(shape))]
    return pack_signs(np.array(bits, np.float32).reshape(tuple(shape)) - np.float32(0.5))


def xnor_linear(a: Words, w: Words, channels: int) -> NDArray[np.int32]:
    """Sum over the channels of products of signs. Source: ours."""
    signs = unpack_signs(a, channels, np.int64) @ unpack_signs(w, channels, np.int64).T
    return signs.astype(np.int32)


def xnor_conv2d(
    a: Words, w: Words, channels: int, stride: int = 1, padding: int = 0, dilation: int = 1, pad: int = 0
) -> NDArray[np.int32]:
    """Convolve signs, among which a padded pixel is `pad`. Source: ours."""
    images, filters = (unpack_signs(words, channels, np.int64) for words in (a, w))
    return conv2d(images, filters.transpose(1, 2, 3, 0), stride, padding, dilation, pad).astype(np.int32)


def threshold_pack(
    z: NDArray[np.int32], threshold: NDArray[np.int32], descending: NDArray[np.bool_]
) -> Words:
    """Bit 1 where z >= threshold, or z <= threshold where descending. Source: ours."""
    return pack_signs(
        np.where(np.where(descending, z <= threshold, z >= threshold), np.float32(1), np.float32(-1))
    )


def output_size(size: int, kernel: int, stride: int = 1, padding: int = 0, ceil: bool = False) -> int:
    """Places where the kernel can start, in steps of the stride, and still ends inside.

    With `ceil`: where it can start before the image ends, up to the first that reaches the end. Source: ours.
    """
    if not ceil:
        return len(range(0, size + 2 * padding - kernel + 1, stride))
    starts = range(0, size + padding, stride)
    return sum(1 for start in starts if start == 0 or start - stride + kernel < size + 2 * padding)


def _windows(padded: NDArray[T], kernel: int, stride: int, dilation: int) -> NDArray[T]:
    """Views of (N, H, W, C): element [n, y, x, c, ky, kx] is padded[n, y*s + ky*d, x*s + kx*d, c]."""
    reach = dilation * (kernel - 1) + 1
    windows = np.lib.stride_tricks.sliding_window_view(padded, (reach, reach), axis=(1, 2))
    return windows[:, ::stride, ::stride, :, ::dilation, ::dilation]


def _pad(x: NDArray[T], padding: int, pad: float = 0) -> NDArray[T]:
    return np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)), constant_values=pad)


def conv2d(
    x: NDArray[T], w: NDArray[T], stride: int = 1, padding: int = 0, dilation: int = 1, pad: float = 0
) -> NDArray[T]:
    """Sum window times filter. Source: ours."""
    windows = _windows(_pad(x, padding, pad), w.shape[0], stride, dilation)
    y: NDArray[T] = np.einsum("nyxckl,klcf->nyxf", windows, w)
    return y


def linear(x: NDArray[T], w: NDArray[T]) -> NDArray[T]:
    """Sum of products over the channels. Source: ours."""
    y: NDArray[T] = np.einsum("...c,cf->...f", x, w)
    return y


def _pooled(x: NDArray[Any], kernel: int, stride: int, padding: int, ceil: bool) -> Iterator[Any]:
    """For each window: its place in the output, and what it sees of the image, (rows, columns, C)."""
    rows, columns = (output_size(size, kernel, stride, padding, ceil) for size in x.shape[1:3])
    for n, oy, ox in np.ndindex(len(x), rows, columns):
        y, z = oy * stride - padding, ox * stride - padding
        yield (n, oy, ox), x[n, max(y, 0) : max(y + kernel, 0), max(z, 0) : max(z + kernel, 0)]


def _pool_shape(x: NDArray[Any], kernel: int, stride: int, padding: int, ceil: bool) -> tuple[int, ...]:
    return (len(x), *(output_size(size, kernel, stride, padding, ceil) for size in x.shape[1:3]), x.shape[3])


def max_pool2d(
    x: NDArray[Any], kernel: int, stride: int, padding: int = 0, ceil: bool = False
) -> NDArray[Any]:
    """The first of the largest values, or of the NaNs, that a window sees. Source: ours."""
    least = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    y = np.full(_pool_shape(x, kernel, stride, padding, ceil), least, x.dtype)
    for place, seen in _pooled(x, kernel, stride, padding, ceil):
        for value in seen.reshape(-1, x.shape[3]):
            y[place] = np.where((y[place] >= value) | np.isnan(y[place]), y[place], value)
    return y


def max_pool2d_places(
    x: NDArray[Any], kernel: int, stride: int, padding: int = 0, ceil: bool = False
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The first of the largest values, or the first NaN, among the taps of a window. Source: ours."""
    shape = _pool_shape(x, kernel, stride, padding, ceil)
    y, places = np.empty(shape, x.dtype), np.zeros(shape, np.min_scalar_type(kernel**2 - 1))
    for (n, oy, ox), seen in _pooled(x, kernel, stride, padding, ceil):
        first = seen.reshape(-1, x.shape[3]).argmax(axis=0)
        y[n, oy, ox] = np.take_along_axis(seen.reshape(-1, x.shape[3]), first[None], axis=0)[0]
        rows, columns = first // seen.shape[1], first % seen.shape[1]
        top, left = max(0, padding - oy * stride), max(0, padding - ox * stride)
        places[n, oy, ox] = (rows + top) * kernel + columns + left
    return y, places


def max_pool2d_grad(
    dy: NDArray[Any],
    places: NDArray[Any],
    x_shape: tuple[int, ...],
    kernel: int,
    stride: int,
    padding: int = 0,
) -> NDArray[Any]:
    """Add each gradient to its tap. Source: ours."""
    dx = np.zeros(x_shape, dy.dtype)
    for n, oy, ox, c in np.ndindex(dy.shape):
        row, column = divmod(int(places[n, oy, ox, c]), kernel)
        dx[n, oy * stride - padding + row, ox * stride - padding + column, c] += dy[n, oy, ox, c]
    return dx


def sum_pool2d(
    x: NDArray[Any], kernel: int, stride: int, padding: int = 0, ceil: bool = False
) -> NDArray[Any]:
    """The sum of what a window sees. Source: ours."""
    y = np.zeros(_pool_shape(x, kernel, stride, padding, ceil), x.dtype)
    for place, seen in _pooled(x, kernel, stride, padding, ceil):
        y[place] = seen.sum(axis=(0, 1))
    return y


def sum_image(x: NDArray[Any]) -> NDArray[Any]:
    """The sum of each image's pixels. Source: ours."""
    y = np.zeros((len(x), x.shape[3]), x.dtype)
    for iy, ix in np.ndindex(x.shape[1:3]):
        y += x[:, iy, ix]
    return y


def conv2d_input_grad(
    dy: NDArray[T],
    w: NDArray[T],
    x_shape: Sequence[int],
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
) -> NDArray[T]:
    """Send each output's gradient back to its window; drop what lands on the padding. Source: ours."""
    dx = _pad(np.zeros(tuple(x_shape), dy.dtype), padding)
    taps = np.arange(w.shape[0]) * dilation
    for oy, ox in np.ndindex(dy.shape[1:3]):
        at = np.ix_(range(len(dx)), oy * stride + taps, ox * stride + taps)
        dx[at] += np.einsum("nf,klcf->nklc", dy[:, oy, ox], w)
    return dx[:, padding : padding + x_shape[1], padding : padding + x_shape[2]]


def conv2d_weight_grad(
    x: NDArray[T],
    dy: NDArray[T],
    kernel: int,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    pad: float = 0,
) -> NDArray[T]:
    """Sum window times the output's gradient. Source: ours."""
    windows = _windows(_pad(x, padding, pad), kernel, stride, dilation)
    dw: NDArray[T] = np.einsum("nyxckl,nyxf->klcf", windows, dy)
    return dw


def fourier_slope(
    x: NDArray[Any],
    dy: NDArray[Any],
    terms: int,
    omega: float,
    window: float = np.inf,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Add up the cosines, one term after another. Source: fda2021, Eq. 10."""
    total = np.zeros_like(x)
    for i in range(terms):
        total = total + np.cos((2 * i + 1) * omega * x)
    slope = np.where(np.abs(x) > window, 0, 4 * omega / np.pi * total)
    return np.multiply(slope, dy, out=out)


def normal_cdf(x: NDArray[Any]) -> NDArray[Any]:
    """erfc(-x / sqrt(2)) / 2, number by number; real numbers only. Source: ours."""
    y = np.empty_like(x)
    for at, value in np.ndenumerate(x):
        y[at] = erfc(-float(value) / sqrt(2)) / 2
    return y


def _places(x: NDArray[Any]) -> tuple[int, ...]:
    """Every axis but the last."""
    return tuple(range(x.ndim - 1))


def moments(x: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Mean, and mean squared distance from it. Source: ours."""
    mean = x.mean(axis=_places(x))
    return mean, ((x - mean) ** 2).mean(axis=_places(x))


def normalize(
    x: NDArray[Any], mean: NDArray[Any], inverse: NDArray[Any], gamma: NDArray[Any], beta: NDArray[Any]
) -> NDArray[Any]:
    """Shift and scale, twice. Source: batchnorm2015."""
    return gamma * ((x - mean) * inverse) + beta


def normalize_grad(
    x: NDArray[Any], dy: NDArray[Any], mean: NDArray[Any], inverse: NDArray[Any], gamma: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """dy without its mean and without its part along the normalized x. Source: after batchnorm2015."""
    normal = (x - mean) * inverse
    along = dy * normal
    rest = dy - dy.mean(axis=_places(x)) - normal * along.mean(axis=_places(x))
    return gamma * inverse * rest, along.sum(axis=_places(x)), dy.sum(axis=_places(x))


def prelu(x: NDArray[Any], slope: NDArray[Any], above: NDArray[Any] | None = None) -> NDArray[Any]:
    """x where `above`, else slope times x. Source: prelu2015."""
    return np.where(x.real > 0 if above is None else above, x, slope * x)


def prelu_grad(
    x: NDArray[Any], dy: NDArray[Any], slope: NDArray[Any], above: NDArray[Any] | None = None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The slope times dy; the sum of x dy where not `above`. Source: prelu2015."""
    above = x.real > 0 if above is None else above
    below = np.where(above, 0, x * dy)
    return np.where(above, dy, slope * dy), below.sum(axis=_places(x))


def adam(
    grad: NDArray[Any],
    first: NDArray[Any],
    second: NDArray[Any],
    betas: tuple[float, float],
    steps: int,
    eps: float,
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Both moments, and the first over the root of the second, each freed of its start from 0.

    Source: adam2015.
    """
    b1, b2 = betas
    m = b1 * first + (1 - b1) * grad
    v = b2 * second + (1 - b2) * grad * grad
    return (m / (1 - b1**steps)) / (np.sqrt(v / (1 - b2**steps)) + eps), m, v


def bilinear(image: NDArray[np.uint8], back: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Between the four pixels around back (x, y, 1), by their distance: along the row first. Source: ours."""
    (height, width), (x, y) = image.shape[:2], (np.arange(size[0]), np.arange(size[1])[:, None])
    framed = np.pad(image, ((1, 2), (1, 2), (0, 0))).astype(np.float32)  # a step outside meets zeros
    column, row = (
        np.clip(at_x * x + (at_y * y + offset), -1, end) + 1
        for (at_x, at_y, offset), end in zip(back, (width, height), strict=True)
    )
    left, top = column.astype(np.intp), row.astype(np.intp)
    right, down = (rest.astype(np.float32)[..., None] for rest in (column - left, row - top))
    upper, lower = (
        framed[at, left] + right * (framed[at, left + 1] - framed[at, left]) for at in (top, top + 1)
    )
    return np.asarray(np.rint(upper + down * (lower - upper)).astype(np.uint8))
