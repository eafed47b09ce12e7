"""Proximal maps: graphs, both values at jumps, claims, refusals."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from proximal_draws import level_sets, shifts, weights

from bnn_ref.auditing.claims import curve_checks
from bnn_ref.estimators.proximal import Polyline, ProximalMap
from bnn_ref.estimators.quantizers import BinaryRelax, Parq, Projection, ProximalQuantizer
from bnn_ref.estimators.shrinkage import ConvexPar, ProxQuant

STEP_UP = Polyline(((0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (3.0, 2.0)), ends=(0.5, 0.0))

CONTINUOUS: list[ProximalMap] = [
    ProximalQuantizer(),
    ProximalQuantizer(rho=0.4),
    ProximalQuantizer((-2, -0.5, 0.25, 1), rho=0.2),
    Parq((-1, 0, 2), s=0.3),
    ConvexPar(),
    ConvexPar((0.5, 2.0), (0.0, 0.3, 1.0)),
    ConvexPar((), (0.7,)),
    Polyline(((-1.0, 0.0), (0.5, 0.75)), ends=(0.2, 1.0)),
]

MAPS = [
    *CONTINUOUS,
    STEP_UP,
    Projection((-1, 0, 1)),
    ProximalQuantizer((-1, 0, 1), 0.2, 0.1),
    ProximalQuantizer((-1, -0.3, 0.3, 1), 0.0, 0.2),
    BinaryRelax((-1, 0, 1), strength=0.6),
    BinaryRelax(),
    ProxQuant(0.3),
    ProxQuant(1.7),
    Parq(s=0),
]


def by_interpolation(proximal: ProximalMap, w: np.ndarray) -> np.ndarray:
    """NumPy's interpolation between the corners, its rays drawn far out: an oracle off the jumps."""
    (w0, y0), (w1, y1) = proximal.vertices[0], proximal.vertices[-1]
    left, right = proximal.ends
    points = [(w0 - 100, y0 - 100 * left), *proximal.vertices, (w1 + 100, y1 + 100 * right)]
    return np.interp(w, *np.array(points).T)


@pytest.mark.parametrize("proximal", MAPS, ids=str)
def test_values_lie_on_the_lines_between_the_corners(proximal: ProximalMap) -> None:
    w = np.random.default_rng(0).uniform(-5, 5, 400)
    np.testing.assert_allclose(proximal(w), by_interpolation(proximal, w), rtol=0, atol=2e-14)


@pytest.mark.parametrize("proximal", MAPS, ids=str)
def test_the_slope_is_the_difference_quotient(proximal: ProximalMap) -> None:
    w = np.linspace(-4.9, 5.1, 997)
    w = w[np.abs(w[:, None] - np.array(proximal.kinks)).min(axis=1) > 1e-5]
    quotient = (proximal(w + 1e-6) - proximal(w - 1e-6)) / 2e-6
    np.testing.assert_allclose(proximal.derivative(w), quotient, rtol=0, atol=1e-8)


@pytest.mark.parametrize("proximal", CONTINUOUS, ids=str)
def test_claims_of_continuous_ones_pass_the_audit(proximal: ProximalMap) -> None:
    """Odd, monotone, support, peak, area, owners: measured as for every surrogate."""
    failed = [str(check) for check in curve_checks(proximal) if not check.passed]
    assert not failed


@pytest.mark.parametrize("proximal", MAPS, ids=str)
def test_q9_both_limits_at_a_jump_are_values(proximal: ProximalMap) -> None:
    """The closed graph: limits from either side are in the value; the selection is one of the two."""
    for kink in proximal.kinks:
        lower, upper = proximal.values(np.array([kink]))[:, 0]
        assert abs(proximal(np.array(kink - 1e-9)) - lower) <= 1e-7
        assert abs(proximal(np.array(kink + 1e-9)) - upper) <= 1e-7
        assert (kink in proximal.jumps) == (upper - lower > 1e-6)
        assert proximal(np.array(kink)) == upper
        chosen = replace(proximal, selection="lower")(np.array(kink))
        assert chosen == (lower if kink in proximal.jumps else upper)
    w = np.linspace(-4, 4, 101)[~np.isin(np.linspace(-4, 4, 101), proximal.kinks)]
    assert proximal.values(w).shape == (2, len(w))
    np.testing.assert_array_equal(proximal.values(w), [proximal(w), proximal(w)])


@given(level_sets(), shifts, shifts)
def test_q9_at_the_midpoints_of_any_levels(levels: tuple[float, ...], rho: float, vrho: float) -> None:
    """From below p - min(vrho, gap / 2) and from above p + that, where rho leaves room; else the levels."""
    quantizer = ProximalQuantizer(levels, rho, vrho)
    for low, high in pairwise(levels):
        p, half = (low + high) / 2, (high - low) / 2
        step = half if rho >= half - 1e-12 else min(vrho, half)
        found = quantizer.values(np.array([p]))[:, 0]
        np.testing.assert_allclose(found, [p - step, p + step], rtol=0, atol=1e-9)


@pytest.mark.parametrize("proximal", MAPS, ids=str)
def test_the_image_is_what_it_takes(proximal: ProximalMap) -> None:
    w = np.linspace(-12, 12, 8001)
    found = np.unique(proximal.values(w))
    inside = np.array([(low - 1e-12 <= found) & (found <= high + 1e-12) for low, high in proximal.image])
    assert inside.any(axis=0).all()
    for low, high in proximal.image:  # and all of it is taken
        some = np.linspace(max(low, -2), min(high, 2), 11) if low <= 2 and high >= -2 else []
        for y in some:
            assert np.abs(found - y).min() <= 0.02
    assert all(a[1] < b[0] for a, b in pairwise(proximal.image))


def test_levels_and_traits() -> None:
    assert Projection((-1, 0, 1)).levels == (-1, 0, 1)
    assert ProximalQuantizer(rho=1.0).binary
    assert ProximalQuantizer(vrho=1.0).binary
    assert ProximalQuantizer(rho=0.99, vrho=0.5).levels is None
    assert STEP_UP.image == ((-math.inf, 0), (1, 2))
    assert STEP_UP.jumps == (0,)
    assert (STEP_UP.support, STEP_UP.area, STEP_UP.odd) == (math.inf, None, False)
    assert ProximalQuantizer(rho=0.4).odd
    assert not ProximalQuantizer(vrho=0.4).odd  # at 0 it is +vrho: the selection
    assert ProximalQuantizer(vrho=0.4).symmetric
    assert not Projection((-1, 0, 2)).symmetric
    assert [p.nonexpansive for p in (ProximalQuantizer(), ConvexPar(), ProxQuant(0.1), Parq(s=0.9))] == [
        *(True, True),
        *(False, False),
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("proximal", MAPS, ids=str)
def test_precision_shape_and_nan_stay(proximal: ProximalMap, dtype: type) -> None:
    w = np.array([[0.3, np.nan], [-0.0, 9]], dtype)
    for y in (proximal(w), proximal.derivative(w), *proximal.values(w)):
        assert (y.dtype, y.shape) == (dtype, w.shape)
    assert np.isnan(proximal(w)[0, 1])
    assert np.isnan(proximal.values(w)[:, 0, 1]).all()


def test_equal_neighbours_and_runs_of_jumps_are_one_vertex_or_one_jump() -> None:
    drawn = Polyline(((0, 0), (0, 0), (1, 0.2), (1, 0.4), (1, 0.5), (1, 0.5), (2, 0.5)))
    assert drawn.vertices == ((0, 0), (1, 0.2), (1, 0.5), (2, 0.5))
    assert drawn.jumps == (1,)


@given(weights, st.sampled_from(MAPS))
def test_they_never_fall(w: np.ndarray, proximal: ProximalMap) -> None:
    w = np.sort(w)
    assert (np.diff(proximal(w)) >= -1e-15 * (1 + np.abs(proximal(w)).max())).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Projection((1, -1)), r"levels: required two or more ascending numbers, got \(1, -1\)"),
        (lambda: Projection((1,)), "levels: required two or more ascending numbers"),
        (lambda: Projection((0, math.inf)), "levels: required two or more ascending numbers"),
        (lambda: Projection(3), "levels: required two or more ascending numbers, got 3"),
        (lambda: ProximalQuantizer(rho=-0.1), "rho: required a number >= 0, got -0.1"),
        (lambda: ProximalQuantizer(vrho=math.nan), "vrho: required a number >= 0, got nan"),
        (
            lambda: ProximalQuantizer(selection="middle"),
            "selection: required 'upper' or 'lower', got 'middle'",
        ),
        (lambda: Parq(s=1.5), r"s: required a number in \[0, 1\], got 1.5"),
        (lambda: BinaryRelax(strength=-1), "strength: required a number >= 0, got -1"),
        (lambda: ProxQuant(-1), "strength: required a number >= 0, got -1"),
        (lambda: ConvexPar((1.0, 0.5), (0.0, 0.1)), "magnitudes: required ascending numbers"),
        (lambda: ConvexPar((0.0,), (0.1,)), "magnitudes: required ascending numbers"),
        (lambda: ConvexPar((1.0,), (-0.1,)), "slopes: required ascending numbers"),
        (lambda: ConvexPar((1.0, 2.0), (0.1,)), "slopes: required as many as magnitudes, or one more"),
        (lambda: ConvexPar((), ()), "slopes: required as many as magnitudes, or one more"),
        (lambda: Polyline(((0, 1), (1, 0))), r"through: required pairs of numbers \(w, P\(w\)\), neither"),
        (lambda: Polyline(()), "through: required pairs of numbers"),
        (lambda: Polyline(((0, 0),), ends=(-1, 0)), "ends: required two slopes >= 0"),
    ],
)
def test_bad_ones_are_refused_by_name(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
