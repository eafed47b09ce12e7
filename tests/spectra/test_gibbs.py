"""Gibbs's numbers as printed in fda.md 2.2 and 2.3, and as a search along the curve finds them."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.spectra import gibbs

PEAKS = [
    (1, "1.27323954"),
    (2, "1.20042175"),
    (3, "1.18835691"),
    (5, "1.18232821"),
    (9, "1.18000999"),
    (10, "1.17981402"),
    (15, "1.17935030"),
    (18, "1.17923704"),
    (19, "1.17921066"),
    (20, "1.17918814"),
    (21, "1.17916876"),
    (50, "1.17901308"),
    (100, "1.17898808"),
]


@pytest.mark.parametrize(("n", "peak"), PEAKS)
def test_printed_peaks(n: int, peak: str) -> None:
    assert f"{gibbs(n).peak:.8f}" == peak


def test_limits() -> None:
    g = gibbs(10)
    assert f"{g.limit:.15f}" == "1.178979744472167"
    assert f"{g.minimum_limit:.9f}" == "0.902823334"
    assert f"{100 * (g.limit - 1) / 2:.8f}" == "8.94898722"  # per cent of the jump of height 2
    with mp.workdps(30):
        assert abs(g.limit - float(2 / mp.pi * mp.si(mp.pi))) <= 1e-15


@given(st.integers(1, 60))
def test_the_peak_is_the_maximum_and_lies_where_it_says(n: int) -> None:
    g = gibbs(n)
    x = np.linspace(0, np.pi / 2, 20_001)
    y = FourierSeries(n, 1.0, None)(x)
    assert y.max() <= g.peak + 1e-13
    assert abs(x[np.argmax(y)] - g.location) <= 2 * x[1]
    assert g.overshoot == g.peak - 1


@given(st.integers(2, 60))
def test_the_first_minimum_follows_at_twice_the_distance(n: int) -> None:
    g = gibbs(n)
    assert g.first_minimum is not None
    around = FourierSeries(n, 1.0, None)(2 * g.location + np.array([-1e-3, 1e-3]) / n)
    assert (around > g.first_minimum).all()
    assert g.first_minimum < 1


def test_one_term_has_no_minimum() -> None:
    assert gibbs(1).first_minimum is None


@given(st.integers(5, 3000))
def test_peaks_fall_to_the_limit_like_one_over_12_n_squared(n: int) -> None:
    g = gibbs(n)
    assert gibbs(n + 1).peak < g.peak
    assert abs((g.peak - g.limit) * 12 * n * n - 1) <= 1 / n + 1e-12 * n * n


def test_the_minimum_tends_to_its_limit() -> None:
    g = gibbs(3000)
    assert g.first_minimum is not None
    assert abs(g.first_minimum - g.minimum_limit) <= 1e-6


@pytest.mark.parametrize("terms", [0, -1, 2.5, True])
def test_terms_are_counted(terms: int) -> None:
    with pytest.raises(ValueError, match="terms: required a whole number"):
        gibbs(terms)
