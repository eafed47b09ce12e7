"""ReSTE: from line to sign; the secant near 0, the printed schedule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from bnn_ref import estimators, pack
from bnn_ref.annealing import Moment
from bnn_ref.estimators.reste import PowerFunction
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.layers import Linear

root = st.floats(1, 12)


@given(st.floats(-1, 1))
def test_root_1_is_the_clip_on_its_interval(x: float) -> None:
    line, clip = PowerFunction(o=1.0), HardTanh()
    assert line(np.array(x)) == clip(np.array(x)) == x
    assert line.derivative(np.array(x)) == clip.derivative(np.array(x)) == 1


@given(root, st.floats(0.11, 1.5))
def test_t_to_the_o_is_x(o: float, x: float) -> None:
    """Between m and t: T^o = x, so o T^(o-1) T' = 1."""
    curve = PowerFunction(o)
    value = curve(np.array(x))
    assert np.isclose(value**o, x, rtol=1e-12)
    assert np.isclose(o * value ** (o - 1) * curve.derivative(np.array(x)), 1, rtol=1e-12)
    assert curve(np.array(-x)) == -value


@given(root, st.floats(0.01, 0.5), st.floats(0.6, 3))
def test_the_secant_keeps_the_rise(o: float, m: float, t: float) -> None:
    """Continuous at m and at t; area 2 t^(1/o), as if no secant had been drawn."""
    curve = PowerFunction(o, m, t)
    for x in (m, t):
        below, above = curve(np.nextafter(x, [0.0, 9.0]))
        assert np.isclose(below, above, rtol=1e-13)
    assert np.isclose(curve(np.array(m)) ** o, m, rtol=1e-12)
    assert np.isclose((curve(np.array(9.0)) - curve(np.array(-9.0))) / 2, t ** (1 / o), rtol=1e-14)
    assert np.isclose(curve.area, 2 * t ** (1 / o), rtol=1e-14)


@given(root, st.floats(0.01, 0.5))
def test_the_slope_jumps_by_the_root_at_m(o: float, m: float) -> None:
    """Secant m^(1/o - 1) against slope (1/o) m^(1/o - 1): a factor o; m itself belongs to the secant."""
    curve = PowerFunction(o, m, 1.0)
    for side in (1, -1):
        at, beyond = curve.derivative(side * np.array([m, np.nextafter(m, 1)]))
        assert np.isclose(at / beyond, o, rtol=1e-12)
        assert at == curve.derivative(np.array(0.0)) == curve.peak
    assert np.isclose(curve.peak * m, curve(np.array(m)), rtol=1e-14)


def test_the_window_is_closed() -> None:
    curve = PowerFunction()
    edge = np.array([-1.5, 1.5])
    assert (curve.derivative(edge) > 0.25).all()
    np.testing.assert_array_equal(curve.derivative(np.nextafter(edge, 2 * edge)), 0)


def test_large_roots_are_near_sign() -> None:
    x = np.array([-1.4, -0.2, 0.2, 1.4])
    np.testing.assert_allclose(PowerFunction(o=1e6)(x), np.sign(x), atol=1e-5)


@pytest.mark.parametrize(
    ("epoch", "o"), [(0, "1.000"), (250, "1.152"), (500, "1.586"), (750, "2.235"), (999, "2.997")]
)
def test_printed_schedule(epoch: int, o: str) -> None:
    curve = estimators.get("reste").at(Moment.of_epoch(epoch, 1000)).surrogate
    assert isinstance(curve, PowerFunction)
    assert f"{curve.o:.3f}" == o
    assert (curve.m, curve.t) == (0.1, 1.5)


def test_the_schedule_ends_at_3_where_the_clock_does() -> None:
    curve = estimators.get("reste").at(1.0).surrogate
    assert isinstance(curve, PowerFunction)
    assert np.isclose(curve.o, 3, rtol=1e-15)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"o": 0.9}, "o: required a number >= 1, got 0.9"),
        ({"m": 0.0}, "m: required a number between 0 and t = 1.5, got 0.0"),
        ({"m": 1.5}, "m: required a number between 0 and t = 1.5, got 1.5"),
        ({"t": 0.05}, "m: required a number between 0 and t = 0.05, got 0.1"),
    ],
)
def test_wrong_parameters_are_named(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimators.get("reste", **parameters)


# With the scale of weights


@given(root, st.floats(0.01, 1.4))
def test_the_secant_keeps_the_area_of_the_power_it_replaces(o: float, m: float) -> None:
    """Integral of T' over (0, m): m^(1/o), secant or not; over all of it 2 t^(1/o)."""
    curve = PowerFunction(o, m, 1.5)
    power = integrate.quad(lambda s: 1.0, 0, m ** (1 / o))[0]  # substitution s = x^(1/o)
    secant = integrate.quad(lambda x: float(curve.derivative(np.array(x))), 0, m)[0]
    assert secant == pytest.approx(power, rel=1e-9)
    rest = integrate.quad(lambda x: float(curve.derivative(np.array(x))), m * (1 + 1e-12), 1.5)[0]
    assert 2 * (secant + rest) == pytest.approx(2 * 1.5 ** (1 / o), rel=1e-8)


def test_one_scale_a_layer_and_its_product_rule() -> None:
    """dw_i = alpha T'(w_i) G_i + sign(w_i) / n * sum_j G_j sign(w_j), written out."""
    b = estimators.get("reste-weight", o=2.5)
    rng = np.random.default_rng(0)
    w, g = rng.normal(size=(2, 3, 3, 2, 4))
    alpha = sum(abs(v) for v in w.ravel()) / w.size
    np.testing.assert_allclose(b(w), alpha * np.sign(w), rtol=1e-14)
    together = sum(float(gi) * (1 if wi > 0 else -1) for gi, wi in zip(g.ravel(), w.ravel(), strict=True))
    got = b.backward(w, g)
    for at in np.ndindex(w.shape):
        size = abs(w[at])
        slope = 0 if size > 1.5 else 0.1 ** (0.4 - 1) if size <= 0.1 else 0.4 * size ** (0.4 - 1)
        assert got[at] == pytest.approx(alpha * slope * g[at] + np.sign(w[at]) * together / w.size, rel=1e-12)


def test_its_root_grows_as_the_activations_does() -> None:
    for moment in (0.0, 0.5, Moment.of_epoch(750, 1000)):
        surrogate = estimators.get("reste-weight").at(moment).surrogate
        (curve,) = (part for part in surrogate.parts() if isinstance(part, PowerFunction))
        assert curve == estimators.get("reste").at(moment).surrogate


def test_packed_the_scale_is_one_number() -> None:
    rng = np.random.default_rng(0)
    weight = estimators.get("reste-weight")
    layer = Linear(6, 4, rng=rng, bias=False, activation=estimators.get("reste"), weight=weight)
    x = rng.normal(size=(5, 6)).astype(np.float32)
    packed = pack(layer)
    np.testing.assert_array_equal(packed(x), layer.eval()(x))
    assert packed.graph.nodes[-1].step.tensors()["factor"].shape == (1,)
