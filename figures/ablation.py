"""Bi-Real Net's ablation at our size: the accuracy of every cell, and the contrasts asked beforehand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import load
from bnn_ref.parameter import Array
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, GREY, ORANGE, counted, run

LOOKS = {"bireal": (BLUE, "o"), "res": (ORANGE, "s"), "plain": (INK, "D")}
SHORTCUTS = {
    "bireal": "one shortcut a convolution (Bi-Real)",
    "res": "one for two (Res)",
    "plain": "none (Plain)",
}
STARTS = {"none": "fresh", "relu": "ReLU", "clip": "clip"}
ACTIVATIONS = {"clip": "clipped STE", "approxsign": "ApproxSign"}
NOTE = (
    "Left: how the real network was trained before, rule of the weights, estimator of the activations.\n"
    "Bars: 95 % over seeds. Right, pale: what the choice of test images makes; grey ticks: the smallest "
    "difference\nthat so many seeds would find."
)
Record = dict[str, str]


def row_name(row: Record) -> str:
    """Start, rule and activation of a cell."""
    return f"{STARTS[row['start']]}, {row['rule']}, {ACTIVATIONS[row['activation']]}"


def cells_panel(ax: Axes, rows: Sequence[Record]) -> None:
    """A row for each start, rule and activation; in it a dot for each shortcut, with its interval."""
    names = list(dict.fromkeys(map(row_name, rows)))
    shortcuts = list(dict.fromkeys(row["shortcut"] for row in rows))
    for place, shortcut in enumerate(shortcuts):
        own = [row for row in rows if row["shortcut"] == shortcut]
        y = np.array([names.index(row_name(row)) for row in own]) + 0.22 * (place - (len(shortcuts) - 1) / 2)
        interval(ax, own, "mean", y, *LOOKS[shortcut], SHORTCUTS[shortcut])
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    runs = counted([row["runs"] for row in rows])
    ax.set_title(f"test accuracy in per cent: mean of {runs}", loc="left")


def interval(
    ax: Axes, rows: Sequence[Record], column: str, y: Array, color: str, marker: str, label: str
) -> None:
    """Dots at `column`, with bars from `low` to `high` where there are any."""
    mean, low, high = (
        np.array([float(row[name] or row[column]) for row in rows]) for name in (column, "low", "high")
    )
    ax.errorbar(
        mean, y, xerr=(mean - low, high - mean), fmt=marker, color=color, label=label,
        markersize=4, elinewidth=1.0, capsize=2.0,
    )  # fmt: skip


def contrasts_panel(ax: Axes, rows: Sequence[Record]) -> None:
    """A row a contrast: the difference, what it would take to be seen, and the verdict in words."""
    places = np.arange(len(rows))
    for place, row in enumerate(rows):
        error = float(row["error of the images"])
        ax.barh(place, 2 * error, 0.68, left=-error, color=GREY, alpha=0.2)
        if row["smallest detectable"]:
            reach = float(row["smallest detectable"])
            ax.plot((-reach, reach), (place, place), "|", color=GREY, markersize=12, markeredgewidth=1.6)
    interval(ax, rows, "difference", places, BLUE, "o", "")
    ax.vlines(np.zeros(len(rows)), places - 0.34, places + 0.34, color=INK, linewidth=0.8)
    ax.set_yticks(range(len(rows)), [f"{row['arm']}\n- {row['minus']}" for row in rows], fontsize=8)
    ax.set_ylim(len(rows) - 0.3, -0.5)
    for place, row in enumerate(rows):
        ax.text(0, place + 0.5, verdict(row), fontsize=7, ha="center", va="center")
    ax.set_title("difference in points", loc="left")


def verdict(row: Record) -> str:
    """The reading, and what was expected where the reading does not say."""
    told = row["reading"].endswith("expected")
    return row["reading"] if told else f"{row['reading']} (expected: {row['expected'] or 'open'})"


def draw(results: Path) -> Figure:
    """Two panels, from the tables in `results`."""
    cells, contrasts = (
        load(f"bireal-{name}", "bireal", results).records() for name in ("cells", "contrasts")
    )
    height = 1.6 + max(0.42 * len({row_name(row) for row in cells}), 0.75 * len(contrasts))
    fig = figure(11.6, height)
    left, right = fig.subplots(1, 2)
    cells_panel(left, cells)
    contrasts_panel(right, contrasts)
    left.grid(False, axis="y")
    right.grid(False)
    fig.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    fig.supxlabel(NOTE, x=0.01, ha="left", fontsize=8, linespacing=1.4)
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.ablation", {"ablation": draw}))
