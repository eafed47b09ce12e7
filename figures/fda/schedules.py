"""The paper's Fig. 4: a number of terms that is fixed, or grows from 1, or from 9."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, ORANGE, counted, means

SETTINGS = {
    "fixed": ("N terms all along", (BLUE, "-"), -0.12),
    "from 1": ("from 1 to N terms", (ORANGE, "--"), 0.0),
    "from 9": ("from 9 to N terms", (INK, "-."), 0.12),
}
"""Of each setting: its name, its look (dashes as in the paper), and a step aside: intervals stand apart."""


def of_setting(table: Table, setting: str) -> Table:
    """The rows of one setting."""
    pairs = zip(table.column("setting"), table.rows, strict=True)
    return Table(table.columns, tuple(row for name, row in pairs if name == setting))


def draw(results: Path) -> Figure:
    """One panel from the table in `results`."""
    table = load("fda-schedules", "fda", results)
    fig = figure(6.4, 4.4)
    ax = fig.subplots()
    for setting, (name, look, aside) in SETTINGS.items():
        rows = of_setting(table, setting)
        means(ax, np.array(rows.numbers("stop")) + aside, rows, look, name)
    runs = counted(table.column("runs"))
    ax.set_title(f"test accuracy in per cent: mean of {runs}, 95 % interval", loc="left")
    ax.set_xlabel("N, the number of sine terms in the last epoch")
    ax.set_xticks(sorted(set(table.numbers("stop"))))
    fig.legend(loc="outside lower center", ncols=3)
    return fig
