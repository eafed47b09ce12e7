"""Tokens, by hand: where every pixel goes, and where every gradient comes from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bnn_ref.layers import ClassToken, Conv2d, FirstToken, PatchEmbedding, Position, Tokens

RNG = np.random.default_rng(0)


def test_tokens_are_pixels_row_by_row() -> None:
    x = np.arange(2 * 2 * 3 * 2).reshape(2, 2, 3, 2)
    y, cache = Tokens().forward(x)
    assert [token.tolist() for token in y[0]] == [[2 * i, 2 * i + 1] for i in range(6)]
    assert y[1, 4].tolist() == x[1, 1, 1].tolist()
    np.testing.assert_array_equal(Tokens().backward(y, cache), x)


def test_the_class_token_comes_first_and_collects_from_every_image() -> None:
    layer = ClassToken(2, rng=RNG)
    layer.token.value = np.array([7.0, 8.0])
    x = np.arange(12.0).reshape(2, 3, 2)
    y, cache = layer.forward(x)
    assert y[:, 0].tolist() == [[7, 8], [7, 8]]
    np.testing.assert_array_equal(y[:, 1:], x)
    dy = np.arange(16.0).reshape(2, 4, 2)
    np.testing.assert_array_equal(layer.backward(dy, cache), dy[:, 1:])
    assert layer.token.grad is not None
    assert layer.token.grad.tolist() == [0 + 8, 1 + 9]


def test_positions_differ_by_place_and_not_by_image() -> None:
    layer = Position(3, 2, rng=RNG)
    layer.embedding.value = np.array([[1.0, 2], [3, 4], [5, 6]])
    y, cache = layer.forward(np.zeros((2, 3, 2)))
    assert y.tolist() == [[[1, 2], [3, 4], [5, 6]]] * 2
    dy = np.arange(12.0).reshape(2, 3, 2)
    np.testing.assert_array_equal(layer.backward(dy, cache), dy)
    assert layer.embedding.grad is not None
    assert layer.embedding.grad.tolist() == [[6, 8], [10, 12], [14, 16]]


def test_the_first_token_alone_is_read() -> None:
    x = np.arange(12.0).reshape(2, 3, 2)
    y, cache = FirstToken().forward(x)
    assert y.tolist() == [[0, 1], [6, 7]]
    assert y.flags.c_contiguous
    dx = FirstToken().backward(np.array([[1.0, 2], [3, 4]]), cache)
    assert dx.tolist() == [[[1, 2], [0, 0], [0, 0]], [[3, 4], [0, 0], [0, 0]]]


def test_an_embedded_image_patch_by_patch() -> None:
    """Each token is its patch's pixels times a matrix, plus bias and position."""
    rng = np.random.default_rng(1)
    patches = Conv2d(3, 5, 2, stride=2, bias=True, rng=rng)
    layer = PatchEmbedding(patches, (4, 6), rng=rng)
    layer.astype(np.float64)
    patches.bias.value = rng.normal(size=5)
    x = rng.normal(size=(2, 4, 6, 3))
    y: Any = layer(x)
    assert y.shape == (2, 7, 5)
    position, matrix = layer.position.embedding.value, patches.latent.value.reshape(-1, 5)
    for n, row, column in np.ndindex(2, 2, 3):
        pixels = x[n, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].reshape(-1)
        place = 1 + 3 * row + column
        token = pixels @ matrix + patches.bias.value + position[place]
        np.testing.assert_allclose(y[n, place], token, rtol=1e-13)
    np.testing.assert_allclose(y[1, 0], layer.first.token.value + position[0], rtol=1e-15)


def test_first_values_are_small() -> None:
    rng = np.random.default_rng(0)
    for value in (ClassToken(4000, rng=rng).token.value, Position(40, 100, rng=rng).embedding.value):
        assert value.dtype == np.float32
        assert value.std() == pytest.approx(0.02, rel=0.05)
        assert abs(value.mean()) < 0.002


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="patches: required a stride as large as the kernel, got 1"):
        PatchEmbedding(Conv2d(1, 2, 2, rng=RNG), (4, 4), rng=RNG)
    with pytest.raises(ValueError, match=r"size: required H and W divisible by 2, got \(4, 5\)"):
        PatchEmbedding(Conv2d(1, 2, 2, stride=2, rng=RNG), (4, 5), rng=RNG)
    with pytest.raises(ValueError, match=r"Position: required \(3, 2\), got \(2, 2\)"):
        Position(3, 2, rng=RNG)(np.zeros((1, 2, 2)))
