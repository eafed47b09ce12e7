"""How far float32 products may be from the exact sums: a bound for whatever order they are added in.

The sum of n products, each of them and each sum rounded by a share of at most u = 2^-24, is off by at most
n u / (1 - n u) times the sum of their absolute values: Higham, Accuracy and Stability of Numerical
Algorithms, 2002, section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.kernels import conv2d, linear, naive
from bnn_ref.parameter import Array

UNIT = 2.0**-24
CHANNELS = st.one_of(st.integers(1, 9), st.integers(1, 600))


def require_close(y: Array, terms: int, exact: Callable[..., Any], x: Array, w: Array, *window: int) -> None:
    """`exact` in float64 is off by less than a millionth of the bound."""
    wide = [part.astype(np.float64) for part in (x, w)]
    bound = terms * UNIT / (1 - terms * UNIT) * exact(*map(np.abs, wide), *map(abs, window))
    assert y.dtype == np.float32
    assert (abs(y - exact(*wide, *window)) <= bound).all()


def normal(rng: np.random.Generator, *shape: int) -> Array:
    return rng.normal(size=shape).astype(np.float32)


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Any, ...]:
    """x, w, stride, padding, dilation, pad: up to 29,400 products an output, and at least one output."""
    kernel, channels, filters = draw(st.integers(1, 7)), draw(CHANNELS), draw(st.integers(1, 40))
    stride, padding, dilation = draw(st.integers(1, 3)), draw(st.integers(0, 3)), draw(st.integers(1, 3))
    least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    size = draw(st.tuples(*[st.integers(least, least + 2)] * 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x, w = (
        normal(rng, draw(st.integers(1, 2)), *size, channels),
        normal(rng, kernel, kernel, channels, filters),
    )
    return x, w, stride, padding, dilation, draw(st.sampled_from([0, 1, -1]))


@given(convolutions())
def test_convolutions(problem: tuple[Any, ...]) -> None:
    require_close(conv2d(*problem), problem[1][..., 0].size, naive.conv2d, *problem)


@given(st.integers(1, 9), CHANNELS, st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_linear(rows: int, channels: int, filters: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, w = normal(rng, rows, channels), normal(rng, channels, filters)
    require_close(linear(x, w), channels, naive.linear, x, w)


def test_inputs_of_16_bits_are_outside() -> None:
    rng = np.random.default_rng(0)
    x, w = normal(rng, 1, 5, 5, 16), normal(rng, 3, 3, 16, 8)
    require_close(conv2d(x, w), 9 * 16, naive.conv2d, x, w)
    with pytest.raises(AssertionError):
        require_close(conv2d(x.astype(np.float16).astype(np.float32), w), 9 * 16, naive.conv2d, x, w)
