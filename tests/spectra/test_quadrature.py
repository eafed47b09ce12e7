"""H by quadrature against closed forms (declared ones, textbook ones) and against mpmath."""

from __future__ import annotations

import re
from typing import Any

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf

from bnn_ref import estimators
from bnn_ref.binarizer import Curve, Sign
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.dsq import SoftQuantizer
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.estimators.irnet import EDE
from bnn_ref.estimators.rbnn import Triangle
from bnn_ref.estimators.reste import PowerFunction
from bnn_ref.estimators.ste import HardTanh, Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.spectra import as_subject, quadrature_gain
from bnn_ref.spectra.quadrature import reach

W = np.concatenate([np.linspace(-50, 50, 101), [1e-9, 0.37, np.pi, 49.99]])
size = st.floats(0.3, 8)
CURVES = st.one_of(
    st.builds(HardTanh, size, st.booleans()),
    st.builds(Tanh, size),
    st.just(PiecewiseQuadratic()),
    st.builds(Triangle, size, size),
    st.builds(EDE, size, size),
    st.builds(SwishSign, size),
    st.builds(FourierSeries, st.integers(1, 30), st.floats(0.01, 2), st.floats(0.2, 4)),
)


@given(CURVES)
def test_equals_the_declared_closed_form(curve: Curve) -> None:
    closed = curve.gain(W)
    assert closed is not None
    found, error = quadrature_gain(curve, W)
    scale = max(1.0, float(curve.peak))
    np.testing.assert_allclose(found, closed, rtol=0, atol=1e-10 * scale)
    assert error <= 1e-11 * scale


@pytest.mark.parametrize("name", estimators.names())
def test_every_estimator_has_a_gain_or_says_why_not(name: str) -> None:
    surrogate = estimators.get(name).surrogate
    if isinstance(surrogate, Curve) and surrogate.area is not None:
        found, error = quadrature_gain(name, W)
        assert found.shape == W.shape
        assert error < 1e-10
    else:
        with pytest.raises(
            ValueError, match=f"^{re.escape(name)}: (T' is not integrable|required an element-wise)"
        ):
            quadrature_gain(name, W)


@pytest.mark.parametrize(
    ("value", "slope", "gain"),
    [
        (erf, lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x), lambda w: np.exp(-w * w / 4)),
        (
            lambda x: np.sign(x) * -np.expm1(-np.abs(x)),
            lambda x: np.exp(-np.abs(x)),
            lambda w: 1 / (1 + w * w),
        ),
        # a power of x in the tail: no interval holds it to 1e-10
        (
            lambda x: 2 / np.pi * np.arctan(x),
            lambda x: 2 / np.pi / (1 + x * x),
            lambda w: np.exp(-np.abs(w)),
        ),
        # not odd: complex
        (
            lambda x: np.clip(x, 0, 1),
            lambda x: (x > 0) & (x < 1),
            lambda w: np.exp(-0.5j * w) * np.sinc(w / 2 / np.pi) / 2,
        ),
        (
            lambda x: np.arctan(x - 1) / np.pi,
            lambda x: 1 / np.pi / (1 + (x - 1) ** 2),
            lambda w: np.exp(-np.abs(w) - 1j * w) / 2,
        ),
    ],
    ids=["erf", "laplace", "arctan", "ramp", "shifted arctan"],
)
def test_foreign_slopes_with_textbook_transforms(value: Any, slope: Any, gain: Any) -> None:
    w = np.array([0.0, 1e-3, 0.1, -1.0, 5.0, 30.0])
    found, error = quadrature_gain(value, w, slope=slope)
    np.testing.assert_allclose(found, gain(w), rtol=0, atol=1e-10)
    assert error <= 1e-10
    assert np.iscomplexobj(found) != as_subject(value, slope=slope).odd


@given(st.floats(0.1, 1.9))
def test_a_kink_that_nobody_declared(at: float) -> None:
    hidden = {"slope": lambda x: np.abs(x) <= at, "support": 2.0}
    found, _ = quadrature_gain(lambda x: np.clip(x, -at, at), W, **hidden)
    np.testing.assert_allclose(found, at * np.sinc(W * at / np.pi), rtol=0, atol=1e-10)


@pytest.mark.parametrize("w", [0.0, 0.7, 13.0, 50.0])
def test_slopes_without_closed_form_against_mpmath(w: float) -> None:
    """ReSTE by its definition (secant, then power), DSQ by its own, at 30 digits."""
    o, m, t, alpha = 3, mp.mpf("0.1"), mp.mpf("1.5"), mp.mpf("0.2")
    with mp.workdps(30):
        cells = int(w) + 2
        secant = m ** (mp.mpf(1) / o) / m * (mp.sin(w * m) / w if w else m)
        power = mp.quad(lambda x: x ** (mp.mpf(1 - o) / o) / o * mp.cos(w * x), mp.linspace(m, t, cells + 1))
        k = mp.log(2 / alpha - 1) / 2
        tanh = mp.quad(
            lambda x: k / mp.tanh(k) * mp.sech(k * x) ** 2 * mp.cos(w * x), mp.linspace(0, 1, cells)
        )
    assert abs(quadrature_gain(PowerFunction(3.0, 0.1, 1.5), w)[0] - float(secant + power)) <= 1e-13
    assert abs(quadrature_gain(SoftQuantizer(0.2), w)[0] - float(tanh)) <= 1e-13


def test_shapes_are_those_of_w() -> None:
    assert quadrature_gain("clipped-ste", 1.0)[0].shape == ()
    assert quadrature_gain("clipped-ste", np.zeros((2, 0)))[0].shape == (2, 0)
    assert quadrature_gain("clipped-ste", np.ones((2, 3)))[0].shape == (2, 3)


def test_sign_itself_has_no_slope_and_no_gain() -> None:
    np.testing.assert_array_equal(quadrature_gain(Sign(), W)[0], 0)


def test_where_slopes_end() -> None:
    assert reach(as_subject(HardTanh(3.0))) == (3.0, False)
    end, slow = reach(as_subject(Tanh(0.01)))
    assert not slow
    assert 0.5 * np.log(4e18) / 0.01 <= end <= 1.2 * 0.5 * np.log(4e18) / 0.01
    assert reach(as_subject(np.arctan, slope=lambda x: 1 / (1 + x * x)))[1]


@pytest.mark.parametrize(
    ("subject", "hints", "message"),
    [
        ("identity-ste", {}, "identity-ste: T' is not integrable, it never falls off"),
        (estimators.get("fda", window=None), {}, "fda: T' is periodic and not integrable; it has lines"),
        (np.sin, {"slope": np.cos}, "never falls off"),
        (np.sin, {"slope": np.cos, "period": 2 * np.pi}, "periodic"),
        (np.arcsinh, {"slope": lambda x: 1 / np.sqrt(1 + x * x)}, "as far as quadrature can tell"),
    ],
)
def test_what_is_not_integrable_is_refused(subject: Any, hints: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quadrature_gain(subject, W, **hints)


@pytest.mark.parametrize("w", [np.nan, np.inf])
def test_frequencies_are_finite(w: float) -> None:
    with pytest.raises(ValueError, match="w: required finite"):
        quadrature_gain("clipped-ste", w)
