"""The integrator against antiderivatives: smooth, steep, jumping, many at a time, and what it must refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.spectra import as_subject
from bnn_ref.spectra.integration import integrate, panel_edges


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=12), st.floats(0.1, 5))
def test_polynomials(coefficients: list[float], end: float) -> None:
    p = np.polynomial.Polynomial(coefficients)
    (total,), error = integrate(lambda x: p(x)[:, None], np.array([0.0, end]))
    size = sum(abs(c) * end ** (i + 1) for i, c in enumerate(coefficients))
    assert abs(total - p.integ()(end)) <= 1e-13 * size + 1e-300
    assert error <= 1e-12 * size + 1e-300


@given(st.floats(0.01, 0.99), st.floats(-5, 5))
def test_a_jump_that_is_on_no_edge(at: float, height: float) -> None:
    (total,), error = integrate(lambda x: (1 + height * (x > at))[:, None], np.array([0.0, 1.0]))
    assert abs(total - (1 + height * (1 - at))) <= error + 1e-13
    assert error <= 1e-12


def test_a_whole_column_at_once_and_complex() -> None:
    w = np.array([0.0, 1.0, 300.0])
    total, _ = integrate(lambda x: np.exp(1j * x[:, None] * w), np.array([0.0, 1.0]))
    np.testing.assert_allclose(total[1:], (np.exp(1j * w[1:]) - 1) / (1j * w[1:]), atol=1e-13)
    assert abs(total[0] - 1) <= 1e-14


@given(st.floats(1, 1e7))
def test_a_steep_step_at_0_is_not_missed(beta: float) -> None:
    subject = as_subject("tanh")
    edges = panel_edges(subject, 30.0)
    (total,), _ = integrate(lambda x: (beta * np.exp(-beta * x))[:, None], edges)
    assert abs(total - 1) <= 1e-12


def test_edges_hold_kinks_ends_and_enough_panels_for_the_waves() -> None:
    edges = panel_edges(as_subject("approxsign"), 3.0, frequency=100.0)
    assert {0.0, 1.0, 3.0} <= set(edges.tolist())
    assert np.diff(edges).max() <= 10 / 100 * (1 + 1e-9)
    assert np.diff(edges).min() > 0
    assert panel_edges(as_subject("tanh"), 0.0).tolist() == [0.0, 0.0]


def test_what_has_no_integral_is_refused() -> None:
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="does not settle"):
        integrate(lambda x: np.full((len(x), 1), np.nan), np.array([0.0, 1.0]))
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="does not settle"):
        integrate(lambda x: rng.normal(size=(len(x), 1)), np.array([0.0, 1.0]))
