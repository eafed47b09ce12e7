"""The DFT of a sampled T equals the exact aliased series, not the coefficients themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.binarizer import Curve
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.estimators.irnet import EDE
from bnn_ref.estimators.rbnn import Triangle
from bnn_ref.estimators.ste import HardTanh, Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.spectra import aliased, dft, sine_coefficients

SAMPLES = st.integers(2, 64).map(lambda n: 2 * n)
PERIODS = st.one_of(st.sampled_from([2.0, np.pi, 2 * np.pi, 20.0]), st.floats(0.5, 30))
step = st.floats(0.3, 3)
FAMILIES = {
    "clipped-ste": st.builds(HardTanh, step),
    "approxsign": st.just(PiecewiseQuadratic()),
    "rbnn": st.builds(Triangle, step, step),
    "ede": st.builds(EDE, step, step),
    "tanh": st.builds(Tanh, step),
    "swish-sign": st.builds(SwishSign, st.floats(0.5, 20)),
    "fda": st.builds(FourierSeries, st.integers(1, 20), st.floats(0.05, 1), step),
}


@pytest.mark.parametrize("family", FAMILIES)
@given(data=st.data(), period=PERIODS, samples=SAMPLES)
def test_the_dft_equals_the_aliased_series(
    family: str, data: st.DataObject, period: float, samples: int
) -> None:
    """Also on periods too short for T', where most of it lies outside."""
    curve: Curve = data.draw(FAMILIES[family])
    found = aliased(curve, period, samples)
    np.testing.assert_allclose(found, dft(curve, period, samples), rtol=0, atol=1e-9)


@given(st.integers(1, 30), st.floats(0.05, 5), st.integers(2, 80).map(lambda n: 2 * n))
def test_the_lines_of_the_fourier_series(n: int, omega: float, samples: int) -> None:
    """Exact when M > 2 (2N - 1); folded back otherwise."""
    curve = FourierSeries(n, omega, window=None)
    found = aliased(curve, 2 * np.pi / omega, samples)
    np.testing.assert_allclose(found, dft(curve, 2 * np.pi / omega, samples), rtol=0, atol=1e-9)
    k = np.arange(1, samples // 2)
    exact = np.where((k % 2 == 1) & (k < 2 * n), 4 / (np.pi * k), 0)
    assert np.allclose(found, exact, rtol=0, atol=1e-9) == (samples > 2 * (2 * n - 1) or samples == 4 * n - 2)


@pytest.mark.parametrize("family", FAMILIES)
def test_more_samples_alias_less(family: str) -> None:
    exact = sine_coefficients(family, 2 * np.pi, 3)
    gaps = [np.abs(aliased(family, 2 * np.pi, m)[:3] - exact).max() for m in (16, 64, 256)]
    assert gaps[0] > 1e-4, "no aliasing to speak of: this test compares nothing"
    assert gaps[1] < gaps[0] / 4
    assert gaps[2] < gaps[1] / 4


def test_a_foreign_line_folds_with_its_sign() -> None:
    """sin(9x) at 8 midpoints: k = 9 = 1 + 8, once around, so -sin(x)."""
    found = aliased(lambda x: np.sin(9 * x), 2 * np.pi, 8, slope=lambda x: 9 * np.cos(9 * x))
    np.testing.assert_allclose(found, [-1, 0, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("subject", "period", "samples", "message"),
    [
        ("dsq", 4.0, 8, "dsq: required an odd T with its gain in closed form"),
        ("identity-ste", 4.0, 8, "closed form"),
        (estimators.get("fda", window=None), 4.0, 8, "period: required fda's own, 62.8"),
        ("tanh", 4.0, 9, "samples: required an even number"),
        ("tanh", -4.0, 8, "period: required a positive number"),
        (Triangle(1.0, 3e4), 1e4, 4, "aliased sum ends within"),
    ],
)
def test_what_has_no_such_series_is_refused(subject: Any, period: float, samples: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        aliased(subject, period, samples)
