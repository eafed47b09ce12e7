"""What Bi-Real networks take, beside their full-precision twins and XNOR-Net's scales: memory, operations."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import load
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, GREY, ORANGE, run

COLORS = {"real": GREY, "XNOR-Net": ORANGE, "Bi-Real": BLUE}
NAMES = {"real": "full precision", "XNOR-Net": "with XNOR-Net's scales", "Bi-Real": "Bi-Real"}
DEFAULT = "library"
"""The convention whose operations are drawn: they are the same in all."""
NOTE = (
    "Conventions differ in which real numbers count. Library: all that the deployed network reads. Paper:\n"
    "one number for 18 and 34 layers, inferred from printed figures. Operations: MACs, 64 binary ones as one."
)
Record = dict[str, str]


def bars(ax: Axes, rows: Sequence[Record], column: str, unit: float, ratio: str, digits: int) -> None:
    """Three bars a group, downwards, each with its number and how much less it is than full precision."""
    top = max(float(row[column]) for row in rows) / unit
    for place, row in enumerate(rows):
        y, value = place + place // 3, float(row[column]) / unit
        ax.barh(y, value, 0.86, color=COLORS[row["variant"]], label=row["variant"])
        times = "" if row["variant"] == "real" else f"  ({float(row[ratio]):.2f} times less)"
        ax.text(value + 0.012 * top, y, f"{value:.{digits}f}{times}", va="center", fontsize=8, color=INK)
    ax.set(xlim=(0, 1.14 * top), ylim=(len(rows) + len(rows) // 3 - 1.2, -0.8))
    ax.grid(False, axis="y")
    ax.set_axisbelow(True)


def label(ax: Axes, rows: Sequence[Record], name: Callable[[Record], str]) -> None:
    """The name of each group, beside its middle bar."""
    groups = range(0, len(rows), 3)
    ax.set_yticks([place + place // 3 + 1 for place in groups], [name(rows[place]) for place in groups])
    ax.tick_params(axis="y", length=0)


def layers(row: Record) -> str:
    """As "18 layers"."""
    return f"{row['network'].split('-')[1]} layers"


def draw(results: Path) -> Figure:
    """Two panels from the table in `results`."""
    rows = load("cost", "cost", results).records()
    fig = figure(10.4, 5.6)
    left, right = fig.subplots(1, 2, width_ratios=(1.15, 1))
    bars(left, rows, "memory in bits", 1e6, "saving", 2)
    label(left, rows, lambda row: f"{layers(row)},\n{row['convention']}")
    left.set_title("memory in Mbit, by convention", loc="left")
    own = [row for row in rows if row["convention"] == DEFAULT]
    bars(right, own, "operations", 1e9, "speed-up", 3)
    label(right, own, layers)
    right.set_title("operations in billions", loc="left")
    handles = [right.containers[i] for i in range(3)]
    fig.legend(handles, [NAMES[row["variant"]] for row in own[:3]], loc="outside upper center", ncols=3)
    fig.supxlabel(NOTE, x=0.01, ha="left", fontsize=9, linespacing=1.4)
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.cost", {"cost": draw}))
