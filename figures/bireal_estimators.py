"""Bi-Real Net's Fig. 5: sign, clip and ApproxSign above their slopes, hatched where they are not sign."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.parameter import Array
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, GREY, run

TITLES = {"sign": "sign(x)", "clip": "clip(-1, x, 1)", "ApproxSign": "ApproxSign(x)"}
"""The columns of the table, and what stands above the panels."""


def branches(ax: Axes, x: Array, sign: Array) -> None:
    """Sign in ink, its branches not joined: x = 0 belongs to the right one."""
    for side in (x < 0, x >= 0):
        ax.plot(x[side], sign[side], color=INK, linewidth=1.4)


def function_panel(ax: Axes, name: str, functions: Table, area: float) -> None:
    """The function, hatched up to sign; how large that is, in words."""
    x, sign, f = (np.array(functions.numbers(column)) for column in ("x", "sign", name))
    branches(ax, x, sign)
    if name != "sign":
        for side in (x < 0, x >= 0):
            ax.fill_between(
                x[side], sign[side], f[side], facecolor="none", edgecolor=GREY, hatch="////", lw=0
            )
        ax.plot(x, f, color=BLUE)
        size = Fraction(area).limit_denominator(100)
        ax.text(1.05, -0.55, f"area to sign: {size}", fontsize=9, ha="center", va="center")
    ax.set_title(TITLES[name], loc="left")
    ax.set(xlim=(-2, 2), ylim=(-1.4, 1.4), xticks=(-2, -1, 0, 1, 2), yticks=(-1, 0, 1))


def slope_panel(ax: Axes, name: str, functions: Table) -> None:
    """The slope; for sign the impulse that no table holds."""
    x, slope = np.array(functions.numbers("x")), np.array(functions.numbers(f"slope of {name}"))
    ax.plot(x, slope, color=INK if name == "sign" else BLUE)
    if name == "sign":
        ax.annotate("", (0, 2.2), (0, 0), arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 0})
        ax.text(0.15, 1.6, "all of it at 0:\nan impulse", fontsize=9, va="center", linespacing=1.3)
    ax.set(xlim=(-2, 2), ylim=(-0.15, 2.4), yticks=(0, 1, 2), xlabel="x")


def draw(results: Path) -> Figure:
    """Two rows of three panels from the tables in `results`."""
    functions, areas = (load(name, "areas", results) for name in ("areas-functions", "areas-sign"))
    size = dict(zip(areas.column("function"), areas.numbers("area to sign"), strict=True))
    fig = figure(8.4, 4.6)
    axes = fig.subplots(2, len(TITLES), sharex=True, sharey="row")
    for (upper, lower), name in zip(axes.T, TITLES, strict=True):
        function_panel(upper, name, functions, size[name])
        slope_panel(lower, name, functions)
    for ax, words in zip(axes[:, 0], ("the function", "its derivative"), strict=True):
        ax.set_ylabel(words)
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.bireal_estimators", {"bireal-estimators": draw}))
