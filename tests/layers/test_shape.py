"""Layers that only arrange or add."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.layers import Add, Concat, Flatten, PadShortcut


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 2), (4,), (1, 1, 1, 1)])
def test_flatten_keeps_c_order_and_backward_undoes_it(shape: tuple[int, ...]) -> None:
    x = np.asfortranarray(np.arange(np.prod(shape), dtype=np.float64).reshape(shape))
    y, cache = Flatten().forward(x)
    assert y.shape == (shape[0], np.prod(shape[1:], dtype=int))
    for n in range(shape[0]):
        assert y[n].tolist() == list(np.ravel(x[n]))
    np.testing.assert_array_equal(Flatten().backward(y, cache), x)


def test_add_sends_the_gradient_both_ways() -> None:
    a, b, dy = np.array([1.0, 2]), np.array([10.0, 20]), np.array([5.0, 7])
    y, cache = Add().forward(a, b)
    assert y.tolist() == [11, 22]
    assert [g.tolist() for g in Add().backward(dy, cache)] == [[5, 7], [5, 7]]


@pytest.mark.parametrize("other", [(3,), (2, 1), (), (1, 2, 3)])
def test_add_does_not_broadcast(other: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"Add: required two inputs of one shape, got \(2, 3\)"):
        Add()(np.zeros((2, 3)), np.zeros(other))


def test_flatten_of_an_empty_batch() -> None:
    assert Flatten()(np.zeros((0, 2, 3))).shape == (0, 6)


@given(
    shape=st.tuples(*(st.integers(0, 2), *(st.integers(1, 7),) * 2, st.integers(1, 3))),
    stride=st.integers(1, 4),
    zeros=st.integers(0, 3),
    dtype=st.sampled_from([np.float32, np.float64, np.complex128]),
)
def test_pad_shortcut_pixel_by_pixel(shape: tuple[int, ...], stride: int, zeros: int, dtype: Any) -> None:
    """Every number that goes through is found at its place, and its gradient comes from there."""
    x = np.arange(1, 1 + np.prod(shape)).reshape(shape).astype(dtype)
    layer = PadShortcut(stride, zeros)
    y, cache = layer.forward(x)
    n, h, w, c = shape
    assert y.shape == (n, -(-h // stride), -(-w // stride), c + 2 * zeros)
    dy = np.random.default_rng(0).normal(size=y.shape).astype(dtype)
    dx = layer.backward(dy, cache)
    assert (y.dtype, dx.dtype, dx.shape) == (dtype, dtype, x.shape)
    left = y.copy()
    for i, row, column, channel in np.ndindex(shape):
        kept = row % stride == column % stride == 0
        place = i, row // stride, column // stride, channel + zeros
        assert dx[i, row, column, channel] == (dy[place] if kept else 0)
        if kept:
            assert y[place] == x[i, row, column, channel]
            left[place] = 0
    assert not left.any(), "all else is zero"


@pytest.mark.parametrize("shape", [(2, 4, 4), (4,), (1, 2, 2, 3, 3)])
def test_pad_shortcut_takes_images(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"PadShortcut: required an input of shape \(N, H, W, C\), got \("):
        PadShortcut(2, 1)(np.zeros(shape))


@pytest.mark.parametrize(
    ("stride", "zeros", "message"),
    [
        (0, 1, "stride: required a whole number >= 1, got 0"),
        (2.0, 1, "stride: required a whole number >= 1, got 2.0"),
        (2, -1, "zeros: required a whole number >= 0, got -1"),
        (2, True, "zeros: required a whole number >= 0, got True"),
    ],
)
def test_pad_shortcut_refuses(stride: Any, zeros: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PadShortcut(stride, zeros)


def test_concat_puts_the_second_behind_the_first_and_splits_the_gradient() -> None:
    a, b = np.arange(4.0).reshape(2, 2), np.arange(6.0).reshape(2, 3) + 10
    y, cache = Concat().forward(a, b)
    assert y.tolist() == [[0, 1, 10, 11, 12], [2, 3, 13, 14, 15]]
    da, db = Concat().backward(2 * y, cache)
    np.testing.assert_array_equal(da, 2 * a)
    np.testing.assert_array_equal(db, 2 * b)
    with pytest.raises(ValueError, match="Concat: required two inputs that differ in channels only"):
        Concat()(np.zeros((2, 3)), np.zeros((3, 3)))
