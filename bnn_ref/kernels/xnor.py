"""Products of ±1 tensors by xor and popcount, and the threshold that packs their results again.

Two signs multiply to -1 where their bits differ, so a dot product of n signs is n - 2 popcount(a xor b)
(xnornet2016, in its xor form). `naive` spells the same as sums of ±1.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bnn_ref.kernels import naive
from bnn_ref.kernels.conv import output_size, reach
from bnn_ref.kernels.layout import NONE, Geometry, aligned, lay_filters, ones, pitch_of
from bnn_ref.kernels.pack import Words, check_words, word_count
from bnn_ref.kernels.tiles import INTERPRETED, Work, convolution


def _check_fan_in(function: str, fan_in: int) -> None:
    if fan_in > np.iinfo(np.int32).max:
        raise ValueError(f"{function}: fan-in must be at most {np.iinfo(np.int32).max}, got {fan_in}")


def lay_images(a: Words, channels: int, padding: int = 0, pad: int = 0) -> NDArray[np.uint32]:
    """uint64 (N, H, W, Cw) -> uint32 (N, Hp, Wp, ceil(channels / 32)), padded with signs `pad` or zeros.

    Bits that are no channel are zero.
    """
    n, height, width, _ = a.shape
    words = -(-channels // 32)
    laid = aligned((n, height + 2 * padding, width + 2 * padding, words), np.uint32)
    laid[:] = ones(channels) if pad == 1 else 0
    halves = np.ascontiguousarray(a, "<u8").view("<u4")[..., :words]
    inner = laid[:, padding : padding + height, padding : padding + width]
    inner[:] = halves
    inner[..., -1] &= np.uint32((1 << (channels - 32 * (words - 1))) - 1)
    return laid


def starts(geometry: Geometry, filters: NDArray[np.uint32], channels: int) -> NDArray[np.int32]:
    """(classes, pitch): channels * (taps on the image) + 2 * popcount of the taps that are not.

    A padded tap reads zeros, so the tile counts the ones of its filter as differing: they are given back.

    Parameters
    ----------
    filters : uint32 (F, K, K, words), pad bits zero
    """
    inside = geometry.border[0].astype(np.int64)
    ones = np.bitwise_count(filters).sum(axis=-1, dtype=np.int64)
    found = np.zeros((len(inside), pitch_of(len(filters))), np.int32)
    absent = np.einsum("ckl,fkl->cf", 1 - inside, ones)
    found[:, : len(filters)] = inside.sum(axis=(1, 2))[:, None] * channels + 2 * absent
    return found


def xnor_conv2d(
    a: Words, w: Words, channels: int, stride: int = 1, padding: int = 0, dilation: int = 1, pad: int = 0
) -> NDArray[np.int32]:
    """Convolve packed ±1 images with packed ±1 filters, exactly.

    Parameters
    ----------
    a : uint64 (N, H, W, Cw), images; Cw = ceil(channels / 64), pad bits without effect
    w : uint64 (F, K, K, Cw), filters, pad bits without effect
    channels : int, C
    stride, padding, dilation : int, of both axes
    pad : int, what a padded tap reads: +1 or -1, or 0 where it is absent

    Returns
    -------
    int32 (N, Ho, Wo, F), the sums of products of signs.

    Raises
    ------
    TypeError
        `a` or `w` is not uint64.
    ValueError
        Shapes that do not fit `channels` or each other, no output pixel, a fan-in past int32, another `pad`.

    Notes
    -----
    Source: xnornet2016, without its scales.
    """
    check_words("xnor_conv2d: a", a, channels, ndim=4)
    check_words("xnor_conv2d: w", w, channels, ndim=4)
    kernel = w.shape[1]
    if w.shape[2] != kernel:
        raise ValueError(f"xnor_conv2d: w must be (F, K, K, Cw), got shape {w.shape}")
    if pad not in (0, 1, -1):
        raise ValueError(f"xnor_conv2d: pad must be 0, 1 or -1, got {pad}")
    _check_fan_in("xnor_conv2d", kernel * kernel * channels)
    ho, wo = (output_size(size, reach(kernel, dilation), stride, padding) for size in a.shape[1:3])
    if not len(a):
        return np.zeros((0, ho, wo, len(w)), np.int32)
    if INTERPRETED:
        return naive.xnor_conv2d(a, w, channels, stride, padding, dilation, pad)
    filters = lay_images(w, channels)
    images = lay_images(a, channels, padding, pad)
    geometry = Geometry(a.shape[1], a.shape[2], images.shape[3], kernel, stride, padding, dilation)
    geometry = geometry.filled if pad else geometry
    pitch = pitch_of(len(w))
    z = aligned((len(a), ho, wo, pitch), np.int32)
    given = NONE | {"start": starts(geometry, filters, channels), "z": z}
    laid = lay_filters(filters.reshape(len(w), -1))
    places = geometry.places(pitch=pitch)
    work = Work(images.reshape(len(a), geometry.size), laid, geometry.runs, geometry.length, places, **given)
    convolution("signs", "i")(work, pitch, 0, len(a))
    return np.ascontiguousarray(z[..., : len(w)])


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
    if z.size:
        rows = np.ascontiguousarray(z).reshape(-1, filters)
        _threshold(rows, threshold, descending, words.reshape(-1, words.shape[-1]))
    return words
