"""DoReFa-Net: rounding as NumPy rounds, {0, 1} in place of {-1, +1}, a scale that leaves the gradient."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bnn_ref
from bnn_ref import estimators
from bnn_ref.auditing import audit
from bnn_ref.estimators.dorefa import GradientQuantizer
from bnn_ref.layers import Activation, Linear

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
    wanted = r"required an activation that eval mode computes as shift, .*sign, .*got Quantizer"
    with pytest.raises(ValueError, match=wanted):
        bnn_ref.pack(refused)


@pytest.mark.parametrize("bits", [0, 9, 1.5])
def test_wrong_parameters_are_named(bits: object) -> None:
    with pytest.raises(ValueError, match="bits: required"):
        estimators.get("dorefa-activation", bits=bits)


# Gradients


def rounded(dy: np.ndarray, bits: int, seed: int = 0) -> np.ndarray:
    return GradientQuantizer(bits, seed).vjp(np.zeros_like(dy), dy)


@given(bits=st.integers(1, 8), seed=st.integers(0, 99))
def test_each_image_s_gradient_takes_2_to_the_k_values_up_to_its_largest(bits: int, seed: int) -> None:
    dy = np.random.default_rng(seed).normal(size=(3, 5, 5, 4)) * np.array([1, 1e-6, 50]).reshape(3, 1, 1, 1)
    n = 2**bits - 1
    for before, after in zip(dy, rounded(dy, bits, seed), strict=True):
        largest = np.abs(before).max()
        steps = (after / largest + 1) / 2 * n
        np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
        assert steps.min() > -1e-9
        assert steps.max() < n + 1e-9
        assert np.abs(after - before).max() <= 2 * largest / n * (1 + 1e-9), "one step at most"


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_by_chance_it_is_right_in_the_mean(bits: int) -> None:
    """E dx = dy, at both ends too: by chances that are exact, not by their draws' own formula."""
    dy = np.array([[-2.0, -1.9, -0.7, 0.0, 0.3, 1.99, 2.0]])
    many = np.stack([rounded(dy, bits, seed)[0] for seed in range(4000)])
    deviation = 4 / (2**bits - 1) / 2 / np.sqrt(4000)
    np.testing.assert_allclose(many.mean(axis=0), dy[0], atol=5 * deviation)
    np.testing.assert_array_equal(many[:, [0, -1]], np.tile([-2.0, 2.0], (4000, 1)))
    assert (np.ptp(many[:, 1:-1], axis=0) > 0).all()


def test_a_gradient_of_zeros_stays_one() -> None:
    dy = np.array([[0.0, 0.0], [1.0, -1.0]], np.float32)
    np.testing.assert_array_equal(rounded(dy, 3), dy)


def test_values_pass_and_every_draw_is_another() -> None:
    layer = Activation(estimators.get("dorefa-gradient", bits=2))
    x, dy = RNG.normal(size=(2, 6, 5))
    seen = []
    for seed in range(2):
        layer.draw(np.random.default_rng(seed))
        y, cache = layer.forward(x)
        np.testing.assert_array_equal(y, x)
        layer.draw(np.random.default_rng(9))
        seen.append(layer.backward(dy, cache))
        layer.draw(np.random.default_rng(seed))
        np.testing.assert_array_equal(layer.backward(dy, layer.forward(x)[1]), seen[-1])
    assert (seen[0] != seen[1]).any()


@pytest.mark.parametrize("bits", [0, 9, 1.5])
def test_bits_of_gradients_are_named(bits: float) -> None:
    with pytest.raises(ValueError, match="bits: required"):
        estimators.get("dorefa-gradient", bits=bits)
