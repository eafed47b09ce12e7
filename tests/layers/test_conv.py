"""The convolution layer is seven nested loops, and its gradients are the derivatives of those loops."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.layers import Conv2d


def loops(x: Any, w: Any, stride: int, padding: int, dilation: int = 1) -> Any:
    """The definition, one product at a time; taps outside the image are skipped, not multiplied."""
    n, height, width, channels = x.shape
    k, filters = w.shape[0], w.shape[-1]
    ho, wo = (size + 2 * padding - dilation * (k - 1) - 1 for size in (height, width))
    y = np.zeros((n, ho // stride + 1, wo // stride + 1, filters), np.result_type(x, w))
    for image, row, column, f in np.ndindex(y.shape):
        for ky, kx, c in product(range(k), range(k), range(channels)):
            at = row * stride + ky * dilation - padding, column * stride + kx * dilation - padding
            if 0 <= at[0] < height and 0 <= at[1] < width:
                y[image, row, column, f] += x[image, at[0], at[1], c] * w[ky, kx, c, f]
    return y


def layer64(rng: np.random.Generator, *sizes: int, **options: Any) -> Conv2d:
    layer = Conv2d(*sizes, rng=rng, **options)
    layer.astype(np.float64)
    for parameter in layer.parameters():
        parameter.value = rng.normal(size=parameter.value.shape)
    return layer


@pytest.mark.parametrize(
    ("k", "window"),
    [(1, (1, 0)), (3, (1, 1)), (3, (2, 1)), (2, (3, 0)), (2, (1, 2)), (2, (1, 1, 3)), (3, (2, 2, 2))],
)
def test_forward_and_every_entry_of_every_gradient(derivative: Any, k: int, window: tuple[int, ...]) -> None:
    rng = np.random.default_rng([k, *window])
    options = dict(zip(("stride", "padding", "dilation"), window, strict=False))
    layer = layer64(rng, 2, 3, k, bias=True, **options)
    x, w, bias = rng.normal(size=(2, 5, 4, 2)), layer.latent.value, layer.bias.value
    y, cache = layer.forward(x)
    np.testing.assert_allclose(y, loops(x, w, *window) + bias, rtol=0, atol=1e-13)
    dy = rng.normal(size=y.shape)
    dx = layer.backward(dy, cache)
    np.testing.assert_allclose(dx, derivative(lambda z: loops(z, w, *window), x, dy), rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        layer.latent.grad, derivative(lambda z: loops(x, z, *window), w, dy), rtol=0, atol=1e-12
    )
    np.testing.assert_allclose(layer.bias.grad, [sum(dy[..., f].flat) for f in range(3)], rtol=0, atol=1e-12)


@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(*(st.integers(low, high) for low, high in ((0, 3), (1, 6), (1, 6), (1, 3), (1, 3)))),
    k=st.integers(1, 3),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 3),
)
def test_any_geometry_along_a_random_direction(
    seed: int, sizes: tuple[int, ...], k: int, stride: int, padding: int, dilation: int
) -> None:
    n, height, width, channels, filters = sizes
    rng = np.random.default_rng(seed)
    layer = layer64(rng, channels, filters, k, stride=stride, padding=padding, dilation=dilation)
    x, w = rng.normal(size=(n, height, width, channels)), layer.latent.value
    if min(height, width) + 2 * padding < range(0, k * dilation, dilation)[-1] + 1:
        with pytest.raises(ValueError, match="must be at least kernel"):
            layer.forward(x)
        return
    y, cache = layer.forward(x)
    assert y.shape[1:] == layer.output_shape(x.shape[1:])
    dx_along, dw_along = rng.normal(size=x.shape), rng.normal(size=w.shape)
    moved = loops(x + 1e-30j * dx_along, w + 1e-30j * dw_along, stride, padding, dilation)
    np.testing.assert_allclose(y, moved.real, rtol=0, atol=1e-12)
    dy = rng.normal(size=y.shape)
    dx = layer.backward(dy, cache)
    along = np.sum(dx * dx_along) + np.sum(layer.latent.grad * dw_along)
    np.testing.assert_allclose(along, np.sum(dy * moved.imag) / 1e-30, rtol=1e-11, atol=1e-11)


def test_padding_comes_after_the_sign_and_adds_nothing() -> None:
    """A 3x3 filter of ones over one pixel of +1: the padded taps would add +8 as sign(0), and -8 as -1."""
    layer = Conv2d(1, 1, 3, padding=1, rng=np.random.default_rng(0), activation=estimators.get("ste"))
    layer.latent.value = np.ones((3, 3, 1, 1), np.float32)
    for mode in (True, False):
        assert layer.train(mode)(np.full((1, 1, 1, 1), 0.3, np.float32)).item() == 1


def test_the_first_weight_is_glorot_uniform() -> None:
    w = Conv2d(20, 30, 3, rng=np.random.default_rng(1)).latent.value
    limit = np.sqrt(6 / (9 * 20 + 9 * 30))
    assert w.shape == (3, 3, 20, 30)
    assert w.dtype == np.float32
    assert 0.99 * limit < np.abs(w).max() <= limit * (1 + 1e-6)
    assert abs(w.mean()) < 4 * limit / np.sqrt(3 * w.size)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 4, 4, 3), r"Conv2d: required an input of shape \(N, H, W, C\) with C = 2, got \(1, 4, 4, 3\)"),
        ((4, 4, 2), r"got \(4, 4, 2\)"),
        ((1, 2, 4, 2), "must be at least kernel 3"),
    ],
)
def test_images_of_another_shape_are_refused(shape: tuple[int, ...], message: str) -> None:
    layer = Conv2d(2, 1, 3, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        layer(np.zeros(shape, np.float32))


@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(*(st.integers(low, high) for low, high in ((1, 3), (3, 6), (3, 6), (1, 40), (1, 3)))),
    window=st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(0, 2), st.integers(1, 2)),
    value=st.sampled_from([1, -1]),
    activation=st.sampled_from(["ste", "rsign"]),
    weight=st.sampled_from([None, "ste"]),
    dtype=st.sampled_from([np.float32, np.float64]),
    training=st.booleans(),
)
def test_padding_with_signs_is_pixels_that_were_there(
    seed: int,
    sizes: tuple[int, ...],
    window: tuple[int, ...],
    value: int,
    activation: str,
    weight: str | None,
    dtype: type,
    training: bool,
) -> None:
    """Pixels far beyond every shift and clip, around the images: these sums are exact in float32 too."""
    (n, height, width, channels, filters), (k, stride, padding, dilation) = sizes, window
    rng = np.random.default_rng(seed)
    rule = None if weight is None else estimators.get(weight)
    options: dict[str, Any] = {"activation": estimators.get(activation), "weight": rule, "stride": stride}
    layer, plain = (
        Conv2d(channels, filters, k, rng=rng, dilation=dilation, **options, **padded)
        for padded in ({"padding": padding, "padding_value": value}, {})
    )
    state = {key: rng.integers(-3, 4, old.shape).astype(old.dtype) for key, old in layer.state_dict().items()}
    for conv in (layer, plain):
        conv.load_state_dict(state)
        conv.train(training).astype(dtype)
    x = rng.integers(-3, 4, (n, height, width, channels)).astype(dtype)
    framed = np.pad(x, ((0, 0), *[(padding, padding)] * 2, (0, 0)), constant_values=value * 999)
    if min(framed.shape[1:3]) < range(0, k * dilation, dilation)[-1] + 1:
        with pytest.raises(ValueError, match="must be at least kernel"):
            layer(x)
        return
    (y, cache), (wanted, other) = layer.forward(x), plain.forward(framed)
    np.testing.assert_array_equal(y, wanted, strict=True)
    assert y.shape[1:] == layer.output_shape(x.shape[1:])
    dy = rng.integers(-3, 4, y.shape).astype(dtype)
    inside = (slice(padding, size - padding) for size in framed.shape[1:3])
    np.testing.assert_array_equal(layer.backward(dy, cache), plain.backward(dy, other)[:, *inside])
    for one, another in zip(layer.parameters(), plain.parameters(), strict=True):
        np.testing.assert_array_equal(one.grad, another.grad)


def test_only_signs_are_padded_with_signs() -> None:
    """BNN++ is deployed as a sign, but trains with a curve."""
    rng, reason = np.random.default_rng(0), "padding_value: required 0, for the values of the activation"
    for activation in (None, estimators.get("bnn++")):
        with pytest.raises(ValueError, match=reason):
            Conv2d(1, 1, 3, rng=rng, activation=activation, padding_value=-1)
    with pytest.raises(ValueError, match="padding_value: required 0, 1 or -1, got 2"):
        Conv2d(1, 1, 3, rng=rng, activation=estimators.get("ste"), padding_value=2)


def test_a_dilation_that_is_none() -> None:
    with pytest.raises(ValueError, match="dilation: required a whole number >= 1, got 0"):
        Conv2d(1, 1, 3, rng=np.random.default_rng(0), dilation=0)


def test_a_second_dtype_is_refused_not_promoted() -> None:
    with pytest.raises(TypeError, match="w must be float64 like x, got float32"):
        Conv2d(1, 1, 1, rng=np.random.default_rng(0))(np.zeros((1, 1, 1, 1)))
