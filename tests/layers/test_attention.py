"""Attention against loops over images, heads and places; and what softmax means for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bnn_ref
from bnn_ref import estimators
from bnn_ref.layers import Attention, Linear, MultiHeadAttention

SIZES = st.tuples(
    st.integers(1, 2), st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3)
)


def loops(q: Any, k: Any, v: Any, heads: int) -> Any:
    """One output number after another: a mean of values, weighed by exp(score)."""
    n, places, width = q.shape
    d = width // heads
    y = np.zeros(q.shape, np.result_type(q, k, v))
    for i, t, h, c in np.ndindex(n, places, heads, d):
        part = slice(h * d, (h + 1) * d)
        weights = [np.exp(sum(q[i, t, part] * k[i, s, part]) / d**0.5) for s in range(k.shape[1])]
        y[i, t, h * d + c] = sum(w * v[i, s, h * d + c] for s, w in enumerate(weights)) / sum(weights)
    return y


@given(seed=st.integers(0, 2**32 - 1), sizes=SIZES)
def test_value_and_gradients_along_a_random_direction(seed: int, sizes: tuple[int, ...]) -> None:
    n, t, s, heads, d = sizes
    rng = np.random.default_rng(seed)
    xs = [rng.normal(size=(n, places, heads * d)) for places in (t, s, s)]
    y, cache = Attention(heads).forward(*xs)
    np.testing.assert_allclose(y, loops(*xs, heads), rtol=1e-12, atol=1e-13)
    dy = rng.normal(size=y.shape)
    dxs = Attention(heads).backward(dy, cache)
    for i, (x, dx) in enumerate(zip(xs, dxs, strict=True)):
        along = rng.normal(size=x.shape)
        moved = [*xs[:i], x + 1e-30j * along, *xs[i + 1 :]]
        expected = np.sum(dy * loops(*moved, heads)).imag * 1e30
        np.testing.assert_allclose(np.sum(dx * along), expected, rtol=1e-10, atol=1e-12)


def test_every_entry_of_every_gradient(derivative: Any) -> None:
    rng = np.random.default_rng(0)
    xs = [rng.normal(size=(2, places, 4)) for places in (2, 3, 3)]
    y, cache = Attention(2).forward(*xs)
    dy = rng.normal(size=y.shape)
    for i, dx in enumerate(Attention(2).backward(dy, cache)):

        def value(z: Any, i: int = i) -> Any:
            return loops(*xs[:i], z, *xs[i + 1 :], 2)

        np.testing.assert_allclose(dx, derivative(value, xs[i], dy), rtol=1e-11, atol=1e-14)


def test_one_key_is_the_answer_and_equal_keys_give_the_mean() -> None:
    rng = np.random.default_rng(0)
    q, k, v = (rng.normal(size=(2, 3, 4)) for _ in range(3))
    np.testing.assert_allclose(Attention(2)(q, k[:, :1], v[:, :1]), np.repeat(v[:, :1], 3, 1), rtol=1e-15)
    same = np.repeat(k[:, :1], 3, axis=1)
    mean = np.repeat(v.mean(axis=1, keepdims=True), 3, axis=1)
    np.testing.assert_allclose(Attention(2)(q, same, v), mean, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_of_any_size_neither_overflow_nor_warn(dtype: Any) -> None:
    """With scores a thousand apart the largest takes all."""
    k = np.eye(3, dtype=dtype)[None] * dtype(1000)
    v = np.arange(9, dtype=dtype).reshape(1, 3, 3)
    y, cache = Attention(1).forward(k, k, v)
    np.testing.assert_array_equal(y, v)
    assert all(np.isfinite(dx).all() for dx in Attention(1).backward(np.ones_like(y), cache))


@given(seed=st.integers(0, 2**32 - 1))
def test_a_vector_added_to_every_key_changes_nothing(seed: int) -> None:
    """It adds one number to all scores of a query: so the keys' bias has no gradient."""
    rng = np.random.default_rng(seed)
    layer = MultiHeadAttention(4, 2, lambda c, f: Linear(c, f, rng=rng)).astype(np.float64)
    x = rng.normal(size=(2, 3, 4))
    y, cache = layer.forward(x)
    layer.backward(rng.normal(size=y.shape), cache)
    np.testing.assert_allclose(layer.key.bias.grad, 0, atol=1e-14)
    assert np.abs(layer.query.bias.grad).max() > 1e-6
    layer.key.bias.value = rng.normal(size=4)
    np.testing.assert_allclose(layer(x), y, rtol=1e-11, atol=1e-13)


@given(seed=st.integers(0, 2**32 - 1), places=st.integers(1, 5))
def test_permuted_places_give_permuted_answers(seed: int, places: int) -> None:
    rng = np.random.default_rng(seed)
    layer = MultiHeadAttention(6, 3, lambda c, f: Linear(c, f, rng=rng)).astype(np.float64)
    x, order = rng.normal(size=(2, places, 6)), rng.permutation(places)
    np.testing.assert_allclose(layer(x[:, order]), layer(x)[:, order], rtol=1e-10, atol=1e-12)


def test_multiplications_of_scores_and_values() -> None:
    """Counted by arrays of objects that count their own multiplications."""
    made = []

    class Counted:
        def __mul__(self, other: Any) -> Counted:
            made.append(1)
            return self

        def __add__(self, other: Any) -> Counted:
            return self

    q, k = (np.full(shape, Counted(), object) for shape in ((5, 6), (3, 6)))
    for h in range(2):  # scores (5, 3) of each head, and their products with the values
        part = slice(3 * h, 3 * h + 3)
        scores = q[:, part] @ k[:, part].T
        assert (scores @ k[:, part]).shape == (5, 3)
    assert Attention(2).macs((5, 6), (3, 6), (3, 6)) == len(made)


@pytest.mark.parametrize("binary", ["none", "weights", "both"])
def test_the_audit_passes(binary: str) -> None:
    sign = estimators.get("approxsign")
    options = {"none": {}, "weights": {"weight": sign}, "both": {"weight": sign, "activation": sign}}[binary]
    rng = np.random.default_rng(0)
    layer = MultiHeadAttention(6, 2, lambda c, f: Linear(c, f, rng=rng, **options))
    report = bnn_ref.audit_layer(layer, rng.normal(size=(3, 5, 6)))
    assert report.passed, str(report)


def test_what_it_refuses() -> None:
    with pytest.raises(ValueError, match="heads: required a divisor of 6 channels, got 4"):
        MultiHeadAttention(6, 4, lambda c, f: Linear(c, f, rng=np.random.default_rng(0)))
    with pytest.raises(ValueError, match="heads: required a whole number >= 1, got 0"):
        Attention(0)
    x = np.zeros((2, 3, 4))
    with pytest.raises(ValueError, match=r"Attention: required \(T, D\), \(S, D\) and \(S, D\) with D divis"):
        Attention(2)(x, x, x[:, :2])
    with pytest.raises(ValueError, match="divisible by 3"):
        Attention(3)(x, x, x)
