"""The bars of capability are the logarithms of the tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import read
from figures import capability
from figures.drawing import Draw

Change = Callable[[Path, str, int, str], None]


def heights(ax: Axes) -> list[float]:
    return [patch.get_height() for patch in ax.patches]


def test_bounds_are_bars_in_bits(results: Path) -> None:
    left, _ = capability.draw(results).get_axes()
    wanted = [2, 2, 289, 289, 289, 289, 2, 289**2]
    np.testing.assert_allclose(heights(left), np.log2(wanted))
    assert [text.get_text() for text in left.texts] == [f"{number:,}" for number in wanted]


def test_measured_bars_stand_in_front_of_their_bounds(results: Path) -> None:
    _, right = capability.draw(results).get_axes()
    rows = [row for row in read(results / "capability-measured.csv").records() if row["block"] == "3"]
    wanted: list[float] = []
    for drawn in (("plain", "A_r"), ("bireal", "A_r + shortcut")):
        for column in ("bound", "median"):
            wanted += [float(row[column]) for row in rows if (row["network"], row["tensor"]) == drawn]
    np.testing.assert_allclose(heights(right), np.log2(wanted))
    assert right.get_lines()[0].get_ydata()[0] == np.log2(1797)


def test_a_changed_table_is_a_changed_bar(results: Path, change: Change) -> None:
    before = capability.draw(results).get_axes()
    table = read(results / "capability-measured.csv")
    drawn = ("plain", "3", "A_r")
    row = next(i for i, r in enumerate(table.records()) if (r["network"], r["block"], r["tensor"]) == drawn)
    change(results / "capability-measured.csv", "median", row, "7")
    change(results / "capability-bounds.csv", "values of an entry", 1, "64")
    after = capability.draw(results).get_axes()
    left, right = (
        [a != b for a, b in zip(heights(one), heights(two), strict=True)]
        for one, two in zip(before, after, strict=True)
    )
    assert left == [False, False, True, True, False, False, False, False]
    assert sum(right) == 1


def test_words_stand_apart(
    results: Path, drawn: Callable[[Draw, Path], Figure], apart: Callable[[Figure], None]
) -> None:
    apart(drawn(capability.draw, results))
