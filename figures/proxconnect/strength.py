"""ProxConnect on a quadratic with an l1 norm on a box: its proximal strength has to grow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from analysis.tables import load
from bnn_ref.plot import figure
from figures.drawing import BLUE, ORANGE

FLOOR = 1e-12
"""What a table keeps of a number; below is rounding."""
LOOKS = {
    "growing": ("strength 1 + sum of step sizes", BLUE, "-"),
    "frozen": ("strength 1 for ever", ORANGE, "--"),
}


def draw(results: Path) -> Figure:
    """One panel from the table in `results`."""
    table = load("proximal-strength", "proximal", results)
    step = np.array(table.numbers("step"))
    fig = figure(6.4, 4.2)
    ax = fig.subplots()
    for name, (label, color, dash) in LOOKS.items():
        gap = np.array(table.numbers(name))
        shown = gap > FLOOR
        ax.plot(step[shown], gap[shown], dash, color=color, label=label)
    ax.set(xscale="log", yscale="log")
    ax.set_title("height of w above the least of quadratic + 0.3 |w|₁ on the box", loc="left")
    ax.set_xlabel("step, of size 1/√step")
    fig.legend(loc="outside lower center", ncols=2)
    return fig
