"""Packed products: integers equal to the naive sums of signs, whatever the pad bits hold."""

from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnn_ref.kernels import (
    conv2d,
    naive,
    pack_signs,
    threshold_pack,
    unpack_signs,
    word_count,
    xnor,
    xnor_conv2d,
    xnor_linear,
)

WIDTHS = st.one_of(st.sampled_from([1, 2, 63, 64, 65, 127, 128, 129, 200]), st.integers(1, 600))
FILTERS = st.sampled_from([1, 5, 15, 16, 17, 33, 64, 65, 80, 129])
SMALL_WIDTHS = st.sampled_from([1, 63, 64, 65])
SEEDS = st.integers(0, 2**32 - 1)
INT32 = np.iinfo(np.int32)


def junk(seed, *shape):
    """Random words, pad bits included."""
    return np.random.default_rng(seed).integers(0, 2**64, shape, dtype=np.uint64)


@contextmanager
def interpreted():
    """Run the kernel's Python source instead of its machine code."""
    with patch.object(xnor, "_threshold", getattr(xnor._threshold, "py_func", xnor._threshold)):
        yield


@st.composite
def convolutions(draw, widths=WIDTHS, most=3):
    """Arguments of xnor_conv2d that leave at least one output pixel."""
    channels, kernel = draw(widths), draw(st.sampled_from([1, 2, 3, 4, 5, 7]))
    stride, padding, dilation = draw(st.integers(1, 3)), draw(st.integers(0, 3)), draw(st.integers(1, 3))
    pad = draw(st.sampled_from([0, 1, -1]))
    least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    height, width = draw(st.integers(least, least + most)), draw(st.integers(least, least + most))
    n, filters, seed = draw(st.integers(0, most)), draw(FILTERS), draw(SEEDS)
    a = junk(seed, n, height, width, word_count(channels))
    w = junk(seed + 1, filters, kernel, kernel, word_count(channels))
    return a, w, channels, stride, padding, dilation, pad


@given(st.integers(0, 5), FILTERS, WIDTHS, SEEDS)
def test_xnor_linear_equals_naive(n, filters, channels, seed):
    a, w = junk(seed, n, word_count(channels)), junk(seed + 1, filters, word_count(channels))
    z = xnor_linear(a, w, channels)
    assert z.dtype == np.int32
    np.testing.assert_array_equal(z, naive.xnor_linear(a, w, channels), strict=True)


@given(convolutions())
def test_xnor_conv2d_equals_naive(arguments):
    z = xnor_conv2d(*arguments)
    assert z.dtype == np.int32
    np.testing.assert_array_equal(z, naive.xnor_conv2d(*arguments), strict=True)


@given(convolutions())
def test_xnor_conv2d_is_the_float_convolution_of_signs(arguments):
    a, w, channels, stride, padding, dilation, pad = arguments
    taps = unpack_signs(w, channels, np.float64).transpose(1, 2, 3, 0)
    filters = np.kron(taps, np.eye(dilation)[:, :1, None, None] * np.eye(dilation)[:1, :, None, None])
    filters = filters[: len(filters) - dilation + 1, : len(filters) - dilation + 1]
    around = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    signs = np.pad(unpack_signs(a, channels, np.float64), around, constant_values=pad)  # after the sign
    y = conv2d(signs, filters, stride)
    np.testing.assert_array_equal(xnor_conv2d(*arguments), y)


@given(convolutions(), SEEDS)
def test_pad_bits_have_no_effect(arguments, seed):
    a, w, channels, *rest = arguments
    pad = np.uint64(2**64 - (1 << ((channels - 1) % 64 + 1)))
    a2, w2 = a.copy(), w.copy()
    a2[..., -1] ^= junk(seed, *a.shape[:-1]) & pad
    w2[..., -1] ^= junk(seed + 1, *w.shape[:-1]) & pad
    expected = xnor_conv2d(a, w, channels, *rest)
    np.testing.assert_array_equal(xnor_conv2d(a2, w2, channels, *rest), expected, strict=True)
    rows, filters = a2.reshape(-1, a.shape[-1]), w2.reshape(-1, w.shape[-1])
    clean = xnor_linear(a.reshape(rows.shape), w.reshape(filters.shape), channels)
    np.testing.assert_array_equal(xnor_linear(rows, filters, channels), clean, strict=True)


@pytest.mark.parametrize("channels", [65_535, 65_537, 3 * 65_536 + 1])
def test_fan_in_past_16_bits(channels):
    a, w = junk(0, 3, word_count(channels)), junk(1, 2, word_count(channels))
    a[0], w[0], w[1] = 2**64 - 1, 2**64 - 1, 0
    z = xnor_linear(a, w, channels)
    assert (z[0, 0], z[0, 1]) == (channels, -channels)
    np.testing.assert_array_equal(z, naive.xnor_linear(a, w, channels), strict=True)


def test_conv_fan_in_past_16_bits():
    channels = 65_537
    a, w = np.zeros((1, 3, 3, word_count(channels)), np.uint64), junk(2, 1, 5, 5, word_count(channels))
    z = xnor_conv2d(a, np.zeros_like(w), channels, padding=2)
    np.testing.assert_array_equal(z[0, :, :, 0], np.full((3, 3), 9 * channels))
    np.testing.assert_array_equal(xnor_conv2d(a, w, channels, 2, 1), naive.xnor_conv2d(a, w, channels, 2, 1))


def test_by_hand():
    a, w = (
        pack_signs(np.array([[1.0, -1.0, 1.0]])),
        pack_signs(np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, -1.0]])),
    )
    np.testing.assert_array_equal(xnor_linear(a, w, 3), [[1, -3]])
    ones = np.ones((1, 3, 3, 1), np.uint64)
    z = xnor_conv2d(ones, ones, 1, padding=1)  # a 3x3 image of +1: taps that exist, no more
    np.testing.assert_array_equal(z[0, :, :, 0], [[4, 6, 4], [6, 9, 6], [4, 6, 4]])
    z = xnor_conv2d(ones, ones, 1, padding=1, pad=-1)  # the others count as -1
    np.testing.assert_array_equal(z[0, :, :, 0], [[-1, 3, -1], [3, 9, 3], [-1, 3, -1]])


@given(convolutions())
def test_strides_and_write_flags_do_not_matter(arguments):
    a, w, *rest = arguments
    frozen = np.asfortranarray(a), np.asfortranarray(w)
    for array in frozen:
        array.flags.writeable = False
    np.testing.assert_array_equal(xnor_conv2d(*frozen, *rest), xnor_conv2d(a, w, *rest), strict=True)


NEAR = st.one_of(st.integers(-3, 3), st.sampled_from([INT32.min, INT32.max]))


@st.composite
def thresholds(draw, widths=WIDTHS):
    filters = draw(widths)
    lead = draw(st.lists(st.integers(0, 3), max_size=2))
    z = draw(hnp.arrays(np.int32, (*lead, filters), elements=NEAR))
    return z, draw(hnp.arrays(np.int32, filters, elements=NEAR)), draw(hnp.arrays(np.bool_, filters))


@given(thresholds())
def test_threshold_pack_equals_naive(arguments):
    np.testing.assert_array_equal(threshold_pack(*arguments), naive.threshold_pack(*arguments), strict=True)


@given(thresholds(widths=SMALL_WIDTHS))
def test_threshold_pack_interpreted(arguments):
    with interpreted():
        words = threshold_pack(*arguments)
    np.testing.assert_array_equal(words, naive.threshold_pack(*arguments), strict=True)


@given(thresholds())
def test_threshold_pack_by_exact_floats(arguments):
    z, threshold, descending = arguments
    difference = z.astype(np.float64) - threshold  # exact: 33 bits in 53
    expected = pack_signs(np.where(descending, -difference, difference))  # a tie gives -0.0, which is +1
    np.testing.assert_array_equal(threshold_pack(*arguments), expected, strict=True)


@given(thresholds())
def test_threshold_pack_takes_any_strides(arguments):
    z, threshold, descending = arguments
    strided = np.asfortranarray(z), np.repeat(threshold, 2)[::2], np.repeat(descending, 2)[::2]
    np.testing.assert_array_equal(threshold_pack(*strided), threshold_pack(*arguments), strict=True)


def test_threshold_pack_by_hand():
    z = np.array([[-1, 0, 1, -1, 0, 1]], np.int32)
    words = threshold_pack(z, np.zeros(6, np.int32), np.array([False, False, False, True, True, True]))
    np.testing.assert_array_equal(words, [[0b011110]])


def words(*shape):
    return np.zeros(shape, np.uint64)


LINEAR_ERRORS = [
    (
        words(2, 1).astype(np.int64),
        words(3, 1),
        64,
        TypeError,
        "xnor_linear: a must be uint64 words, got int64",
    ),
    (
        words(2, 1),
        words(3, 1).astype(np.uint32),
        64,
        TypeError,
        "xnor_linear: w must be uint64 words, got uint32",
    ),
    (words(2, 2), words(3, 1), 64, ValueError, "xnor_linear: a must have 1 words .* for 64 channels"),
    (words(2, 1), words(3, 2), 64, ValueError, "xnor_linear: w must have 1 words .* for 64 channels"),
    (words(2), words(3, 2), 64, ValueError, "xnor_linear: a must have 2 axes, got shape"),
    (words(2, 1), words(3, 1), 0, ValueError, "word_count: channels must be at least 1, got 0"),
]


@pytest.mark.parametrize(("a", "w", "channels", "error", "message"), LINEAR_ERRORS)
def test_xnor_linear_refuses(a, w, channels, error, message):
    with pytest.raises(error, match=message):
        xnor_linear(a, w, channels)


CONV_ERRORS = [
    (words(1, 3, 3), words(1, 3, 3, 1), {}, "xnor_conv2d: a must have 4 axes"),
    (words(1, 3, 3, 1), words(1, 3, 3, 2), {}, "xnor_conv2d: w must have 1 words"),
    (words(1, 3, 3, 1), words(1, 3, 2, 1), {}, r"xnor_conv2d: w must be \(F, K, K, Cw\)"),
    (words(1, 2, 3, 1), words(1, 3, 3, 1), {}, "size 2 with padding 0 must be at least kernel 3"),
    (
        words(1, 3, 3, 1),
        words(1, 3, 3, 1),
        {"stride": 0},
        "output_size: kernel and stride must be at least 1",
    ),
    (words(1, 3, 3, 1), words(1, 3, 3, 1), {"dilation": 0}, "dilation must be at least 1, got 0"),
    (words(1, 3, 3, 1), words(1, 3, 3, 1), {"padding": -1}, "output_size: .* got .* padding -1"),
    (words(1, 3, 3, 1), words(1, 3, 3, 1), {"pad": 2}, "xnor_conv2d: pad must be 0, 1 or -1, got 2"),
]


@pytest.mark.parametrize(("a", "w", "options", "message"), CONV_ERRORS)
def test_xnor_conv2d_refuses(a, w, options, message):
    with pytest.raises(ValueError, match=message):
        xnor_conv2d(a, w, 64, **options)


def test_fan_in_past_int32_is_refused():
    channels = 2**31
    huge = np.broadcast_to(np.uint64(0), (1, word_count(channels)))  # no memory behind it
    with pytest.raises(ValueError, match="xnor_linear: fan-in must be at most 2147483647, got 2147483648"):
        xnor_linear(huge, huge, channels)
    image = np.broadcast_to(np.uint64(0), (1, 4, 4, word_count(channels // 16)))
    with pytest.raises(ValueError, match="xnor_conv2d: fan-in must be at most 2147483647, got 2147483648"):
        xnor_conv2d(image, image, channels // 16)


def test_threshold_pack_refuses():
    z, threshold, descending = np.zeros((2, 3), np.int32), np.zeros(3, np.int32), np.zeros(3, np.bool_)
    with pytest.raises(TypeError, match="threshold_pack: z must be int32, got int64"):
        threshold_pack(z.astype(np.int64), threshold, descending)
    with pytest.raises(TypeError, match="threshold_pack: threshold must be int32, got float32"):
        threshold_pack(z, threshold.astype(np.float32), descending)
    with pytest.raises(TypeError, match="threshold_pack: descending must be bool, got uint8"):
        threshold_pack(z, threshold, descending.astype(np.uint8))
    with pytest.raises(ValueError, match=r"threshold must have shape \(3,\), got \(2,\)"):
        threshold_pack(z, threshold[:2], descending)
    with pytest.raises(ValueError, match=r"descending must have shape \(3,\), got \(1, 3\)"):
        threshold_pack(z, threshold, descending[None])
    with pytest.raises(ValueError, match="z must have at least one channel"):
        threshold_pack(z[:, :0], threshold[:0], descending[:0])
