"""Layers that only arrange or add."""

from __future__ import annotations

import numpy as np
import pytest

from bnn_ref.layers import Add, Flatten


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
