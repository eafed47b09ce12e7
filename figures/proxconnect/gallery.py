"""Forward and backward quantizers, one row a method: what the network sees, what multiplies the gradient.

Beside each row: whether the pair decomposes through a proximal map.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.parameter import Array
from bnn_ref.plot import INK, PALETTE, figure
from figures.drawing import BLUE, GREY, ORANGE
from figures.proxconnect.steps import grouped, opened

VERDICTS = {"holds": INK, "fails": PALETTE[3]}
"""What the criterion says, and its colour."""


def panel(ax: Axes, w: Array, y: Array, color: str) -> None:
    """One function over w, 0 in grey."""
    ax.axhline(0, color=GREY, linewidth=0.6)
    ax.plot(*opened(w, y), color=color, linewidth=1.4)
    ax.set(xlim=(-2, 2), xticks=(-2, -1, 0, 1, 2))


def row(left: Axes, right: Axes, method: str, verdict: str, table: Table) -> None:
    """F and B of one method, and the verdict beside them."""
    w, forward, backward = (np.array(table.numbers(name)) for name in ("w", "F", "B"))
    panel(left, w, forward, BLUE)
    panel(right, w, backward, ORANGE)
    left.set_ylabel(method.replace(", ", "\n"), rotation=0, ha="right", va="center", color=INK)
    left.set(ylim=(-2.2, 2.2), yticks=(-1, 0, 1))
    top = max(1.0, float(backward.max()))
    right.set(ylim=(-0.35 * top, 1.15 * top), yticks=(0, int(top)))
    right.text(1.03, 0.5, verdict, color=VERDICTS[verdict], va="center", transform=right.transAxes)


def draw(results: Path) -> Figure:
    """Two columns from the table in `results`."""
    methods = list(grouped(load("pairs-gallery", "pairs", results), "method", "criterion"))
    fig = figure(6.9, 0.8 * len(methods) + 0.6)
    axes = fig.subplots(len(methods), 2, sharex=True)
    for (left, right), ((method, verdict), table) in zip(axes, methods, strict=True):
        row(left, right, method, verdict, table)
    for ax, title in zip(axes[0], ("forward, F(w)", "backward, B(w); F = T∘P, B = T′∘P?"), strict=True):
        ax.set_title(title, loc="left")
    for ax in axes[-1]:
        ax.set_xlabel("w")
    return fig
