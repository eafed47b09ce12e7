"""EDE: its two stages, its law, its limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.annealing import Moment
from bnn_ref.estimators.irnet import EDE, LogSpaced

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
