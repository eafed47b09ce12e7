"""Upsampling: nearest pixels are a Kronecker product; bilinear values lie on the planes that images are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.auditing import audit_layer
from bnn_ref.binarizer import Sign
from bnn_ref.layers import BilinearUpsample, NearestUpsample
from bnn_ref.layers.resize import Upsample

SIZES = st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))
BOTH = pytest.mark.parametrize("kind", [NearestUpsample, BilinearUpsample])


@given(shape=SIZES, factor=st.integers(1, 4), seed=st.integers(0, 99))
def test_nearest_is_a_kronecker_product(shape: tuple[int, ...], factor: int, seed: int) -> None:
    x = np.random.default_rng(seed).normal(size=shape)
    y = NearestUpsample(factor)(x)
    for n, c in np.ndindex(shape[0], shape[3]):
        np.testing.assert_array_equal(y[n, :, :, c], np.kron(x[n, :, :, c], np.ones((factor, factor))))


@given(shape=SIZES, factor=st.integers(1, 4), zero=st.sampled_from([1, -1]), seed=st.integers(0, 99))
def test_row_17_sign_and_nearest_upsampling_change_places(
    shape: tuple[int, ...], factor: int, zero: int, seed: int
) -> None:
    x = np.random.default_rng(seed).integers(-1, 2, shape).astype(float)
    sign, larger = Sign(zero), NearestUpsample(factor)
    np.testing.assert_array_equal(sign(larger(x)), larger(sign(x)))


def test_bilinear_signs_do_not_change_places() -> None:
    x, sign, larger = np.array([-1.0, 5.0]).reshape(1, 2, 1, 1), Sign(), BilinearUpsample()
    assert sign(larger(x))[0, :, 0, 0].tolist() == [-1, 1, 1, 1]
    assert larger(sign(x))[0, :, 0, 0].tolist() == [-1, -0.5, 0.5, 1]


@given(factor=st.integers(1, 4), height=st.integers(2, 5), width=st.integers(2, 5), seed=st.integers(0, 99))
def test_bilinear_keeps_planes(factor: int, height: int, width: int, seed: int) -> None:
    """Of a + b row + c column, the plane at the centres of the new pixels; at the border its last value."""
    a, b, c = np.random.default_rng(seed).normal(size=3)
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    y = BilinearUpsample(factor)((a + b * rows + c * columns)[None, :, :, None])[0, :, :, 0]
    for i, j in np.ndindex(y.shape):
        row = min(max((i + 0.5) / factor - 0.5, 0), height - 1)
        column = min(max((j + 0.5) / factor - 0.5, 0), width - 1)
        assert np.isclose(y[i, j], a + b * row + c * column, rtol=0, atol=1e-12)


def test_bilinear_by_hand() -> None:
    x = np.array([0.0, 4.0, 8.0]).reshape(1, 1, 3, 1)
    row = [0, 1, 3, 5, 7, 8]
    assert BilinearUpsample(2)(x)[0, :, :, 0].tolist() == [row, row]


@BOTH
@pytest.mark.parametrize("factor", [1, 2, 3])
def test_the_audit_passes(kind: type[Upsample], factor: int) -> None:
    report = audit_layer(kind(factor), np.random.default_rng(0).normal(size=(2, 3, 1, 2)))
    assert report.passed, str(report)


@BOTH
def test_backward_is_the_transpose(kind: type[Upsample]) -> None:
    """<dy, upsample(x)> = <backward(dy), x>, and constants come back f^2-fold."""
    rng = np.random.default_rng(1)
    layer, x = kind(3), rng.normal(size=(2, 4, 5, 3))
    y, cache = layer.forward(x)
    dy = rng.normal(size=y.shape)
    assert np.isclose((dy * y).sum(), (layer.backward(dy, cache) * x).sum(), rtol=1e-12)
    assert np.isclose(layer.backward(np.ones_like(y), cache).sum(), y.size)


@BOTH
@pytest.mark.parametrize("factor", [0, -1, 1.5, True])
def test_a_bad_factor_is_named(kind: type[Upsample], factor: Any) -> None:
    with pytest.raises(ValueError, match="factor: required a whole number >= 1, got"):
        kind(factor)


@BOTH
def test_other_shapes_are_refused(kind: type[Upsample]) -> None:
    with pytest.raises(ValueError, match=rf"{kind.__name__}: required an input of shape \(N, H, W, C\)"):
        kind()(np.zeros((2, 3, 3)))
