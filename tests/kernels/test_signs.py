"""Signs as bits while training: forward and gradient against the naive sums of ±1."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.kernels import SignImages, naive, output_size

CHANNELS = st.sampled_from([1, 3, 15, 16, 17, 31, 32, 33, 48, 65])


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, ...]:
    """x of few values (many zeros), signs w, small integers dy, stride, padding."""
    kernel, stride, padding = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(0, 2))
    least = max(1, kernel - 2 * padding)
    size = draw(st.tuples(*[st.integers(least, least + 3)] * 2))
    n, channels, filters = draw(st.integers(1, 3)), draw(CHANNELS), draw(CHANNELS)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(-1, 2, (n, *size, channels)).astype(np.float32)
    w = rng.choice(np.array([-1, 1], np.float32), (kernel, kernel, channels, filters))
    out = (output_size(s, kernel, stride, padding) for s in size)
    dy = rng.integers(-4, 5, (n, *out, filters)).astype(np.float32)
    return x, w, dy, stride, padding


@given(cases(), st.booleans())
def test_equal_to_naive(case: tuple[Any, ...], strict: bool) -> None:
    x, w, dy, stride, padding = case
    signs = np.where(x > 0 if strict else x >= 0, np.float32(1), np.float32(-1))
    images = SignImages.of(x, padding, strict)
    assert images is not None
    assert images.shape == x.shape
    np.testing.assert_array_equal(images.values(), signs, strict=True)
    y = naive.conv2d(signs, w, stride, padding)
    np.testing.assert_array_equal(images.conv2d(w, stride), y, strict=True)
    dw = naive.conv2d_weight_grad(signs, dy, len(w), stride, padding)
    np.testing.assert_array_equal(images.weight_grad(dy, len(w), stride), dw, strict=True)


@pytest.mark.parametrize(
    "x",
    [
        np.full((1, 2, 2, 17), np.nan, np.float32),
        np.ones((1, 2, 2, 17)),
        np.ones((2, 17), np.float32),
        np.ones((0, 2, 2, 17), np.float32),
    ],
)
def test_what_no_kernel_takes(x: Any) -> None:
    assert SignImages.of(x) is None


def test_a_nan_anywhere_is_seen() -> None:
    for channel in (0, 15, 16, 18):
        x = np.ones((2, 3, 3, 19), np.float32)
        x[1, 2, 0, channel] = np.nan
        assert SignImages.of(x, 1) is None


def test_no_output_pixel() -> None:
    images = SignImages.of(np.ones((1, 2, 2, 3), np.float32))
    assert images is not None
    with pytest.raises(ValueError, match="size 2 with padding 0 must be at least kernel 3"):
        images.conv2d(np.ones((3, 3, 3, 4), np.float32))
    with pytest.raises(ValueError, match="w must be"):
        images.conv2d(np.full((1, 1, 3, 4), np.nan, np.float32))
