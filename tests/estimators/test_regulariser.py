"""The regulariser behind a proximal map: 1.3, 1.4 and 1.6 of proxconnect.md, properties Q7 and Q10."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from proximal_draws import by_search, level_sets, shifts
from scipy.integrate import quad

from bnn_ref.estimators.proximal import Polyline, ProximalMap
from bnn_ref.estimators.quantizers import BinaryRelax, Parq, Projection, ProximalQuantizer
from bnn_ref.estimators.regulariser import Regulariser, recovered
from bnn_ref.estimators.shrinkage import ConvexPar, ProxQuant
from bnn_ref.parameter import Array

Z = np.linspace(-1, 1, 401)
unit = st.floats(0, 0.99)

MAPS = [
    ProximalQuantizer((-1, 0, 1), 0.2, 0.1),
    ProximalQuantizer((-1, -0.3, 0.3, 1), 0.1, 0.2),
    ProximalQuantizer((-2, 0.5, 1), rho=0.4),
    Projection((-1, 0.5, 2)),
    Parq((-1, 0, 2), s=0.4),
    BinaryRelax((-1, 0, 1), strength=0.7),
    ProxQuant(0.4),
    ProxQuant(1.5),
    ConvexPar((0.5, 2.0), (0.1, 0.3, 1.0)),
    ConvexPar(),
    Polyline(((-1, -1), (0, -1), (0, 1), (1, 1)), ends=(1, 1)),
    Polyline(((-2, 0.3), (-1, 0.4), (0.5, 0.4), (0.5, 0.6), (1, 2)), ends=(0.5, 0)),
]


def candidates(proximal: ProximalMap, w: Array) -> Array:
    """A grid of z with the values of P among them, which a grid alone would miss where they are levels."""
    return np.unique(np.concatenate([np.linspace(-5, 5, 20001), proximal.values(w).ravel()]))


@pytest.mark.parametrize("mu", [1.0, 0.3, 4.0])
@pytest.mark.parametrize("proximal", MAPS, ids=str)
def test_q7_the_proximal_map_of_the_recovered_r_is_the_map(proximal: ProximalMap, mu: float) -> None:
    """Exhaustive search: both one-sided values minimise, and nothing away from them does; so for M."""
    r = recovered(proximal, mu)
    w = np.unique(np.concatenate([np.linspace(-3, 3, 61), proximal.kinks]))
    z = candidates(proximal, w)
    for at, lower, upper, envelope in zip(w, *proximal.values(w), r.envelope(w), strict=True):
        best, cost = by_search(r, mu, float(at), z)
        for value in (lower, upper):
            assert np.abs(best - value).min() <= 1e-9
        away = np.minimum(np.abs(best - lower), np.abs(best - upper))
        assert away.max() <= 1e-3
        assert abs(cost - envelope) <= 1e-12


@given(level_sets(), shifts, shifts, st.floats(-3, 3))
def test_q7_for_any_levels_and_shifts(q: tuple[float, ...], rho: float, vrho: float, w: float) -> None:
    quantizer = ProximalQuantizer(q, rho, vrho)
    at = np.array([w])
    best, cost = by_search(recovered(quantizer), 1.0, w, candidates(quantizer, at))
    envelope = float(recovered(quantizer).envelope(at)[0])
    assert abs(cost - envelope) <= 1e-11
    steepest = max(1.0, quantizer.peak)  # a steep piece makes a flat r, and so many near minimisers
    assume(steepest < 1e3)
    away = np.abs(best[:, None] - quantizer.values(at)[:, 0]).min(axis=1)
    assert away.max() <= 1e-3 * steepest


def closed_form(z: Array, rho: float, vrho: float) -> Array:
    """(1 - t^2)/2 - (k/2) ((1 - vrho)^2 - (t - vrho)^2), t = abs z in [vrho, 1], k = (1 - rho)/(1 - vrho)."""
    t, k = np.abs(z), (1 - rho) / (1 - vrho)
    inside = (1 - t**2) / 2 - k / 2 * ((1 - vrho) ** 2 - (t - vrho) ** 2)
    return np.where((t >= vrho) & (t <= 1), inside, np.inf)


@given(unit, unit)
def test_q7_binary_closed_form(rho: float, vrho: float) -> None:
    z = Z[np.abs(np.abs(Z) - vrho) > 1e-9]
    found, wanted = recovered(ProximalQuantizer(rho=rho, vrho=vrho))(z), closed_form(z, rho, vrho)
    assert (np.isinf(found) == np.isinf(wanted)).all()
    least = min(0.0, float(wanted.min()))  # r is 0 at its least; so is the formula, unless rho = vrho = 0
    np.testing.assert_allclose(found[np.isfinite(found)], wanted[np.isfinite(wanted)] - least, atol=1e-12)


@given(unit, unit)
def test_concave_on_its_slope_iff_rho_exceeds_vrho(rho: float, vrho: float) -> None:
    """mu r'' = k - 1 there."""
    assume(abs(rho - vrho) > 1e-3)
    z = np.linspace(vrho + 0.01 * (1 - vrho), 1 - 0.01 * (1 - vrho), 7)
    h = (1 - vrho) / 200
    r = recovered(ProximalQuantizer(rho=rho, vrho=vrho))
    second = (r(z + h) - 2 * r(z) + r(z - h)) / h**2
    np.testing.assert_allclose(second, (1 - rho) / (1 - vrho) - 1, rtol=0, atol=1e-6)
    assert (second < 0).all() == (rho > vrho)


@given(st.floats(0, 3), st.floats(0.1, 5))
def test_proxquant_is_the_w_shape(alpha: float, mu: float) -> None:
    """r = alpha dist(z, {-1, 1}) on the values of its map; at mu alpha >= 1 none between the levels."""
    z = np.linspace(-4, 4, 801)
    lam = mu * alpha
    found = recovered(ProxQuant(lam), mu)(z)
    taken = np.abs(z) >= min(lam, 1) - 1e-12
    distance = np.abs(np.abs(z) - 1)
    np.testing.assert_allclose(
        found[taken & np.isfinite(found)], alpha * distance[taken & np.isfinite(found)], atol=1e-12
    )
    assert np.isinf(found[np.abs(z) < min(lam, 1) - 1e-9]).all()


@given(st.floats(0, 9))
def test_binaryrelax_is_the_two_wells(m: float) -> None:
    z = np.linspace(-4, 4, 801)
    found = recovered(BinaryRelax(strength=m))(z)
    np.testing.assert_allclose(
        found[np.isfinite(found)], m / 2 * (1 - np.abs(z[np.isfinite(found)])) ** 2, atol=1e-11
    )
    assert np.isfinite(found[np.abs(z) > m / (1 + m) + 1e-9]).all()


def test_par_is_its_polyline_and_a_projection_its_indicator() -> None:
    """Slopes 0.1 to 0.5, then 0.3 to 2, then 1."""
    z = np.linspace(-4, 4, 801)
    wanted = np.interp(np.abs(z), [0, 0.5, 2, 5], [0, 0.05, 0.5, 3.5])
    np.testing.assert_allclose(recovered(ConvexPar((0.5, 2.0), (0.1, 0.3, 1.0)))(z), wanted, atol=1e-12)
    found = recovered(Projection((-1, 0, 2)), 7.0)(np.array([-1, -0.5, 0, 1, 2, 3]))
    np.testing.assert_allclose(found, [0, np.inf, 0, np.inf, 0, np.inf], atol=1e-15)
    np.testing.assert_allclose(recovered(ConvexPar((), (0.3,)), 0.5)(z), 0.6 * np.abs(z), atol=1e-12)


@pytest.mark.parametrize("proximal", MAPS, ids=str)
def test_its_slope_is_the_inverse_map_minus_the_identity(proximal: ProximalMap) -> None:
    """mu r'(P(w)) = w - P(w) wherever P rises: r is never differentiated by hand."""
    r, h = recovered(proximal, 2.0), 1e-6
    w = np.linspace(-3.1, 3.3, 130)
    w = w[(np.abs(w[:, None] - np.array(proximal.kinks)).min(axis=1) > 1e-3) & (proximal.derivative(w) > 0)]
    z = proximal(w)
    np.testing.assert_allclose((r(z + h) - r(z - h)) / (2 * h), (w - z) / 2, rtol=0, atol=1e-7)


@pytest.mark.parametrize("proximal", MAPS, ids=str)
def test_r_is_convex_iff_the_map_is_non_expansive(proximal: ProximalMap) -> None:
    """Jensen's inequality on a grid, infinity included, is kept or has a witness."""
    r = recovered(proximal)
    a, b = np.meshgrid(np.linspace(-3, 3, 121), np.linspace(-3, 3, 121))
    ends = (r(a) + r(b)) / 2
    broken = r((a + b) / 2) > ends + 1e-9
    assert broken.any() == (not r.convex)
    assert r.convex == proximal.nonexpansive


@pytest.mark.parametrize("proximal", MAPS, ids=str)
def test_the_envelope_is_an_integral_of_w_minus_p(proximal: ProximalMap) -> None:
    """mu M' = w - P(w) almost everywhere, and M >= 0 with M = 0 where r is: by quadrature."""
    r = recovered(proximal, 0.5)
    for a, b in ((-2.5, -0.3), (-0.3, 1.9)):
        inside = [k for k in proximal.kinks if a < k < b] or None
        area, _ = quad(lambda w: w - float(proximal(np.array(w))), a, b, points=inside, epsabs=1e-12)
        rise = float(r.envelope(np.array(b)) - r.envelope(np.array(a)))
        assert abs(rise - area / 0.5) <= 1e-10
    assert r.envelope(np.linspace(-3, 3, 301)).min() >= -1e-12


def w_shape(alpha: float) -> Array:
    return lambda z: alpha * np.abs(np.abs(z) - 1)


@given(st.floats(0.05, 3), st.floats(0.1, 5))
def test_q10_the_w_shape_is_sign_from_the_threshold_on(alpha: float, mu: float) -> None:
    """By search, not by the map: every w in [-1, 1] goes to +-1 iff mu alpha >= 1."""
    assume(abs(mu * alpha - 1) > 1e-2)
    z = np.linspace(-3, 3, 6001)
    signs = all(
        (np.abs(np.abs(by_search(w_shape(alpha), mu, w, z)[0]) - 1) <= 1e-6).all()
        for w in (-1, -0.6, -0.1, -0.01, 0.01, 0.3, 1)
    )
    assert signs == (mu * alpha >= 1)


@given(st.floats(0.05, 3))
@example(0.99999)
def test_q10_for_the_map_and_on_longer_intervals(lam: float) -> None:
    """Sign on [-1, 1] iff lam >= 1; on [-B, B], B >= 2, iff lam >= B - 1."""
    for reach, threshold in ((1.0, 1.0), (2.0, 1.0), (2.5, 1.5), (4.0, 3.0)):
        assume(abs(lam - threshold) > 1e-9)
        w = np.append(np.linspace(-reach, reach, 2000), (-1e-12, 1e-12))  # what leaves a level last
        assert (ProxQuant(lam)(w) == np.sign(w)).all() == (lam >= threshold)


@given(st.floats(-2, 2))
def test_limits_in_mu_of_any_r(w: float) -> None:
    """A double well on [-1.5, 1.5]: the nearest of its minima for large mu, the nearest point for small."""
    assume(abs(w) > 0.05)

    def well(z: Array) -> Array:
        return np.where(np.abs(z) <= 1.5, (1 - z**2) ** 2, np.inf)

    z = np.linspace(-3, 3, 60001)
    assert np.abs(by_search(well, 1e4, w, z)[0] - math.copysign(1, w)).max() <= 0.01
    assert np.abs(by_search(well, 1e-6, w, z)[0] - np.clip(w, -1.5, 1.5)).max() <= 1e-3


def test_precision_and_refusals() -> None:
    r = recovered(ProximalQuantizer(rho=0.3, vrho=0.2), 2.0)
    for dtype in (np.float32, np.float64):
        z = np.array([[-1, 0.1], [0.5, 1.2]], dtype)
        for y in (r(z), r.envelope(z)):
            assert (y.dtype, y.shape) == (dtype, z.shape)
    np.testing.assert_allclose(
        r(np.float32([0.3, -0.3])), 0.5 * closed_form(np.array([0.3, 0.3]), 0.3, 0.2), rtol=1e-6
    )
    with pytest.raises(ValueError, match="mu: required a positive number, got 0"):
        recovered(ProximalQuantizer(), 0)
    with pytest.raises(ValueError, match="proximal: required a proximal map, got 3"):
        Regulariser(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="end slopes of at most 1"):
        recovered(Polyline(((0, 0),), ends=(2, 0)))
