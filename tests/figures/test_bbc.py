"""BBC's pictures are drawn from its tables: a line a run, coloured by where it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis.tables import read
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


def test_a_gate_that_is_shut_is_shaded(results: Path, change: Change) -> None:
    path = results / "bbc-functions.csv"
    records = read(path).records()
    last = len(records) - 1
    for row in (last - 1, last):
        change(path, "gates shut", row, "2")
    areas = [ax.collections[0].get_paths() for ax in bbc_functions.draw(results).get_axes() if ax.collections]
    shut = [np.concatenate([path.vertices[:, 0] for path in paths]) for paths in areas if paths]
    x = sorted({float(records[row]["x"]) for row in (last - 1, last)})
    assert any(np.isclose(found.min(), x[0]) and np.isclose(found.max(), x[1]) for found in shut)
