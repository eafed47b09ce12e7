"""Values that an entry of a Bi-Real block can take, in bits, and those it takes in trained networks."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, ORANGE, run

ALONG = ("A_b", "A_m", "A_r")
NAMES = {"A_b": "$A_b$\nsign", "A_m": "$A_m$\n1-bit convolution", "A_r": "$A_r$\nbatch norm"}
NEXT = "handed on\nto the next block"
MEASURED = {
    ("plain", "A_r"): ("network without shortcuts: $A_r$", ORANGE),
    ("bireal", "A_r + shortcut"): ("with: $A_r$ + shortcut", BLUE),
}
PLACES = ("corner", "edge", "interior")
WIDTH = 0.38


def bar(ax: Axes, at: float, values: float, color: str, label: str = "") -> None:
    """log2 of a number of values, with that number above."""
    bits = float(np.log2(values))
    ax.bar(at, bits, WIDTH, color=color, label=label)
    ax.text(at, bits + 0.3, f"{values:,.0f}", ha="center", va="bottom", fontsize=8)


def bounds_panel(ax: Axes, bounds: Table) -> None:
    """Each tensor of a block twice: without the shortcut, and with it."""
    values = dict(zip(bounds.column("tensor"), bounds.numbers("values of an entry"), strict=True))
    without = [*(values[tensor] for tensor in ALONG), values["A_b"]]
    shortcut = [*(values[tensor] for tensor in ALONG), values["A_r + shortcut"]]
    for i, pair in enumerate(zip(without, shortcut, strict=True)):
        for side, (number, color) in enumerate(zip(pair, (ORANGE, BLUE), strict=True)):
            label = (
                ("without shortcut: the next sign is all that is left", "with shortcut")[side]
                if i == 0
                else ""
            )
            bar(ax, i + (side - 0.5) * (WIDTH + 0.02), number, color, label)
    ax.set_xticks(range(4), [*NAMES.values(), NEXT])
    ax.set_title("bound of one entry, 3x3x32 kernels: bits, number of values above", loc="left")
    ax.set_ylim(0, 19.5)
    ax.legend(loc="upper left", fontsize=8)


def measured_panel(ax: Axes, measured: Table) -> None:
    """Bounds as pale bars, and how many values the median entry of the last block takes."""
    last = measured.column("block")[-1]
    rows = [row for row in measured.records() if row["block"] == last]
    for side, (drawn, (label, color)) in enumerate(MEASURED.items()):
        chosen = {row["place"]: row for row in rows if (row["network"], row["tensor"]) == drawn}
        at = np.arange(len(PLACES)) + (side - 0.5) * (WIDTH + 0.02)
        bound, median = (
            np.array([float(chosen[place][column]) for place in PLACES]) for column in ("bound", "median")
        )
        ax.bar(at, np.log2(bound), WIDTH, color=color, alpha=0.25)
        ax.bar(at, np.log2(median), WIDTH, color=color, label=label)
        for x, number, found in zip(at, bound, median, strict=True):
            ax.text(x, np.log2(number) + 0.3, f"{number:,.0f}", ha="center", va="bottom", fontsize=8)
            ax.text(
                x, np.log2(found) - 0.3, f"{found:,.0f}", ha="center", va="top", fontsize=8, color="white"
            )
    images = int(rows[0]["images"])
    ax.axhline(np.log2(images), color=INK, linewidth=0.8, linestyle=":")
    ax.text(-0.82, np.log2(images) + 0.15, f"{images:,} images", fontsize=8, ha="left", va="bottom")
    ax.set_xlim(-0.85, 2.5)
    ax.set_xticks(range(3), [f"{place}\n{_taps(rows, place)} taps" for place in PLACES])
    ax.set_title("the median entry of trained networks (pale: bound)", loc="left")
    ax.legend(loc="upper left", fontsize=8)


def _taps(rows: list[dict[str, str]], place: str) -> str:
    return next(row["taps"] for row in rows if row["place"] == place)


def draw(results: Path) -> Figure:
    """Two panels on one scale of bits, from the tables in `results`."""
    bounds, measured = (load(f"capability-{name}", "capability", results) for name in ("bounds", "measured"))
    fig = figure(10.4, 4.4)
    left, right = fig.subplots(1, 2, sharey=True, width_ratios=(4, 3))
    bounds_panel(left, bounds)
    measured_panel(right, measured)
    left.set_ylabel("log2 of the number of values")
    for ax in (left, right):
        ax.grid(False, axis="x")
        ax.set_axisbelow(True)
        ax.set_yticks(range(0, 20, 4))
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.capability", {"capability": draw}))
