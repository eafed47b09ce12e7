"""Gradient descent with momentum against exact fractions, closed forms and another form of Nesterov's."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from bnn_ref.optim import SGD
from bnn_ref.parameter import Parameter

Run = Callable[..., list[Any]]
One = Callable[..., Parameter]
# Halves and quarters: a few steps with them are exact in float64, so that equality is asked for.
A, LR, M, X0 = Fraction(3, 2), Fraction(1, 4), Fraction(1, 2), Fraction(5)


def heavy_ball(steps: int) -> list[Fraction]:
    """x' = x - lr a x + m (x - x_before), the second-order recurrence, without a velocity."""
    x = [X0, X0]
    for _ in range(steps):
        x.append(x[-1] - LR * A * x[-1] + M * (x[-1] - x[-2]))
    return x[1:]


def nesterov(steps: int) -> list[Fraction]:
    """The classical form v' = m v - lr f'(x + m v), x' = x + v': the points x + m v where it looks."""
    x, v, looks = X0, Fraction(0), [X0]
    for _ in range(steps):
        v = M * v - LR * A * (x + M * v)
        x = x + v
        looks.append(x + M * v)
    return looks


@pytest.mark.parametrize(("look_ahead", "expected"), [(False, heavy_ball(8)), (True, nesterov(8))])
def test_momentum_is_exact_on_a_quadratic(
    run: Run, one: One, look_ahead: bool, expected: list[Fraction]
) -> None:
    optimizer = SGD([one([float(X0)])], float(LR), momentum=float(M), nesterov=look_ahead)
    found = run(optimizer, lambda x: float(A) * x, 8)
    assert [Fraction(float(x[0])) for x in found] == expected


def test_without_momentum_a_quadratic_shrinks_geometrically(run: Run, one: One) -> None:
    found = run(SGD([one([5.0])], 0.25, momentum=0.0), lambda x: 1.5 * x, 8)
    assert [float(x[0]) for x in found] == [5 * 0.625**n for n in range(9)]


@given(st.floats(0, 0.99), st.integers(1, 30))
def test_a_constant_gradient_sums_up(run: Run, one: One, m: float, steps: int) -> None:
    # v_k = g (1 - m^k) / (1 - m); their sum is g (n - m (1 - m^n) / (1 - m)) / (1 - m)
    total = (steps - m * (1 - m**steps) / (1 - m)) / (1 - m)
    found = run(SGD([one([0.0])], 0.1, momentum=m), lambda x: np.array([3.0]), steps)
    assert found[-1][0] == pytest.approx(-0.1 * 3 * total, rel=1e-9)


@pytest.mark.parametrize("look_ahead", [False, True])
def test_it_finds_the_minimum_that_scipy_finds(run: Run, one: One, look_ahead: bool) -> None:
    target = np.array([0.2, 0.9, 0.5])
    # a convex function without a closed form: log cosh(x - target) plus a coupling of the coordinates
    expected = optimize.minimize(
        lambda x: np.log(np.cosh(x - target)).sum() + 0.3 * x.sum() ** 2, np.zeros(3)
    )
    found = run(
        SGD([one([0.0, 0.0, 0.0])], 0.1, nesterov=look_ahead),
        lambda x: np.tanh(x - target) + 0.6 * x.sum(),
        600,
    )
    np.testing.assert_allclose(found[-1], expected.x, atol=1e-5)


@pytest.mark.parametrize("momentum", [-0.1, 1.0, 1.5, float("nan")])
def test_a_momentum_out_of_range_is_named(one: One, momentum: float) -> None:
    with pytest.raises(ValueError, match=r"momentum: required a number in \[0, 1\), got"):
        SGD([one([0.0])], momentum=momentum)


def test_looking_ahead_needs_momentum(one: One) -> None:
    with pytest.raises(ValueError, match="nesterov: required momentum > 0, got 0"):
        SGD([one([0.0])], momentum=0.0, nesterov=True)
