"""A curve above its slope, for several values of its parameter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.plot import DASHES, INK, PALETTE, figure

Looks = Sequence[tuple[str, str]]
"""Colour and dash of each value."""

LOOKS: Looks = (*zip(PALETTE[:4], DASHES, strict=True), (INK, "-"))


def labels(table: Table) -> list[str]:
    """The columns that hold curves, "mu = 2" for one."""
    return [name for name in table.columns if name != "w" and not name.startswith("slope")]


def draw(name: str, titles: tuple[str, str], results: Path) -> tuple[Figure, Axes, Axes]:
    """The picture of the table `name`, with its upper and its lower axes."""
    table = load(name, "pairs", results)
    w = np.array(table.numbers("w"))
    fig = figure(6.4, 6.0)
    upper, lower = fig.subplots(2, 1, sharex=True)
    for label, (color, dash) in zip(labels(table), LOOKS, strict=False):
        upper.plot(w, table.numbers(label), dash, color=color, label=label.replace("mu", "μ"))
        lower.plot(w, table.numbers(f"slope, {label}"), dash, color=color)
    for ax, title in zip((upper, lower), titles, strict=True):
        ax.set_title(title, loc="left")
    lower.set_xlabel("w")
    lower.set_xlim(-2, 2)
    fig.legend(loc="outside lower center", ncols=len(labels(table)))
    return fig, upper, lower
