"""BinaryConnect in one dimension: w* is a sawtooth, and the mean of the signs finds the minimum."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from analysis.tables import load
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, GREY, ORANGE


def draw(results: Path) -> Figure:
    """Two panels over one axis of steps, from the table in `results`."""
    table = load("proximal-sawtooth", "proximal", results)
    step, latent, weight, mean, a = (np.array(table.numbers(name)) for name in table.columns)
    fig = figure(6.4, 5.0)
    upper, lower = fig.subplots(2, 1, sharex=True)
    upper.axhline(0, color=GREY, linewidth=0.8)
    upper.plot(step, latent, "o-", color=INK, markersize=2.5, linewidth=1.0)
    upper.set_title("w*, the latent weight", loc="left")
    lower.plot(step, weight, "o", color=ORANGE, markersize=3, label="w = sign w*")
    lower.plot(step, mean, color=BLUE, label="mean of w so far")
    lower.axhline(a[0], color=INK, linewidth=0.8, linestyle="--", label=f"a = {a[0]:g}")
    lower.set_title("BinaryConnect on (w − a)² / 2", loc="left")
    lower.set_yticks((-1, 0, 1))
    lower.set_xlabel("step")
    fig.legend(loc="outside lower center", ncols=3)
    return fig
