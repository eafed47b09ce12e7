"""The regularisers behind the binary L: a concave one, two quadratic wells, the W shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from analysis.tables import load
from bnn_ref.plot import figure
from figures.drawing import BLUE

SHAPES = ("concave", "two wells", "W shape, open below ϱ")


def draw(results: Path) -> Figure:
    """Three panels from the table in `results`; where r is infinite nothing is drawn."""
    table = load("pairs-regularisers", "pairs", results)
    z = np.array(table.numbers("z"))
    fig = figure(7.2, 2.6)
    for ax, name, shape in zip(fig.subplots(1, 3, sharey=True), table.columns[1:], SHAPES, strict=True):
        ax.plot(z, table.numbers(name), color=BLUE)
        ax.set_title(f"{shape}\n{name.replace('vrho', 'ϱ').replace('rho', 'ρ')}", loc="left")
        ax.set(xlim=(-1.2, 1.2), xticks=(-1, 0, 1), xlabel="z")
    top = max(np.nanmax(table.numbers(name)) for name in table.columns[1:])
    fig.get_axes()[0].set_ylim(0, 1.1 * top)
    fig.get_axes()[0].set_ylabel("μ r(z)")
    return fig
