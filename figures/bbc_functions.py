"""What BBC's MLP learns: S(x), its slope, and the weights it is used at, at three moments of training."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.parameter import Array
from bnn_ref.plot import INK, PALETTE, figure
from figures.drawing import BLUE, GREY, ORANGE, run

LOOKS = ((GREY, ":"), (ORANGE, "--"), (BLUE, "-"))
"""Of the three moments, first to last."""
ROWS = {
    "S": "S(x), the surrogate",
    "slope": "S'(x), which multiplies the gradient",
    "weights": "density of the centred weights",
}
TITLES = {"bbc, positive": "begins rising (ours)", "bbc": "begins falling (by its draw)"}
NOTE = "Pale, where there is any: both gates are shut after the last epoch. Our own measurement."


def draw(results: Path) -> Figure:
    """A column a network, a row each for S, its slope and the density of the weights."""
    table = load("bbc-functions", "bbc", results)
    fig = figure(8.6, 7.4)
    axes = fig.subplots(len(ROWS), len(TITLES), sharex=True, squeeze=False)
    for column, arm in zip(axes.T, TITLES, strict=True):
        parts = moments(table, arm)
        for (epoch, part), (color, dash) in zip(parts.items(), LOOKS, strict=True):
            for ax, name in zip(column, ROWS, strict=True):
                label = "before training" if epoch == "0" else f"after epoch {epoch}"
                ax.plot(part["x"], part[name], dash, color=color, label=label)
        last = list(parts.values())[-1]
        for ax in column[:2]:
            shade(ax, last["x"], last["gates shut"] == 2)
            ax.axhline(0, color=INK, linewidth=0.8)
        for ax, words in zip(column, ROWS.values(), strict=True):
            ax.set_title(words, loc="left")
        column[0].set_title(f"S(x) that {TITLES[arm]}", loc="left")
        column[-1].set_xlabel("x, a centred weight")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    fig.supxlabel(NOTE, x=0.01, ha="left", fontsize=8)
    return fig


def shade(ax: Any, x: Array, shut: Array) -> None:
    """A pale area where no gradient passes."""
    ax.fill_between(
        x, 0, 1, where=shut, color=PALETTE[4], alpha=0.12, linewidth=0, transform=ax.get_xaxis_transform()
    )


def moments(table: Table, arm: str) -> Mapping[str, dict[str, Array]]:
    """The columns of one network, by epochs done."""
    rows = [row for row in table.records() if row["arm"] == arm]
    return {
        epoch: {
            name: np.array([float(row[name]) for row in rows if row["epoch"] == epoch])
            for name in ("x", "gates shut", *ROWS)
        }
        for epoch in dict.fromkeys(row["epoch"] for row in rows)
    }


if __name__ == "__main__":
    sys.exit(run("figures.bbc_functions", {"bbc-functions": draw}))
