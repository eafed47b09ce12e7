"""The transposed convolution: a sum over places, the transpose of a convolution, interleaved convolutions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.auditing import audit_layer
from bnn_ref.kernels import naive
from bnn_ref.layers import CHANNEL_SCALE, Conv2d, ConvTranspose2d
from bnn_ref.layers.transposed import overlap_add

STE = estimators.get("ste")
BINARY: dict[str, Any] = {"activation": STE, "weight": STE}
WINDOWS = {"kernel": st.integers(1, 5), "stride": st.integers(1, 3), "padding": st.integers(0, 2)}


def loops(x: Any, w: Any, stride: int, padding: int) -> Any:
    """Every pixel sends its value to K x K places."""
    (n, height, width, _), (k, _, _, filters) = x.shape, w.shape
    y = np.zeros((n, (height - 1) * stride + k, (width - 1) * stride + k, filters))
    for row, column, i, j in np.ndindex(height, width, k, k):
        y[:, row * stride + i, column * stride + j] += x[:, row, column] @ w[i, j]
    return y[:, padding : y.shape[1] - padding, padding : y.shape[2] - padding]


@given(**WINDOWS, bias=st.booleans(), seed=st.integers(0, 99))
def test_every_pixel_sends_its_value_to_its_places(
    kernel: int, stride: int, padding: int, bias: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    assume(kernel > 2 * padding)
    layer = ConvTranspose2d(3, 2, kernel, stride=stride, padding=padding, bias=bias, rng=rng)
    x = rng.normal(size=(2, 3, 4, 3))
    layer.astype(np.float64)
    expected = loops(x, layer.latent.value, stride, padding)
    if layer.bias is not None:
        layer.bias.value = rng.normal(size=2)
        expected += layer.bias.value
    assert layer.output_shape((3, 4, 3)) == expected.shape[1:]
    for mode in (True, False):
        np.testing.assert_allclose(layer.train(mode)(x), expected, rtol=0, atol=1e-13)


@given(**WINDOWS, seed=st.integers(0, 99))
def test_it_is_the_transpose_of_the_convolution_with_the_same_window(
    kernel: int, stride: int, padding: int, seed: int
) -> None:
    """<conv(u), x> = <u, transposed(x)> for the images u that it makes."""
    rng = np.random.default_rng(seed)
    assume(kernel > 2 * padding)
    layer = ConvTranspose2d(3, 2, kernel, stride=stride, padding=padding, rng=rng)
    layer.astype(np.float64)
    x = rng.normal(size=(2, 3, 4, 3))
    y = layer(x)
    u = rng.normal(size=y.shape)
    through = naive.conv2d(u, np.swapaxes(layer.latent.value, 2, 3), stride, padding)
    np.testing.assert_allclose((through * x).sum(), (u * y).sum(), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("size", [(3, 4), (1, 1), (6, 2)])
def test_row_16_a_binary_one_is_four_interleaved_convolutions_2x2(size: tuple[int, int]) -> None:
    """Output parity 0 takes the taps (3, 1) of inputs (i - 1, i), parity 1 the taps (2, 0) of (i, i + 1).

    The border is zero: a tap there adds nothing, and is no sign.
    """
    rng = np.random.default_rng(0)
    layer = ConvTranspose2d(5, 4, 4, stride=2, padding=1, rng=rng, **BINARY).eval()
    x = rng.normal(size=(2, *size, 5)).astype(np.float32)
    signs, w = np.where(x < 0, -1.0, 1.0), np.where(layer.latent.value < 0, -1.0, 1.0)
    bordered = np.pad(signs, ((0, 0), (1, 1), (1, 1), (0, 0)))
    y, taps = layer(x), {0: [3, 1], 1: [2, 0]}
    for row, column in np.ndindex(2, 2):
        small = naive.conv2d(bordered, w[np.ix_(taps[row], taps[column])])
        inputs = small[:, row : row + size[0], column : column + size[1]]
        np.testing.assert_array_equal(y[:, row::2, column::2], inputs)
    assert set(np.unique(y)) <= set(range(-4 * 5, 4 * 5 + 1))


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(4, 2, 1), (3, 3, 0), (2, 3, 0), (5, 1, 2)])
@pytest.mark.parametrize(
    "options",
    [{"bias": True}, BINARY, {"weight": STE}, BINARY | {"scale": CHANNEL_SCALE}],
    ids=["real", "signs", "weights", "scaled"],
)
def test_every_form_passes_the_audit(kernel: int, stride: int, padding: int, options: Any) -> None:
    """To 1e-10, the tolerance of composition."""
    rng = np.random.default_rng(0)
    layer = ConvTranspose2d(2, 3, kernel, stride=stride, padding=padding, rng=rng, **options)
    report = audit_layer(layer, rng.normal(size=(2, 2, 3, 2)))
    assert report.passed, str(report)


def test_its_input_gradient_is_a_convolution() -> None:
    rng = np.random.default_rng(0)
    layer = ConvTranspose2d(3, 2, 4, stride=2, padding=1, rng=rng)
    conv = Conv2d(2, 3, 4, stride=2, padding=1, rng=rng)
    conv.latent.value = np.ascontiguousarray(np.swapaxes(layer.latent.value, 2, 3))
    y, cache = layer.forward(rng.normal(size=(2, 3, 3, 3)).astype(np.float32))
    dy = rng.normal(size=y.shape).astype(np.float32)
    np.testing.assert_allclose(layer.backward(dy, cache), conv(dy), rtol=0, atol=1e-6)


def test_eval_mode_does_not_depend_on_the_batch() -> None:
    rng = np.random.default_rng(0)
    layer = ConvTranspose2d(37, 19, 4, stride=2, padding=1, rng=rng).eval()
    x = rng.normal(size=(9, 5, 3, 37)).astype(np.float32)
    together = layer(x)
    for i in range(9):
        np.testing.assert_array_equal(layer(x[i : i + 1])[0], together[i])


def test_overlapping_integers_stay_integers() -> None:
    columns = np.arange(2 * 3 * 3 * 16 * 2, dtype=np.int32).reshape(2, 3, 3, 32)
    y = overlap_add(columns, 4, 2, 1)
    assert (y.dtype, y.shape) == (np.int32, (2, 6, 6, 2))
    np.testing.assert_array_equal(y, overlap_add(columns.astype(np.float64), 4, 2, 1))


def test_multiplications_are_counted_once_for_every_pixel_that_comes_in() -> None:
    layer = ConvTranspose2d(3, 2, 4, stride=2, padding=1, rng=np.random.default_rng(0))
    assert layer.macs((5, 6, 3)) == 5 * 6 * 16 * 3 * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kernel_size": 0}, "kernel_size: required a whole number >= 1, got 0"),
        ({"stride": 0}, "stride: required a whole number >= 1, got 0"),
        ({"padding": -1}, "padding: required a whole number >= 0, got -1"),
        ({"in_channels": 1.5}, "in_channels: required a whole number >= 1, got 1.5"),
        ({"scale": CHANNEL_SCALE}, "scale: required a weight binarizer"),
    ],
)
def test_a_bad_argument_is_named(options: dict[str, Any], message: str) -> None:
    given = {"in_channels": 2, "out_channels": 2, "kernel_size": 2} | options
    with pytest.raises(ValueError, match=message):
        ConvTranspose2d(rng=np.random.default_rng(0), **given)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 3, 3), "ConvTranspose2d: required an input of shape .* with C = 2, got"),
        ((3, 3, 2), "ConvTranspose2d: required an input of shape"),
        ((1, 1, 3, 2), "input: required a size that padding 2 leaves a pixel of, got 1"),
        ((1, 3, 1, 2), "input: required a size that padding 2 leaves a pixel of, got 1"),
    ],
)
def test_a_bad_input_is_refused(shape: tuple[int, ...], message: str) -> None:
    layer = ConvTranspose2d(2, 2, 3, padding=2, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=message):
        layer(np.zeros(shape, np.float32))
