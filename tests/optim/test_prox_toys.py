"""Toy problems whose answers are known: rows T1 to T6 of the list of properties, each test under its row."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from bnn_ref.binarizer import Binarizer
from bnn_ref.estimators.proxquant import SumOfSteps
from bnn_ref.estimators.shrinkage import ConvexPar
from bnn_ref.estimators.ste import Identity
from bnn_ref.optim import ProxConnect
from bnn_ref.optim.prox import PROJECTION
from bnn_ref.parameter import Array

Drive = Callable[..., Any]
SEEDS = st.integers(0, 10**6)


@given(st.floats(-3, 3), st.floats(-2, 2), st.floats(0.01, 1), st.integers(1, 200))
def test_t1_the_mean_of_1d_binaryconnect_is_known(
    drive: Drive, a: float, start: float, eta: float, steps: int
) -> None:
    """l = (w - a)^2 / 2: mean of w_1 .. w_T minus a is (w*_1 - w*_T+1) / (eta T)."""
    path = drive(ProxConnect, PROJECTION, [start], lambda w, _: w - a, [eta] * steps)
    mean = path.points[:-1].mean()
    assert mean - a == pytest.approx((start - path.stars[-1, 0]) / (eta * steps), abs=1e-10 / eta)


@pytest.mark.parametrize("a", [-1.7, -0.9, -0.2, 0.0, 0.35, 0.99, 1.3])
def test_t1_its_mean_tends_to_the_clip_of_a(drive: Drive, a: float) -> None:
    path = drive(ProxConnect, PROJECTION, [0.3], lambda w, _: w - a, [0.1] * 1500)
    w = path.points[:, 0]
    assert w[100:].mean() == pytest.approx(np.clip(a, -1, 1), abs=3e-3)
    flips = np.flatnonzero(np.diff(w))
    assert (flips[-1] > 1200) if abs(a) < 1 else (len(flips) == 0 or flips[-1] < 100)


@pytest.mark.parametrize("seed", range(6))
def test_t2_signs_are_absorbing_where_no_gradient_asks_for_a_flip(drive: Drive, seed: int) -> None:
    """s holds for ever, from anywhere in its orthant, iff s_i d_i l(s) <= 0 for all i; else it is left."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(10, 4)), rng.normal(size=10) * 4
    gradient = lambda w, _=0: a.T @ (a @ w - b) / 10  # noqa: E731
    absorbing = []
    for signs in itertools.product((-1.0, 1.0), repeat=4):
        s = np.array(signs)
        pull = float((s * gradient(s)).max())  # how fast w* leaves, as long as s holds
        steps = 100 if pull <= 0 else int(0.5 / pull) + 2
        path = drive(ProxConnect, PROJECTION, s * rng.uniform(0.05, 0.5, 4), gradient, [1.0] * steps)
        stays = bool((path.points == s).all())
        assert stays == (pull <= 0)
        absorbing.append(stays)
    assert not all(absorbing)


def test_t2_absorbing_signs_exist(drive: Drive) -> None:
    """A separable loss that pulls each weight beyond its sign: that vertex holds, its neighbours do not."""
    target = np.array([2.0, -3.0, 1.5])
    for signs in itertools.product((-1.0, 1.0), repeat=3):
        path = drive(ProxConnect, PROJECTION, 0.2 * np.array(signs), lambda w, _: w - target, [0.1] * 20)
        np.testing.assert_array_equal(path.points[-1], np.sign(target))


def box_l1(lam: float, start: float = 1.0, frozen: bool = False) -> Binarizer:
    """The proximal map of lam abs(w)_1 on the box [-1, 1], its slope moved by the sum of steps, or not."""
    law = SumOfSteps("slope", lam, start)
    grown = lambda moment: {"slopes": (law(moment)["slope"],)}  # noqa: E731
    return Binarizer(ConvexPar((1.0,), (lam,)), Identity(), law=None if frozen else grown)


def problem(seed: int, lam: float, d: int = 5) -> tuple[Any, Any, Array]:
    """A convex quadratic plus lam abs(w)_1 on the box: height above the least, gradient, where it is least.

    The minimiser is that of scipy on w = p - q, p and q in [0, 1], where the problem is smooth.
    """
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(8, d)), rng.normal(size=8) * 2
    h, c = a.T @ a / 8, a.T @ b / 8
    loss = lambda w: float(w @ h @ w / 2 - c @ w)  # noqa: E731

    def parts(v: Array) -> tuple[float, Array]:
        w = v[:d] - v[d:]
        slope = h @ w - c
        return loss(w) + lam * v.sum(), np.concatenate([slope + lam, lam - slope])

    options: dict[str, Any] = {"ftol": 1e-16, "gtol": 1e-13, "maxiter": 10000, "maxfun": 10**5}
    found = optimize.minimize(parts, np.full(2 * d, 0.1), jac=True, bounds=[(0, 1)] * 2 * d, options=options)
    best, least = found.x[:d] - found.x[d:], float(found.fun)
    return lambda w: loss(w) + lam * np.abs(w).sum() - least, lambda w, _=0: h @ w - c, best


@pytest.mark.parametrize("lam", [0.0, 0.3])
def test_t3_the_average_converges_like_one_over_the_root_and_the_last_faster(
    drive: Drive, lam: float
) -> None:
    above, gradient, _ = problem(0, lam)
    steps = np.array([50, 400, 3200])
    path = drive(ProxConnect, box_l1(lam), np.zeros(5), gradient, 1 / np.sqrt(np.arange(1, steps[-1] + 1)))
    weights = path.etas.cumsum()[:, None]
    averages = (path.etas[:, None] * path.points[:-1]).cumsum(axis=0) / weights
    gaps = np.array([above(averages[t - 1]) for t in steps])
    rates = np.diff(np.log(gaps)) / np.diff(np.log(steps))
    assert (rates < -0.45).all()
    assert (gaps * np.sqrt(steps) < 5).all()
    last = np.array([above(path.points[t]) for t in steps])
    assert (last[1:] < gaps[1:] / 10).all()


def test_t4_mu_has_to_grow(drive: Drive) -> None:
    """Growing, it solves the problem with r; frozen at 1, the one without r, whose solution is elsewhere."""
    above, gradient, best = problem(0, 0.3)
    beyond, _, other = problem(0, 0.0)
    etas = 1 / np.sqrt(np.arange(1, 3001))
    growing = drive(ProxConnect, box_l1(0.3), np.zeros(5), gradient, etas).points[-1]
    frozen = drive(ProxConnect, box_l1(0.3, frozen=True), np.zeros(5), gradient, etas).points[-1]
    assert above(growing) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(growing, best, atol=1e-5)
    assert beyond(frozen) == pytest.approx(0, abs=1e-8)
    np.testing.assert_allclose(frozen, other, atol=1e-4)
    assert above(frozen) > 0.02


@pytest.mark.parametrize("seed", range(4))
def test_t5_the_bound_of_aprox_for_the_average_and_for_the_last(drive: Drive, seed: int) -> None:
    """G R (2 + 1.5 ln t) / sqrt t, with eta_t = R / (2 G sqrt t), gamma_t = sum of all eta up to t.

    l = mean abs(A w - b), r convex, piecewise affine and finite everywhere: the least value by linear
    programming.
    """
    rng = np.random.default_rng(seed)
    a, slopes = rng.normal(size=(12, 4)), np.array([0.1, 0.6])
    b = a @ rng.normal(size=4) * 2 + rng.normal(size=12)
    loss = lambda w: float(np.abs(a @ w - b).mean())  # noqa: E731
    r = lambda w: slopes @ [np.minimum(np.abs(w), 1).sum(), np.maximum(np.abs(w) - 1, 0).sum()]  # noqa: E731
    best, least = linear_program(a, b, slopes)
    assert loss(best) + r(best) == pytest.approx(least, abs=1e-9)
    radius = float(np.linalg.norm(best))
    steepest = float(np.linalg.norm(a, axis=1).mean() + slopes[1] * 2)
    law = SumOfSteps("strength", 1.0, 0.0)
    moved = lambda moment: {"slopes": tuple(max(law(moment)["strength"], 1e-9) * slopes)}  # noqa: E731
    p = Binarizer(ConvexPar((1.0,), tuple(slopes)), Identity(), law=moved)
    times = np.arange(1, 1001)
    etas = radius / (2 * steepest * np.sqrt(times))
    path = drive(ProxConnect, p, np.zeros(4), lambda w, _: a.T @ np.sign(a @ w - b) / 12, etas)
    assert path.points[0].tolist() == [0] * 4
    weights = path.etas.cumsum()[:, None]
    averages = (path.etas[:, None] * path.points[:-1]).cumsum(axis=0) / weights
    for t in (1, 2, 5, 20, 100, 500, 1000):
        bound = steepest * radius * (2 + 1.5 * np.log(t)) / np.sqrt(t)
        for w in (averages[t - 1], path.points[t - 1]):
            assert loss(w) + r(w) - least <= bound
    assert loss(path.points[-1]) + r(path.points[-1]) - least < 0.1


def linear_program(a: Array, b: Array, slopes: Array) -> tuple[Array, float]:
    """min mean abs(A w - b) + r(w): variables w, the residuals' sizes, and r's value in each coordinate."""
    n, d = a.shape
    eye, zero = np.eye(d), np.zeros((d, n))
    cost = np.concatenate([np.zeros(d), np.full(n, 1 / n), np.ones(d)])
    rows, right = [], []
    for side in (1, -1):
        rows.append(np.hstack([side * a, -np.eye(n), np.zeros((n, d))]))
        right.append(side * b)
        for slope, offset in ((slopes[0], 0.0), (slopes[1], slopes[0] - slopes[1])):
            rows.append(np.hstack([side * slope * eye, zero, -eye]))
            right.append(np.full(d, -offset))
    free = [(None, None)] * len(cost)
    found = optimize.linprog(cost, np.vstack(rows), np.concatenate(right), bounds=free)
    return found.x[:d], float(found.fun)


@given(SEEDS)
def test_t6_binaryconnects_regret_is_its_flip_mass(drive: Drive, seed: int) -> None:
    """Each step adds 2 abs(w*) of what flipped, at most 2 eta abs(g); the rest of the regret telescopes."""
    rng = np.random.default_rng(seed)
    noise, w = rng.normal(size=(25, 4)), rng.choice([-1.0, 1.0], 4)
    path = drive(
        ProxConnect, PROJECTION, rng.normal(size=4), lambda _, t: noise[t], rng.uniform(0.05, 0.5, 25)
    )
    flipped = path.points[1:] != path.points[:-1]
    mass = 2 * (np.abs(path.stars[1:]) * flipped).sum(axis=1)
    assert (mass <= 2 * path.etas * (np.abs(path.gradients) * flipped).sum(axis=1) + 1e-12).all()
    regret = (path.etas[:, None] * (path.points[:-1] - w) * path.gradients).sum()
    first, last = (np.abs(star).sum() - w @ star for star in (path.stars[0], path.stars[-1]))
    assert regret == pytest.approx(first - last + mass.sum(), abs=1e-11)
