"""Bi-Real Net's Fig. 5, for ten functions: each above its slope, hatched where it is not sign."""

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

TITLES = {
    "sign": "sign(x)", "clip": "clip(-1, x, 1)", "ApproxSign": "ApproxSign(x)", "identity": "x (STE)",
    "sign-Swish": "sign-Swish, β = 5", "EDE": "EDE, k = 1, t = 2", "RBNN": "RBNN, k = 1, t = 2",
    "root": "ReSTE, p = 3", "root as coded": "ReSTE as coded", "DSQ": "DSQ, α = 0.2",
}  # fmt: skip
"""The columns of the table, and what stands above the panels."""
COLUMNS = 5
TOP = 5.4
"""Of the panels of slopes: one slope goes on to infinity."""


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
        ax.text(1.0, -0.55, f"area {size(area)}", fontsize=9, ha="center", va="center")
    ax.set_title(TITLES[name], loc="left")
    ax.set(xlim=(-2, 2), ylim=(-1.4, 1.4), xticks=(-2, -1, 0, 1, 2), yticks=(-1, 0, 1))


def size(area: float) -> str:
    """An area: a fraction where it is a simple one, else three digits; a sign where there is no end of it."""
    if np.isinf(area):
        return "∞"
    simple = Fraction(area).limit_denominator(9)
    return str(simple) if abs(simple - area) < 1e-6 else f"{area:.3f}"


def slope_panel(ax: Axes, name: str, functions: Table) -> None:
    """The slope; for sign the impulse that no table holds."""
    x, slope = np.array(functions.numbers("x")), np.array(functions.numbers(f"slope of {name}"))
    ax.plot(x, slope, color=INK if name == "sign" else BLUE)
    if name == "sign":
        ax.annotate("", (0, 5.1), (0, 0), arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 0})
        ax.text(0.2, 3.4, "all of it at 0:\nan impulse", fontsize=9, va="center", linespacing=1.3)
    elif np.nanmax(slope) > TOP:
        ax.text(0.2, 4.6, "no bound at 0", fontsize=9, va="center")
    ax.set(xlim=(-2, 2), ylim=(-1.0, TOP), yticks=(0, 2, 4))


def draw(results: Path) -> Figure:
    """Two pairs of rows from the tables in `results`: a function, and under it its slope."""
    functions, areas = (load(name, "areas", results) for name in ("areas-functions", "areas-sign"))
    found = dict(zip(areas.column("function"), areas.numbers("area to sign"), strict=True))
    fig = figure(11.6, 8.0)
    axes = fig.subplots(4, COLUMNS, sharex=True)
    for place, name in enumerate(TITLES):
        row, column = divmod(place, COLUMNS)
        function_panel(axes[2 * row, column], name, functions, found[name])
        slope_panel(axes[2 * row + 1, column], name, functions)
    for row, ax in enumerate(axes[:, 0]):
        ax.set_ylabel("its derivative" if row % 2 else "the function")
    for ax in axes[:, 1:].flat:
        ax.tick_params(labelleft=False)
    for ax in axes[-1]:
        ax.set_xlabel("x")
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.bireal_estimators", {"bireal-estimators": draw}))
