"""The DFT against a naive loop, against sums of sines; the lines of a periodic T."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.binarizer import Sign
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.spectra import Line, dft, spectrum

EVEN = st.integers(2, 40).map(lambda n: 2 * n)


@given(EVEN, st.floats(0.1, 100), st.data())
def test_the_dft_is_the_sum_it_claims_to_be(samples: int, period: float, data: st.DataObject) -> None:
    values = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=samples, max_size=samples)))
    seen: list[Any] = []

    def f(x: Any) -> Any:
        seen.append(x)
        return values

    found = dft(f, period, samples)
    assert found.shape == (samples // 2 - 1,)
    (x,) = seen
    for k in range(1, samples // 2):
        b = (
            2
            / samples
            * sum(v * np.sin(2 * np.pi * k * at / period) for v, at in zip(values, x, strict=True))
        )
        assert abs(found[k - 1] - b) <= 1e-12
    np.testing.assert_allclose(np.diff(x), period / samples, rtol=1e-9)
    assert abs(x[0] + period / 2 - period / samples / 2) <= 1e-12 * period
    assert np.abs(x).min() > 0.4 * period / samples, "a sample lies on the jump at 0"


@given(EVEN, st.floats(0.1, 100), st.data())
def test_exact_below_the_nyquist_harmonic(samples: int, period: float, data: st.DataObject) -> None:
    b = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=samples // 2 - 1, max_size=samples // 2 - 1)))
    k = np.arange(1, samples // 2)

    def series(x: Any) -> Any:
        return np.sin(2 * np.pi / period * np.outer(x, k)) @ b

    np.testing.assert_allclose(dft(series, period, samples), b, rtol=0, atol=1e-12)


@given(EVEN)
def test_sampled_square_wave(samples: int) -> None:
    """fda.md 2.5: (4/M) / sin(pi k/M) at odd k, not 4/(pi k); 0 at even k."""
    k = np.arange(1, samples // 2)
    expected = np.where(k % 2, 4 / samples / np.sin(np.pi * k / samples), 0)
    np.testing.assert_allclose(dft(Sign(), 7.0, samples), expected, rtol=0, atol=1e-13)


@given(st.integers(1, 60), st.floats(0.01, 10))
def test_without_window_the_first_odd_harmonics_are_those_of_the_square_wave(n: int, omega: float) -> None:
    found = spectrum(FourierSeries(n, omega, window=None)).lines
    assert [line.harmonic for line in found] == list(range(1, 2 * n, 2))
    for line in found:
        assert abs(line.ratio - 1) <= 1e-10
        assert abs(line.coefficient - 4 / np.pi / line.harmonic) <= 1e-11
        assert np.isclose(line.frequency, line.harmonic * omega, rtol=1e-12)


def test_with_a_window_there_are_none() -> None:
    assert spectrum("fda").lines == ()
    assert spectrum("identity-ste").lines == ()


def test_foreign_lines_beyond_the_first_sampling() -> None:
    """Harmonic 63 sampled 64 times looks like harmonic 1: it must not be taken for it."""
    (line,) = spectrum(lambda x: np.sin(63 * x), 2 * np.pi, slope=lambda x: 63 * np.cos(63 * x)).lines
    assert isinstance(line, Line)
    assert line.harmonic == 63
    assert abs(line.coefficient - 1) <= 1e-12
    assert abs(line.ratio - 63 * np.pi / 4) <= 1e-10


def test_a_periodic_t_of_endless_harmonics_is_refused() -> None:
    with pytest.raises(ValueError, match="required finitely many lines"):
        spectrum(lambda x: np.sign(np.sin(x)), 2 * np.pi, slope=lambda x: 0)


def test_a_periodic_t_that_is_not_odd_is_refused() -> None:
    with pytest.raises(ValueError, match="required an odd T"):
        spectrum(np.cos, 2 * np.pi, slope=lambda x: -np.sin(x))


@pytest.mark.parametrize("samples", [2, 7, -4])
def test_sample_counts(samples: int) -> None:
    with pytest.raises(ValueError, match="samples: required an even number >= 4"):
        dft(np.sin, 1.0, samples)


@pytest.mark.parametrize("period", [0.0, -1.0, np.inf, np.nan])
def test_periods(period: float) -> None:
    with pytest.raises(ValueError, match="period: required a positive number"):
        dft(np.sin, period, 8)
    with pytest.raises(ValueError, match="period: required a positive number"):
        spectrum(estimators.get("tanh"), period)
