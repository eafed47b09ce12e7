"""Bi-Real Net's Fig. 5 is drawn from the tables: lines, areas and words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from numpy.typing import NDArray

from analysis.tables import read
from figures import bireal_estimators
from figures.drawing import Draw

Change = Callable[[Path, str, int, str], None]


def panels(results: Path) -> NDArray[np.object_]:
    """The panels of the functions, and below each that of its slope: (2, 10)."""
    axes = np.array(bireal_estimators.draw(results).get_axes(), dtype=object).reshape(2, 2, 5)
    return axes.transpose(1, 0, 2).reshape(2, 10)


def test_functions_stand_above_their_slopes(results: Path) -> None:
    axes = panels(results)
    assert [ax.get_title(loc="left") for ax in axes[0, :3]] == ["sign(x)", "clip(-1, x, 1)", "ApproxSign(x)"]
    table = read(results / "areas-functions.csv")
    for (upper, lower), name in zip(axes.T[1:], list(bireal_estimators.TITLES)[1:], strict=True):
        np.testing.assert_array_equal(upper.get_lines()[-1].get_ydata(), table.numbers(name))
        np.testing.assert_array_equal(lower.get_lines()[0].get_ydata(), table.numbers(f"slope of {name}"))
    arrows = [part for text in axes[1, 0].texts if (part := getattr(text, "arrow_patch", None))]
    assert [type(arrow) for arrow in arrows] == [FancyArrowPatch]  # sign's impulse


def test_the_hatched_area_is_the_number_beside_it(results: Path) -> None:
    axes = panels(results)
    assert not axes[0, 0].collections
    for ax, area, words in zip(axes[0, 1:3], (1, 2 / 3), ("1", "2/3"), strict=True):
        outlines = [path.vertices for part in ax.collections for path in part.get_paths()]
        shoelace = sum(
            abs(np.sum(x * np.roll(y, 1) - y * np.roll(x, 1))) / 2 for x, y in (o.T for o in outlines)
        )
        assert shoelace == pytest.approx(area, rel=0.02)
        assert all(part.get_hatch() for part in ax.collections)
        assert [text.get_text() for text in ax.texts] == [f"area {words}"]


def test_a_changed_table_is_a_changed_picture(results: Path, change: Change) -> None:
    change(results / "areas-sign.csv", "area to sign", 2, "0.75")
    change(results / "areas-functions.csv", "slope of clip", 7, "0.5")
    axes = panels(results)
    assert axes[0, 2].texts[0].get_text() == "area 3/4"
    assert axes[1, 1].get_lines()[0].get_ydata()[7] == 0.5


def test_words_stand_apart(
    results: Path, drawn: Callable[[Draw, Path], Figure], apart: Callable[[Figure], None]
) -> None:
    apart(drawn(bireal_estimators.draw, results))
