"""T o P: values, the integrated surrogate, and property B5 of proxconnect.md."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from bnn_ref.auditing import audit
from bnn_ref.basepoint import record, replay
from bnn_ref.binarizer import Curve, Sign
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.composition import Integral, Transformed, composed
from bnn_ref.estimators.dorefa import UnitClip
from bnn_ref.estimators.irnet import EDE
from bnn_ref.estimators.proximal import Polyline, ProximalMap
from bnn_ref.estimators.quantizers import BinaryRelax, Parq, ProximalQuantizer
from bnn_ref.estimators.shrinkage import ConvexPar, ProxQuant
from bnn_ref.estimators.ste import HardTanh, Identity, Tanh
from bnn_ref.estimators.swish import SwishSign

OUTER: list[Curve] = [
    Tanh(),
    Tanh(2.5),
    SwishSign(2.0),
    SwishSign(6.0),
    EDE(1.5, 0.8),
    PiecewiseQuadratic(),
    HardTanh(0.7),
    HardTanh(0.3),
    HardTanh(0.3, inclusive=False),
    HardTanh(0.1),
    Identity(),
]
INNER: list[ProximalMap] = [
    ProximalQuantizer(),
    ProximalQuantizer(rho=0.4),
    ProximalQuantizer(vrho=0.3),
    ProximalQuantizer(rho=0.4, vrho=0.3),
    ProximalQuantizer((-1, 0, 1), 0.1, 0.2),
    ProximalQuantizer(rho=1),
    ProximalQuantizer((-2, -0.5, 0.5, 2), 0.1),
    BinaryRelax(strength=0.5),
    ProxQuant(0.3),
    Parq((-1, 0, 1), s=0.5),
    ConvexPar((0.5,), (0.2, 0.4)),
    Polyline(((-1, -1), (1, 1))),
]
PAIRS = [(t, p) for t in OUTER for p in INNER]
each = pytest.mark.parametrize(("outer", "inner"), PAIRS, ids=str)


@each
def test_the_pair_passes_the_audit(outer: Curve, inner: ProximalMap) -> None:
    """Slope, continuity, owners of kinks, every claim of the integral; linear, dtype, deployment.

    But for "alive": behind a steep sign-Swish the gradient may point the wrong way, and the audit says so.
    """
    failed = [str(check) for check in audit(composed(outer, inner)).failures if "alive" not in check.name]
    assert not failed


@each
def test_it_is_t_of_p_and_learns_from_t_slope_at_p(outer: Curve, inner: ProximalMap) -> None:
    w = np.linspace(-3.1, 3.2, 300)
    pair = composed(outer, inner)
    np.testing.assert_allclose(pair(w), outer(inner(w)), rtol=0, atol=1e-15)
    np.testing.assert_array_equal(pair.backward(w, np.full_like(w, 3)), 3 * outer.derivative(inner(w)))


@pytest.mark.parametrize("inner", INNER, ids=str)
@pytest.mark.parametrize("outer", [Tanh(2.5), SwishSign(6.0), PiecewiseQuadratic()], ids=str)
def test_s_integrates_b_by_quadrature(outer: Curve, inner: ProximalMap) -> None:
    """S(b) - S(a) is the integral of T'(P), which is all the quadrature sees; S(0) = 0."""
    surrogate = Integral(outer, inner)
    assert abs(surrogate(np.array(0.0))) <= 1e-15
    edges = [-2.9, *(k for k in surrogate.kinks if -2.9 < k < 3.1), 3.1]
    for a, b in pairwise(edges):
        found, _ = quad(lambda w: float(outer.derivative(inner(np.array(w)))), a, b, epsabs=1e-12)
        assert abs(float(surrogate(np.array(b)) - surrogate(np.array(a))) - found) <= 1e-10


@pytest.mark.parametrize("outer", [Tanh(0.5), Tanh(2.0), SwishSign(2.2)], ids=str)
@given(st.floats(0, 0.95), st.floats(0, 0.9), st.floats(-2, 2))
def test_b5_the_integral_of_df_over_b_is_p(outer: Curve, rho: float, vrho: float, w: float) -> None:
    """P(w) is P at the near end and the integral of F'/B from there: no formula of P or T enters.

    From -2 for w < 0 and from 2 for others: across the jump of F the integral does not say how far P jumps.
    """
    inner = ProximalQuantizer(rho=rho, vrho=vrho)
    pair, start = composed(outer, inner), -2.0 if w < 0 else 2.0

    def ratio(x: float) -> float:
        rise = (pair(np.array([x + 1e-6])) - pair(np.array([x - 1e-6]))) / 2e-6
        return float(rise[0] / pair.backward(np.array([x]), np.ones(1))[0])

    low, high = sorted((start, w))
    edges = [low, *(k for k in inner.kinks if low < k < high), high]
    total = sum(quad(ratio, a, b)[0] for a, b in pairwise(edges))
    found = np.sign(start) + np.sign(w - start) * total
    assert abs(found - float(inner(np.array(w)))) <= 1e-5


def test_levels_signs_and_jumps() -> None:
    hard = composed(Tanh(), ProximalQuantizer(rho=1, selection="lower"))
    assert hard.levels == (-np.tanh(1), np.tanh(1))
    assert hard.deployed == Sign(-1)
    np.testing.assert_allclose(hard(np.array([-1e-9, 0.0, 1e-9])), np.tanh([-1, -1, 1]), rtol=1e-15)
    soft = composed(Tanh(), ProximalQuantizer(vrho=0.2))
    assert soft.levels is None
    assert soft.deployed == Sign()
    np.testing.assert_allclose(soft(np.array([-1e-12, 0.0])), np.tanh([-0.2, 0.2]), rtol=1e-9)
    lower = Transformed(Tanh(), ProximalQuantizer(vrho=0.2, selection="lower"))
    assert lower(np.array(0.0)) == -np.tanh(0.2)


def test_claims_follow_from_what_p_takes() -> None:
    assert Integral(SwishSign(2.0), ProximalQuantizer()).monotone
    assert not Integral(SwishSign(6.0), ProximalQuantizer()).monotone
    assert Integral(Tanh(2.0), ProximalQuantizer()).peak == 2
    away = Integral(Tanh(2.0), ProximalQuantizer(vrho=0.5))
    assert np.isclose(away.peak, 2 / np.cosh(1) ** 2)
    assert away.area is None
    assert np.isclose(Integral(Tanh(), BinaryRelax(strength=1)).area, 4 * (1 - np.tanh(0.5)))
    assert Integral(PiecewiseQuadratic(), ProximalQuantizer(rho=0.5)).area == pytest.approx(1)


def test_a_clip_behind_a_quantizer_keeps_its_convention_on_kinks() -> None:
    """T' at P = 1 is 1 where the clip includes its end, 0 where it does not, all along the flat piece."""
    w = np.array([-2.0, -0.6, 0.3, 0.6, 2.0])
    for inclusive, outside in ((True, 1), (False, 0)):
        pair = composed(HardTanh(inclusive=inclusive), ProximalQuantizer(rho=0.4))
        np.testing.assert_array_equal(pair.backward(w, np.ones(5)), [outside, outside, 1, outside, outside])
        failed = [str(check) for check in audit(pair).failures]
        assert not failed


@pytest.mark.parametrize("inclusive", [True, False])
def test_a_jump_that_ends_on_a_kink_of_t(inclusive: bool) -> None:
    """B there is T' at the selected value, be it that of no neighbour; the integral declares the same."""
    jump = ((-0.5, -0.3), (-0.5, -0.1), (0.5, 0.1), (0.5, 0.3))
    pair = composed(HardTanh(0.3, inclusive=inclusive), Polyline(jump, ends=(1, 1)))
    assert pair.backward(np.array([0.4, 0.5, 0.6]), np.ones(3)).tolist() == [1, inclusive, 0]
    failed = [str(check) for check in audit(pair).failures]
    assert not failed


def test_a_replayed_evaluation_makes_the_same_decisions_at_first_and_later() -> None:
    """What a curve computes once and keeps must not count as a decision of the network."""
    pair = composed(PiecewiseQuadratic(), ProximalQuantizer(rho=0.2, vrho=0.1))
    w = np.linspace(-1.5, 1.5, 31)
    for _ in range(2):
        with record() as point:
            value = pair(w)
        with replay(point):
            slope = pair(w + 1e-30j).imag / 1e-30
        np.testing.assert_allclose(slope, pair.backward(w, np.ones_like(w)), atol=1e-14)
        np.testing.assert_array_equal(value, pair(w))


def test_refusals() -> None:
    with pytest.raises(ValueError, match="outer: required an odd curve that is not trained, got UnitClip"):
        composed(UnitClip(), ProximalQuantizer())
    for inner in (Tanh(), ProximalQuantizer((-1, 0, 2))):
        with pytest.raises(ValueError, match="inner: required a proximal map that is symmetric about 0, got"):
            composed(Tanh(), inner)  # type: ignore[arg-type]
    assert composed(Tanh(), Polyline(((0, 0),), ends=(1, 1)))(np.array(0.3)) == np.tanh(0.3)
