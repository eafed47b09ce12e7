"""Packing against np.packbits, its naive twin and itself (round trips)."""

from math import prod
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnn_ref.kernels import (
    from_stream,
    naive,
    pack,
    pack_signs,
    stream_bytes,
    to_stream,
    unpack_signs,
    word_count,
)

WIDTHS = st.sampled_from([1, 2, 7, 8, 9, 63, 64, 65, 127, 128, 129])
VALUES = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, 1e-30, -1e-30]


@st.composite
def shapes(draw, max_lead=2):
    lead = draw(st.lists(st.integers(0, 3), max_size=max_lead))
    return (*lead, draw(WIDTHS))


@st.composite
def reals(draw):
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    tiny = float(np.finfo(dtype).smallest_subnormal)
    return draw(hnp.arrays(dtype, draw(shapes()), elements=st.sampled_from([*VALUES, tiny, -tiny])))


@st.composite
def junk_words(draw):
    """Words whose pad bits are drawn like the others, and their number of channels."""
    *lead, channels = draw(shapes())
    seed = draw(st.integers(0, 2**32 - 1))
    shape = (*lead, word_count(channels))
    return np.random.default_rng(seed).integers(0, 2**64, shape, dtype=np.uint64), channels


def packbits_words(x):
    """The same words by NumPy: packed bytes, filled up to words, read as little-endian integers."""
    octets = np.packbits(x >= 0, axis=-1, bitorder="little")
    fill = -octets.shape[-1] % 8
    octets = np.concatenate([octets, np.zeros((*octets.shape[:-1], fill), np.uint8)], axis=-1)
    return np.ascontiguousarray(octets).view("<u8").astype(np.uint64)


@given(reals())
def test_pack_signs_equals_naive_and_packbits(x):
    words = pack_signs(x)
    assert words.dtype == np.uint64
    np.testing.assert_array_equal(words, naive.pack_signs(x), strict=True)
    np.testing.assert_array_equal(words, packbits_words(x), strict=True)


@given(reals())
def test_pack_signs_interpreted(x):
    with patch.object(pack, "_pack_rows", getattr(pack._pack_rows, "py_func", pack._pack_rows)):
        np.testing.assert_array_equal(pack_signs(x), naive.pack_signs(x), strict=True)


@given(reals())
def test_unpack_undoes_pack(x):
    signs = unpack_signs(pack_signs(x), x.shape[-1], x.dtype)
    np.testing.assert_array_equal(signs, np.where(x < 0, -1, 1).astype(x.dtype), strict=True)


@given(junk_words(), st.sampled_from([np.int8, np.int32, np.float32, np.float64, np.complex128]))
def test_unpack_signs_ignores_pad_bits(drawn, dtype):
    words, channels = drawn
    signs = unpack_signs(words, channels, dtype)
    np.testing.assert_array_equal(signs, naive.unpack_signs(words, channels, dtype), strict=True)


@given(junk_words())
def test_pack_undoes_unpack_and_clears_pad_bits(drawn):
    words, channels = drawn
    clean = pack_signs(unpack_signs(words, channels))
    mask = np.uint64((1 << ((channels - 1) % 64 + 1)) - 1)
    np.testing.assert_array_equal(clean[..., -1], words[..., -1] & mask)
    np.testing.assert_array_equal(clean[..., :-1], words[..., :-1])


@given(junk_words())
def test_to_stream_equals_naive_and_packbits(drawn):
    words, channels = drawn
    stream = to_stream(words, channels)
    positive = unpack_signs(words, channels) > 0
    assert stream.shape == (stream_bytes(positive.shape),)
    np.testing.assert_array_equal(stream, np.packbits(positive.ravel(), bitorder="little"), strict=True)
    np.testing.assert_array_equal(stream, naive.to_stream(words, channels), strict=True)


@given(reals())
def test_from_stream_undoes_to_stream(x):
    words = pack_signs(x)
    np.testing.assert_array_equal(from_stream(to_stream(words, x.shape[-1]), x.shape), words, strict=True)


@given(shapes(), st.integers(0, 2**32 - 1))
def test_from_stream_equals_naive_and_ignores_pad_bits(shape, seed):
    stream = np.random.default_rng(seed).integers(0, 256, stream_bytes(shape), dtype=np.uint8)
    words = from_stream(stream, shape)
    np.testing.assert_array_equal(words, naive.from_stream(stream, shape), strict=True)
    if stream.size:
        stream[-1] ^= np.uint8(0xFF << ((prod(shape) - 1) % 8 + 1) & 0xFF)
    np.testing.assert_array_equal(words, from_stream(stream, shape), strict=True)


def test_layout_by_hand():
    x = np.full((2, 65), -1.0)
    x[0, [0, 2, 64]] = 1.0
    x[1, 63] = -0.0
    np.testing.assert_array_equal(pack_signs(x), np.array([[5, 1], [1 << 63, 0]], np.uint64))
    stream = to_stream(pack_signs(x), 65)  # bits 0, 2, 64 and 65 + 63 = 128
    np.testing.assert_array_equal(np.flatnonzero(stream), [0, 8, 16])
    np.testing.assert_array_equal(stream[[0, 8, 16]], [5, 1, 1])


@given(reals())
def test_strides_and_write_flags_do_not_matter(x):
    frozen = np.asfortranarray(x)
    frozen.flags.writeable = False
    words = np.asfortranarray(pack_signs(frozen))
    words.flags.writeable = False
    np.testing.assert_array_equal(words, pack_signs(x))
    np.testing.assert_array_equal(unpack_signs(words, x.shape[-1]), unpack_signs(pack_signs(x), x.shape[-1]))
    np.testing.assert_array_equal(to_stream(words, x.shape[-1]), to_stream(pack_signs(x), x.shape[-1]))


@given(st.integers(1, 10**6))
def test_word_count_is_the_least_that_fits(channels):
    assert 64 * (word_count(channels) - 1) < channels <= 64 * word_count(channels)


@pytest.mark.parametrize("channels", [1, 63, 64, 65, 128, 129])
def test_word_count_equals_naive(channels):
    assert word_count(channels) == naive.word_count(channels)


@given(shapes())
def test_stream_bytes_equals_naive(shape):
    assert stream_bytes(shape) == naive.stream_bytes(shape)


@given(reals().filter(lambda x: x.size > 0), st.data())
def test_nan_is_refused_with_the_first_index(x, data):
    x.flat[data.draw(st.integers(0, x.size - 1))] = np.nan
    first = next(index for index, value in np.ndenumerate(x) if value != value)
    with pytest.raises(ValueError, match="pack_signs: x holds NaN at index") as caught:
        pack_signs(x)
    assert str(caught.value).endswith(f"index {first}")


@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.bool_, np.complex128, ">f4"])
def test_pack_signs_refuses_other_dtypes(dtype):
    with pytest.raises(TypeError, match="pack_signs: x must be float32 or float64, got"):
        pack_signs(np.ones((2, 3), dtype))


@pytest.mark.parametrize("shape", [(), (0,), (3, 0)])
def test_no_channels_are_refused(shape):
    with pytest.raises(ValueError, match="pack_signs: x must have at least one channel"):
        pack_signs(np.ones(shape))
    with pytest.raises(ValueError, match="stream_bytes: shape must end in at least one channel"):
        stream_bytes(shape)


@pytest.mark.parametrize("channels", [0, -1])
def test_word_count_refuses(channels):
    with pytest.raises(ValueError, match=f"word_count: channels must be at least 1, got {channels}"):
        word_count(channels)


@pytest.mark.parametrize("function", [unpack_signs, to_stream])
def test_words_are_checked(function):
    name = function.__name__
    with pytest.raises(TypeError, match=f"{name}: words must be uint64 words, got int64"):
        function(np.zeros((2, 1), np.int64), 64)
    with pytest.raises(
        ValueError, match=rf"{name}: words must have 2 words .* for 65 channels, got shape \(3, 1\)"
    ):
        function(np.zeros((3, 1), np.uint64), 65)
    with pytest.raises(ValueError, match=f"{name}: words must have one or more axes"):
        function(np.uint64(1).reshape(()), 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.bool_, "U1"])
def test_unpack_signs_refuses_dtypes_without_minus_one(dtype):
    with pytest.raises(TypeError, match="unpack_signs: dtype must hold"):
        unpack_signs(np.zeros(1, np.uint64), 1, dtype)


def test_from_stream_refuses():
    with pytest.raises(TypeError, match="from_stream: stream must be uint8, got int64"):
        from_stream(np.zeros(2, np.int64), (3, 5))
    with pytest.raises(ValueError, match=r"must hold 2 bytes for shape \(3, 5\), got shape \(3,\)"):
        from_stream(np.zeros(3, np.uint8), (3, 5))
    with pytest.raises(ValueError, match="stream_bytes: shape must end"):
        from_stream(np.zeros(0, np.uint8), (2, -1))
