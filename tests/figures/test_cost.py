"""Costs are drawn from their table: bars as long as their numbers, and the numbers beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.tables import read
from figures import cost

Change = Callable[[Path, str, int, str], None]


def test_bars_are_as_long_as_their_numbers(results: Path) -> None:
    left, right = cost.draw(results).get_axes()
    rows = read(results / "cost.csv").records()
    own = [row for row in rows if row["convention"] == "library"]
    for ax, chosen, column, unit in (
        (left, rows, "memory in bits", 1e6), (right, own, "operations", 1e9),
    ):  # fmt: skip
        lengths = [patch.get_width() for patch in ax.patches]  # type: ignore[attr-defined]
        assert lengths == pytest.approx([float(row[column]) / unit for row in chosen])
        for text, length in zip(ax.texts, lengths, strict=True):
            assert float(text.get_text().split()[0]) == pytest.approx(length, abs=0.006)


def test_a_changed_table_is_a_changed_picture(results: Path, change: Change) -> None:
    change(results / "cost.csv", "saving", 1, "2.5")
    left = cost.draw(results).get_axes()[0]
    assert left.texts[1].get_text() == "33.64  (2.50 times less)"
