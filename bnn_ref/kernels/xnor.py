"""Products of ±1 tensors by xor and popcount, and the threshold that packs their results again.

Two signs multiply to -1 where their bits differ, so a dot product of n signs is n - 2 popcount(a xor b)
(xnornet2016, in its xor form). `naive` spells the same as sums of ±1.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bnn_ref.kernels.conv import output_size
from bnn_ref.kernels.pack import Words, check_words, last_word_mask, word_count

_ONE = np.uint64(1)
_ALL = np.uint64(2**64 - 1)


@njit(cache=True)
def popcount(x: Any) -> int:
    """Count the ones of a uint64.

    Clears the lowest one until none is left (Kernighan). LLVM recognises this loop and emits the CPU's
    popcount instruction for it, vectorised where there is one.
    """
    count = 0
    while x:
        x &= x - _ONE
        count += 1
    return count


@njit(cache=True)
def _conv(a: Any, w: Any, channels: int, last: Any, stride: int, padding: int, z: Any) -> None:
    """Fill z (N, Ho, Wo, F) from a (N, H, W, Cw) and w (K, K, Cw, F); `last` masks the last word of both.

    Filters run innermost: one activation word meets a contiguous row of weight words, which was 1.5 to 3
    times as fast as a dot product of K*K*Cw words for each filter.
    """
    height, width, words = a.shape[1:]
    kernel, filters = w.shape[0], w.shape[3]
    differ = np.empty(filters, np.int64)
    for n in range(z.shape[0]):
        for oy in range(z.shape[1]):
            for ox in range(z.shape[2]):
                differ[:] = 0
                taps = 0
                for ky in range(kernel):
                    for kx in range(kernel):
                        y, x = oy * stride + ky - padding, ox * stride + kx - padding
                        if y < 0 or y >= height or x < 0 or x >= width:
                            continue  # zero padding is an absent tap: it adds 0
                        taps += 1
                        for c in range(words):
                            mask = last if c == words - 1 else _ALL
                            word, row = a[n, y, x, c], w[ky, kx, c]
                            for f in range(filters):
                                differ[f] += popcount((word ^ row[f]) & mask)
                for f in range(filters):
                    z[n, oy, ox, f] = taps * channels - 2 * differ[f]


def _check_fan_in(function: str, fan_in: int) -> None:
    if fan_in > np.iinfo(np.int32).max:
        raise ValueError(f"{function}: fan-in must be at most {np.iinfo(np.int32).max}, got {fan_in}")


def xnor_conv2d(a: Words, w: Words, channels: int, stride: int = 1, padding: int = 0) -> NDArray[np.int32]:
    """Convolve packed ±1 images with packed ±1 filters, exactly.

    Parameters
    ----------
    a : uint64 (N, H, W, Cw), images; Cw = ceil(channels / 64), pad bits without effect
    w : uint64 (F, K, K, Cw), filters, pad bits without effect
    channels : int, C
    stride, padding : int, of both axes; padded taps are absent (they add 0, never -1)

    Returns
    -------
    int32 (N, Ho, Wo, F), the sums of products of signs.

    Raises
    ------
    TypeError
        `a` or `w` is not uint64.
    ValueError
        Shapes that do not fit `channels` or each other, no output pixel, a fan-in past int32.

    Notes
    -----
    Source: xnornet2016, without its scales.
    """
    check_words("xnor_conv2d: a", a, channels, ndim=4)
    check_words("xnor_conv2d: w", w, channels, ndim=4)
    kernel = w.shape[1]
    if w.shape[2] != kernel:
        raise ValueError(f"xnor_conv2d: w must be (F, K, K, Cw), got shape {w.shape}")
    _check_fan_in("xnor_conv2d", kernel * kernel * channels)
    ho, wo = (output_size(size, kernel, stride, padding) for size in a.shape[1:3])
    z = np.empty((a.shape[0], ho, wo, w.shape[0]), np.int32)
    rows = np.ascontiguousarray(w.transpose(1, 2, 3, 0))
    _conv(np.ascontiguousarray(a), rows, channels, last_word_mask(channels), stride, padding, z)
    return z


def xnor_linear(a: Words, w: Words, channels: int) -> NDArray[np.int32]:
    """Multiply packed ±1 rows with packed ±1 filters, exactly: a @ w.T.

    Parameters
    ----------
    a : uint64 (N, Cw), rows; Cw = ceil(channels / 64), pad bits without effect
    w : uint64 (F, Cw), filters, pad bits without effect
    channels : int, C

    Returns
    -------
    int32 (N, F), the dot products of signs.

    Raises
    ------
    TypeError
        `a` or `w` is not uint64.
    ValueError
        Shapes that do not fit `channels`, a fan-in past int32.

    Notes
    -----
    Source: xnornet2016. Computed as a 1x1 convolution of 1x1 images.
    """
    check_words("xnor_linear: a", a, channels, ndim=2)
    check_words("xnor_linear: w", w, channels, ndim=2)
    _check_fan_in("xnor_linear", channels)
    return xnor_conv2d(a[:, None, None], w[:, None, None], channels)[:, 0, 0]


@njit(cache=True)
def _threshold(z: Any, threshold: Any, descending: Any, words: Any) -> None:
    for row in range(words.shape[0]):
        for word in range(words.shape[1]):
            part = slice(64 * word, 64 * word + 64)
            values, limits, down = z[row, part], threshold[part], descending[part]
            bits = np.uint64(0)
            for b in range(values.size):
                fires = values[b] <= limits[b] if down[b] else values[b] >= limits[b]
                bits |= np.uint64(fires) << np.uint64(b)
            words[row, word] = bits


def threshold_pack(
    z: NDArray[np.int32], threshold: NDArray[np.int32], descending: NDArray[np.bool_]
) -> Words:
    """Compare integers with one threshold a channel and pack the answers: batch norm and sign in one step.

    Parameters
    ----------
    z : int32 (..., F)
    threshold : int32 (F,)
    descending : bool (F,), where the bit is z <= threshold; elsewhere it is z >= threshold

    Returns
    -------
    uint64 (..., ceil(F / 64)), pad bits zero.

    Raises
    ------
    TypeError
        Other dtypes.
    ValueError
        No channels, or other shapes.

    Notes
    -----
    Source: ours; `descending` serves negative batch-norm scales.
    """
    for name, array, dtype in (
        ("z", z, np.int32),
        ("threshold", threshold, np.int32),
        ("descending", descending, np.bool_),
    ):
        if array.dtype != dtype:
            raise TypeError(f"threshold_pack: {name} must be {np.dtype(dtype)}, got {array.dtype}")
    if z.ndim == 0 or z.shape[-1] == 0:
        raise ValueError(
            f"threshold_pack: z must have at least one channel on its last axis, got shape {z.shape}"
        )
    filters = z.shape[-1]
    for name, array in (("threshold", threshold), ("descending", descending)):
        if array.shape != (filters,):
            raise ValueError(f"threshold_pack: {name} must have shape ({filters},), got {array.shape}")
    words = np.empty((*z.shape[:-1], word_count(filters)), np.uint64)
    rows = np.ascontiguousarray(z).reshape(-1, filters)
    _threshold(rows, threshold, descending, words.reshape(-1, words.shape[-1]))
    return words
