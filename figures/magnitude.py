"""Where magnitude enters a weight's gradient behind batch norm: nowhere by formula, by 1/alpha in code."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.plot import INK, PALETTE, figure
from figures.drawing import BLUE, GREY, ORANGE, run

COLORS = (INK, BLUE, ORANGE, PALETTE[3])


def ratio_panel(ax: Axes, table: Table) -> None:
    """One dot a filter: the size of its gradient over that of the rule without magnitude."""
    inverse = np.array(table.numbers("1/alpha"))
    span = np.array([inverse.min() / 2, inverse.max() * 2])
    ax.loglog(span, span, color=GREY, linewidth=1)
    ax.loglog(inverse, table.numbers("code over bnn"), "o", color=BLUE, markersize=4)
    ax.loglog(inverse, table.numbers("paper over bnn"), "s", color=ORANGE, markersize=4)
    ax.text(14, 42, "released code", color=BLUE, fontsize=8, ha="right")
    ax.text(300, 1.5, "published formula", color=ORANGE, fontsize=8, ha="center")
    ax.text(900, 420, "slope 1", color=GREY, fontsize=8)
    ax.set_title("gradient of a filter over the baseline's (eps = 0)", loc="left")
    ax.set_xlabel("1/alpha, the inverse of its mean magnitude")


def eps_panel(ax: Axes, table: Table) -> None:
    """The formula's distance to the baseline over eps, for weights of four sizes."""
    rows = [row for row in table.records() if row["comparison"] == "paper - bnn" and float(row["eps"]) > 0]
    sizes = list(dict.fromkeys(row["weights up to"] for row in rows))
    for size, color in zip(sizes, COLORS, strict=True):
        own = [row for row in rows if row["weights up to"] == size]
        eps, median, low, high = (
            np.array([float(row[name]) for row in own]) for name in ("eps", "median", "least", "most")
        )
        ax.fill_between(eps, low, high, color=color, alpha=0.2, linewidth=0)
        ax.loglog(eps, median, color=color)
        ax.text(eps[0] / 1.3, median[0], size, color=color, fontsize=8, va="center", ha="right")
    ax.axvline(1e-5, color=GREY, linewidth=1, linestyle=":")
    ax.text(1.2e-5, 3.0, "default eps", color=GREY, fontsize=8)
    ax.set(xlim=(1.5e-8, 2e-2), ylim=(1e-9, 10))
    ax.set_title("formula minus baseline, relative", loc="left")
    ax.set_xlabel("eps of the batch norm, for weights uniform up to four sizes")


def draw(results: Path) -> Figure:
    """Two panels, from the tables in `results`."""
    ratios, equalities = (
        load(f"magnitude-{name}", "magnitude", results) for name in ("ratios", "equalities")
    )
    fig = figure(9.4, 4.0)
    left, right = fig.subplots(1, 2)
    ratio_panel(left, ratios)
    eps_panel(right, equalities)
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.magnitude", {"magnitude": draw}))
