"""Signs as bits while training: forward and gradient against the naive sums of ±1."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.kernels import SignImages, floats, fours, naive, output_size, signs

CHANNELS = st.sampled_from([1, 3, 15, 16, 17, 31, 32, 33, 48, 65])


@st.composite
def cases(draw: st.DrawFn, dilations: tuple[int, ...] = (1, 1, 2, 3)) -> tuple[Any, ...]:
    """x of few values (many zeros), signs w, small integers dy, stride, padding, dilation, pad."""
    kernel, stride, padding = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(0, 2))
    dilation = draw(st.sampled_from(dilations))
    reach = range(0, kernel * dilation, dilation)[-1] + 1
    least = max(1, reach - 2 * padding)
    size = draw(st.tuples(*[st.integers(least, least + 3)] * 2))
    n, channels, filters = draw(st.integers(1, 3)), draw(CHANNELS), draw(CHANNELS)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.integers(-1, 2, (n, *size, channels)).astype(np.float32)
    w = rng.choice(np.array([-1, 1], np.float32), (kernel, kernel, channels, filters))
    out = (output_size(s, reach, stride, padding) for s in size)
    dy = rng.integers(-4, 5, (n, *out, filters)).astype(np.float32)
    return x, w, dy, stride, padding, dilation, draw(st.sampled_from([0, 1, -1]))


@given(cases(), st.booleans())
def test_equal_to_naive(case: tuple[Any, ...], strict: bool) -> None:
    x, w, dy, stride, padding, dilation, pad = case
    values = np.where(x > 0 if strict else x >= 0, np.float32(1), np.float32(-1))
    images = SignImages.of(x, padding, strict, pad)
    assert images is not None
    assert images.shape == x.shape
    np.testing.assert_array_equal(images.values(), values, strict=True)
    y = naive.conv2d(values, w, stride, padding, dilation, pad)
    np.testing.assert_array_equal(images.conv2d(w, stride, dilation), y, strict=True)
    dx = naive.conv2d_input_grad(dy, w, x.shape, stride, padding, dilation)
    dw = naive.conv2d_weight_grad(values, dy, len(w), stride, padding, dilation, pad)
    for looks_up in (False, True):
        with patch.object(signs, "LOOKS_UP", looks_up):
            np.testing.assert_array_equal(images.input_grad(dy, w, stride, dilation), dx, strict=True)
            np.testing.assert_array_equal(images.weight_grad(dy, len(w), stride, dilation), dw, strict=True)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [16, 40, 96, 128])
def test_looked_up_sums_round_as_little_as_sums_do(channels: int, stride: int) -> None:
    """Nine images, so that the last four are not all there; more outputs than a chunk has."""
    rng = np.random.default_rng(channels)
    x, w = (rng.choice([-1.0, 1.0], shape) for shape in ((9, 18, 17, channels), (3, 3, channels, 24)))
    dy = rng.normal(size=(9, *[output_size(size, 3, stride, 1) for size in (18, 17)], 24))
    shapes, narrow = floats.Geometry(18, 17, channels, 3, stride, 1), dy.astype(np.float32)
    images = SignImages.of(x.astype(np.float32), 1)
    assert images is not None
    dx, dw = (
        naive.conv2d_input_grad(dy, w, x.shape, stride, 1),
        naive.conv2d_weight_grad(x, dy, 3, stride, 1),
    )
    got = fours.images_grad(narrow, w.astype(np.float32), shapes)
    assert abs(got - dx).max() <= 1e-6 * abs(dx).max()
    got = fours.filters_grad(images.bits, narrow, shapes)
    assert abs(got - dw).max() <= 1e-6 * abs(dw).max()


@given(cases((1,)))
def test_looked_up_gradients_to_images_do_not_depend_on_the_other_images(case: tuple[Any, ...]) -> None:
    x, w, dy, stride, padding, *_ = case
    dy = dy + np.random.default_rng(0).normal(size=dy.shape).astype(np.float32)
    shapes = floats.Geometry(*x.shape[1:], len(w), stride, padding)
    dx = fours.images_grad(dy, w, shapes)
    for n in range(len(x)):
        np.testing.assert_array_equal(fours.images_grad(dy[n : n + 1], w, shapes)[0], dx[n])


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
