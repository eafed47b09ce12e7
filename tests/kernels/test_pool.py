"""Pooling against its naive twin, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.kernels import (
    max_pool2d,
    max_pool2d_grad,
    max_pool2d_places,
    naive,
    pool,
    sum_image,
    sum_pool2d,
)
from bnn_ref.kernels.tiles import INTERPRETED


@st.composite
def windows(draw: st.DrawFn) -> tuple[Any, ...]:
    kernel, stride = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    padding, ceil = draw(st.integers(0, kernel - 1)), draw(st.booleans())
    size = st.integers(max(1, kernel - 2 * padding), 6)
    shape = (draw(st.integers(0, 2)), draw(size), draw(size), draw(st.sampled_from([1, 3, 16, 35])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.integers(-3, 4, shape).astype(draw(st.sampled_from([np.float32, np.int32])))
    return np.where(rng.random(shape) < 0.5, values, -values), kernel, stride, padding, ceil  # also -0.0


@given(windows())
def test_equal_to_naive(case: tuple[Any, ...]) -> None:
    y, expected = max_pool2d(*case), naive.max_pool2d(*case)
    np.testing.assert_array_equal(y.view(np.uint32), expected.view(np.uint32), strict=True)  # -0.0 or 0.0
    np.testing.assert_array_equal(sum_pool2d(*case), naive.sum_pool2d(*case), strict=True)


@given(windows(), st.sampled_from([np.float32, np.float64, np.complex128, np.int64]))
def test_sums_of_any_number(case: tuple[Any, ...], dtype: Any) -> None:
    x = case[0].astype(dtype) * (1 + 1j if dtype == np.complex128 else 1)
    np.testing.assert_array_equal(sum_pool2d(x, *case[1:]), naive.sum_pool2d(x, *case[1:]), strict=True)
    np.testing.assert_array_equal(sum_image(x), naive.sum_image(x), strict=True)


@given(windows(), st.integers(0, 2), st.integers(0, 2))
def test_margins(case: tuple[Any, ...], around: int, margin: int) -> None:
    """What lies around images is neither read nor written; the tail of each pixel begins with the least."""
    x, kernel, stride, padding, _ = case
    expected = naive.max_pool2d(*case)
    outside = np.pad(x, [(0, 0), *[(around, around)] * 2, (0, 0)], constant_values=99)
    wide = [(0, 0), *[(margin, margin)] * 2, (0, 0)]
    y = np.pad(np.full_like(expected, pool.least(x.dtype)), wide)
    window = pool.Window(kernel, stride, padding, *x.shape[1:3], around, margin)
    pool.pooling("largest")(outside, window, 0 if INTERPRETED else x.shape[3] // 16, y)
    np.testing.assert_array_equal(y, np.pad(expected, wide))


@given(windows(), st.sampled_from([np.float32, np.float64]))
def test_places_are_the_first_maximum_and_gradients_go_there(case: tuple[Any, ...], dtype: type) -> None:
    x, kernel, stride, padding, ceil = case
    x = x.astype(dtype)
    y, places = max_pool2d_places(x, kernel, stride, padding, ceil)
    np.testing.assert_array_equal(y, naive.max_pool2d(x, kernel, stride, padding, ceil), strict=True)
    for got, expected in zip(
        (y, places), naive.max_pool2d_places(x, kernel, stride, padding, ceil), strict=True
    ):
        np.testing.assert_array_equal(got, expected, strict=True)
    dy = np.random.default_rng(0).integers(-4, 5, y.shape).astype(dtype)
    back = naive.max_pool2d_grad(dy, places, x.shape, kernel, stride, padding)
    dx = np.zeros_like(x)
    for n, oy, ox, c in np.ndindex(y.shape):
        taps = [(oy * stride - padding + i, ox * stride - padding + j) for i, j in np.ndindex(kernel, kernel)]
        inside = [t for t, at in enumerate(taps) if all(0 <= i < size for i, size in zip(at, x.shape[1:3]))]
        first = max(inside, key=lambda t: (x[n, taps[t][0], taps[t][1], c], -t))
        assert places[n, oy, ox, c] == first
        dx[n, taps[first][0], taps[first][1], c] += dy[n, oy, ox, c]
    np.testing.assert_array_equal(back, dx, strict=True)
    np.testing.assert_array_equal(
        max_pool2d_grad(dy, places, x.shape, kernel, stride, padding), dx, strict=True
    )


@pytest.mark.parametrize(
    ("values", "first"),
    [([-np.inf] * 4, 0), ([1, np.nan, 2, np.nan], 1), ([np.nan, 3, 4, 5], 0), ([0.0, -0.0, 0.0, -1], 0)],
)
def test_the_place_of_what_is_no_number(values: list[float], first: int) -> None:
    y, places = max_pool2d_places(np.array(values).reshape(1, 2, 2, 1), 2, 2)
    assert places.item() == first
    np.testing.assert_array_equal(y.item(), values[first])


def test_by_hand() -> None:
    x = np.array([[1.0, -2.0], [4.0, 3.0]], np.float32).reshape(1, 2, 2, 1)
    assert max_pool2d(x, 2, 2).item() == 4
    assert sum_pool2d(x, 2, 2).item() == 6
    np.testing.assert_array_equal(max_pool2d(-x, 2, 2, 1).ravel(), [-1, 2, -4, -3])  # padding never wins
    np.testing.assert_array_equal(sum_pool2d(x, 3, 2, 1).ravel(), [6])


@pytest.mark.parametrize("at", range(4))
def test_nan_wins(at: int) -> None:
    x = np.arange(4, dtype=np.float32)
    x[at] = np.nan
    assert np.isnan(max_pool2d(x.reshape(1, 2, 2, 1), 2, 2)).all()


@pytest.mark.parametrize("function", [max_pool2d, sum_pool2d])
def test_refuses(function: Any) -> None:
    with pytest.raises(ValueError, match="pool: x must have four axes"):
        function(np.zeros((2, 2, 1), np.float32), 2, 2)
    with pytest.raises(ValueError, match="size 2 with padding 0 must be at least kernel 3"):
        function(np.zeros((1, 2, 2, 1), np.float32), 3, 1)


def test_interpreted() -> None:
    x = np.random.default_rng(0).normal(size=(1, 5, 4, 2)).astype(np.float32)
    y, z = np.full((1, 3, 2, 2), -np.inf, np.float32), np.zeros((1, 3, 2, 2), np.float32)
    for op, out in (("largest", y), ("total", z)):
        run = pool.pooling(op)
        getattr(run, "py_func", run)(x, pool.Window(3, 2, 1, 5, 4), 0, out)
    np.testing.assert_array_equal(y, naive.max_pool2d(x, 3, 2, 1))
    np.testing.assert_allclose(z, naive.sum_pool2d(x, 3, 2, 1), rtol=1e-6)
