"""EDE: its two stages, its law, its limits. Libra: balanced weights, a scale that is a power of two."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators, pack
from bnn_ref.annealing import Moment
from bnn_ref.auditing import audit_layer
from bnn_ref.binarizer import Compose, Scaled
from bnn_ref.estimators.irnet import EDE, LIBRA, LogSpaced, PowerOfTwo
from bnn_ref.layers import Activation, Conv2d
from bnn_ref.parameter import Array

positive = st.floats(0.05, 20)


def annealed(moment: float | Moment) -> EDE:
    curve = estimators.get("ede").at(moment).surrogate
    assert isinstance(curve, EDE)
    return curve


@given(positive, positive)
def test_area_peak_and_plateau(k: float, t: float) -> None:
    curve = EDE(k, t)
    x = np.array([-1.0, 1.0]) * 40 / t
    np.testing.assert_allclose(curve(x), [-k, k], rtol=1e-15)
    assert curve.area == 2 * k
    assert curve.derivative(np.array(0.0)) == k * t == curve.peak


@given(positive, positive, st.floats(-5, 5))
def test_the_slope_as_the_code_writes_it(k: float, t: float, u: float) -> None:
    """k t (1 - tanh^2(t x)): T'/T'(0) = 1 - (T/k)^2, an identity between the two declared functions."""
    x = np.array(u / t)
    curve = EDE(k, t)
    assert np.isclose(curve.derivative(x) / curve.peak, 1 - (curve(x) / k) ** 2, rtol=1e-9, atol=1e-15)


@given(st.floats(0, 1))
def test_slope_1_at_0_while_t_is_at_most_1(progress: float) -> None:
    curve = annealed(progress)
    if curve.t <= 1:
        assert np.isclose(curve.peak, 1, rtol=1e-15)
    else:
        assert (curve.k, curve.area) == (1, 2)


def test_the_law_runs_evenly_in_decades_from_one_tenth_to_10() -> None:
    np.testing.assert_allclose(
        [annealed(p).t for p in (0, 0.25, 0.5, 0.75, 1)], 10.0 ** np.array([-1, -0.5, 0, 0.5, 1]), rtol=1e-14
    )
    assert annealed(0.0).k == 10


def test_by_epochs_the_end_is_never_quite_reached() -> None:
    """bireal.md 8.2: updated per epoch i = 0 .. N-1 by i/N."""
    steps = np.array([annealed(Moment.of_epoch(i, 400)).t for i in range(400)])
    assert steps[0] == 0.1
    np.testing.assert_allclose(steps[1:] / steps[:-1], 10 ** (2 / 400), rtol=1e-12)
    assert np.isclose(steps[-1], 10 * 10 ** (-2 / 400), rtol=1e-12)


def test_the_resnet_20_script_starts_at_one_thousandth() -> None:
    values = LogSpaced(t_min=1e-3)(Moment.of_epoch(0, 400))
    assert values == {"t": 1e-3, "k": 1e3}


@given(st.floats(-100, 100))
def test_identity_is_the_limit_of_flat_steps(x: float) -> None:
    curve = EDE(k=1e8, t=1e-8)
    assert np.isclose(curve(np.array(x)), x, rtol=1e-9, atol=1e-9)
    assert np.isclose(curve.derivative(np.array(x)), 1, rtol=1e-9)


def test_height_1_is_tanh() -> None:
    x = np.linspace(-3, 3, 61)
    tanh = estimators.get("tanh", beta=2.5)
    np.testing.assert_array_equal(EDE(1.0, 2.5)(x), tanh.surrogate(x))
    np.testing.assert_array_equal(EDE(1.0, 2.5).derivative(x), tanh.backward(x, np.ones_like(x)))


@pytest.mark.parametrize("field", ["k", "t"])
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_wrong_parameters_are_named(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{field}: required a positive number, got {value}"):
        estimators.get("ede", **{field: value})


# Libra


def weight(seed: int, shape: tuple[int, ...] = (3, 3, 2, 4), size: float = 1.0) -> Array:
    rng = np.random.default_rng(seed)
    return size * (rng.normal(size=shape) + rng.normal(size=shape[-1]))


@given(st.integers(0, 9999), st.floats(1e-6, 1e6), st.sampled_from([np.float32, np.float64]))
def test_the_scale_is_an_exact_power_of_two(seed: int, size: float, dtype: type) -> None:
    """Invariant 11: mantissa 1/2 to the bit; within a factor sqrt2 of the mean, filter by filter."""
    w = weight(seed, size=size).astype(dtype)
    y = estimators.get("irnet-weight")(w)
    assert y.dtype == dtype
    for f in range(4):
        (scale,) = np.unique(np.abs(y[..., f]))
        mantissa, _ = np.frexp(scale)
        assert mantissa == 0.5
        flat = w[..., f].astype(np.float64).ravel()
        mean = np.abs((flat - flat.mean()) / flat.std(ddof=1)).mean()
        assert 2**-0.5 * (1 - 1e-5) <= scale / mean <= 2**0.5 * (1 + 1e-5)


@given(st.integers(0, 9999))
def test_signs_are_those_of_the_centred_weight(seed: int) -> None:
    w = weight(seed)
    y = estimators.get("irnet-weight")(w)
    for f in range(4):
        above = w[..., f] > np.mean(w[..., f])
        np.testing.assert_array_equal(y[..., f] > 0, above)


@given(st.integers(0, 9999), st.floats(0.1, 10), st.floats(-5, 5))
def test_a_filter_may_be_moved_and_stretched(seed: int, stretch: float, move: float) -> None:
    """The value does not change; so the gradient has mean 0 and is orthogonal to the filter."""
    b, w = estimators.get("irnet-weight", t=1.3), weight(seed)
    np.testing.assert_array_equal(b(w), b(stretch * w + move))
    dw = b.backward(w, np.random.default_rng(seed + 1).normal(size=w.shape))
    assert np.abs(dw).max() > 1e-3
    np.testing.assert_allclose(dw.sum(axis=(0, 1, 2)), 0, atol=1e-12)
    np.testing.assert_allclose((dw * w).sum(axis=(0, 1, 2)), 0, atol=1e-11)


def test_behind_libra_mean_and_spread_are_0_and_1() -> None:
    z = Compose(LIBRA)(weight(0))
    np.testing.assert_allclose(z.mean(axis=(0, 1, 2)), 0, atol=1e-15)
    np.testing.assert_allclose(z.std(axis=(0, 1, 2), ddof=1), 1, rtol=1e-14)


def test_a_filter_of_equal_weights_is_silent() -> None:
    """Nothing to divide by: value 0, and a finite gradient."""
    b, w = estimators.get("irnet-weight"), weight(0)
    w[..., 1] = 0.25
    assert not b(w)[..., 1].any()
    assert b(w)[..., 0].all()
    assert np.isfinite(b.backward(w, np.ones_like(w))).all()
    report = audit_layer(Activation(b, shape=w.shape), w)
    assert report.passed, str(report)
    assert report.on_kinks > 0


def test_powers_of_two_round_in_the_exponent() -> None:
    x = np.array([0.0, 1.0, 1.41, 1.42, 2.0**-20, 3.0, 0.7, 0.71])
    assert PowerOfTwo()(x).tolist() == [0, 1, 1, 2, 2.0**-20, 4, 0.5, 1]


def test_its_weights_are_annealed_as_its_activations() -> None:
    for moment in (0.0, 0.4, Moment.of_epoch(7, 9)):
        b = estimators.get("irnet-weight").at(moment)
        assert isinstance(b.surrogate, Scaled)
        (curve,) = (part for part in b.surrogate.parts() if isinstance(part, EDE))
        assert curve == annealed(moment)


def test_packed_it_is_signs_and_shifts_of_bits() -> None:
    rng = np.random.default_rng(0)
    layer = Conv2d(3, 4, 3, rng=rng, activation=estimators.get("ede"), weight=estimators.get("irnet-weight"))
    x = rng.normal(size=(2, 5, 5, 3)).astype(np.float32)
    packed = pack(layer)
    np.testing.assert_array_equal(packed(x), layer.eval()(x))
    np.testing.assert_array_equal(packed(x), layer.train()(x), "a power of two rounds nothing")
    assert [node.step.kind for node in packed.graph.nodes] == ["pack_signs", "binary_conv", "scale"]
