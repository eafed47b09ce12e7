"""A parameter collects gradients, copies none and shares itself; `unbroadcast` undoes what NumPy did."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.parameter import Parameter, unbroadcast, value_of


def test_gradients_add_up_and_are_forgotten() -> None:
    parameter = Parameter(np.zeros(2, np.float32), "w")
    assert parameter.grad is None
    parameter.accumulate(np.array([1, 2], np.float32))
    parameter.accumulate(np.array([10, 20], np.float32))
    assert parameter.grad.tolist() == [11, 22]
    assert parameter.grad.dtype == np.float32
    parameter.zero_grad()
    assert parameter.grad is None


def test_a_gradient_is_neither_kept_nor_written_to() -> None:
    parameter, grad = Parameter(np.zeros(2)), np.array([1.0, 2.0])
    parameter.accumulate(grad)
    grad[:] = 99
    assert parameter.grad.tolist() == [1, 2]
    grad.flags.writeable = False
    held = parameter.grad
    parameter.accumulate(grad)
    assert parameter.grad.tolist() == [100, 101]
    assert held.tolist() == [1, 2], "who read the gradient before keeps what was read"


@pytest.mark.parametrize("shape", [(2,), (1, 3), (3, 1), (), (3, 2)])
def test_a_gradient_of_another_shape_is_refused_not_broadcast(shape: tuple[int, ...]) -> None:
    parameter = Parameter(np.zeros((2, 3)), "weight")
    with pytest.raises(ValueError, match=r"gradient of weight: required shape \(2, 3\), got") as caught:
        parameter.accumulate(np.zeros(shape))
    assert str(shape) in str(caught.value)
    assert parameter.grad is None


def test_the_value_is_shared_not_copied() -> None:
    value = np.ones(3)
    assert Parameter(value).value is value


def test_repr_says_name_shape_and_dtype() -> None:
    parameter = Parameter(np.zeros((2, 3), np.float32), "slope")
    assert repr(parameter) == "Parameter('slope', shape=(2, 3), dtype=float32)"


def test_value_of_a_number_and_of_a_parameter() -> None:
    held = np.array(0.5)
    assert value_of(0.25) == 0.25
    assert value_of(Parameter(held)) is held


@st.composite
def broadcasts(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """A shape, and one that it broadcasts to."""
    wide = draw(st.lists(st.integers(0, 3), max_size=4))
    narrow = [1 if draw(st.booleans()) else n for n in wide][draw(st.integers(0, len(wide))) :]
    return tuple(narrow), tuple(wide)


@given(shapes=broadcasts(), seed=st.integers(0, 2**32 - 1))
def test_unbroadcast_is_the_transpose_of_broadcasting(shapes: Any, seed: int) -> None:
    """<broadcast(p), g> = <p, unbroadcast(g)>, for any p and g."""
    narrow, wide = shapes
    rng = np.random.default_rng(seed)
    p, g = rng.normal(size=narrow), rng.normal(size=wide)
    back = unbroadcast(g, narrow)
    assert np.shape(back) == narrow
    np.testing.assert_allclose(np.sum(np.broadcast_to(p, wide) * g), np.sum(p * back), rtol=1e-10, atol=1e-10)


def test_unbroadcast_keeps_dtype_and_input() -> None:
    grad = np.ones((4, 3), np.float32)
    grad.flags.writeable = False
    assert unbroadcast(grad, (1, 3)).dtype == np.float32
    assert unbroadcast(grad, (1, 3)).tolist() == [[4, 4, 4]]
    assert unbroadcast(grad, ()).item() == 12


def test_the_gradient_of_a_number_stays_an_array() -> None:
    parameter = Parameter(np.array(0.5))
    for _ in range(2):
        parameter.accumulate(np.array(1.0))
    assert isinstance(parameter.grad, np.ndarray)
