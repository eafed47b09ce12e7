"""ABC-Net: least squares, shifts, gradients base by base, steps whose place and height are learned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

import bnn_ref
from bnn_ref import estimators
from bnn_ref.estimators.abcnet import Base, Coefficients, shifts
from bnn_ref.layers import Activation, Linear

RNG = np.random.default_rng(0)


def test_shifts_run_from_minus_1_to_1() -> None:
    assert shifts(1).tolist() == [0]
    assert shifts(3).tolist() == [-1, 0, 1]
    np.testing.assert_allclose(shifts(5), [-1 + i * 2 / 4 for i in range(5)])


@given(bases=st.integers(1, 5), seed=st.integers(0, 99))
def test_alphas_are_the_least_squares_of_scipy(bases: int, seed: int) -> None:
    """F(W) is the nearest point of the bases' span: scipy's minimiser of the distance finds no nearer one."""
    w = np.random.default_rng(seed).normal(0.3, 1, (3, 3, 2, 4))
    columns = np.stack(
        [np.where(w - w.mean() + u * w.std() < 0, -1, 1).reshape(-1) for u in shifts(bases)], 1
    )
    nearest = optimize.lsq_linear(columns.astype(float), w.reshape(-1))
    found = estimators.get("abc-weight", bases=bases)(w)
    np.testing.assert_allclose(found.reshape(-1), columns @ nearest.x, atol=1e-8)
    assert len(np.unique(found.round(9))) <= bases + 1


def test_more_bases_are_nearer() -> None:
    w = RNG.normal(size=(200, 5))
    gaps = [np.square(w - estimators.get("abc-weight", bases=m)(w)).sum() for m in (1, 2, 3, 5)]
    assert gaps[0] > gaps[1] > gaps[3]
    assert gaps[0] > gaps[2] > gaps[3]


def test_the_gradient_is_the_sum_over_bases() -> None:
    """dW = sum alpha_m dB_m, dB_m the gradient to the output of base m: here by one linear layer a base."""
    w, x, dy = RNG.normal(size=(6, 4)), RNG.normal(size=(9, 6)), RNG.normal(size=(9, 4))
    total = np.zeros_like(w)
    for m in range(3):
        alpha = float(Coefficients(3, m)(w).item())
        total += alpha * (x.T @ dy)
    layer = Linear(6, 4, rng=RNG, bias=False, weight=estimators.get("abc-weight"))
    layer.astype(np.float64)
    layer.latent.value = w
    _, cache = layer.forward(x)
    layer.backward(dy, cache)
    np.testing.assert_allclose(layer.latent.grad, total)


def test_equal_bases_share_their_part() -> None:
    """Of a constant tensor all bases are equal: alphas are not unique, F(W) is."""
    np.testing.assert_allclose(estimators.get("abc-weight")(np.full((3, 4), 0.7)), 0.7)


def test_bases_compare_with_the_mean() -> None:
    w = np.array([1.0, 2.0, 3.0, 10.0])
    np.testing.assert_array_equal(Base(0.0)(w), [-1, -1, -1, 1])
    np.testing.assert_array_equal(Base(1.0)(w), [1, 1, 1, 1])  # 4 - std = 0.46


def test_one_base_is_packed_and_three_are_refused() -> None:
    x = RNG.normal(size=(6, 5)).astype(np.float32)
    for bases in (1, 3):
        rule = estimators.get("abc-weight", bases=bases)
        layer = Linear(5, 3, rng=np.random.default_rng(0), weight=rule, activation=estimators.get("ste"))
        if bases == 1:
            np.testing.assert_array_equal(bnn_ref.pack(layer)(x), layer.eval()(x))
        else:
            with pytest.raises(ValueError, match=r"required weights deployed as signs, .* \(Sum\)"):
                bnn_ref.pack(layer)


def test_a_step_at_one_half_is_the_sign() -> None:
    b = estimators.get("abc-activation", offsets=[0.5])
    x = np.array([-3, -0.5, -1e-9, 0.0, 0.2, 0.5, 0.51])
    np.testing.assert_array_equal(b(x), [-1, -1, -1, 1, 1, 1, 1])
    np.testing.assert_array_equal(b.backward(x, np.ones(7)), [0, 1, 1, 1, 1, 1, 0])


def test_at_first_three_steps_lie_evenly_around_the_sign() -> None:
    """At -1/4, 0 and 1/4, each half as high as a sign."""
    x = np.array([-0.3, -0.2, 0.2, 0.3])
    np.testing.assert_array_equal(estimators.get("abc-activation")(x), [-1.5, -0.5, 0.5, 1.5])


def test_steps_place_and_height_are_learned() -> None:
    """By a naive loop: dv_n counts the window, dbeta_n the signs."""
    offsets, beta = (0.25, 0.5, 0.75), 0.5
    layer = Activation(estimators.get("abc-activation", offsets=offsets), shape=(4,))
    x, dy = RNG.normal(size=(2, 11, 4))
    layer.astype(np.float64)
    y, cache = layer.forward(x)
    layer.backward(dy, cache)
    parameters = layer.parameters()
    places = [p for p in parameters if p.name == "offset"]
    heights = [p for p in parameters if p.name == "constant"]
    assert len(places) == len(heights) == 3
    for v, place, height in zip(offsets, places, heights, strict=True):
        window = sum(beta * g for a, g in zip(x.flat, dy.flat, strict=True) if 0 <= a + v <= 1)
        signs = sum((1 if a >= 0.5 - v else -1) * g for a, g in zip(x.flat, dy.flat, strict=True))
        assert float(place.grad) == pytest.approx(window)
        assert float(height.grad) == pytest.approx(signs)
    assert set(np.unique(y)) <= {-1.5, -0.5, 0.5, 1.5}


def test_eval_mode_keeps_the_learned_steps() -> None:
    layer = Activation(estimators.get("abc-activation", offsets=(0.0, 1.0)), shape=(4,))
    for parameter in layer.parameters():
        parameter.value = np.asarray(parameter.value + 0.25)
    x = RNG.normal(size=(20, 4))
    np.testing.assert_array_equal(layer.eval()(x), layer.train()(x))
    with pytest.raises(ValueError, match=r"that eval mode computes as shift, .*sign, .*got Sum"):
        bnn_ref.pack(Linear(4, 3, rng=RNG, activation=estimators.get("abc-activation")))


@pytest.mark.parametrize(
    ("name", "key", "value", "wanted"),
    [
        ("abc-weight", "bases", 0, "a whole number >= 1"),
        ("abc-activation", "offsets", (), "at least one number"),
        ("abc-activation", "offsets", ("a",), "at least one number"),
    ],
)
def test_wrong_parameters_are_named(name: str, key: str, value: object, wanted: str) -> None:
    with pytest.raises(ValueError, match=f"{key}: required {wanted}"):
        estimators.get(name, **{key: value})
