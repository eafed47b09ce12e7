"""BBC's pictures are drawn from its tables: a line a run, coloured by where it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis.tables import Table, read, write
from figures import bbc_functions, bbc_slopes
from figures.drawing import BLUE, ORANGE

Change = Callable[[Path, str, int, str], None]


def test_every_run_is_a_line_of_the_colour_of_its_end(results: Path, change: Change) -> None:
    table = read(results / "bbc-slopes.csv")
    row = next(i for i, record in enumerate(table.records()) if record["arm"] == "bbc")
    change(results / "bbc-slopes.csv", table.columns[-1], row, "-0.125")
    axes = bbc_slopes.draw(results).get_axes()
    assert len(axes) == 4
    table = read(results / "bbc-slopes.csv")
    for ax, arm in zip(axes[2:], ("bbc-linear", "bbc"), strict=True):
        wanted = [
            [float(record[name]) for name in table.columns if name.startswith("epoch")]
            for record in table.records()
            if record["arm"] in (arm, f"{arm}, positive")
        ]
        *lines, _ = ax.get_lines()
        assert sorted(map(list, (np.asarray(line.get_ydata()) for line in lines))) == sorted(wanted)
        for line in lines:
            assert line.get_color() == (BLUE if np.asarray(line.get_ydata())[-1] > 0 else ORANGE)
    assert -0.125 in [np.asarray(line.get_ydata())[-1] for line in axes[3].get_lines()[:-1]]


def test_where_both_gates_are_shut_is_shaded(results: Path) -> None:
    """Of the second network, after its last epoch: two neighbours shut, one of the gates elsewhere."""
    path = results / "bbc-functions.csv"
    table = read(path)
    column, n = table.columns.index("gates shut"), len(table.rows)
    shut = {n - 9: "2", n - 8: "2"}
    rows = [(*row[:column], shut.get(i, "1"), *row[column + 1 :]) for i, row in enumerate(table.rows)]
    write(path, Table(table.columns, tuple(rows)), ["changed"])
    axes = bbc_functions.draw(results).get_axes()
    areas = [[p for c in ax.collections for p in c.get_paths()] for ax in axes]
    assert [len(paths) for paths in areas] == [0, 1, 0, 1, 0, 0]
    x = [float(table.records()[i]["x"]) for i in shut]
    for (area,) in (areas[1], areas[3]):
        edges = np.asarray(area.vertices)[:, 0]
        assert [edges.min(), edges.max()] == x
