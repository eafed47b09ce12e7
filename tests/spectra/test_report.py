"""The Spectrum object: what it answers, for every estimator of the table and for strangers."""

from __future__ import annotations

import dataclasses
import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.binarizer import Curve
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.estimators.rbnn import Triangle
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.spectra import energy_error, harmonic_errors, quadrature_gain, sine_coefficients, spectrum

NAMES = list(estimators.curves())


@pytest.mark.parametrize("name", NAMES)
def test_gain_at_0_is_half_the_area(name: str) -> None:
    curve = estimators.get(name).surrogate
    assert isinstance(curve, Curve)
    if curve.area is None:
        with pytest.raises(ValueError, match=f"{re.escape(name)}: T' is"):
            spectrum(name).gain(0.0)
    else:
        assert abs(spectrum(name).gain(0.0) - curve.area / 2) <= 1e-12


@pytest.mark.parametrize("name", NAMES)
def test_to_dict_is_json_and_agrees_with_the_methods(name: str) -> None:
    found = spectrum(name)
    shown = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert shown["name"] == name
    assert shown["period"] == found.period == 2 * np.pi
    assert shown["energy_error"]["value"] == found.energy_error().value
    if found.subject.odd:
        assert shown["harmonics"]["coefficients"] == found.sine_coefficients(40).tolist()
        assert shown["harmonics"]["errors"] == found.harmonic_errors(40).tolist()
    else:
        assert shown["harmonics"] == {"refused": f"{name}: required an odd T"}
    if "refused" in shown["gain"]:
        assert shown["gain"]["refused"].startswith(f"{name}: T' is")
    else:
        gain = found.gain(np.array(shown["gain"]["w"]))
        np.testing.assert_array_equal(shown["gain"]["h"], gain.real)
        assert shown["gain"].get("imaginary", [0.0] * len(gain)) == gain.imag.tolist()
        assert shown["gain"]["w"][0] == 0.0


@given(st.floats(0.2, 5), st.floats(-50, 50))
def test_textbook_gains(c: float, w: float) -> None:
    """Integrals of cos(w x) against boxes and triangles, by their antiderivatives; even in w."""
    box, triangle = spectrum(HardTanh(c)).gain, spectrum(PiecewiseQuadratic()).gain
    assert abs(w * box(w) - np.sin(w * c)) <= 1e-13
    assert abs(w * w * triangle(w) / 2 - (1 - np.cos(w))) <= 1e-12 * (1 + w * w)
    assert triangle(w) >= 0
    assert box(w) == box(-w)


def test_a_triangle_of_steepness_sqrt_2_is_approxsign() -> None:
    w = np.linspace(-40, 40, 81)
    np.testing.assert_allclose(
        spectrum(Triangle(1.0, np.sqrt(2))).gain(w), spectrum("approxsign").gain(w), atol=1e-14
    )


def test_scalars_and_shapes() -> None:
    for name in ("clipped-ste", "dsq"):
        assert isinstance(spectrum(name).gain(1.0), float)
        assert spectrum(name).gain(np.ones((2, 3))).shape == (2, 3)
        assert spectrum(name).gain([1, 2]).dtype == np.float64


def test_a_periodic_subject_has_lines_and_says_so() -> None:
    found = spectrum(estimators.get("fda", window=None, omega=0.5))
    assert found.period == 4 * np.pi
    assert len(found.lines) == 10
    with pytest.raises(ValueError, match="has lines instead of a gain"):
        found.gain(1.0)
    shown = found.to_dict()
    assert "lines" in shown["gain"]["refused"]
    assert shown["lines"][0] == dataclasses.asdict(found.lines[0])
    assert shown["energy_error"]["method"] == "closed form"


def test_the_period_of_comparison_may_be_chosen() -> None:
    curve = FourierSeries(3, 1.0, None)
    found = spectrum(curve, 5.0)
    assert found.period == 5.0
    assert len(found.lines) == 3, "its lines stay those of its own period"
    np.testing.assert_array_equal(found.sine_coefficients(5), sine_coefficients(curve, 5.0, 5))
    np.testing.assert_array_equal(found.harmonic_errors(5), harmonic_errors(curve, 5.0, 5))
    assert found.energy_error() == energy_error(curve, 5.0)


def test_strangers() -> None:
    """A pair, a callable with slope, and the declared curve are one and the same filter."""
    curve, w = HardTanh(), np.linspace(0, 20, 21)
    pair = spectrum((curve.__call__, curve.derivative), kinks=(-1.0, 1.0), support=1.0)
    keyword = spectrum(lambda x: np.clip(x, -1, 1), slope=lambda x: np.abs(x) <= 1)
    for found in (pair, keyword):
        np.testing.assert_allclose(found.gain(w), spectrum(curve).gain(w), atol=1e-11)
        np.testing.assert_allclose(found.harmonic_errors(9), spectrum(curve).harmonic_errors(9), atol=1e-11)
        assert not found.to_dict()["closed_form"]
    assert spectrum(curve).to_dict()["closed_form"]


def test_a_stranger_that_is_not_odd() -> None:
    found = spectrum(lambda x: np.clip(x, 0, 1), slope=lambda x: (x > 0) & (x < 1))
    assert np.iscomplexobj(found.gain(1.0))
    shown = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert len(shown["gain"]["imaginary"]) == len(shown["gain"]["h"])
    assert "required an odd T" in shown["harmonics"]["refused"]


def test_annealed_binarizers_and_quadrature_agree() -> None:
    for progress in (0.0, 0.5, 1.0):
        b = estimators.get("rbnn-activation").at(progress)
        found, _ = quadrature_gain(b, [0.0, 3.0])
        np.testing.assert_allclose(spectrum(b).gain([0.0, 3.0]), found, atol=1e-12)


def test_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        spectrum("tanh").name = "other"  # type: ignore[misc]
