"""The theory of proximal optimizers: rows A1 to A12 of the list of properties, each test under its row."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from bnn_ref import estimators
from bnn_ref.annealing import Moment
from bnn_ref.binarizer import Binarizer, Compose, Curve
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.composition import composed
from bnn_ref.estimators.irnet import EDE
from bnn_ref.estimators.quantizers import Projection, ProximalQuantizer
from bnn_ref.estimators.shrinkage import ConvexPar, ProxQuant
from bnn_ref.estimators.ste import HardTanh, Identity, Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.layers import Linear
from bnn_ref.optim import PROXIMAL, SGD, Adam, PostTraining, ProxConnect, ReverseProxConnect
from bnn_ref.optim import ProxQuant as ProximalGradient
from bnn_ref.optim.prox import PROJECTION
from bnn_ref.parameter import Array, Parameter

Drive = Callable[..., Any]
Make = Callable[..., Any]
PLAIN = partial(SGD, momentum=0.0)
SEEDS = st.integers(0, 10**6)
BINARY, TERNARY = (-1.0, 1.0), (-1.0, 0.0, 1.0)


def quadratic(seed: int, d: int = 6, rows: int = 20) -> tuple[Any, Any]:
    """l(w) = mean (A w - b)^2 / 2 as (value, gradient), the gradient told the step too."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(rows, d)), rng.normal(size=rows) * 2
    value = lambda w: float(((a @ w - b) ** 2).mean() / 2)  # noqa: E731
    return value, lambda w, t=0: a.T @ (a @ w - b) / rows


def w_prox(alpha: float, mu: float, v: float) -> float:
    """argmin_z mu (z - v)^2 / 2 + alpha min(abs(z - 1), abs(z + 1)): stationary points and kinks compared."""
    candidates = [-1.0, 0.0, 1.0, v - alpha / mu, v + alpha / mu]
    height = [mu * (z - v) ** 2 / 2 + alpha * min(abs(z - 1), abs(z + 1)) for z in candidates]
    return candidates[int(np.argmin(height))]


@given(SEEDS, st.sampled_from([BINARY, TERNARY, (-1.0, -0.3, 0.3, 1.0)]))
def test_a1_with_the_indicator_of_q_proxconnect_is_binaryconnect(
    drive: Drive, argmin: Any, seed: int, levels: tuple[float, ...]
) -> None:
    """Whatever mu does, the proximal map of the indicator is the nearest level."""
    rng = np.random.default_rng(seed)
    _, gradient = quadratic(seed)
    start, etas = rng.normal(size=6), rng.uniform(0.01, 0.3, 30)
    wild = lambda moment: {"mu": 0.1 + abs(np.sin(moment.step)) + 9 * (moment.step % 3)}  # noqa: E731
    path = drive(ProxConnect, argmin(levels, [0.0] * len(levels), wild), start, gradient, etas)
    star = start
    for t, eta in enumerate(etas):
        w = np.array([min(levels, key=lambda q, v=v: abs(q - v)) for v in star])
        np.testing.assert_array_equal(path.points[t], w)
        star = star - eta * gradient(w)
        np.testing.assert_array_equal(path.stars[t + 1], star)


def layer(weight: Any, seed: int, size: float = 1.5) -> Linear:
    made = Linear(6, 4, rng=np.random.default_rng(seed), weight=weight)
    made.astype(np.float64)
    made.latent.value = np.random.default_rng(seed).uniform(-size, size, (6, 4))
    return made


def outputs(weight: Any, make: Make, seed: int, size: float = 1.5) -> list[Array]:
    """What the layer answers in front of each of 25 steps on a loss that is not convex."""
    part, rng = layer(weight, seed, size), np.random.default_rng(seed)
    optimizer, lr_sum, found = make(part.parameters()), 0.0, []
    optimizer.anneal(Moment(0.0, 0.0))
    part.anneal(Moment(0.0, 0.0))
    for t in range(25):
        y, cache = part.forward(rng.normal(size=(8, 6)))
        found.append(y)
        for parameter in part.parameters():
            parameter.zero_grad()
        part.backward(np.sin(y) + 0.1 * y, cache)
        optimizer.step()
        lr_sum += optimizer.lr
        moment = Moment.of_step(t + 1, 25, 1, lr_sum)
        part.anneal(moment)
        optimizer.anneal(moment)
    return found


MAPS: list[Curve] = [
    ProximalQuantizer(rho=0.3), ProximalQuantizer(vrho=0.4), ProximalQuantizer(rho=0.2, vrho=0.6),
    ProximalQuantizer(points=TERNARY, rho=0.1, vrho=0.2), ProxQuant(0.3), Projection(),
]  # fmt: skip
RULES: list[Make] = [partial(PLAIN, lr=0.1), partial(SGD, lr=0.05, nesterov=True), partial(Adam, lr=0.03)]


def lazy(rule: Any, proximal: Binarizer, **options: Any) -> Make:
    """ProxConnect around the rule."""
    own = {**rule.keywords, **options}
    return lambda parameters: ProxConnect(parameters, own.pop("lr"), rule=rule.func, proximal=proximal, **own)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("p", MAPS)
def test_a2_with_b_of_1_proxconnect_plus_plus_is_proxconnect(p: Curve, rule: Make) -> None:
    """(P, 1) in the layer and any optimizer, against an unbinarized layer and P in the optimizer: bits."""
    pair = Binarizer(p, Identity())
    inside, outside = outputs(pair, rule, 3), outputs(estimators.get("projected"), lazy(rule, pair), 3)
    np.testing.assert_array_equal(inside, outside)


@pytest.mark.parametrize("rule", RULES)
def test_a2_with_the_identity_forward_and_b_of_1_it_is_the_plain_rule(rule: Make) -> None:
    identity = Binarizer(Identity(), Identity())
    np.testing.assert_array_equal(outputs(identity, rule, 4), outputs(None, rule, 4))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("p", MAPS)
@pytest.mark.parametrize("t", [Tanh(2.0), SwishSign(5.0), HardTanh(), HardTanh(0.7), PiecewiseQuadratic()])
def test_a3_proxconnect_on_l_of_t_is_proxconnect_plus_plus_with_t_of_p(
    p: Curve, t: Curve, rule: Make
) -> None:
    """Forward T(P(w*)), backward T'(P(w*)), to the last bit."""
    straight = Binarizer(p, Identity())
    inside, outside = (
        outputs(Compose((straight, t)), rule, 5),
        outputs(Binarizer(t, t), lazy(rule, straight), 5),
    )
    np.testing.assert_array_equal(inside, outside)
    np.testing.assert_array_equal(outputs(composed(t, p), rule, 5), outside)
    assert len(np.unique(inside)) > 100


@pytest.mark.parametrize("rule", RULES)
def test_a3_holds_while_p_moves(w_shape: Any, rule: Make) -> None:
    moving, t = w_shape(0.3), Tanh(2.0)
    inside = outputs(Compose((moving, t)), rule, 5)
    np.testing.assert_array_equal(inside, outputs(Binarizer(t, t), lazy(rule, moving), 5))
    still = Compose((Binarizer(ProxQuant(0.3), Identity()), t))
    assert not np.array_equal(inside, outputs(still, rule, 5))


@given(SEEDS)
def test_a4_generalised_conditional_gradient_form(drive: Drive, w_shape: Any, seed: int) -> None:
    """v_t = pi_t-1 w*_t, mu_t = 1 / pi_t-1, lam_t = eta_t / mu_t+1: convex combinations in place of sums."""
    rng = np.random.default_rng(seed)
    _, gradient = quadratic(seed)
    start, etas, alpha = rng.normal(size=6), rng.uniform(0.01, 0.4, 40), rng.uniform(0.05, 0.6)
    path = drive(ProxConnect, w_shape(alpha), start, gradient, etas)
    v, pi = start, 1.0
    for t, eta in enumerate(etas):
        w = np.array([w_prox(alpha, pi, each / pi) for each in v])
        np.testing.assert_allclose(path.points[t], w, rtol=0, atol=1e-12)
        np.testing.assert_allclose(path.stars[t], v / pi, rtol=1e-12, atol=1e-12)
        lam = eta * pi / (1 + eta * pi)  # 1 / pi_t = 1 / pi_t-1 + eta_t
        v, pi = (1 - lam) * v - lam * gradient(w), (1 - lam) * pi


@given(SEEDS)
def test_a4_dual_averaging_form(drive: Drive, w_shape: Any, seed: int) -> None:
    """w_t minimises all linearisations so far, each with its r: by scipy, interval by interval."""
    rng = np.random.default_rng(seed)
    _, gradient = quadratic(seed, d=2)
    start, etas, alpha = rng.normal(size=2), rng.uniform(0.05, 0.4, 8), rng.uniform(0.05, 0.6)
    path = drive(ProxConnect, w_shape(alpha), start, gradient, etas)
    for t in range(len(etas) + 1):
        for i, first in enumerate(start):

            def objective(z: float, t: int = t, i: int = i, first: float = first) -> float:
                r = alpha * min(abs(z - 1), abs(z + 1))
                linear = sum(eta * (g[i] * z + r) for eta, g in zip(etas[:t], path.gradients[:t]))
                return linear + r + (z - first) ** 2 / 2

            spans = itertools.pairwise([-40.0, -1.0, 0.0, 1.0, 40.0])
            options = {"xatol": 1e-11}
            found = [
                optimize.minimize_scalar(objective, bounds=s, method="bounded", options=options)
                for s in spans
            ]
            best = min(found, key=lambda one: one.fun)
            assert objective(path.points[t][i]) <= best.fun + 1e-12
            assert path.points[t][i] == pytest.approx(best.x, abs=2e-6)


def bregman(path: Any, r: Callable[[Any], Any], t: int, w: Any) -> float:
    """Delta_t(w): what phi_t(w) = mu_t+1 r + abs(.)^2 / 2 - <., w*_t+1> is above its least, t from 1."""
    mu = 1 + path.etas[:t].sum()
    phi = lambda z: mu * r(z).sum() + z @ z / 2 - z @ path.stars[t]  # noqa: E731
    return float(phi(w) - phi(path.points[t]))


@given(SEEDS)
def test_a5_master_identity_for_any_r(drive: Drive, argmin: Any, seed: int) -> None:
    """r is arbitrary: heights drawn on a drawn set of points, infinite elsewhere; gradients are drawn too."""
    rng = np.random.default_rng(seed)
    z, heights = np.sort(rng.uniform(-2, 2, 9)), rng.uniform(0, 2, 9)
    r = lambda w: heights[np.abs(w[..., None] - z).argmin(axis=-1)]  # noqa: E731
    noise = rng.normal(size=(12, 3))
    path = drive(
        ProxConnect, argmin(z, heights), rng.normal(size=3), lambda _, t: noise[t], rng.uniform(0.05, 1, 12)
    )
    w = rng.choice(z, 3)
    delta = [bregman(path, r, t, w) for t in range(13)]
    own = [bregman(path, r, t, path.points[t - 1]) for t in range(1, 13)]
    assert min(delta + own) >= -1e-12
    regret = [
        eta * ((at - w) @ g + r(at).sum() - r(w).sum())
        for eta, at, g in zip(path.etas, path.points, path.gradients, strict=False)
    ]
    for s in range(12):
        for t in range(s, 12):
            assert sum(regret[s : t + 1]) == pytest.approx(
                delta[s] - delta[t + 1] + sum(own[s : t + 1]), abs=1e-11
            )


def test_a5_the_identity_is_lost_with_another_mu(drive: Drive, argmin: Any) -> None:
    z, heights = np.array([-1.0, 0.2, 1.0]), np.array([0.0, 0.7, 0.4])
    r = lambda w: heights[np.abs(w[..., None] - z).argmin(axis=-1)]  # noqa: E731
    frozen = drive(
        ProxConnect, argmin(z, heights, lambda _: {"mu": 1.0}), [0.3], lambda w, _: 0.1 * w - 0.15, [0.3] * 20
    )
    assert min(bregman(frozen, r, t, np.array([q])) for t in range(1, 21) for q in z) < -0.1


def step_bound(path: Any, s: Any, t: int) -> float:
    """eta_t^2 / 2 * abs(g_t + s)^2."""
    return float(path.etas[t - 1] ** 2 / 2 * ((path.gradients[t - 1] + s) ** 2).sum())


@given(SEEDS)
def test_a6_convex_r_bounds_each_step(drive: Drive, seed: int) -> None:
    """r = lam abs(w)_1 on the box [-1, 1]: any subgradient will do, at 0 and at the edges there are many."""
    rng = np.random.default_rng(seed)
    lam, noise = rng.uniform(0.05, 0.5), rng.normal(size=(30, 5))
    law = lambda moment: {"slopes": (lam * (1 + moment.lr_sum),)}  # noqa: E731
    convex = Binarizer(ConvexPar((1.0,), (lam,)), Identity(), law=law)
    path = drive(ProxConnect, convex, rng.normal(size=5), lambda _, t: noise[t], rng.uniform(0.05, 1, 30))
    r = lambda w: lam * np.abs(w)  # noqa: E731
    for t in range(1, 31):
        w = path.points[t - 1]
        edge = np.where(np.abs(w) == 1, rng.uniform(0, 3), 0)
        s = np.where(w == 0, rng.uniform(-lam, lam), np.sign(w) * (lam + edge))
        assert bregman(path, r, t, w) <= step_bound(path, s, t) + 1e-12


def test_a6_fails_for_the_w_shape(drive: Drive, w_shape: Any) -> None:
    """A witness: w jumps from 1 to -1, w* moved by 0.02; no subgradient in [-alpha, alpha] bounds that."""
    path = drive(ProxConnect, w_shape(1.0), [0.01], lambda *_: np.ones(1), [0.02])
    assert path.points.tolist() == [[1.0], [-1.0]]
    jump = bregman(path, lambda w: np.minimum(abs(w - 1), abs(w + 1)), 1, path.points[0])
    assert jump == pytest.approx(2 * 0.01)
    assert max(step_bound(path, s, 1) for s in np.linspace(-1, 1, 21)) < jump / 20


@pytest.mark.parametrize("rule", [PLAIN, partial(SGD, nesterov=True), Adam])
def test_a7_with_the_identity_for_p_all_four_are_the_plain_rule(drive: Drive, rule: Any) -> None:
    _, gradient = quadratic(1)
    start, etas = np.linspace(-2, 2, 6), np.linspace(0.1, 0.01, 20)
    paths = [
        drive(kind, Binarizer(Identity(), Identity()), start, gradient, etas, rule).stars
        for kind in PROXIMAL.values()
    ]
    parameter = Parameter(start)
    plain = rule([parameter], 1.0)
    for eta, *found in zip(etas, *(path[1:] for path in paths), strict=True):
        plain.lr, parameter.grad = eta, gradient(parameter.value)
        plain.step()
        for value in found:
            np.testing.assert_array_equal(value, parameter.value)


@given(SEEDS, st.sampled_from([ProximalGradient, ReverseProxConnect]))
def test_a8_a_hard_p_cannot_move_where_steps_restart_from_w(drive: Drive, seed: int, kind: Any) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.uniform(-1, 1, (40, 5))
    start = rng.uniform(-1, 1, 5)
    path = drive(kind, PROJECTION, start, lambda _, t: 1.999 * noise[t], [0.5] * 40)
    assert (path.points == path.points[0]).all()
    lazy = drive(ProxConnect, PROJECTION, start, lambda _, t: 1.999 * noise[t], [0.5] * 40)
    assert (lazy.points != lazy.points[0]).any()


@pytest.mark.parametrize("kind", [ProximalGradient, ReverseProxConnect])
def test_a8_from_a_step_of_1_on_it_can(drive: Drive, kind: Any) -> None:
    path = drive(kind, PROJECTION, [-0.5], lambda *_: -np.ones(1), [1.0])
    assert path.points.tolist() == [[-1.0], [1.0]]


@given(SEEDS, st.floats(1e-3, 1e3))
def test_a9_binaryconnect_does_not_see_the_scale(drive: Drive, seed: int, c: float) -> None:
    rng = np.random.default_rng(seed)
    _, gradient = quadratic(seed)
    start, etas = rng.normal(size=6), rng.uniform(0.01, 0.3, 40)
    one = drive(ProxConnect, PROJECTION, start, gradient, etas)
    other = drive(ProxConnect, PROJECTION, c * start, gradient, c * etas)
    np.testing.assert_array_equal(one.points, other.points)
    np.testing.assert_allclose(other.stars, c * one.stars, rtol=1e-9, atol=1e-9 * c)
    still = [
        drive(ProxConnect, PROJECTION, np.zeros(6), gradient, [eta] * 40).points for eta in (0.1, 0.1 * c)
    ]
    np.testing.assert_array_equal(*still)


@pytest.mark.parametrize("seed", range(5))
def test_a10_with_clipping_bnn_is_binaryconnect(seed: int) -> None:
    """From a start inside the clip the mask is always 1."""
    rule, projected = partial(PLAIN, lr=0.5), estimators.get("projected")
    bnn = outputs(estimators.get("clipped-ste"), partial(rule, clip=1.0), seed, 1.0)
    np.testing.assert_array_equal(bnn, outputs(projected, lazy(rule, PROJECTION, clip=1.0), seed, 1.0))
    assert not np.array_equal(bnn, outputs(projected, lazy(rule, PROJECTION), seed, 1.0))


def test_a10_without_clipping_what_is_beyond_1_never_moves() -> None:
    part = layer(estimators.get("clipped-ste"), 0)
    optimizer = SGD(part.parameters(), 0.5, momentum=0.0)
    rng, out = np.random.default_rng(0), np.abs(part.latent.value) > 1
    first, moved = part.latent.value, False
    for _ in range(50):
        y, cache = part.forward(rng.normal(size=(8, 6)))
        part.latent.zero_grad()
        part.backward(np.sin(y), cache)
        before, stuck = part.latent.value, np.abs(part.latent.value) > 1
        optimizer.step()
        np.testing.assert_array_equal(part.latent.value[stuck], before[stuck])
        moved |= bool((part.latent.value != before)[~stuck].any())
    assert moved
    assert 0 < out.sum() < (np.abs(part.latent.value) > 1).sum() < out.size + 1
    np.testing.assert_array_equal(part.latent.value[out], first[out])


@pytest.mark.parametrize(
    "t", [SwishSign(3.0), PiecewiseQuadratic(), EDE(t=2.0, k=1.0), EDE(t=0.5, k=2.0), HardTanh()]
)
@pytest.mark.parametrize("seed", range(3))
def test_a11_a_pair_of_one_t_descends_the_loss_of_its_own_forward(t: Curve, seed: int) -> None:
    part, rng = layer(Binarizer(t, t), seed), np.random.default_rng(seed)
    x, h = rng.normal(size=(8, 6)), 1e-6
    value = lambda: float(np.log(np.cosh(part.forward(x)[0])).sum())  # noqa: E731
    y, cache = part.forward(x)
    part.backward(np.tanh(y), cache)
    first = part.latent.value
    away = np.all([np.abs(first - kink) > 10 * h for kink in t.kinks], axis=0) & np.ones_like(first, bool)
    for at in zip(*np.nonzero(away), strict=True):
        sides = []
        for side in (h, -h):
            part.latent.value = first.copy()
            part.latent.value[at] += side
            sides.append(value())
        assert part.latent.grad[at] == pytest.approx((sides[0] - sides[1]) / (2 * h), abs=2e-8)
    assert away.sum() > 20


SWISH_CURVATURE, OVERSHOOT = 0.61637, 1.1997


@pytest.mark.parametrize("beta", [1.0, 4.0, 10.0])
@pytest.mark.parametrize("seed", range(3))
def test_a12_descent_of_bnn_plus_plus_with_the_safe_step(seed: int, beta: float) -> None:
    """eta = 1 / (beta^2 (L + 0.61637 G)), G the largest gradient entry on sign-Swish's box."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(20, 6)), rng.normal(size=20) * 2
    hessian, linear = a.T @ a / 20, a.T @ b / 20
    largest = float(np.linalg.eigvalsh(hessian)[-1])
    steepest = float((OVERSHOOT * np.abs(hessian).sum(axis=1) + np.abs(linear)).max())
    eta = 1 / (beta**2 * (largest + SWISH_CURVATURE * steepest))
    swish = SwishSign(beta)
    loss = lambda w: float(((a @ swish(w) - b) ** 2).mean() / 2)  # noqa: E731
    part = Linear(6, 1, rng=rng, bias=False, weight=Binarizer(swish, swish))
    part.astype(np.float64)
    part.latent.value = rng.uniform(-1.5, 1.5, (6, 1)) / beta
    optimizer, heights, slopes = SGD([part.latent], eta, momentum=0.0), [], []
    for _ in range(400):
        heights.append(loss(part.latent.value[:, 0]))
        y, cache = part.forward(a)
        part.latent.zero_grad()
        part.backward((y - b[:, None]) / 20, cache)
        slopes.append(float((part.latent.grad**2).sum()))
        optimizer.step()
    assert (np.diff(heights) <= 1e-15).all()
    assert heights[-1] < heights[0] - 0.01
    for t in (1, 10, 100, 400):
        assert min(slopes[:t]) <= 2 * heights[0] / (eta * t)


def test_a12_its_two_constants_are_those_of_sign_swish() -> None:
    z = np.linspace(-12, 12, 2_000_001)
    swish = SwishSign(1.0)
    assert np.abs(np.gradient(swish.slope(z), z)).max() == pytest.approx(SWISH_CURVATURE, abs=1e-5)
    assert OVERSHOOT - 1e-4 < swish(z).max() < OVERSHOOT


def test_post_training_is_the_plain_rule_with_w_beside_it(drive: Drive) -> None:
    _, gradient = quadratic(2)
    path = drive(PostTraining, PROJECTION, np.linspace(-1, 1, 6), gradient, [0.1] * 10)
    star = np.linspace(-1, 1, 6)
    for found, w in zip(path.stars, path.points, strict=True):
        np.testing.assert_array_equal(found, star)
        np.testing.assert_array_equal(w, np.where(star >= 0, 1, -1))
        star = star - 0.1 * gradient(star)
