"""The fused Fourier slope against 50-digit arithmetic at the exact inputs, and against its naive twin."""

from __future__ import annotations

from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.kernels import elementwise, fourier_slope, naive

FLOATS = (np.float32, np.float64)
TERMS = (1, 2, 9, 10, 18, 100, 1000)


def exact(x: float, terms: int, omega: float) -> mp.mpf:
    """The cosine sum at the very numbers that the kernel got, by a product that needs no small divisor.

    sum of cos((2i+1) t) = Im(e^(2Nit) - 1) / (2 sin t) cancels at t = m pi; the geometric sum of e^(2it) by
    doubling does not.
    """
    t = mp.mpf(omega) * mp.mpf(x)
    total, count, power = mp.mpc(0), 0, mp.expjpi(0)
    for bit in bin(terms)[2:]:  # sum of the first `count` powers of e^(2it), doubled bit by bit
        total, power, count = total * (1 + power), power * power, 2 * count
        if bit == "1":
            total, power, count = total + power, power * mp.exp(2j * t), count + 1
    assert count == terms
    return 4 * mp.mpf(omega) / mp.pi * (mp.exp(1j * t) * total).real


def worst(x: np.ndarray, terms: int, omega: float) -> float:
    """Largest error, in units of eps (1 + N abs(omega x)) peak."""
    got = fourier_slope(x, np.ones_like(x), terms, omega)
    eps, peak = float(np.finfo(x.dtype).eps), 4 * omega * terms / np.pi
    with mp.workdps(50):
        return max(
            abs(float(mp.mpf(float(g)) - exact(float(v), terms, omega)))
            / (eps * (1 + terms * abs(omega * float(v))) * peak)
            for v, g in zip(x, got, strict=True)
        )


def around(points: np.ndarray, dtype: type) -> np.ndarray:
    """Points, their neighbours in `dtype`, and points a little further off, by many orders of magnitude."""
    near = points.astype(dtype)
    steps = [near, np.nextafter(near, dtype(np.inf)), np.nextafter(near, dtype(-np.inf))]
    steps += [(points + s * 10.0**-e).astype(dtype) for e in range(1, 15) for s in (-1, 1)]
    return np.concatenate(steps)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("omega", [0.1, 1.0, 2.7])
def test_error_at_and_around_multiples_of_half_a_period(dtype: type, terms: int, omega: float) -> None:
    """The naive closed form is off by twice the peak exactly there."""
    turns = np.array([0, 1, -1, 2, 5, -13, 40, 1 / 2, 3 / 2, -7 / 2, 1 / (2 * terms), 1 + 1 / terms])
    assert worst(around(turns * np.pi / omega, dtype), terms, omega) <= 8


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("terms", TERMS)
def test_error_on_gaussian_samples_and_dense_grids(dtype: type, terms: int) -> None:
    rng = np.random.default_rng(terms)
    samples = np.concatenate([rng.normal(size=150), 30 * rng.normal(size=50), np.linspace(-4, 4, 201)])
    assert worst(samples.astype(dtype), terms, 0.1) <= 8
    assert worst(samples.astype(dtype), terms, 1.0) <= 8


@given(
    st.floats(-1e4, 1e4, width=32),
    st.integers(1, 2000),
    st.floats(0.01, 8),
    st.sampled_from(FLOATS),
)
def test_error_anywhere(x: float, terms: int, omega: float, dtype: type) -> None:
    assert worst(np.array([x], dtype), terms, omega) <= 8


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_naive_closed_form_fails_where_this_one_does_not(dtype: type) -> None:
    """So the bound has teeth: sin(2N t) / sin(t) without reduction is outside of it near t = 10 pi."""
    x = around(np.array([10 * np.pi]), dtype)
    x = x[np.sin(x) != 0]
    with mp.workdps(50):
        wanted = np.array([float(exact(float(v), 10, 1.0)) for v in x])
    unreduced = dtype(2 / np.pi) * np.sin(dtype(20) * x) / np.sin(x)
    bound = 8 * np.finfo(dtype).eps * (1 + 10 * np.abs(x)) * 40 / np.pi
    assert (np.abs(unreduced - wanted) > bound).any()


@given(
    seed=st.integers(0, 2**32 - 1),
    terms=st.integers(1, 30),
    omega=st.floats(0.02, 3),
    window=st.sampled_from([np.inf, 1.0, 0.3]),
    dtype=st.sampled_from(FLOATS),
)
def test_equals_the_naive_cosine_sum(seed: int, terms: int, omega: float, window: float, dtype: type) -> None:
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(size=(2, 5, 7)).astype(dtype)
    x.flat[:6] = 0, window if window < 2 else 1, -0.0, 0.3, -0.3, 1
    got, wanted = (f(x, dy, terms, omega, window) for f in (fourier_slope, naive.fourier_slope))
    assert got.dtype == wanted.dtype == dtype
    error = np.abs(got - wanted) / np.maximum(np.abs(dy), 1e-30)
    assert error.max() <= 40 * np.finfo(dtype).eps * terms * omega * (1 + terms * omega * 3)


@pytest.mark.parametrize("dtype", FLOATS)
def test_infinities_nan_zeros_and_the_window(dtype: type) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, 1.0, np.nextafter(dtype(1), dtype(2))], dtype)
    one = np.ones_like(x)
    open_, closed = fourier_slope(x, one, 10, 0.1), fourier_slope(x, one, 10, 0.1, 1.0)
    assert np.isnan(open_[:3]).all()
    assert np.isnan(closed[0])
    assert closed[1:3].tolist() == [0, 0]
    np.testing.assert_allclose(closed[3:6], 4 / np.pi, rtol=2 * np.finfo(dtype).eps)
    assert closed[6] > 0.5
    assert closed[7] == 0
    assert np.isnan(fourier_slope(x, np.inf * one, 10, 0.1, 1.0)[7]), "0 * inf is NaN, as in NumPy"
    huge = fourier_slope(np.array([1e30, -1e30, np.finfo(dtype).max], dtype), np.ones(3, dtype), 10, 0.1)
    assert (np.abs(huge) <= 4 / np.pi * (1 + 1e-6)).all()


def test_layouts_and_the_buffer() -> None:
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 6, 8))
    plain = fourier_slope(x, dy, 10, 0.1)
    np.testing.assert_array_equal(fourier_slope(x.T, dy.T, 10, 0.1), plain.T)
    np.testing.assert_array_equal(fourier_slope(x[::2, ::-1], dy[::2, ::-1], 10, 0.1), plain[::2, ::-1])
    assert fourier_slope(x[:0], dy[:0], 10, 0.1).shape == (0, 8)
    assert fourier_slope(x[0, 0].reshape(()), dy[0, 0].reshape(()), 10, 0.1) == plain[0, 0]
    out = np.empty_like(x)
    assert fourier_slope(x, dy, 10, 0.1, out=out) is out
    np.testing.assert_array_equal(out, plain)


@pytest.mark.parametrize("dtype", FLOATS)
def test_compiled_and_interpreted_agree(dtype: type) -> None:
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 300)).astype(dtype)
    out, number = np.empty_like(x), dtype
    args = (number(0.1 / np.pi), number(10), number(1), elementwise._SINE[dtype], out)
    plain = getattr(elementwise._fourier, "py_func", elementwise._fourier)  # where nothing is compiled
    plain(x, dy, *args)
    np.testing.assert_allclose(fourier_slope(x, dy, 10, 0.1, 1.0), out, rtol=40 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"x": np.zeros(3, np.float16)}, TypeError, "x: required float32 or float64, got float16"),
        ({"dy": np.zeros(4)}, ValueError, r"dy: required float64 \(3,\), like x, got 'float64 \(4,\)'"),
        ({"dy": np.zeros(3, np.float32)}, ValueError, "dy: required float64"),
        ({"out": np.zeros(3, np.float32)}, ValueError, "out: required float64"),
        ({"out": np.zeros(6)[::2]}, ValueError, "out: required a C-contiguous array"),
    ],
)
def test_wrong_arrays_are_named(change: dict[str, Any], kind: type, message: str) -> None:
    with pytest.raises(kind, match=message):
        fourier_slope(**{"x": np.zeros(3), "dy": np.zeros(3), "terms": 2, "omega": 0.1, **change})
