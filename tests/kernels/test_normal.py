"""The normal distribution function against 40-digit arithmetic, and against its naive twin."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.kernels import naive, normal, normal_cdf

EPS = 3e-7


def check(x: Any, y: Any) -> None:
    with mp.workdps(40):
        for value, got in zip(x.ravel().tolist(), y.ravel().tolist(), strict=True):
            exact = mp.ncdf(mp.mpf(value))
            assert abs(got - exact) <= EPS
            if value < 0 and exact > 2.0**-126:
                assert abs(got - exact) <= EPS * (2 + value**2) * exact


@pytest.mark.parametrize("start", [-13, -6, -3, -1, 0, 1, 3])
def test_float32_is_as_good_as_it_says(start: float) -> None:
    x = np.linspace(start, start + 3.5, 400, dtype=np.float32).reshape(4, 100)
    check(x, normal_cdf(x))


@given(st.floats(-14, 20, width=32))
def test_any_float32(value: float) -> None:
    x = np.array([value, -value], np.float32)
    check(x, normal_cdf(x))


def test_ends_and_middle() -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-30, 5e4, -5e4], np.float32)
    y = normal_cdf(x)
    np.testing.assert_allclose(y, [0.5, 0.5, 1, 0, np.nan, 0.5, 1, 0], rtol=2e-7)
    assert y.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)])
def test_the_naive_twin(dtype: Any, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype(dtype) * 3
    for given_x in (x, x.T, np.asarray(x[..., ::-1] if x.ndim else x)):
        y, twin = normal_cdf(given_x), naive.normal_cdf(given_x)
        assert (y.shape, y.dtype) == (given_x.shape, dtype)
        np.testing.assert_allclose(y, twin, rtol=1e-5 if dtype == np.float32 else 1e-13)


def test_complex_is_the_analytic_continuation() -> None:
    """The imaginary part at a tiny step is the density."""
    x = np.linspace(-5, 5, 101)
    y = normal_cdf(x + 1e-30j)
    np.testing.assert_allclose(y.real, normal_cdf(x), rtol=1e-13)
    np.testing.assert_allclose(y.imag * 1e30, np.exp(-x * x / 2) / np.sqrt(2 * np.pi), rtol=1e-12)


def test_uncompiled_loops_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.linspace(-9, 9, 37, dtype=np.float32)
    compiled = normal_cdf(x)
    for name in ("_exponents", "_reflect"):
        monkeypatch.setattr(normal, name, getattr(normal, name).py_func)
    np.testing.assert_allclose(normal_cdf(x), compiled, rtol=1e-5)  # contracted there, not here
