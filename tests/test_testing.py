"""The checks offered to other people's suites raise with the report, and pass what is right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import find, given

from bnn_ref import estimators, testing
from bnn_ref.kernels import naive, pack_signs
from bnn_ref.layers import Linear
from bnn_ref.parameter import Array


def test_what_is_right_passes_and_gives_its_report() -> None:
    b = estimators.get("fda")
    assert testing.check_binarizer(b).passed
    assert testing.check_operation(b.forward, b.backward, "fda").passed
    rng = np.random.default_rng(0)
    assert testing.check_layer(Linear(3, 2, rng=rng), rng.normal(size=(4, 3))).passed


def test_what_is_wrong_raises_with_the_table() -> None:
    b = estimators.get("fda")
    with pytest.raises(AssertionError, match=r"FAIL slope .*required .*got"):
        testing.check_operation(b.forward, lambda x, dy: 1.01 * b.backward(x, dy), "fda")


def test_kernels_are_held_against_their_twin() -> None:
    x = np.random.default_rng(0).normal(size=(3, 70)).astype(np.float32)
    testing.check_kernel(pack_signs, naive.pack_signs, x)
    with pytest.raises(AssertionError, match=r"at \(1,\): required 2, got 3 \(1 elements differ\)"):
        testing.check_kernel(lambda a: a + np.array([0, 1]), lambda a: a.copy(), np.array([1, 2]))
    with pytest.raises(AssertionError, match="dtype: required int64, got float64"):
        testing.check_kernel(lambda a: a * 1.0, lambda a: a.copy(), np.array([1, 2]))

    def writes(a: Array) -> Array:
        a += 1
        return a

    with pytest.raises(AssertionError, match="argument 0 was written to"):
        testing.check_kernel(writes, lambda a: a + 1, np.array([1, 2]))


@pytest.mark.parametrize("wanted", [0.0, 0.7, np.nextafter(0.7, 1), np.nextafter(-0.7, -1), 5e-324, 3.0])
def test_the_strategy_reaches_awkward_points(wanted: float) -> None:
    assert find(testing.awkward_floats(0.7), lambda x: x == wanted) == wanted


@given(x=testing.awkward_arrays(1.0, dtype=np.float32))
def test_arrays_have_the_dtype_asked_for(x: Array) -> None:
    assert x.dtype == np.float32
    assert x.ndim <= 3
