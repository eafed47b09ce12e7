"""L on the levels -1, 0, 1: flat for rho around each level, jumping by 2 vrho at each midpoint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, GREY
from figures.proxconnect.steps import grouped, jumps, opened


def panel(ax: Axes, title: str, table: Table, projection: Table) -> None:
    """L in blue, a dot at both ends of each jump, the projection dashed behind it."""
    hard = opened(*(np.array(projection.numbers(name)) for name in ("w", "L")))
    ax.plot(*hard, "--", color=GREY, linewidth=1.2)
    w, y = (np.array(table.numbers(name)) for name in ("w", "L"))
    ax.plot(*opened(w, y), color=BLUE)
    ends = np.concatenate([jumps(w, y), jumps(w, y) + 1])
    ax.plot(w[ends], y[ends], "o", color=BLUE, markersize=4)
    ax.set_title(title, loc="left")
    ax.set(xlim=(-1.5, 1.5), ylim=(-1.2, 1.2), xticks=(-1, 0, 1), yticks=(-1, 0, 1))


def draw(results: Path) -> Figure:
    """Four panels from the table in `results`."""
    maps = dict(grouped(load("pairs-quantizers", "pairs", results), "rho", "vrho"))
    projection = maps.pop(("0.5", "0"))
    fig = figure(6.4, 5.0)
    axes = fig.subplots(2, 2, sharex=True, sharey=True)
    for ax, ((rho, vrho), table) in zip(axes.flat, maps.items(), strict=True):
        panel(ax, f"ρ = {rho}, ϱ = {vrho}", table, projection)
    for ax in axes[-1]:
        ax.set_xlabel("w")
    for ax in axes[:, 0]:
        ax.set_ylabel("L(w)")
    axes[0, 0].text(1.45, -0.95, "dashed: the projection", color=INK, fontsize=8, ha="right", va="center")
    return fig
