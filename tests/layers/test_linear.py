"""The fully connected layer is three loops, and its gradients are the derivatives of those loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bnn_ref.layers import Linear


def loops(x: Any, w: Any, bias: Any) -> Any:
    y = np.zeros((len(x), w.shape[1]), np.result_type(x, w, bias))
    for n, f in np.ndindex(y.shape):
        y[n, f] = bias[f]
        for c in range(w.shape[0]):
            y[n, f] += x[n, c] * w[c, f]
    return y


@pytest.mark.parametrize("sizes", [(1, 1, 1), (4, 3, 2), (3, 5, 5), (2, 2, 2), (0, 3, 2)])
@pytest.mark.parametrize("bias", [True, False])
def test_forward_and_every_entry_of_every_gradient(
    derivative: Any, sizes: tuple[int, int, int], bias: bool
) -> None:
    n, channels, features = sizes
    rng = np.random.default_rng(n)
    layer = Linear(channels, features, rng=rng, bias=bias).astype(np.float64)
    for parameter in layer.parameters():
        parameter.value = rng.normal(size=parameter.value.shape)
    x, w = rng.normal(size=(n, channels)), layer.latent.value
    b = layer.bias.value if bias else np.zeros(features)
    y, cache = layer.forward(x)
    np.testing.assert_allclose(y, loops(x, w, b), rtol=0, atol=1e-14)
    dy = rng.normal(size=y.shape)
    dx = layer.backward(dy, cache)
    np.testing.assert_allclose(dx, derivative(lambda z: loops(z, w, b), x, dy), rtol=0, atol=1e-13)
    np.testing.assert_allclose(
        layer.latent.grad, derivative(lambda z: loops(x, z, b), w, dy), rtol=0, atol=1e-13
    )
    if bias:
        expected = derivative(lambda z: loops(x, w, z), b, dy)
        np.testing.assert_allclose(layer.bias.grad, expected, rtol=0, atol=1e-13)
    else:
        assert layer.bias is None
        assert list(layer.named_parameters()) == ["latent"]


def test_the_first_weight_is_glorot_uniform_and_the_bias_zero() -> None:
    layer = Linear(200, 100, rng=np.random.default_rng(1))
    limit = np.sqrt(6 / 300)
    assert 0.99 * limit < np.abs(layer.latent.value).max() <= limit * (1 + 1e-6)
    assert abs(layer.latent.value.mean()) < 4 * limit / np.sqrt(3 * 20_000)
    assert layer.bias.value.tolist() == [0.0] * 100
    assert layer.latent.value.dtype == layer.bias.value.dtype == np.float32


def test_the_generator_decides_the_weight() -> None:
    first, again, other = (Linear(3, 2, rng=np.random.default_rng(s)).latent.value for s in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_rows_of_another_length_are_refused() -> None:
    layer = Linear(3, 2, rng=np.random.default_rng(0))
    with pytest.raises(
        ValueError, match=r"Linear: required an input of shape \(N, \.\.\., C\) with C = 3, got \(4, 2\)"
    ):
        layer(np.zeros((4, 2), np.float32))


@pytest.mark.parametrize("shape", [(3,), ()])
def test_what_is_no_batch_of_rows_is_refused_before_it_is_used(shape: tuple[int, ...]) -> None:
    layer = Linear(3, 2, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="Linear"):
        layer.forward(np.zeros(shape, np.float32))


def test_more_axes_are_more_rows() -> None:
    layer, rng = Linear(3, 2, rng=np.random.default_rng(0)), np.random.default_rng(1)
    layer.astype(np.float64)
    x, dy = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5, 2))
    y, cache = layer.forward(x)
    dx, dw = layer.backward(dy, cache), layer.latent.grad
    layer.zero_grad()
    rows, flat = layer.forward(x.reshape(10, 3))
    np.testing.assert_allclose(y.reshape(10, 2), rows, rtol=1e-15)
    np.testing.assert_allclose(dx.reshape(10, 3), layer.backward(dy.reshape(10, 2), flat), rtol=1e-14)
    np.testing.assert_allclose(dw, layer.latent.grad, rtol=1e-14)
