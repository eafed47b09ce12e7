"""Batch norm and PReLU in compiled passes against their definitions, in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.kernels import channels, moments, naive, normalize, normalize_grad, prelu, prelu_grad
from bnn_ref.kernels.channels import prelu_narrow
from bnn_ref.kernels.updates import adam

ROWS = st.sampled_from([1, 2, 63, 64, 65, 200])
TOLERANCE = {np.float32: 1e-5, np.float64: 1e-12}


@st.composite
def cases(draw: st.DrawFn) -> tuple[type, Any, Any, Any]:
    """dtype; x and dy (rows, 1, C); five rows of numbers a channel, the first two positive."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(ROWS), 1, draw(st.integers(1, 20)))
    x = rng.normal(draw(st.sampled_from([0.0, 30.0])), 2, shape)
    numbers = rng.normal(size=(4, shape[-1]))
    numbers[0] = 0.1 + abs(numbers[0])
    return draw(st.sampled_from([np.float32, np.float64])), x, rng.normal(size=shape), numbers


def close(got: Any, expected: Any, dtype: type) -> None:
    assert got.dtype == dtype
    assert got.shape == expected.shape
    assert abs(got - expected).max() <= TOLERANCE[dtype] * max(1.0, abs(expected).max())


@given(cases())
def test_batch_norm(case: tuple[type, Any, Any, Any]) -> None:
    dtype, x, dy, (inverse, gamma, beta, mean) = case
    narrow = [part.astype(dtype) for part in (x, dy, inverse, gamma, beta, mean)]
    wide = [part.astype(np.float64) for part in narrow]
    x, dy, inverse, gamma, beta, mean = narrow
    for got, expected, size in zip(
        moments(x), naive.moments(wide[0]), (abs(wide[0]), wide[0] ** 2), strict=True
    ):
        # terms that cancel leave the rounding of their sizes, however small the sum
        assert (abs(got - expected) <= TOLERANCE[dtype] * size.mean(axis=(0, 1))).all()
    y = naive.normalize(wide[0], wide[5], wide[2], wide[3], wide[4])
    close(normalize(x, mean, inverse, gamma, beta), y, dtype)
    expected = naive.normalize_grad(wide[0], wide[1], wide[5], wide[2], wide[3])
    for got, wanted in zip(normalize_grad(x, dy, mean, inverse, gamma), expected, strict=True):
        close(got, wanted, dtype)


@given(cases(), st.booleans())
def test_prelu(case: tuple[type, Any, Any, Any], shared: bool) -> None:
    dtype, x, dy, numbers = case
    x, dy, slope = (part.astype(dtype) for part in (x, dy, numbers[1][: 1 if shared else None]))
    x[0, 0, 0] = 0
    np.testing.assert_array_equal(prelu(x, slope), naive.prelu(x, slope, x > 0), strict=True)
    dx, dslope = prelu_grad(x, dy, slope)
    np.testing.assert_array_equal(dx, naive.prelu_grad(x, dy, slope, x > 0)[0], strict=True)
    wide = [part.astype(np.float64) for part in (x, dy, slope)]
    close(dslope, naive.prelu_grad(*wide, x > 0)[1], dtype)


@pytest.mark.parametrize("rows", [1, 64, 65, 1000, 5000])
def test_sections_are_joined_where_their_means_differ(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "NUMBERS", 1)
    rng = np.random.default_rng(rows)
    x = (rng.normal(size=(rows, 3)) + np.linspace(-9, 9, rows)[:, None]).astype(np.float32)
    dy, slope, one = (
        rng.normal(size=x.shape).astype(np.float32),
        np.full(3, 0.25, np.float32),
        np.ones(3, np.float32),
    )
    assert (len(channels._sections(rows, 3)) > 1) == (rows > 64)
    for got, wanted in (
        (moments(x), (x.mean(axis=0, dtype=float), x.var(axis=0, dtype=float))),
        (prelu_grad(x, dy, slope), naive.prelu_grad(x, dy.astype(float), slope, x > 0)),
        (normalize_grad(x, dy, one, one, one), naive.normalize_grad(x, dy.astype(float), one, one, one)),
    ):
        for part, expected in zip(got, wanted, strict=True):
            np.testing.assert_allclose(part, expected, rtol=1e-4, atol=1e-3)


def test_float32_sums_of_many_rows_lose_no_more_than_those_of_a_block() -> None:
    x = np.random.default_rng(0).normal(1000, 1, size=(200_000, 1)).astype(np.float32)
    mean, variance = moments(x)
    np.testing.assert_allclose(mean, x.astype(np.float64).mean(axis=0), rtol=1e-7)
    np.testing.assert_allclose(variance, x.astype(np.float64).var(axis=0), rtol=1e-4)


def test_numbers_that_are_none_pass_as_in_numpy() -> None:
    x = np.array([[np.nan, np.inf, -np.inf, 1.0]], np.float32)
    slope, dy = np.full(4, 0.25, np.float32), np.full((1, 4), 2.0, np.float32)
    np.testing.assert_array_equal(prelu(x, slope), naive.prelu(x, slope, x > 0))
    for got, expected in zip(prelu_grad(x, dy, slope), naive.prelu_grad(x, dy, slope, x > 0), strict=True):
        np.testing.assert_array_equal(got, expected)
    mean, variance = moments(np.concatenate([x, x]))
    assert np.isnan(mean[:3]).tolist() == [True, False, False]
    assert np.isnan(variance[:3]).all()
    assert (mean[3], variance[3]) == (1, 0)


@pytest.mark.parametrize("dtype", [np.complex128, np.longdouble])
def test_other_numbers_take_the_definitions(dtype: type) -> None:
    rng = np.random.default_rng(0)
    x, dy = (
        rng.normal(size=(2, 5, 3)) + rng.normal(size=(2, 5, 3)) * (1j if dtype == np.complex128 else 0)
    ).astype(dtype)
    assert not channels.compiled(x)
    one = np.ones(3, dtype)
    np.testing.assert_array_equal(moments(x)[1], naive.moments(x)[1], strict=True)
    np.testing.assert_array_equal(normalize(x, one, one, one, one), naive.normalize(x, one, one, one, one))
    for got, expected in zip(prelu_grad(x, dy, one), naive.prelu_grad(x, dy, one, x.real > 0), strict=True):
        np.testing.assert_array_equal(got, expected, strict=True)


@pytest.mark.parametrize("bad", [0.5, 32768.0, -32768.0, np.inf, np.nan, 1e30])
def test_only_whole_numbers_of_16_bits_are_narrowed(bad: float) -> None:
    x = np.random.default_rng(0).integers(-32767, 32768, (900, 10)).astype(np.float32)
    x[0, :3] = [0, 32767, -32767]
    dy, slope = np.random.default_rng(1).normal(size=x.shape).astype(np.float32), np.full(1, 0.25, np.float32)
    y, small = prelu_narrow(x, slope)
    assert small.dtype == np.int16
    np.testing.assert_array_equal(small, x)
    np.testing.assert_array_equal(y, prelu(x, slope), strict=True)
    for got, expected in zip(prelu_grad(small, dy, slope), prelu_grad(x, dy, slope), strict=True):
        np.testing.assert_array_equal(got, expected, strict=True)
    for at in (0, 4500, 8999):
        other = x.copy()
        other.flat[at] = bad
        y, same = prelu_narrow(other, slope)
        assert same is other
        np.testing.assert_array_equal(y, prelu(other, slope), strict=True)
    assert prelu_narrow(x.astype(np.float64), slope.astype(np.float64))[1].dtype == np.float64


@given(cases(), st.integers(1, 3000))
def test_adam_rounds_as_numpy(case: tuple[type, Any, Any, Any], steps: int) -> None:
    dtype, grad, first, _ = case
    grad, first, second = (part.astype(dtype) for part in (grad, first, abs(first)))
    known = grad, first, second, (0.9, 0.999), steps, 1e-8
    for got, expected in zip(adam(*known), naive.adam(*known), strict=True):
        np.testing.assert_array_equal(got, expected, strict=True)
