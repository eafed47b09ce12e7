"""ApproxSign: the integrals of bireal.md 2.1, and what makes it differ from a clip. The leaky clip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bnn_ref
from bnn_ref.binarizer import Binarizer, Curve, Sign
from bnn_ref.estimators.bireal import LeakyClip, PiecewiseQuadratic
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.testing import check_binarizer

CLIP, APPROX = HardTanh(), PiecewiseQuadratic()


def integral(f: Callable[[Any], Any]) -> float:
    """Over the real line, for integrands that are polynomials between -1, 0 and 1 and nothing outside."""
    nodes, weights = np.polynomial.legendre.leggauss(8)
    return float(sum(weights @ f(middle + nodes / 2) / 2 for middle in (-0.5, 0.5)))


@pytest.mark.parametrize(
    ("quantity", "clip", "approxsign"),
    [
        (lambda x, curve: np.abs(np.sign(x) - curve(x)), 1, 2 / 3),
        (lambda x, curve: (np.sign(x) - curve(x)) ** 2, 2 / 3, 2 / 5),
        (lambda x, curve: curve.derivative(x), 2, 2),
        (lambda x, curve: curve.derivative(x) ** 2, 2, 8 / 3),
        (lambda x, curve: np.abs(x) * curve.derivative(x), 1, 2 / 3),
        (lambda x, curve: x**2 * curve.derivative(x), 2 / 3, 1 / 3),
    ],
)
def test_printed_integrals(quantity: Callable[[Any, Curve], Any], clip: float, approxsign: float) -> None:
    assert abs(integral(lambda x: quantity(x, CLIP)) - clip) <= 1e-14
    assert abs(integral(lambda x: quantity(x, APPROX)) - approxsign) <= 1e-14


def test_distance_between_the_two() -> None:
    """L1(clip, ApproxSign) = 1/3; their slopes cross at 1/2, L1 = 1."""
    assert abs(integral(lambda x: np.abs(CLIP(x) - APPROX(x))) - 1 / 3) <= 1e-14
    nodes, weights = np.polynomial.legendre.leggauss(8)
    x = np.concatenate([m + nodes / 4 for m in (-0.75, -0.25, 0.25, 0.75)])
    gap = np.abs(CLIP.derivative(x) - APPROX.derivative(x)).reshape(4, -1)
    assert abs((gap @ weights).sum() / 4 - 1) <= 1e-14


def test_sup_distance_is_1_for_both() -> None:
    x = np.concatenate([np.linspace(-2, 2, 4001), [1e-9, -1e-9]])
    x = x[x != 0]
    for curve in (CLIP, APPROX):
        assert 1 - 1e-8 <= np.abs(np.sign(x) - curve(x)).max() <= 1


def test_the_slope_is_continuous() -> None:
    """0 at -1 and 1, 2 at 0, and no jump beside them: unlike the clip there is no convention to choose."""
    edges = np.array([-1.0, 0.0, 1.0])
    for x in (edges, np.nextafter(edges, -2), np.nextafter(edges, 2)):
        np.testing.assert_allclose(APPROX.derivative(x), [0, 2, 0], atol=1e-15)
        np.testing.assert_allclose(APPROX(x), [-1, 0, 1], atol=1e-15)


def test_the_slopes_of_the_two_halves() -> None:
    """As the paper files print it: 2 + 2x on [-1, 0), 2 - 2x on [0, 1)."""
    np.testing.assert_array_equal(
        APPROX.derivative(np.array([-0.75, -0.25, 0.25, 0.75])), [0.5, 1.5, 1.5, 0.5]
    )
    np.testing.assert_array_equal(APPROX(np.array([-3.0, -0.5, 0.5, 3.0])), [-1, -0.75, 0.75, 1])


def test_the_leaky_clip_in_numbers() -> None:
    """Range (-1, 1), slope 0.1 outside and, as in the Caffe layer, at exactly -1 and 1."""
    x = np.array([-11.0, -2.0, -1.0, -0.5, 0.0, 1.0, 3.0, 11.0])
    np.testing.assert_allclose(LeakyClip()(x), [-2, -1.1, -1, -0.5, 0, 1, 1.2, 2], rtol=1e-15)
    np.testing.assert_array_equal(LeakyClip().derivative(x), [0.1, 0.1, 0.1, 1, 1, 0.1, 0.1, 0.1])
    inside = np.nextafter([-1.0, 1.0], 0)
    np.testing.assert_array_equal(LeakyClip().derivative(inside), [1, 1])


@given(leak=st.floats(0.01, 0.99), x=st.floats(-50, 50))
def test_the_leaky_clip_lies_between_clip_and_line(leak: float, x: float) -> None:
    """It is the leak's share of the line plus the rest of the clip: two curves proved elsewhere."""
    mixed = leak * x + (1 - leak) * CLIP(np.array(x))
    assert LeakyClip(leak=leak)(np.array(x)) == pytest.approx(mixed, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize("leak", [0.1, 0.01, 0.5])
def test_the_leaky_clip_is_audited_like_every_curve(leak: float) -> None:
    report = bnn_ref.audit(Binarizer(Sign(), LeakyClip(leak=leak)))
    assert report.passed, str(report)


@pytest.mark.parametrize("leak", [0.0, 1.1, -0.1, np.nan, "a"])
def test_a_leak_outside_of_0_to_1_is_refused(leak: Any) -> None:
    with pytest.raises(ValueError, match=r"leak: required a number in \(0, 1\], got"):
        LeakyClip(leak=leak)


@pytest.mark.parametrize(("clip", "leak"), [(1.0, 0.1), (0.5, 0.3), (2.0, 1.0)])
def test_the_leaky_clip_keeps_its_claims(clip: float, leak: float) -> None:
    check_binarizer(Binarizer(Sign(), LeakyClip(clip, leak)))
