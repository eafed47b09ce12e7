"""Element-wise layers: what they answer left of, right of and exactly on their kinks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnn_ref import estimators
from bnn_ref.basepoint import record, replay
from bnn_ref.binarizer import Compose, Detach
from bnn_ref.estimators.ste import Tanh
from bnn_ref.layers import Activation, HardTanh, LeakyClip, PReLU, ReLU

TINY = np.finfo(np.float64).smallest_subnormal
ABOVE, BELOW = np.nextafter(1, 2), np.nextafter(1, 0)


@pytest.mark.parametrize(
    ("x", "y", "slope"),
    [
        (3.5, 3.5, 1),
        (TINY, TINY, 1),
        (0.0, 0.0, 0),
        (-0.0, 0.0, 0),
        (-TINY, 0.0, 0),
        (-2.0, 0.0, 0),
        (np.inf, np.inf, 1),
        (-np.inf, 0.0, 0),
    ],
)
def test_relu(x: float, y: float, slope: int) -> None:
    value, cache = ReLU().forward(np.array([x]))
    assert value.tolist() == [y]
    assert ReLU().backward(np.array([-3.0]), cache).tolist() == [-3.0 * slope]


@pytest.mark.parametrize(
    ("x", "y", "slope"),
    [
        (0.25, 0.25, 1),
        (1.0, 1.0, 1),
        (-1.0, -1.0, 1),
        (BELOW, BELOW, 1),
        (ABOVE, 1.0, 0),
        (-ABOVE, -1.0, 0),
        (np.inf, 1.0, 0),
        (-np.inf, -1.0, 0),
        (-0.0, 0.0, 1),
    ],
)
def test_hard_tanh_passes_the_gradient_at_the_clip_itself(x: float, y: float, slope: int) -> None:
    value, cache = HardTanh().forward(np.array([x]))
    assert value.tolist() == [y]
    assert HardTanh().backward(np.array([-3.0]), cache).tolist() == [-3.0 * slope]


@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=0, max_dims=3), elements=st.floats(-9, 9)))
def test_hard_tanh_is_clip(x: Any) -> None:
    y, cache = HardTanh(2.5).forward(x)
    np.testing.assert_array_equal(y, np.clip(x, -2.5, 2.5))
    dx = HardTanh(2.5).backward(np.full(x.shape, 2.0), cache)
    assert np.ravel(dx).tolist() == [2.0 if -2.5 <= v <= 2.5 else 0.0 for v in np.ravel(x)]


@pytest.mark.parametrize(
    ("x", "y", "slope"),
    [
        (0.25, 0.25, 1),
        (-0.0, 0.0, 1),
        (BELOW, BELOW, 1),
        (1.0, 1.0, 0.1),
        (-1.0, -1.0, 0.1),
        (3.0, 1.2, 0.1),
        (-11.0, -2.0, 0.1),
        (np.inf, np.inf, 0.1),
    ],
)
def test_leaky_clip_has_the_outer_slope_at_the_clip_itself(x: float, y: float, slope: float) -> None:
    value, cache = LeakyClip().forward(np.array([x]))
    assert value.tolist() == [pytest.approx(y, abs=1e-15)]
    assert LeakyClip().backward(np.array([-3.0]), cache).tolist() == [-3.0 * slope]


@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=2), elements=st.floats(-9, 9)))
def test_leaky_clip_is_a_clip_and_a_share_of_what_it_cut_off(x: Any) -> None:
    np.testing.assert_allclose(LeakyClip(2.5, 1)(x), x, rtol=1e-15, atol=1e-15)
    clipped = np.clip(x, -2.5, 2.5)
    np.testing.assert_allclose(LeakyClip(2.5, 0.3)(x), clipped + 0.3 * (x - clipped), rtol=0, atol=1e-14)


def test_a_leak_is_something_and_no_more_than_the_whole() -> None:
    for leak in (0, -0.1, 1.5, np.nan, "0.1"):
        with pytest.raises(ValueError, match=r"leak: required a number in \(0, 1\], got"):
            LeakyClip(1.0, leak)


def prelu(x: Any, slopes: Any, side: Any) -> Any:
    """Element by element; `side` holds the real numbers that decide."""
    y = np.zeros(x.shape, np.result_type(x, slopes))
    for at in np.ndindex(x.shape):
        y[at] = x[at] if side[at] > 0 else slopes[at[-1]] * x[at]
    return y


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 2, 3, 3), (0, 3)])
def test_prelu_has_one_slope_a_channel(derivative: Any, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(shape))
    layer = PReLU(3).astype(np.float64)
    assert layer.slope.value.tolist() == [0.25] * 3
    layer.slope.value = slopes = np.array([0.25, -0.5, 0.0])
    x = rng.normal(size=shape)
    y, cache = layer.forward(x)
    np.testing.assert_array_equal(y, prelu(x, slopes, x))
    dy = rng.normal(size=shape)
    dx = layer.backward(dy, cache)
    np.testing.assert_allclose(dx, derivative(lambda z: prelu(z, slopes, x), x, dy), rtol=0, atol=1e-15)
    expected = derivative(lambda a: prelu(x, a, x), slopes, dy)
    np.testing.assert_allclose(layer.slope.grad, expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("x", "side"), [(0.0, 0.25), (-0.0, 0.25), (-TINY, 0.25), (TINY, 1.0)])
def test_prelu_at_zero_has_the_slope_of_the_negative_side(x: float, side: float) -> None:
    layer = PReLU(1).astype(np.float64)
    _, cache = layer.forward(np.array([[x]]))
    assert layer.backward(np.array([[8.0]]), cache).tolist() == [[8.0 * side]]
    assert layer.slope.grad.tolist() == [8.0 * min(x, 0.0)]


def test_kinks_are_counted_and_the_side_is_kept() -> None:
    x = np.array([[0.0, -0.0, 1.0, -1.0]])
    for layer, kinks, continued in (
        (ReLU(), 2, [0, 0, -5, 0]),
        (HardTanh(), 2, [-5, -5, -5, -5]),
        (LeakyClip(1.0, 0.5), 2, [-5, -5, -2, -3]),
        (PReLU(4), 2, [-1.25, -1.25, -5, -1.25]),
    ):
        with record() as point:
            layer.forward(x)
        assert point.on_kinks == kinks
        with replay(point):
            assert layer.forward(np.full((1, 4), -5.0))[0].ravel().tolist() == continued


def test_any_map_is_a_layer_and_eval_mode_deploys_it() -> None:
    x = np.array([-0.3, 0.4, 2.0])
    layer = Activation(Compose((Tanh(2.0), estimators.get("bnn++", beta=3.0))))
    soft, cache = layer.forward(x)
    assert not np.isin(soft, (-1, 1)).any()
    assert layer.eval()(x).tolist() == [-1, 1, 1]
    step = 1e-6
    numeric = [
        (layer.curve(np.array([v + step])) - layer.curve(np.array([v - step]))) / (2 * step) for v in x
    ]
    np.testing.assert_allclose(layer.backward(np.ones(3), cache), np.ravel(numeric), rtol=1e-7)
    frozen = Activation(Detach(Tanh()))
    assert frozen.backward(np.ones(3), frozen.forward(x)[1]).tolist() == [0, 0, 0]


def test_a_clip_must_be_positive() -> None:
    with pytest.raises(ValueError, match="clip: required a positive number, got 0"):
        HardTanh(0)


def test_another_number_of_channels_is_refused() -> None:
    with pytest.raises(ValueError, match="channels"):
        PReLU(3)(np.ones((2, 1)))


def test_one_slope_may_serve_all_channels() -> None:
    shared, apart = PReLU(1, 0.5), PReLU(3, 0.5)
    x, dy = np.random.default_rng(0).normal(size=(2, 4, 3))
    results = [(layer.astype(np.float64), *layer.forward(x)) for layer in (shared, apart)]
    dxs = [layer.backward(dy, cache) for layer, _, cache in results]
    np.testing.assert_array_equal(results[0][1], results[1][1])
    np.testing.assert_array_equal(*dxs)
    np.testing.assert_allclose(shared.slope.grad, [apart.slope.grad.sum()])
