"""The proximal map behind each pair that has one, P(w) = integral of dF / B; for BNN two of its many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.plot import figure
from figures.drawing import BLUE, GREY, ORANGE
from figures.proxconnect.steps import grouped, jumps, opened

NOTE = "P(w) over w; dotted: w itself.\nDots: both values at a jump."
LOOKS = ((BLUE, "-"), (ORANGE, "--"))


def panel(ax: Axes, pair: str, table: Table) -> None:
    """P, its jumps open with a dot at both ends; every choice in its own colour."""
    ax.plot((-2, 2), (-2, 2), ":", color=GREY, linewidth=1)
    choices = list(grouped(table, "choice"))
    for ((choice,), part), (color, dash) in zip(choices, LOOKS, strict=False):
        w, y = (np.array(part.numbers(name)) for name in ("w", "P"))
        ax.plot(*opened(w, y), dash, color=color, label=choice)
        ends = np.concatenate([jumps(w, y), jumps(w, y) + 1])
        ax.plot(w[ends], y[ends], "o", color=color, markersize=3.5)
    ax.set_title(pair, loc="left")
    ax.set(xlim=(-2, 2), ylim=(-3.1, 3.1), xticks=(-2, -1, 0, 1, 2), yticks=(-2, -1, 0, 1, 2))
    if len(choices) > 1:
        ax.legend(loc="upper left", fontsize=8, borderaxespad=0.1)


def draw(results: Path) -> Figure:
    """One panel a map, from the table in `results`."""
    pairs = list(grouped(load("pairs-proximal", "pairs", results), "pair"))
    fig = figure(7.2, 6.6)
    axes = fig.subplots(3, 2, sharex=True)
    for ax, ((pair,), table) in zip(axes.flat, pairs, strict=False):
        panel(ax, pair, table)
    for ax in axes.flat[len(pairs) :]:
        ax.set_axis_off()
        ax.text(-1.9, 0, NOTE, va="center", linespacing=1.5)
    for ax in axes.flat[len(pairs) - 2 : len(pairs)]:
        ax.set_xlabel("w")
        ax.tick_params(labelbottom=True)
    return fig
