"""AdaSTE: its inner problem, its differences, its released code's oversight, its schedule."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from bnn_ref import estimators
from bnn_ref.annealing import Moment
from bnn_ref.estimators.adaste import AdaptiveDifference, CodedDifference, Growing, InnerMinimiser

A = st.floats(0.005, 0.3)
B = st.floats(0.01, 30)
X = st.floats(-5, 5).filter(lambda x: abs(x) > 1e-3)
DY = st.floats(-20, 20).filter(lambda dy: abs(dy) > 2e-3)


def one(rule: Any, x: float, dy: float) -> float:
    return float(rule.vjp(np.array([x]), np.array([dy]))[0])


@given(x=X, a=A, b=B)
def test_the_minimiser_minimises(x: float, a: float, b: float) -> None:
    """No w on a fine grid of [-1, 1] has less energy than w*(x)."""
    w = np.append(np.linspace(-1, 1, 20001), InnerMinimiser(a, b)(np.array(x)))
    energy = (w - x) ** 2 / 2 + b / 2 * (np.abs(w) - 1 - a) ** 2
    assert energy[-1] <= energy.min() + 1e-12


@given(x=X, a=A, b=st.floats(1, 50))
def test_it_is_a_sign_once_a_b_reaches_1(x: float, a: float, b: float) -> None:
    w = InnerMinimiser(a, max(b, 1 / a))(np.array([x, -1e-9, 0.0]))
    np.testing.assert_array_equal(w, [np.sign(x), -1, 1])


@given(x=X, dy=DY, a=A, b=B)
def test_every_gradient_is_a_finite_difference(x: float, dy: float, a: float, b: float) -> None:
    """There is a step t with (w*(x) - w*(x - t dy)) / t = dx: found by root finding, of no factor given."""
    w, dx = InnerMinimiser(a, b), one(AdaptiveDifference(a, b), x, dy)

    def excess(t: float) -> float:
        return float(w(np.array(x)) - w(np.array(x - t * dy))) / t - dx

    inward = x * dy > 0
    if not inward:
        inner = min(1e-3, abs(1 - a * b - abs(x)) / 2) / abs(dy)
        assert excess(inner) == pytest.approx(0, abs=1e-6 * abs(dy))
        return
    crossing = abs(x / dy)
    start = 2 * crossing if a * b >= 1 else crossing * (1 + 1e-12)
    size = np.sign(dy)
    if size * excess(start) <= 1e-6 * abs(dy):  # the jump across 0 is the whole of it
        assert excess(start) == pytest.approx(0, abs=1e-6 * abs(dy))
    else:
        t = optimize.brentq(excess, start, 1e3 * start + 1e3 / abs(dy))
        assert dx == pytest.approx(dy / 2)
        assert t >= start


@given(x=X, dy=DY, a=A, b=B)
def test_the_released_code_agrees_but_for_one_sign(x: float, dy: float, a: float, b: float) -> None:
    saturation = max(1 - a * b, 0)
    same = one(AdaptiveDifference(a, b), x, dy) == pytest.approx(one(CodedDifference(a, b), x, dy))
    odd = 0 < x <= saturation and dy > 0
    assert same or odd


@pytest.mark.parametrize("x", [0.03, 0.2, 0.9])
def test_the_released_code_turns_an_inward_gradient_around(x: float) -> None:
    """At the first b = 0.01: beyond 2b (1 + a) = 0.0202 a positive weight is pushed away from 0, not back."""
    declared, coded = AdaptiveDifference(0.01, 0.01), CodedDifference(0.01, 0.01)
    assert one(declared, x, 1.0) == 0.5
    assert one(coded, x, 1.0) < 0
    assert one(coded, -x, -1.0) == -one(declared, x, 1.0)


def test_the_released_code_ignores_small_inward_gradients() -> None:
    coded = CodedDifference(0.01, 0.01)
    x = np.array([-3.0, -3.0, -0.5, -5e-7])
    np.testing.assert_allclose(
        coded.vjp(x, np.array([-2e-3, -1e-3, -1e-3, -1.0])),
        [-2e-3 * (1 + 0.02 + 1e-4) / 1.01 / 3, 0, -1e-3 / 1.01, -1 / 1.01],
    )


@pytest.mark.parametrize(
    ("x", "dy", "dx"),
    [(1.0, 3.0, 1.5), (4.0, 3.0, 0.75), (1.0, -3.0, 0.0), (-4.0, -3.0, -0.75), (-4.0, 3.0, 0.0)],
)
def test_the_last_b_by_hand(x: float, dy: float, dx: float) -> None:
    """a b = 1: min(1/abs(x), 1/2) inward, nothing outward."""
    for rule in (AdaptiveDifference(0.01, 100.0), CodedDifference(0.01, 100.0)):
        assert one(rule, x, dy) == dx


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_a_weight_of_zero_counts_as_positive(zero: float) -> None:
    for b, outward in ((0.5, 1 / 1.5), (100.0, 0.0)):
        assert one(AdaptiveDifference(0.01, b), zero, 3.0) == 1.5
        assert one(AdaptiveDifference(0.01, b), zero, -3.0) == pytest.approx(-3 * outward)


def test_b_grows_by_a_twentieth_an_epoch_and_stops() -> None:
    law = Growing()
    values = [law(Moment.of_epoch(epoch, 700))["b"] for epoch in range(700)]
    assert values[0] == 0.01
    np.testing.assert_allclose(np.diff(np.log(values[:189])), np.log(1.05))
    assert values[188] < 100
    assert values[189:] == [100.0] * 511  # 1.05^189 = 10,094 > 100 / 0.01


@pytest.mark.parametrize("name", ["adaste", "adaste-code"])
def test_the_schedule_moves_forward_and_gradient_together(name: str) -> None:
    late = estimators.get(name).at(1.0)
    assert (late.forward.b, late.surrogate.b) == (100.0, 100.0)  # type: ignore[attr-defined]
    x = np.array([-0.3, 0.3])
    np.testing.assert_array_equal(late(x), [-1, 1])
    assert not np.isin(estimators.get(name)(x), (-1, 1)).any()


@pytest.mark.parametrize("key", ["a", "b"])
def test_wrong_parameters_are_named(key: str) -> None:
    with pytest.raises(ValueError, match=f"{key}: required a positive number"):
        estimators.get("adaste", **{key: 0.0})


def test_the_released_code_s_least_weight_grows_at_the_last_b() -> None:
    """abs(x) > 0.001 where a b >= 1, 0.000001 before: a smaller weight is not pulled across 0."""
    small, dy = np.array([5e-4, -5e-4, 2e-3]), np.array([1.0, -1.0, 1.0])
    np.testing.assert_array_equal(CodedDifference(0.01, 100.0).vjp(small, dy), [0, 0, 0.5])
    np.testing.assert_array_equal(CodedDifference(0.01, 0.01).vjp(small, dy), [0.5, -0.5, 0.5])
