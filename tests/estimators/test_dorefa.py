"""DoReFa-Net: rounding as NumPy rounds, {0, 1} in place of {-1, +1}, a scale that leaves the gradient."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bnn_ref
from bnn_ref import estimators
from bnn_ref.auditing import audit
from bnn_ref.layers import Linear

RNG = np.random.default_rng(0)


@given(bits=st.integers(1, 8), values=st.lists(st.floats(-2, 3), min_size=1, max_size=9))
def test_values_are_rounded_to_the_nearest_level(bits: int, values: list[float]) -> None:
    """Halves go to the even side, as np.round has them; near them n x itself is rounded, so not there."""
    n, x = 2**bits - 1, np.array(values)
    steps = n * np.clip(x, 0, 1)
    clear = np.abs(steps - np.floor(steps) - 0.5) > 1e-9
    found = estimators.get("dorefa-activation", bits=bits)(x)
    np.testing.assert_allclose(found[clear], (np.round(steps) / n)[clear], rtol=1e-15)


@pytest.mark.parametrize(
    ("bits", "halves", "levels"), [(1, [0.5], [0]), (2, [1 / 6, 0.5, 5 / 6], [0, 2 / 3, 2 / 3])]
)
def test_halves_go_to_the_even_side(bits: int, halves: list[float], levels: list[float]) -> None:
    np.testing.assert_array_equal(estimators.get("dorefa-activation", bits=bits)(np.array(halves)), levels)


def test_one_bit_is_0_and_1_and_the_audit_says_so() -> None:
    b = estimators.get("dorefa-activation")
    np.testing.assert_array_equal(b(np.array([-1, 0, 0.49, 0.51, 7])), [0, 0, 0, 1, 1])
    assert "deployed values are 0 or 1" in [check.name for check in audit(b).checks]
    wide = audit(estimators.get("dorefa-activation", bits=2))
    assert wide.passed, str(wide)


def test_the_mask_is_the_unit_interval() -> None:
    x = np.array([-1e-9, 0, 0.3, 1, 1 + 1e-9])
    b = estimators.get("dorefa-activation", bits=3)
    np.testing.assert_array_equal(b.backward(x, np.full(5, 2.0)), [0, 2, 2, 2, 0])


def test_a_scale_that_is_divided_out_leaves_the_identity() -> None:
    """W/E -> sign -> times E, each with its own gradient and sign with the identity: E cancels."""
    w, dy = RNG.normal(size=(2, 3, 3, 4, 5))
    b, scale = estimators.get("dorefa-weight"), np.abs(w).mean()
    np.testing.assert_allclose(b(w), np.where(w < 0, -scale, scale))
    inner = dy * scale  # through "times E", E held
    np.testing.assert_allclose(b.backward(w, dy), inner / scale)


def test_packing_takes_the_weights_and_refuses_the_activations() -> None:
    sign, x = estimators.get("ste"), RNG.normal(size=(6, 5)).astype(np.float32)
    layer = Linear(5, 3, rng=RNG, weight=estimators.get("dorefa-weight"), activation=sign)
    np.testing.assert_array_equal(bnn_ref.pack(layer)(x), layer.eval()(x))
    refused = Linear(5, 3, rng=RNG, weight=sign, activation=estimators.get("dorefa-activation"))
    with pytest.raises(
        ValueError, match=r"required an activation that eval mode computes as shift, sign, .*Quantizer"
    ):
        bnn_ref.pack(refused)


@pytest.mark.parametrize("bits", [0, 9, 1.5])
def test_wrong_parameters_are_named(bits: object) -> None:
    with pytest.raises(ValueError, match="bits: required"):
        estimators.get("dorefa-activation", bits=bits)
