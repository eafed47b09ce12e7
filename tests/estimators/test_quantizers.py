"""L with its two shifts, and its kin: properties Q1 to Q6, Q8 of proxconnect.md, and the maps of its 1.5."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from proximal_draws import level_sets, shifts, weights

from bnn_ref.binarizer import Sign
from bnn_ref.estimators.quantizers import (
    BinaryRelax,
    Parq,
    Projection,
    ProximalQuantizer,
    projection,
    reach,
)
from bnn_ref.estimators.shrinkage import ConvexPar, ProxQuant
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.parameter import Array

Levels = tuple[float, ...]
unit = st.floats(0, 1)
W = np.linspace(-2.5, 2.5, 1001)
INSIDE = W[np.abs(W) <= 1]


def nearest(levels: Levels, w: Array) -> Array:
    """The nearest level by comparing distances, the upper one where two are as near."""
    points = np.array(levels)[::-1]
    return points[np.abs(w[:, None] - points).argmin(axis=1)]


def off_midpoints(levels: Levels, w: Array) -> Array:
    middles = np.array([(a + b) / 2 for a, b in pairwise(levels)])
    return w[np.abs(w[:, None] - middles).min(axis=1) > 1e-9]


@given(level_sets(), shifts, shifts, weights)
def test_q1_it_never_falls_and_stays_between_the_levels(q: Levels, rho: float, vrho: float, w: Array) -> None:
    y = ProximalQuantizer(q, rho, vrho)(np.sort(w))
    assert (np.diff(y) >= -1e-15).all()
    assert q[0] - 1e-15 <= y.min() <= y.max() <= q[-1] + 1e-15


@given(level_sets(), shifts, shifts)
def test_q1_levels_are_fixed_points(q: Levels, rho: float, vrho: float) -> None:
    np.testing.assert_allclose(ProximalQuantizer(q, rho, vrho)(np.array(q)), q, rtol=0, atol=1e-15)


@given(level_sets(symmetric=True), shifts, shifts, weights)
def test_q1_odd_for_symmetric_levels(q: Levels, rho: float, vrho: float, w: Array) -> None:
    """Both values at once: -P(-w) has the limits of P(w), the other way round; the selection is no matter."""
    quantizer = ProximalQuantizer(q, rho, vrho)
    assert quantizer.symmetric
    np.testing.assert_allclose(quantizer.values(-w), -quantizer.values(w)[::-1], rtol=0, atol=1e-14)


@given(level_sets(), shifts, shifts, weights, st.floats(0.1, 8), st.floats(-3, 3))
def test_q2_shift_and_scale(q: Levels, rho: float, vrho: float, w: Array, c: float, shift: float) -> None:
    """L of cQ, c rho, c vrho at c w is c L(w); of Q + c at w + c it is L(w) + c."""
    w = off_midpoints(q, w)
    base = ProximalQuantizer(q, rho, vrho)
    steep = 1 + base.peak
    scaled = ProximalQuantizer(tuple(c * x for x in q), c * rho, c * vrho)
    np.testing.assert_allclose(scaled(c * w), c * base(w), rtol=0, atol=1e-13 * steep * c)
    moved = ProximalQuantizer(tuple(x + shift for x in q), rho, vrho)
    np.testing.assert_allclose(moved(w + shift), base(w) + shift, rtol=0, atol=1e-14 * steep)


@given(level_sets(), shifts, shifts, shifts, st.booleans(), weights)
def test_q3_larger_shifts_come_nearer_to_the_projection(
    q: Levels, rho: float, vrho: float, more: float, vertical: bool, w: Array
) -> None:
    w = off_midpoints(q, w)
    hard = Projection(q)(w)
    near = np.abs(ProximalQuantizer(q, rho, vrho)(w) - hard)
    more_rho, more_vrho = (rho, vrho + more) if vertical else (rho + more, vrho)
    nearer = np.abs(ProximalQuantizer(q, more_rho, more_vrho)(w) - hard)
    assert (nearer <= near + 1e-14).all()
    assert (near <= np.abs(np.clip(w, q[0], q[-1]) - hard) + 1e-14).all()


@given(level_sets(), weights, st.floats(0, 2), shifts, st.booleans())
def test_q4_the_limits_are_the_clip_and_the_projection(
    q: Levels, w: Array, beyond: float, other: float, vertical: bool
) -> None:
    np.testing.assert_allclose(ProximalQuantizer(q)(w), np.clip(w, q[0], q[-1]), rtol=0, atol=1e-15)
    enough = reach(q) + beyond
    assert enough >= max(b - a for a, b in pairwise(q)) / 2 - 1e-15
    hard = ProximalQuantizer(q, *((other, enough) if vertical else (enough, other)))
    assert hard.levels == q
    np.testing.assert_array_equal(hard(w), Projection(q)(w))
    w = off_midpoints(q, w)
    np.testing.assert_array_equal(hard(w), nearest(q, w))


def test_q4_just_below_the_limit_it_is_not_hard() -> None:
    q = (-1.0, 0.0, 3.0)
    assert reach(q) == 1.5
    for shift in ({"rho": 1.4999}, {"vrho": 1.4999}):
        assert ProximalQuantizer(q, **shift).levels is None
    assert set(np.unique(ProximalQuantizer(q, rho=0.5)(W[W < 0]))) == {-1.0, 0.0}  # the narrow gap already is


@given(level_sets(), shifts, shifts)
def test_q5_idempotent_only_if_identity_like_or_hard(q: Levels, rho: float, vrho: float) -> None:
    """Each gap by itself: untouched by both shifts it is the identity, filled by one of them it is hard.

    In between a quarter of the gap is a witness: L moves it, and moves it on.
    """
    quantizer = ProximalQuantizer(q, rho, vrho)
    for low, high in pairwise(q):
        half = (high - low) / 2
        w = low + half * np.array([0.5, 0.9, 0.999])
        once = quantizer(w)
        moved = np.abs(quantizer(once) - once).max() > 1e-9
        settled = max(rho, vrho) >= half or max(rho, vrho) == 0
        if settled:
            assert np.abs(quantizer(once) - once).max() <= 1e-15
        elif min(half - rho, half - vrho) > 0.02 and max(rho, vrho) > 0.01:
            assert moved


def test_q5_a_witness_against_idempotence() -> None:
    quantizer = ProximalQuantizer(rho=0.5)
    assert quantizer(np.array(0.25)) == 0.5
    assert quantizer(quantizer(np.array(0.25))) == 1.0


@given(level_sets(), st.floats(0.02, 1), st.booleans(), weights)
def test_q5_iterating_ends_at_the_projection(q: Levels, shift: float, vertical: bool, w: Array) -> None:
    """Unless w is a midpoint; how far it starts from one decides how long it takes."""
    middles = np.array([(a + b) / 2 for a, b in pairwise(q)])
    w = w[np.abs(w[:, None] - middles).min(axis=1) > 1e-3]
    quantizer = ProximalQuantizer(q, *((0.0, shift) if vertical else (shift, 0.0)))
    y = w
    for _ in range(4000):
        y, before = quantizer(y), y
        if np.array_equal(y, before):
            break
    np.testing.assert_allclose(y, nearest(q, w) if len(w) else w, rtol=0, atol=1e-6)


@given(st.floats(0.01, 0.95), st.integers(1, 4))
def test_q6_not_non_expansive_its_lipschitz_constant(rho: float, gaps: int) -> None:
    """vrho = 0, neighbours two apart: the constant is 1 / (1 - rho), and two points have that quotient."""
    quantizer = ProximalQuantizer(tuple(2.0 * i for i in range(gaps + 1)), rho)
    assert not quantizer.nonexpansive
    u, v = np.array([1.0]), np.array([1 + (1 - rho) / 2])
    quotient = float((quantizer(v) - quantizer(u))[0] / (v - u)[0])
    np.testing.assert_allclose([quotient, quantizer.peak], 1 / (1 - rho), rtol=1e-12)
    w = np.linspace(-1, 2 * gaps + 1, 999)
    assert (np.abs(np.diff(quantizer(w))) <= np.diff(w) / (1 - rho) + 1e-12).all()


@given(st.floats(0.01, 1))
def test_q6_a_vertical_shift_has_no_lipschitz_constant(vrho: float) -> None:
    y = ProximalQuantizer(vrho=vrho)(np.array([-1e-9, 1e-9]))
    assert y[1] - y[0] >= 1.9 * vrho


@given(
    st.sampled_from(
        [
            ProximalQuantizer(),
            ProximalQuantizer((-2, 0.5, 1)),
            ConvexPar((), (0.3,)),
            ConvexPar((1.0,), (0.3,)),
            ConvexPar((0.5, 2.0), (0.0, 0.3, 1.0)),
        ]
    ),
    st.floats(-4, 4),
    st.floats(-4, 4),
)
def test_q6_convex_ones_are_firmly_non_expansive(proximal: ProximalQuantizer, u: float, v: float) -> None:
    """(P(u) - P(v)) (u - v) >= (P(u) - P(v))^2."""
    assert proximal.nonexpansive
    step = float(proximal(np.array(u)) - proximal(np.array(v)))
    assert step * (u - v) >= step**2 - 1e-14


@given(unit, unit)
def test_q8_binary_case_as_two_lines(rho: float, vrho: float) -> None:
    """sgn(w) where abs(w) >= 1 - rho, else sgn(w) (vrho + abs(w) (1 - vrho) / (1 - rho))."""
    assume(rho < 0.999)
    w = W[W != 0]
    size = np.abs(w)
    wanted = np.where(size >= 1 - rho, 1, vrho + size * (1 - vrho) / (1 - rho)) * np.sign(w)
    np.testing.assert_allclose(ProximalQuantizer(rho=rho, vrho=vrho)(w), wanted, rtol=0, atol=1e-12)


@given(unit)
def test_q8_equal_shifts_are_proxquant_inside_the_clip(lam: float) -> None:
    w = INSIDE[INSIDE != 0]
    both = ProximalQuantizer(rho=lam, vrho=lam)
    np.testing.assert_allclose(both(w), ProxQuant(lam)(w), rtol=0, atol=1e-12)
    np.testing.assert_allclose(both(W), np.clip(ProxQuant(lam)(W), -1, 1), rtol=0, atol=1e-12)


@given(st.floats(0, 50))
def test_q8_a_vertical_shift_is_binaryrelax_inside_the_clip(m: float) -> None:
    vertical = ProximalQuantizer(vrho=m / (1 + m))
    np.testing.assert_allclose(vertical(INSIDE), BinaryRelax(strength=m)(INSIDE), rtol=0, atol=1e-13)
    w = INSIDE[INSIDE != 0]
    np.testing.assert_allclose(vertical(w), (w + m * np.sign(w)) / (1 + m), rtol=0, atol=1e-13)


@given(unit, st.integers(1, 4))
def test_q8_a_horizontal_shift_is_parq_between_equal_gaps(s: float, gaps: int) -> None:
    levels = tuple(2.0 * i - gaps for i in range(gaps + 1))
    w = off_midpoints(levels, 2 * W)
    np.testing.assert_allclose(
        ProximalQuantizer(levels, rho=1 - s)(w), Parq(levels, s=s)(w), rtol=0, atol=1e-9
    )
    if gaps == 1 and s > 1e-6:
        np.testing.assert_allclose(Parq(s=s)(w), np.clip(w / s, -1, 1), rtol=0, atol=1e-9)


def test_q8_outside_the_levels_the_three_differ() -> None:
    beyond = np.array([3.0])
    assert ProximalQuantizer(rho=0.3, vrho=0.3)(beyond) == 1
    assert np.isclose(ProxQuant(0.3)(beyond), 2.7)
    assert BinaryRelax(strength=1)(beyond) == 2


@given(st.floats(0, 3), st.floats(-4, 4))
def test_proxquant_by_its_formula(lam: float, w: float) -> None:
    """sgn(w) [1 + sgn(abs(w) - 1) max(abs(abs(w) - 1) - lam, 0)], as the released code has it."""
    assume(abs(w) > 1e-12)
    size = abs(w)
    wanted = np.sign(w) * (1 + np.sign(size - 1) * max(abs(size - 1) - lam, 0))
    assert abs(ProxQuant(lam)(np.array(w)) - wanted) <= 1e-14


@given(level_sets(), st.floats(0, 9), weights)
def test_binaryrelax_by_its_formula(q: Levels, m: float, w: Array) -> None:
    w = off_midpoints(q, w)
    wanted = (w + m * nearest(q, w)) / (1 + m)
    np.testing.assert_allclose(BinaryRelax(q, strength=m)(w), wanted, rtol=0, atol=1e-14)


@given(level_sets(), st.floats(0.001, 1), weights)
def test_parq_by_its_formula(q: Levels, s: float, w: Array) -> None:
    """clamp(c + (w - c) / s, q_k, q_k+1) between two levels, c their midpoint; constant outside."""
    for low, high in pairwise(q):
        c = (low + high) / 2
        inside = w[(low <= w) & (w <= high)]
        wanted = np.clip(c + (inside - c) / s, low, high)
        np.testing.assert_allclose(Parq(q, s=s)(inside), wanted, rtol=0, atol=1e-14 / s)
    outside = np.array([q[0] - 1, q[-1] + 1])
    np.testing.assert_array_equal(Parq(q, s=s)(outside), [q[0], q[-1]])


@given(
    st.lists(st.floats(0.1, 1), max_size=4),
    st.lists(st.floats(0.01, 1), min_size=5, max_size=5),
    st.booleans(),
    st.floats(-6, 6),
)
def test_convex_par_by_its_two_lines(rises: list[float], steps: list[float], more: bool, u: float) -> None:
    """Read off the definition: on a level, or moved towards 0 by the slope of r there."""
    assume(rises or more)
    magnitudes = tuple(np.cumsum(rises).tolist())
    slopes = tuple((np.cumsum(steps)[: len(rises) + more] - steps[0]).tolist())
    q, a = (0.0, *magnitudes), (0.0, *slopes)
    a = a if more else (*a, np.inf)
    found = float(ConvexPar(magnitudes, slopes)(np.array(u)))
    for k, level in enumerate(q):
        if a[k] + level <= abs(u) <= a[k + 1] + level:
            assert abs(found - np.sign(u) * level) <= 1e-14
        elif a[k + 1] + level <= abs(u) <= a[k + 1] + (q[k + 1] if k + 1 < len(q) else np.inf):
            assert abs(found - (u - np.sign(u) * a[k + 1])) <= 1e-14


def test_soft_thresholding_is_the_smallest_par() -> None:
    wanted = np.sign(W) * np.maximum(np.abs(W) - 0.3, 0)
    np.testing.assert_allclose(ConvexPar((), (0.3,))(W), wanted, rtol=0, atol=1e-15)


def test_projections_reuse_sign_and_break_ties_as_asked() -> None:
    assert projection((-1, 1)) == Sign()
    assert projection((-1.0, 1.0), zero=-1) == Sign(-1)
    ties = np.array([-0.5, 0.5])
    np.testing.assert_array_equal(projection((-1, 0, 1))(ties), [0, 1])
    np.testing.assert_array_equal(projection((-1, 0, 1), zero=-1)(ties), [-1, 0])
    np.testing.assert_array_equal(Projection((-1, 1))(W), Sign()(W))
    np.testing.assert_array_equal(ProximalQuantizer()(W), HardTanh()(W))


def test_the_panels_of_three_levels() -> None:
    """Read off the picture of Q = {-1, 0, 1}: knots moved by 0.2 along w, along the value, along both."""
    w = np.array([0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0])
    for rho, vrho, wanted in (
        (0.2, 0.0, [0, 0, 0.25, 0.5, 0.75, 1, 1]),
        (0.0, 0.2, [0, 0.12, 0.21, 0.7, 0.79, 0.88, 1]),
        (0.2, 0.2, [0, 0, 0.15, 0.7, 0.85, 1, 1]),
    ):
        np.testing.assert_allclose(ProximalQuantizer((-1, 0, 1), rho, vrho)(w), wanted, rtol=0, atol=1e-15)
