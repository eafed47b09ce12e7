"""Adam against its unrolled sums in exact arithmetic, and the properties its paper claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf, sqrt
from scipy import optimize

from bnn_ref.optim import Adam
from bnn_ref.parameter import Parameter

Run = Callable[..., list[Any]]
One = Callable[..., Parameter]
GRADIENTS = st.lists(st.floats(-10, 10).filter(lambda g: abs(g) > 1e-3), min_size=1, max_size=12)


def unrolled(gradients: list[float], lr: float, b1: float, b2: float, eps: float) -> Any:
    """x after those gradients from 0: each moment as the weighted mean of all gradients so far, 40 digits."""
    with mp.workdps(40):
        x = mpf(0)
        for t in range(1, len(gradients) + 1):
            weights1 = [mpf(b1) ** (t - i) for i in range(1, t + 1)]
            weights2 = [mpf(b2) ** (t - i) for i in range(1, t + 1)]
            m = sum(w * mpf(g) for w, g in zip(weights1, gradients, strict=False)) / sum(weights1)
            v = sum(w * mpf(g) ** 2 for w, g in zip(weights2, gradients, strict=False)) / sum(weights2)
            x -= mpf(lr) * m / (sqrt(v) + mpf(eps))
        return float(x)


@given(GRADIENTS)
def test_moments_are_weighted_means_of_all_gradients(run: Run, one: One, gradients: list[float]) -> None:
    stream = iter(gradients)
    optimizer = Adam([one([0.0])], 0.1, betas=(0.8, 0.95), eps=1e-3)
    found = run(optimizer, lambda x: np.array([next(stream)]), len(gradients))
    expected = unrolled(gradients, 0.1, 0.8, 0.95, 1e-3)
    assert found[-1][0] == pytest.approx(expected, rel=1e-10, abs=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_first_step_is_the_sign(run: Run, dtype: Any) -> None:
    gradient = np.array([1e-3, -1e-3, 0.5, -700.0, 0.0], dtype)
    found = run(Adam([Parameter(np.zeros(5, dtype))], 0.25), lambda x: gradient, 1)
    np.testing.assert_allclose(found[-1], -0.25 * np.sign(gradient), rtol=2e-5)
    assert found[-1].dtype == dtype


@given(st.floats(1e-2, 1e3), st.integers(1, 50))
def test_a_constant_gradient_moves_by_lr_each_step(run: Run, one: One, g: float, steps: int) -> None:
    found = run(Adam([one([0.0])], 0.01), lambda x: np.array([g]), steps)
    assert found[-1][0] == pytest.approx(-0.01 * steps, rel=2e-6)


@given(GRADIENTS, st.floats(0.01, 100))
def test_the_scale_of_the_gradients_does_not_matter(
    run: Run, one: One, gradients: list[float], c: float
) -> None:
    paths = []
    for scale in (1, c):
        stream = iter(gradients)
        optimizer = Adam([one([0.0])], 0.1, eps=1e-300)
        paths.append(run(optimizer, lambda x, s=scale, g=stream: np.array([s * next(g)]), len(gradients)))
    np.testing.assert_allclose(paths[0], paths[1], rtol=1e-9, atol=1e-12)


def test_it_finds_the_minimum_that_scipy_finds(run: Run, one: One) -> None:
    expected = optimize.minimize(
        lambda x: np.log(np.cosh(x - [0.2, -3])).sum() + x[0] * x[1] / 4, np.zeros(2)
    )
    gradient = lambda x: np.tanh(x - [0.2, -3]) + x[::-1] / 4  # noqa: E731
    found = run(Adam([one([0.0, 0.0])], 0.02), gradient, 3000)
    np.testing.assert_allclose(found[-1], expected.x, atol=1e-4)


@pytest.mark.parametrize("betas", [(1.0, 0.9), (0.9, 1.0), (-0.1, 0.9), (0.9, float("nan")), (0.9,)])
def test_betas_out_of_range_are_named(one: One, betas: Any) -> None:
    with pytest.raises(ValueError, match=r"betas: required two numbers in \[0, 1\), got"):
        Adam([one([0.0])], betas=betas)


@pytest.mark.parametrize("eps", [0.0, -1e-8, float("nan")])
def test_eps_out_of_range_is_named(one: One, eps: float) -> None:
    with pytest.raises(ValueError, match="eps: required a number > 0, got"):
        Adam([one([0.0])], eps=eps)
