"""Signs as bits: 1 is +1, channels along uint64 words, least significant bit first.

In memory every pixel starts a new word, and the bits past its last channel (the pad bits) are zero. In a file
a tensor is one contiguous bit stream, padded once at its end. Pad bits never have an effect.
"""

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import DTypeLike, NDArray

Words = NDArray[np.uint64]
Bits = NDArray[np.uint8]


def word_count(channels: int) -> int:
    """Number of 64-bit words that hold `channels` signs; ValueError where `channels` < 1. Source: ours."""
    if channels < 1:
        raise ValueError(f"word_count: channels must be at least 1, got {channels}")
    return -(-channels // 64)


def last_word_mask(channels: int) -> np.uint64:
    """Ones at the bits that the last of `channels` channels' words really uses. Source: ours."""
    return np.uint64((1 << (channels - 64 * (word_count(channels) - 1))) - 1)


def check_words(what: str, words: NDArray[Any], channels: int, ndim: int | None = None) -> None:
    """Raise, in the name of `what`, unless `words` is uint64 (..., word_count(channels)) with `ndim` axes."""
    if words.dtype != np.uint64:
        raise TypeError(f"{what} must be uint64 words, got {words.dtype}")
    if words.ndim == 0 or (ndim is not None and words.ndim != ndim):
        raise ValueError(f"{what} must have {ndim or 'one or more'} axes, got shape {words.shape}")
    if words.shape[-1] != word_count(channels):
        required = f"{word_count(channels)} words on its last axis for {channels} channels"
        raise ValueError(f"{what} must have {required}, got shape {words.shape}")


@njit(cache=True)
def _pack_rows(x: Any, words: Any) -> bool:
    """Fill `words` (M, Cw) with the signs of x (M, C); True where x holds a NaN."""
    nan = False
    for row in range(words.shape[0]):
        for word in range(words.shape[1]):
            part = x[row, 64 * word : 64 * word + 64]
            bits = np.uint64(0)
            for b in range(part.size):
                nan |= part[b] != part[b]
                bits |= np.uint64(part[b] >= 0) << np.uint64(b)  # -0.0 >= 0 holds: sign(-0.0) = +1
            words[row, word] = bits
    return nan


def pack_signs(x: NDArray[np.float32] | NDArray[np.float64]) -> Words:
    """Pack the signs of real numbers, sign(0) = sign(-0.0) = +1.

    Parameters
    ----------
    x : float32 or float64 (..., C)

    Returns
    -------
    uint64 (..., ceil(C / 64)), pad bits zero.

    Raises
    ------
    TypeError
        Another dtype.
    ValueError
        No axis, no channels, or a NaN (which has no sign); the message names the first one's index.

    Notes
    -----
    Source: ours; the sign of bnn2016.
    """
    if x.dtype not in (np.float32, np.float64):
        raise TypeError(f"pack_signs: x must be float32 or float64, got {x.dtype}")
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(
            f"pack_signs: x must have at least one channel on its last axis, got shape {x.shape}"
        )
    words = np.empty((*x.shape[:-1], word_count(x.shape[-1])), np.uint64)
    if x.size and _pack_rows(
        np.ascontiguousarray(x).reshape(-1, x.shape[-1]), words.reshape(-1, words.shape[-1])
    ):
        index = tuple(int(i) for i in np.argwhere(np.isnan(x))[0])
        raise ValueError(f"pack_signs: x holds NaN at index {index}")
    return words


def _words_to_bits(words: Words, channels: int) -> Bits:
    octets = np.ascontiguousarray(words, dtype="<u8").view(
        np.uint8
    )  # byte order of the file, whatever the CPU
    return np.unpackbits(octets, axis=-1, count=channels, bitorder="little")


def _bits_to_words(bits: Bits) -> Words:
    packed = np.packbits(bits, axis=-1, bitorder="little")
    octets = np.zeros((*bits.shape[:-1], 8 * word_count(bits.shape[-1])), np.uint8)
    octets[..., : packed.shape[-1]] = packed
    return octets.view("<u8").astype(np.uint64, copy=False)


def unpack_signs(words: Words, channels: int, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Undo `pack_signs`: every bit becomes +1 or -1.

    Parameters
    ----------
    words : uint64 (..., ceil(channels / 64)), pad bits without effect
    channels : int
    dtype : a signed integer, real or complex dtype of the result

    Returns
    -------
    `dtype` (..., channels) of +1 and -1.

    Raises
    ------
    TypeError
        `words` is not uint64, or `dtype` cannot hold -1.
    ValueError
        The last axis does not fit `channels`.

    Notes
    -----
    Source: ours.
    """
    check_words("unpack_signs: words", words, channels)
    if np.dtype(dtype).kind not in "ifc":
        raise TypeError(f"unpack_signs: dtype must hold +1 and -1, got {np.dtype(dtype)}")
    signs: NDArray[Any] = 2 * _words_to_bits(words, channels).astype(np.int8) - 1
    return signs.astype(dtype, copy=False)


def stream_bytes(shape: Sequence[int]) -> int:
    """Bytes of a ±1 tensor's bit stream; ValueError where `shape` does not end in channels. Source: ours."""
    if len(shape) == 0 or min(shape) < 0 or shape[-1] < 1:
        raise ValueError(f"stream_bytes: shape must end in at least one channel, got {tuple(shape)}")
    return -(-prod(shape) // 8)


def to_stream(words: Words, channels: int) -> Bits:
    """Lay packed signs end to end, as files keep them.

    Parameters
    ----------
    words : uint64 (..., ceil(channels / 64)), pad bits without effect
    channels : int

    Returns
    -------
    uint8 (stream_bytes((..., channels)),): all elements in C order, least significant bit first, padded with
    zeros once, at the end.

    Raises
    ------
    TypeError, ValueError
        As `unpack_signs`.

    Notes
    -----
    Source: ours.
    """
    check_words("to_stream: words", words, channels)
    return np.packbits(_words_to_bits(words, channels).reshape(-1), bitorder="little")


def from_stream(stream: Bits, shape: Sequence[int]) -> Words:
    """Undo `to_stream`.

    Parameters
    ----------
    stream : uint8 (stream_bytes(shape),), pad bits without effect
    shape : shape of the ±1 tensor, channels last

    Returns
    -------
    uint64 (*shape[:-1], ceil(shape[-1] / 64)), pad bits zero.

    Raises
    ------
    TypeError
        `stream` is not uint8.
    ValueError
        `stream` has another length than `shape` needs, or `shape` has no channels.

    Notes
    -----
    Source: ours.
    """
    if stream.dtype != np.uint8:
        raise TypeError(f"from_stream: stream must be uint8, got {stream.dtype}")
    if stream.shape != (stream_bytes(shape),):
        required = f"{stream_bytes(shape)} bytes for shape {tuple(shape)}"
        raise ValueError(f"from_stream: stream must hold {required}, got shape {stream.shape}")
    return _bits_to_words(np.unpackbits(stream, count=prod(shape), bitorder="little").reshape(tuple(shape)))
