"""ProxConnect's quantizers, pairs and regularisers on record: reproduced, and what they say."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from analysis import pairs
from analysis.tables import RESULTS, Table, read
from bnn_ref import estimators

Compare = Callable[[Table, Table], None]
HOLDING = [name for name in pairs.GALLERY if name not in ("BNN+", "Poly", "EDE")]
"""The methods that have a P."""


@pytest.fixture(scope="module")
def made() -> dict[str, Table]:
    return dict(pairs.tables())


def test_the_tables_are_reproduced(made: dict[str, Table], same: Compare) -> None:
    assert {path.stem for path in RESULTS.glob("pairs-*.csv")} == set(made)
    for name, table in made.items():
        same(table, read(RESULTS / f"{name}.csv"))


def test_kinks_stand_twice_with_both_limits() -> None:
    at, w = pairs.along(-1, 1, 3, [0.5, -0.25, 7.0])
    assert w.tolist() == [-1, -0.25, -0.25, 0, 0.5, 0.5, 1]
    assert (at[[1, 4]] < w[[1, 4]]).all()
    assert (at[[2, 5]] > w[[2, 5]]).all()
    table = read(RESULTS / "pairs-quantizers.csv")
    rows = [row for row in table.rows if row[:3] == ("0", "0.2", "0.5")]
    assert [row[3] for row in rows] == ["0.3", "0.7"]


def test_the_gallery_says_which_pairs_decompose() -> None:
    """The column of the specification's list of methods; the last two are T o P."""
    table = read(RESULTS / "pairs-gallery.csv")
    verdicts = set(zip(table.column("method"), table.column("criterion"), strict=True))
    assert verdicts == {(method, "holds" if method in HOLDING else "fails") for method in pairs.GALLERY}


def test_marks_of_sign_swish() -> None:
    """z0 / mu, 1.19968 and the lobe's -0.07383 mu at 3.43584 / mu."""
    marks = read(RESULTS / "pairs-swish-marks.csv")
    mu = np.array(marks.numbers("mu"))
    np.testing.assert_allclose(mu * marks.numbers("peak at"), 2.3993572805, rtol=1e-9)
    np.testing.assert_allclose(marks.numbers("peak"), 2.3993572805 / 2, rtol=1e-9)
    np.testing.assert_allclose(mu * marks.numbers("least slope at"), 3.43584, rtol=1e-5)
    np.testing.assert_allclose(marks.numbers("least slope") / mu, -0.0738287, rtol=1e-6)


def test_slopes_of_the_families_are_theirs() -> None:
    for name in ("pairs-swish", "pairs-ede"):
        table = read(RESULTS / f"{name}.csv")
        w = np.array(table.numbers("w"))
        for curve, slope in pairwise(table.columns[1:]):
            if slope.startswith("slope"):
                found = np.cumsum(np.array(table.numbers(slope))) * (w[1] - w[0])  # a sum of slopes is a rise
                rise = np.array(table.numbers(curve))
                np.testing.assert_allclose(found - found[0], rise - rise[0], atol=0.12)


@pytest.mark.parametrize("method", HOLDING)
def test_p_is_the_integral_of_df_over_b(method: str) -> None:
    """Between kinks, wherever B is not 0: rises of the P on record by quadrature of F'/B."""
    name, parameters = pairs.GALLERY[method]
    b = estimators.get(name, **parameters)
    found = [p for listed, _, p in pairs.PROXIMAL if method in (listed, *listed.split(", "))]
    assert len(found) == (2 if method == "BNN" else 1)
    for proximal in found:
        kinks = {*b.forward.kinks, *b.surrogate.kinks, *proximal.kinks, -2.0, 2.0}  # type: ignore[attr-defined]
        for low, high in pairwise(sorted(kinks)):
            low, high = low + 1e-4, high - 1e-4
            if low < -2 or high > 2 or not b.backward(np.array([low]), np.ones(1))[0]:
                continue

            def ratio(w: float) -> float:
                at = np.array([w - 1e-6, w + 1e-6])
                return float(np.diff(b(at))[0] / 2e-6 / b.backward(np.array([w]), np.ones(1))[0])

            rise = float(proximal(np.array(high)) - proximal(np.array(low)))
            assert abs(quad(ratio, low, high)[0] - rise) <= 1e-6
