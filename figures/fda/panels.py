"""The paper's Fig. 1: sign and three functions that learn for it, their spectra, and what these miss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.parameter import Array
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE

CASES = {"sign": "sign", "series": "20 sines", "tanh": "tanh(20x)", "swish-sign": "sign-Swish of 20x"}
"""The columns of the tables, and what stands above the panels."""
ROWS = ("f(x)", "|DFT| of f", "its difference to sign's")
NOTE = (
    "Top: over x. Below: over k, the number of the harmonic, on one period 2π; omega = 1, beta = 20.\n"
    "Each row has one scale; the bottom row of FDA-BNN's Fig. 1 seems to be scaled panel by panel."
)


def function_panel(ax: Axes, name: str, functions: Table) -> None:
    """f in front of sign, whose branches are not joined."""
    x, sign, f = (np.array(functions.numbers(column)) for column in ("x", "sign", name))
    for side in (x <= 0, x > 0):
        ax.plot(x[side], sign[side], color=INK, linewidth=1.0)
    if name != "sign":
        ax.plot(x, f, color=BLUE)
    ax.set_title(CASES[name], loc="left")
    ax.set(xlim=(-2, 2), ylim=(-2, 2), xticks=(-2, -1, 0, 1), yticks=(-2, -1, 0, 1, 2))


def spectrum_panel(ax: Axes, name: str, dft: Table) -> None:
    """A bar a harmonic."""
    bars(ax, dft, name, INK if name == "sign" else BLUE)
    ax.set(xlim=(-1, 100), ylim=(0, 1.4), xticks=(0, 20, 40, 60, 80), yticks=(0, 0.5, 1))


def bars(ax: Axes, dft: Table, name: str, color: str) -> None:
    """One column over k."""
    heights = ax.vlines(dft.numbers("k"), 0, dft.numbers(name), color=color, linewidth=0.9)
    heights.set_snap(False)  # moved to whole pixels they leave gaps


def difference_panel(ax: Axes, name: str, dft: Table) -> None:
    """What the spectrum of f lacks or has too much, and where: read off the numbers."""
    ax.set(xlim=(-1, 100), ylim=(0, 0.044), xticks=(0, 20, 40, 60, 80), yticks=(0, 0.02, 0.04))
    words = "0: this is sign"
    if name != "sign":
        bars(ax, dft, f"{name} off", BLUE)
        words = shape(np.array(dft.numbers(f"{name} off")))
    ax.text(0.97, 0.97, words, transform=ax.transAxes, ha="right", va="top", fontsize=8, linespacing=1.4)


def shape(off: Array) -> str:
    """Where the differences begin, and where they are largest and least, in words."""
    begins = int(np.flatnonzero(off > 1e-6)[0])
    if begins > 1:
        return f"0 up to k = {begins - 1}, then\n4/(πk) at every odd k"
    inner = off[1:-1]
    tops = 1 + np.flatnonzero((inner > off[:-2]) & (inner > off[2:]))
    if len(tops) == 1:
        return f"at every k;\nlargest at k = {tops[0]}"
    dip = tops[0] + int(off[tops[0] : tops[1]].argmin())
    return f"largest at k = {tops[0]} and {tops[1]},\nabout 0 at k = {dip}"


def draw(results: Path) -> Figure:
    """Three rows of four panels from the tables in `results`."""
    functions, dft = (load(name, "fda", results) for name in ("fda-functions", "fda-dft"))
    fig = figure(9.4, 6.2)
    axes = fig.subplots(3, len(CASES), sharex="row", sharey="row")
    for column, name in zip(axes.T, CASES, strict=True):
        function_panel(column[0], name, functions)
        spectrum_panel(column[1], name, dft)
        difference_panel(column[2], name, dft)
    for ax, words in zip(axes[:, 0], ROWS, strict=True):
        ax.set_ylabel(words)
    fig.supxlabel(NOTE, x=0.01, ha="left", fontsize=9, linespacing=1.4)
    return fig
