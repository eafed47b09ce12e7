"""BBC's slope at 0 over training: of the regression with 64 weights, and of small networks."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, ORANGE, run

TOY = ("linear, default", "MLP, default")
NETWORKS = ("bbc-linear", "bbc")
NOTE = (
    "A line a run: blue rises at the end; orange falls, and then training climbs. Dotted: the initialisation "
    "that is ours,\npositive. Regression: 64 binary weights, batch norm on the output. All of it is our own "
    "measurement."
)
Record = dict[str, str]


def panel(ax: Axes, rows: Sequence[Record], moments: Sequence[str], dash: str) -> None:
    """The slopes of some runs over the moments of their training."""
    for row in rows:
        y = np.array([float(row[name]) for name in moments if row[name]])
        x = np.linspace(0, 1, len(moments))[: len(y)]
        ax.plot(x, y, dash, color=BLUE if y[-1] > 0 else ORANGE, linewidth=1.3)


def chosen(table: Table, arm: str) -> list[Record]:
    """The rows of one arm."""
    return [row for row in table.records() if row["arm"] == arm]


def moments(table: Table) -> list[str]:
    """The columns that hold slopes."""
    return [name for name in table.columns if name.startswith(("at ", "epoch "))]


def draw(results: Path) -> Figure:
    """Four panels, from the tables in `results`: lines and MLP, in the regression and in networks."""
    toy, networks = load("bbc-toy-slopes", "bbc", results), load("bbc-slopes", "bbc", results)
    fig = figure(9.2, 6.2)
    axes = fig.subplots(2, 2)
    for ax, arm in zip(axes[0], TOY, strict=True):
        panel(ax, chosen(toy, arm), moments(toy), "-")
        if arm.startswith("MLP"):
            panel(ax, chosen(toy, "MLP, positive"), moments(toy), ":")
        ax.set_title(f"slope at 0, regression: {arm}", loc="left")
    for ax, arm in zip(axes[1], NETWORKS, strict=True):
        panel(ax, chosen(networks, arm), moments(networks), "-")
        panel(ax, chosen(networks, f"{arm}, positive"), moments(networks), ":")
        ax.set_title(f"slope at 0, networks: {arm}", loc="left")
    for ax in axes.flat:
        ax.axhline(0, color=INK, linewidth=0.8)
        ax.set_xlabel("share of training")
    fig.supxlabel(NOTE, x=0.01, ha="left", fontsize=8, linespacing=1.4)
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.bbc_slopes", {"bbc-slopes": draw}))
