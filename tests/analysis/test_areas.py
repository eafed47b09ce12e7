"""The areas of Bi-Real Net's Fig. 5, and the functions that they lie between."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analysis import areas
from analysis.tables import RESULTS, Table, read

Compare = Callable[[Table, Table], None]


@pytest.mark.parametrize("name", ["areas-functions", "areas-sign"])
def test_the_tables_are_reproduced(name: str, same: Compare) -> None:
    same(areas.tables()[name], read(RESULTS / f"{name}.csv"))


def test_the_areas() -> None:
    """1 and 2/3, and what else is known in closed form; two by trapezoids under the curves on record too."""
    found = read(RESULTS / "areas-sign.csv")
    sizes = dict(zip(found.column("function"), found.numbers("area to sign"), strict=True))
    assert sizes == {
        "sign": 0, "clip": 1, "ApproxSign": pytest.approx(2 / 3, rel=1e-9), "identity": np.inf,
        "sign-Swish": pytest.approx(2.22772 / 5, rel=1e-5), "EDE": pytest.approx(np.log(2), rel=1e-9),
        "RBNN": pytest.approx(np.sqrt(2) / 3, rel=1e-9), "root": pytest.approx(1 / 2, rel=1e-6),
        "root as coded": np.inf, "DSQ": pytest.approx(0.83757, rel=1e-5),
    }  # fmt: skip
    squared = dict(zip(found.column("function"), found.numbers("squared"), strict=True))
    assert (squared["clip"], squared["ApproxSign"]) == (pytest.approx(2 / 3), pytest.approx(2 / 5))
    table = read(RESULTS / "areas-functions.csv")
    x = np.array(table.numbers("x"))
    for name, area in (("clip", 1), ("ApproxSign", 2 / 3)):
        f = np.array(table.numbers(name))
        right, left = (np.trapezoid(1 - np.abs(f[side]), x[side]) for side in (x >= 0, x <= 0))
        assert left + right == pytest.approx(area, abs=1e-4)


def test_slopes_are_those_of_the_functions() -> None:
    table = read(RESULTS / "areas-functions.csv")
    x = np.array(table.numbers("x"))
    inner = (np.abs(np.abs(x) - 1) > 0.02) & (np.abs(x) > 0.02)
    for name in ("sign", "clip", "ApproxSign"):
        slope, f = np.array(table.numbers(f"slope of {name}")), np.array(table.numbers(name))
        np.testing.assert_allclose(slope[inner], np.gradient(f, x)[inner], atol=1e-7)
    assert np.isnan(table.numbers("slope of sign")[200])  # sign has no slope at 0
