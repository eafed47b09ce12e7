"""Pools are loops over windows; the maximum is the first one, and padding never wins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bnn_ref.basepoint import record, replay
from bnn_ref.kernels.naive import output_size
from bnn_ref.layers import AvgPool2d, GlobalAvgPool, MaxPool2d


def windows(x: Any, k: int, stride: int, padding: int, ceil: bool) -> Any:
    """For every output pixel the pairs (row, column) of its window that lie in the image, row by row, and how
    many lie in image or padding."""
    n, height, width, c = x.shape
    for row in range(output_size(height, k, stride, padding, ceil)):
        for column in range(output_size(width, k, stride, padding, ceil)):
            taps = [
                (row * stride + ky - padding, column * stride + kx - padding)
                for ky in range(k)
                for kx in range(k)
            ]
            inside = [(i, j) for i, j in taps if 0 <= i < height and 0 <= j < width]
            held = sum(i < height + padding and j < width + padding for i, j in taps)
            for image in range(n):
                for channel in range(c):
                    yield (image, row, column, channel), inside, held


def loops(
    kind: str, x: Any, k: int, stride: int, padding: int, dy: Any = None, ceil: bool = False
) -> tuple[Any, Any]:
    """Forward values and, for a gradient `dy` of their shape, the gradient to x."""
    n, height, width, c = x.shape
    shape = n, *(output_size(size, k, stride, padding, ceil) for size in (height, width)), c
    y, dx = np.zeros(shape, x.dtype), np.zeros(x.shape)
    for at, inside, held in windows(x, k, stride, padding, ceil):
        image, _, _, channel = at
        values = [x[image, i, j, channel] for i, j in inside]
        if kind == "max":
            winner = values.index(max(values))  # the first of several
            y[at] = values[winner]
            i, j = inside[winner]
            dx[image, i, j, channel] += 0 if dy is None else dy[at]
        else:
            y[at] = sum(values) / held
            for i, j in inside:
                dx[image, i, j, channel] += 0 if dy is None else dy[at] / held
    return y, dx


@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["max", "avg"]),
    shape=st.tuples(st.integers(0, 2), st.integers(1, 6), st.integers(1, 6), st.integers(1, 2)),
    k=st.integers(1, 3),
    stride=st.one_of(st.none(), st.integers(1, 4)),
    padding=st.integers(0, 1),
    levels=st.sampled_from([2, 3, None]),
    ceil=st.booleans(),
)
def test_any_geometry_with_and_without_ties(
    seed: int,
    kind: str,
    shape: tuple[int, ...],
    k: int,
    stride: int | None,
    padding: int,
    levels: int | None,
    ceil: bool,
) -> None:
    """`levels` = 2 is the case that matters: a pool of signs, where three windows in four tie."""
    assume(padding < k and (ceil or k <= min(shape[1:3]) + 2 * padding))
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape) if levels is None else rng.integers(-1, levels - 1, shape).astype(float)
    layer = {"max": MaxPool2d, "avg": AvgPool2d}[kind](k, stride, padding, ceil)
    y, cache = layer.forward(x)
    dy = rng.normal(size=y.shape)
    expected, dx = loops(kind, x, k, k if stride is None else stride, padding, dy, ceil)
    np.testing.assert_allclose(y, expected, rtol=0, atol=0 if kind == "max" else 1e-14)
    np.testing.assert_allclose(layer.backward(dy, cache), dx, rtol=0, atol=1e-13)


@pytest.mark.parametrize("pool", [MaxPool2d, AvgPool2d])
def test_what_hangs_over_the_end_holds_nothing(pool: Any) -> None:
    """The last of three windows of two pixels has one: its own value, and all of its gradient."""
    layer = pool(2, ceil=True)
    x = np.full((1, 5, 1, 1), -3.0)
    y, cache = layer.forward(x)
    assert y.ravel().tolist() == [-3, -3, -3]
    assert layer.backward(np.ones_like(y), cache)[0, 4].item() == 1
    assert pool(2)(x[:, :, [0, 0]]).shape == (1, 2, 1, 1)
    with pytest.raises(ValueError, match="ceil: required True or False, got 1"):
        pool(2, ceil=1)


def test_overlapping_windows_add_their_gradients() -> None:
    """One peak in the middle of 3x3 is the maximum of all four 2x2 windows."""
    x = np.zeros((1, 3, 3, 1))
    x[0, 1, 1, 0] = 5
    layer = MaxPool2d(2, stride=1)
    _, cache = layer.forward(x)
    dx = layer.backward(np.array([1.0, 10, 100, 1000]).reshape(1, 2, 2, 1), cache)
    assert dx[0, :, :, 0].tolist() == [[0, 0, 0], [0, 1111, 0], [0, 0, 0]]


def test_negative_images_do_not_see_the_padding() -> None:
    x = np.full((1, 2, 2, 1), -7.0)
    assert MaxPool2d(3, stride=1, padding=1)(x).tolist() == np.full((1, 2, 2, 1), -7.0).tolist()
    np.testing.assert_allclose(AvgPool2d(3, stride=1, padding=1)(x), np.full((1, 2, 2, 1), -7 * 4 / 9))


def test_a_nan_in_the_window_is_its_maximum() -> None:
    x = np.array([3.0, np.nan, 5.0, 1.0]).reshape(1, 2, 2, 1)
    assert np.isnan(MaxPool2d(2)(x)).all()


def test_ties_are_counted_by_window_and_the_winner_is_kept() -> None:
    x = np.array([[1.0, 1, 2, 3], [0, 0, 1, 0]]).reshape(1, 2, 4, 1)
    layer = MaxPool2d(2)
    with record() as point:
        y, _ = layer.forward(x)
    assert point.on_kinks == 1
    assert y.ravel().tolist() == [1, 3]
    with replay(point):
        assert layer.forward(-x)[0].ravel().tolist() == [-1, -3]


def test_the_complex_maximum_is_that_of_the_real_parts() -> None:
    x = np.array([1 + 9j, 2 - 5j, 2 + 7j, 0]).reshape(1, 2, 2, 1)
    assert MaxPool2d(2)(x).item() == 2 - 5j


@pytest.mark.parametrize("shape", [(2, 3, 5, 2), (1, 1, 1, 1)])
def test_global_average(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, layer = rng.normal(size=shape), GlobalAvgPool()
    y, cache = layer.forward(x)
    dy = rng.normal(size=y.shape)
    dx = layer.backward(dy, cache)
    pixels = shape[1] * shape[2]
    for n, c in np.ndindex(shape[0], shape[3]):
        assert y[n, c] == pytest.approx(sum(x[n, :, :, c].flat) / pixels, abs=1e-15)
        np.testing.assert_allclose(dx[n, :, :, c] * pixels, np.full(shape[1:3], dy[n, c]))


@pytest.mark.parametrize("pool", [MaxPool2d, AvgPool2d])
def test_windows_that_do_not_fit_are_refused(pool: Any) -> None:
    with pytest.raises(ValueError, match="output_size"):
        pool(3)(np.zeros((1, 2, 2, 1)))
    for arguments, name in (((2, 0), "stride"), ((0,), "kernel_size"), ((2, 1, -1), "padding")):
        with pytest.raises(ValueError, match=f"{name}: required a whole number"):
            pool(*arguments)


def test_a_maximum_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="padding"):
        MaxPool2d(2, padding=2)(np.zeros((1, 2, 2, 1)))


def test_padding_never_takes_the_gradient() -> None:
    for layer, size in ((MaxPool2d(2, padding=1), 2), (MaxPool2d(2, ceil=True), 3)):
        _, cache = layer.forward(np.full((1, size, size, 1), -np.inf))
        assert layer.backward(np.ones((1, 2, 2, 1)), cache).sum() == 4
