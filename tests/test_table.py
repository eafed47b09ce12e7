"""What every line of the table gets for free: audits, annealing, gradients, properties by Hypothesis."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.auditing import audit, audit_estimator_in_network
from bnn_ref.binarizer import Curve
from bnn_ref.testing import awkward_arrays, check_binarizer

NAMES = estimators.names()
CURVES = list(estimators.curves())
NONLINEAR = [name for name in NAMES if estimators.get(name).nonlinear()]
LINEAR = [name for name in NAMES if name not in NONLINEAR]
ANNEALED = [name for name in NAMES if estimators.get(name).law is not None]


@pytest.mark.parametrize("name", NAMES)
def test_passes_the_implementation_audit(name: str) -> None:
    check_binarizer(name)


@pytest.mark.parametrize("name", LINEAR)
def test_passes_in_a_residual_network_by_complex_step(name: str) -> None:
    report = audit_estimator_in_network(name)
    assert report.passed, str(report)
    whole = [check for check in report.checks if check.name.startswith("gradient to")]
    assert len(whole) >= 10
    assert max(check.error for check in whole) <= 1e-10
    assert report.on_kinks > 0, "the network was meant to meet kinks and ties"


@pytest.mark.parametrize("name", NONLINEAR)
def test_what_has_no_t_is_audited_by_what_it_declares(name: str) -> None:
    """Its own gradient against the declared one; in a network every layer that does have a derivative."""
    own, network = audit(name), audit_estimator_in_network(name)
    for report in (own, network):
        assert report.passed, str(report)
        assert "not linear in the incoming gradient" in report.verdict
    declared = [check for check in own.checks if "gradient as declared" in check.name]
    assert len(declared) == 6
    layers = {check.name for check in network.checks}
    assert "not linear in the incoming gradient, as claimed" in layers
    assert {"float32 model.norm", "float32 model.head", "float32 loss", "float32 model.first"} <= layers
    assert not any(check.name.startswith("gradient to") for check in network.checks)


@pytest.mark.parametrize("name", ANNEALED)
@pytest.mark.parametrize("progress", [0.0, 0.3, 1.0])
def test_annealed_estimators_pass_too(name: str, progress: float) -> None:
    check_binarizer(estimators.get(name).at(progress))


@pytest.mark.parametrize("name", CURVES)
@given(data=st.data(), dtype=st.sampled_from([np.float32, np.float64]))
def test_backward_is_slope_times_gradient(name: str, data: st.DataObject, dtype: type) -> None:
    b = estimators.get(name)
    assert isinstance(b.surrogate, Curve)
    x = data.draw(awkward_arrays(*b.surrogate.kinks, dtype=dtype))
    dy = np.full_like(x, 3)
    dx = b.backward(x, dy)
    assert dx.dtype == x.dtype
    assert dx.shape == x.shape
    assert np.array_equal(dx, b.surrogate.derivative(x) * 3)


@pytest.mark.parametrize("name", CURVES)
@given(data=st.data())
def test_slope_is_within_its_claims_everywhere(name: str, data: st.DataObject) -> None:
    curve = estimators.get(name).surrogate
    assert isinstance(curve, Curve)
    x = data.draw(awkward_arrays(*curve.kinks))
    slope = curve.derivative(x)
    assert np.all(np.abs(slope) <= curve.peak * (1 + 1e-12))
    assert np.all(slope[np.abs(x) > curve.support] == 0)
    if curve.monotone:
        assert np.all(slope >= 0)


@pytest.mark.parametrize("name", CURVES)
@given(data=st.data())
def test_surrogate_integrates_its_slope(name: str, data: st.DataObject) -> None:
    """T(b) - T(a) is the integral of the slope: Gauss-Legendre between kinks, an oracle that never sees T."""
    curve = estimators.get(name).surrogate
    assert isinstance(curve, Curve)
    a, b = sorted(data.draw(st.tuples(st.floats(-4, 4), st.floats(-4, 4))))
    edges = np.array([a, *(k for k in curve.kinks if a < k < b), b])
    nodes, weights = np.polynomial.legendre.leggauss(300)
    total = 0.0
    for low, high in itertools.pairwise(edges):
        middle, half = (low + high) / 2, (high - low) / 2
        inside = np.clip(middle + half * nodes, np.nextafter(low, high), np.nextafter(high, low))
        total += half * float(weights @ curve.derivative(inside))
    assert np.isclose(curve(np.array(b)) - curve(np.array(a)), total, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_only_maps_whose_every_value_is_a_sign_claim_to_be_binary(name: str) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)).astype(np.float32) ** 3  # long tails: scales far from 1
    x[0] = 0, -0.0, 1
    scale = (
        {"height": 2.0} if "height" in estimators.entry(name).parameters else {}
    )  # 1 is a sign by accident
    bound = estimators.get(name, **scale).bind((3,), -1, rng)
    bound.refresh(x, first=True)
    for part in (bound, bound.forward, bound.deploy(), *([bound.surrogate] if name in LINEAR else [])):
        assert part.binary == bool((np.abs(part(x)) == 1).all())


@pytest.mark.parametrize("name", NAMES)
def test_unknown_parameters_are_named(name: str) -> None:
    known = ", ".join(estimators.entry(name).parameters)
    with pytest.raises(ValueError, match=rf"required parameters among {known}; got nonsense"):
        estimators.get(name, nonsense=1)


def test_learned_parameters_pass_both_levels() -> None:
    learned = estimators.get("dsq", learn=True)
    assert audit(learned).passed
    assert "slope to alpha" in [check.name for check in audit(learned).checks]
    report = audit_estimator_in_network(learned)
    assert report.passed, str(report)
    names = [check.name for check in report.checks]
    assert "gradient to model.first.activation.alpha" in names
    assert "gradient to model.first.weight.alpha" in names
