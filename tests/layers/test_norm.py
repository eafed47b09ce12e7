"""Normalization against loops over channels and against what it is for: mean, variance, invariance."""

from __future__ import annotations

import statistics
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.layers import BatchNorm, LayerNorm

SHAPES = st.one_of(
    st.tuples(st.integers(2, 9), st.integers(1, 3)),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(2, 3), st.integers(1, 3)),
)


def layer64(rng: np.random.Generator, channels: int, **options: Any) -> BatchNorm:
    layer = BatchNorm(channels, **options)
    layer.astype(np.float64)
    layer.gamma.value, layer.beta.value = rng.normal(size=(2, channels))
    return layer


def loops(x: Any, gamma: Any, beta: Any, eps: float) -> Any:
    """Channel by channel, in the words of the paper's Algorithm 1."""
    y = np.zeros(x.shape, np.result_type(x, gamma, beta))
    for c in range(x.shape[-1]):
        values = list(x[..., c].flat)
        mean = sum(values) / len(values)
        variance = sum((v - mean) ** 2 for v in values) / len(values)
        for at in np.ndindex(x.shape[:-1]):
            y[(*at, c)] = gamma[c] * (x[(*at, c)] - mean) / (variance + eps) ** 0.5 + beta[c]
    return y


@given(seed=st.integers(0, 2**32 - 1), shape=SHAPES, eps=st.sampled_from([1e-5, 1e-3, 1.0]))
def test_forward_and_gradients_along_a_random_direction(
    seed: int, shape: tuple[int, ...], eps: float
) -> None:
    rng = np.random.default_rng(seed)
    layer = layer64(rng, shape[-1], eps=eps)
    gamma, beta = layer.gamma.value, layer.beta.value
    x = rng.normal(3, 2, size=shape)
    vx, vgamma, vbeta = (rng.normal(size=a.shape) for a in (x, gamma, beta))
    moved = loops(x + 1e-30j * vx, gamma + 1e-30j * vgamma, beta + 1e-30j * vbeta, eps)
    y, cache = layer.forward(x)
    np.testing.assert_allclose(y, moved.real, rtol=1e-10, atol=1e-10)
    dy = rng.normal(size=shape)
    dx = layer.backward(dy, cache)
    along = np.sum(dx * vx), np.sum(layer.gamma.grad * vgamma), np.sum(layer.beta.grad * vbeta)
    scale = 1 + np.abs(dx).max() + np.abs(moved.imag).max() * 1e30
    np.testing.assert_allclose(sum(along), np.sum(dy * moved.imag) * 1e30, rtol=1e-8, atol=1e-8 * scale)


def test_every_entry_of_every_gradient(derivative: Any) -> None:
    rng = np.random.default_rng(0)
    layer = layer64(rng, 2)
    gamma, beta, x = layer.gamma.value, layer.beta.value, rng.normal(size=(3, 2, 2, 2))
    _, cache = layer.forward(x)
    dy = rng.normal(size=x.shape)
    dx = layer.backward(dy, cache)
    np.testing.assert_allclose(dx, derivative(lambda z: loops(z, gamma, beta, 1e-5), x, dy), atol=1e-13)
    expected = derivative(lambda z: loops(x, z, beta, 1e-5), gamma, dy)
    np.testing.assert_allclose(layer.gamma.grad, expected, atol=1e-13)
    expected = derivative(lambda z: loops(x, gamma, z, 1e-5), beta, dy)
    np.testing.assert_allclose(layer.beta.grad, expected, atol=1e-13)


@given(seed=st.integers(0, 2**32 - 1), shape=SHAPES)
def test_the_output_has_mean_beta_and_variance_gamma_squared(seed: int, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(seed)
    layer = layer64(rng, shape[-1], eps=1e-30)
    y = layer(rng.normal(-5, 3, size=shape))
    for c in range(shape[-1]):
        values = [float(v) for v in y[..., c].flat]
        assert statistics.fmean(values) == pytest.approx(layer.beta.value[c], abs=1e-9)
        assert statistics.pvariance(values) == pytest.approx(layer.gamma.value[c] ** 2, rel=1e-9)


@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(1e-3, 1e3),
    shift=st.floats(-100, 100),
)
def test_scale_and_shift_of_the_input_do_not_matter(seed: int, scale: float, shift: float) -> None:
    """y(s x + t) = y(x), so s dx(s x + t) = dx(x), and dx is orthogonal to 1 and to x."""
    rng = np.random.default_rng(seed)
    layer = layer64(rng, 2, eps=1e-300)
    x, dy = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
    y, cache = layer.forward(x)
    moved, moved_cache = layer.forward(scale * x + shift)
    np.testing.assert_allclose(moved, y, rtol=0, atol=1e-7)
    dx = layer.backward(dy, cache)
    size = 1 + np.abs(dx).max()
    np.testing.assert_allclose(scale * layer.backward(dy, moved_cache), dx, rtol=0, atol=1e-6 * size)
    np.testing.assert_allclose(dx.sum(axis=0), 0, atol=1e-12 * size)
    np.testing.assert_allclose((dx * x).sum(axis=0), 0, atol=1e-12 * size)


def test_running_statistics_are_moving_averages_with_the_unbiased_variance() -> None:
    rng = np.random.default_rng(0)
    layer = layer64(rng, 2, momentum=0.3)
    assert (layer.running_mean.tolist(), layer.running_var.tolist()) == ([0, 0], [1, 1])
    means, variances = [0.0, 0.0], [1.0, 1.0]
    for _ in range(3):
        x = rng.normal(4, 2, size=(3, 2, 1, 2))
        layer(x)
        for c in range(2):
            values = [float(v) for v in x[..., c].flat]
            means[c] += 0.3 * (statistics.fmean(values) - means[c])
            variances[c] += 0.3 * (statistics.variance(values) - variances[c])
    np.testing.assert_allclose(layer.running_mean, means, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var, variances, rtol=1e-12)


def test_eval_mode_is_one_affine_map_of_the_running_statistics() -> None:
    rng = np.random.default_rng(1)
    layer = layer64(rng, 3)
    for _ in range(4):
        layer(rng.normal(2, 3, size=(5, 3)))
    layer.eval()
    before = layer.running_mean.copy(), layer.running_var.copy()
    x = rng.normal(size=(4, 3))
    y, cache = layer.forward(x)
    for n, c in np.ndindex(x.shape):
        spread = (layer.running_var[c] + 1e-5) ** 0.5
        expected = (x[n, c] - layer.running_mean[c]) / spread * layer.gamma.value[c] + layer.beta.value[c]
        assert y[n, c] == pytest.approx(expected, rel=1e-12, abs=1e-12)
    np.testing.assert_array_equal(layer.running_mean, before[0])
    np.testing.assert_array_equal(layer.running_var, before[1])
    one, other = rng.normal(size=(2, 4, 3))
    dx = layer.backward(one, cache)
    np.testing.assert_allclose(
        np.sum(dx * other), np.sum(one * (layer(other) - layer(0 * other))), rtol=1e-11
    )
    assert layer(x[:1]).tolist() == y[:1].tolist(), "a single image does not depend on its batch"


def test_the_two_numbers_of_eval_mode_are_those_that_a_packed_network_takes() -> None:
    """Multiplied, rounded, added, rounded, in float32: not one ulp of freedom."""
    rng = np.random.default_rng(2)
    layer = BatchNorm(4)
    layer.gamma.value = rng.normal(size=4).astype(np.float32)
    layer(rng.normal(size=(9, 4)).astype(np.float32))
    gain, shift = layer.affine()
    assert gain.dtype == shift.dtype == np.float32
    x = rng.integers(-27, 28, size=(50, 4)).astype(np.float32)
    y = layer.eval()(x)
    for n, c in np.ndindex(x.shape):
        assert y[n, c] == np.float32(np.float32(x[n, c] * gain[c]) + shift[c])


def test_a_small_spread_on_a_large_mean_survives_float32() -> None:
    x = np.array([[1000.0], [1000.5], [1001.0], [1000.5]], np.float32)
    np.testing.assert_allclose(BatchNorm(1)(x).ravel(), [-1.4142, 0, 1.4142, 0], atol=1e-3)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((4, 3), r"BatchNorm: required 2 channels on the last axis, got \(4, 3\)"),
        ((1, 2), "at least 2 values a channel in training, got 1"),
        ((1, 1, 1, 2), "at least 2 values a channel"),
    ],
)
def test_what_cannot_be_normalized_is_refused_and_changes_nothing(
    shape: tuple[int, ...], message: str
) -> None:
    layer = BatchNorm(2)
    with pytest.raises(ValueError, match=message):
        layer(np.zeros(shape, np.float32))
    assert layer.running_mean.tolist() == [0, 0]
    assert layer.running_var.tolist() == [1, 1]


def test_an_empty_batch_is_refused_with_its_size() -> None:
    with pytest.raises(ValueError, match="got 0"):
        BatchNorm(2)(np.zeros((0, 2), np.float32))


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_scale_is_absorbed(seed: int, one: bool) -> None:
    rng = np.random.default_rng(seed)
    norm = BatchNorm(3).astype(np.float64).eval()
    norm.gamma.value, norm.beta.value, norm.running_mean = rng.normal(size=(3, 3))
    norm.running_var = rng.uniform(0.01, 2, 3)
    x, scale = rng.normal(size=(5, 3)), rng.uniform(0.01, 3, 1 if one else 3)
    wanted = norm(scale * x)
    norm.absorb(scale)
    np.testing.assert_allclose(norm(x), wanted, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "scale", [[1.0, 0.0, 1.0], [1.0, -1.0, 1.0], [1.0, np.nan, 1.0], [1.0, 1.0], [[1.0]]]
)
def test_a_scale_that_is_none_is_refused(scale: Any) -> None:
    norm = BatchNorm(3)
    with pytest.raises(ValueError, match="scale: required 1 or 3 numbers > 0"):
        norm.absorb(np.array(scale))
    assert norm.running_mean.tolist() == [0, 0, 0]


def one_place_a_channel(x: Any, gamma: Any, beta: Any, eps: float) -> Any:
    """Layer norm by the loops of batch norm: every place's channels are what a batch is there."""
    turned = loops(x.reshape(-1, x.shape[-1]).T, np.ones(x.size), np.zeros(x.size), eps).T
    return gamma * turned.reshape(x.shape) + beta


@given(seed=st.integers(0, 2**32 - 1), shape=SHAPES, eps=st.sampled_from([1e-6, 1e-3, 1.0]))
def test_layer_norm_along_a_random_direction(seed: int, shape: tuple[int, ...], eps: float) -> None:
    rng = np.random.default_rng(seed)
    layer = LayerNorm(shape[-1], eps)
    layer.astype(np.float64)
    gamma, beta = rng.normal(size=(2, shape[-1]))
    layer.gamma.value, layer.beta.value = gamma, beta
    x = rng.normal(3, 2, size=shape)
    vx, vgamma, vbeta = (rng.normal(size=a.shape) for a in (x, gamma, beta))
    moved = one_place_a_channel(x + 1e-30j * vx, gamma + 1e-30j * vgamma, beta + 1e-30j * vbeta, eps)
    y, cache = layer.forward(x)
    np.testing.assert_allclose(y, moved.real, rtol=1e-9, atol=1e-9)
    dy = rng.normal(size=shape)
    dx = layer.backward(dy, cache)
    along = np.sum(dx * vx), np.sum(layer.gamma.grad * vgamma), np.sum(layer.beta.grad * vbeta)
    scale = 1 + np.abs(dx).max() + np.abs(moved.imag).max() * 1e30
    np.testing.assert_allclose(sum(along), np.sum(dy * moved.imag) * 1e30, rtol=1e-8, atol=1e-8 * scale)


def test_every_entry_of_layer_norm_s_gradients(derivative: Any) -> None:
    rng = np.random.default_rng(0)
    layer = LayerNorm(4, 1e-3)
    layer.astype(np.float64)
    layer.gamma.value, layer.beta.value = gamma, beta = rng.normal(size=(2, 4))
    x = rng.normal(size=(2, 3, 4))
    _, cache = layer.forward(x)
    dy = rng.normal(size=x.shape)
    dx = layer.backward(dy, cache)
    expected = derivative(lambda z: one_place_a_channel(z, gamma, beta, 1e-3), x, dy)
    np.testing.assert_allclose(dx, expected, atol=1e-13)
    expected = derivative(lambda z: one_place_a_channel(x, z, beta, 1e-3), gamma, dy)
    np.testing.assert_allclose(layer.gamma.grad, expected, atol=1e-13)
    expected = derivative(lambda z: one_place_a_channel(x, gamma, z, 1e-3), beta, dy)
    np.testing.assert_allclose(layer.beta.grad, expected, atol=1e-13)


@given(seed=st.integers(0, 2**32 - 1), scale=st.floats(0.01, 100), shift=st.floats(-9, 9))
def test_layer_norm_does_not_see_the_size_of_its_input(seed: int, scale: float, shift: float) -> None:
    x = np.random.default_rng(seed).normal(size=(3, 5))
    layer = LayerNorm(5, eps=0)
    layer.astype(np.float64)
    np.testing.assert_allclose(layer(scale * x + shift), layer(x), rtol=1e-7, atol=1e-9)


def test_layer_norm_is_the_same_in_both_modes_and_keeps_nothing() -> None:
    layer, x = LayerNorm(4), np.random.default_rng(0).normal(size=(2, 3, 4)).astype(np.float32)
    np.testing.assert_array_equal(layer.train()(x), layer.eval()(x))
    assert sorted(layer.state_dict()) == ["beta", "gamma"]
    np.testing.assert_array_equal(layer(x[:1]), layer(x)[:1])
