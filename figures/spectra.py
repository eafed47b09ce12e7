"""The filters through which estimators see sign, and what each leaves out of a square wave.

EDE and RBNN's weights begin with H(0) = k = 10 and 100, off this scale; the tables have them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from analysis.tables import Table, load
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, ORANGE, line, reference, run

REFERENCE = "clipped-ste"
LOOKS = {"fixed": (BLUE, "-"), "start": (ORANGE, "--"), "end": (INK, "-.")}
"""A colour and a dash for estimators that do not change, and for both ends of a schedule."""


@dataclass(frozen=True)
class Curve:
    """One line of a panel.

    Attributes
    ----------
    case : str
        Column of the table.
    name : str
        Written beside it.
    look : str
        A key of `LOOKS`.
    at : float
        The frequency at which the name is tied to the line.
    text : tuple of float
        Where the name stands, in data coordinates.
    """

    case: str
    name: str
    look: str
    at: float
    text: tuple[float, float]


PANELS: dict[str, tuple[Curve, ...]] = {
    "straight through": (Curve("clipped-ste", "clipped STE", "fixed", 1.6, (5, 0.62)),),
    "triangles": (
        Curve("approxsign", "ApproxSign", "fixed", 2.8, (5.5, 0.52)),
        Curve("rbnn-start", "RBNN, start", "start", 2.5, (5.5, 0.3)),
        Curve("rbnn-end", "RBNN, end", "end", 18, (19, 0.75)),
    ),
    "tanh": (
        Curve("dsq", "DSQ", "fixed", 2.0, (5.5, 0.5)),
        Curve("ede-middle", "EDE, halfway\n= tanh(x)", "start", 2.0, (5.5, 0.29)),
        Curve("ede-end", "EDE, end", "end", 12, (14, 0.75)),
    ),
    "sign-Swish": (
        Curve("swish-sign-5", "BNN+", "fixed", 6.3, (9, 0.62)),
        Curve("bnn++-start", "BNN++, start", "start", 3.2, (9, 0.32)),
        Curve("bnn++-end", "BNN++, end", "end", 15, (17, 1.2)),
    ),
    "roots": (
        Curve("reste-start", "ReSTE, start", "start", 0.6, (4, 1.25)),
        Curve("reste-end", "ReSTE, end", "end", 6.5, (9, 0.62)),
    ),
    "Fourier series": (
        Curve("fda-9", "FDA, start: 9 terms", "start", 2.4, (6, 0.45)),
        Curve("fda-18", "FDA, end: 18 terms", "end", 2.6, (6, 0.7)),
    ),
}
ERRORS: dict[str, str] = {
    "fda-20-lines": "20 sines, no window",
    "tanh-20": "tanh(20x)",
    "swish-sign-20": "sign-Swish of 20x",
}
LINES = "fda-20-lines"
TOTAL, SHARE = "energy error on 2 pi", "share of it at k <= 39"


def gain_panel(ax: Axes, title: str, gains: Table) -> None:
    """|H| of one kind over angular frequency, the clipped STE behind."""
    w = np.array(gains.numbers("w"))
    fine = np.linspace(w[0], w[-1], 10 * len(w))  # so that abs(H) comes down to 0 where H changes sign
    sizes = {key: np.abs(np.interp(fine, w, gains.numbers(key))) for key in gains.columns[1:]}
    if title != "straight through":
        reference(ax, fine, sizes[REFERENCE])
    for curve in PANELS[title]:
        line(ax, fine, sizes[curve.case], LOOKS[curve.look], curve.name, curve.at, curve.text)
    ax.set_title(title, loc="left")
    ax.set(xlim=(0, 32), ylim=(0, 1.55), xticks=(0, 10, 20, 30), yticks=(0, 0.5, 1, 1.5))


def notes(axes: dict[str, Axes], harmonics: Table) -> None:
    """What has no curve: the identity STE, and the lines of the series without a window (omega = 1)."""
    words = "identity STE: none,\nits slope never falls off"
    axes["straight through"].text(12, 1.25, words, fontsize=8, color=INK, va="center")
    k, lost = np.array(harmonics.numbers("k")), np.array(harmonics.numbers(LINES))
    height = np.where(k % 2, 1 - lost * np.pi * k / 4, 0)
    ax, shown = axes["Fourier series"], (k % 2 == 1) & (k <= 32)
    ax.plot(k[shown], height[shown], ".", color=BLUE, markersize=4)
    ax.text(9, 1.14, "without window: lines of height 1", fontsize=8, color=BLUE, va="center")


def error_panel(ax: Axes, case: str, harmonics: Table, cases: dict[str, dict[str, str]]) -> None:
    """The error of each harmonic, and what the errors add up to."""
    k = np.array(harmonics.numbers("k"))
    reference(ax, k, np.abs(harmonics.numbers(REFERENCE)))
    ax.vlines(k, 0, np.abs(harmonics.numbers(case)), color=BLUE, linewidth=1.6)
    total = float(cases[case][TOTAL])
    low = 100 * float(cases[case][SHARE])
    ax.set_title(ERRORS[case], loc="left")
    words = f"mean square error {total:.4f}\n{low:.0f} % of it at k < 40"
    ax.text(0.98, 0.97, words, transform=ax.transAxes, ha="right", va="top", fontsize=8, linespacing=1.4)
    ax.set(xlim=(0, 100), ylim=(0, 0.045), xticks=(0, 20, 40, 60, 80), yticks=(0, 0.02, 0.04))


def _heading(part: SubFigure, title: str, xlabel: str) -> None:
    part.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold")
    part.supxlabel(xlabel, fontsize=9)


def draw(results: Path) -> Figure:
    """The whole picture from the tables in `results`."""
    names = ("spectra-gain", "spectra-harmonics", "spectra-cases")
    gains, harmonics, cases = (load(name, "spectra", results) for name in names)
    fig = figure(9.4, 8.4)
    parts: Any = fig.subfigures(2, 1, height_ratios=(2, 1.08), hspace=0.04)
    draw_gains(parts[0], gains, harmonics)
    draw_errors(parts[1], harmonics, {record["case"]: record for record in cases.records()})
    return fig


def draw_gains(part: SubFigure, gains: Table, harmonics: Table) -> None:
    """The upper six panels."""
    axes = dict(zip(PANELS, part.subplots(2, 3, sharex=True, sharey=True).flat, strict=True))
    for title, ax in axes.items():
        gain_panel(ax, title, gains)
    notes(axes, harmonics)
    _heading(part, "The filter |H(w)| of each slope (grey: clipped STE)", "w (rad per unit of x)")


def draw_errors(part: SubFigure, harmonics: Table, cases: dict[str, dict[str, str]]) -> None:
    """The lower three panels, on one scale."""
    for ax, case in zip(part.subplots(1, 3, sharey=True), ERRORS, strict=True):
        error_panel(ax, case, harmonics, cases)
    clip = f"grey: clipped STE, {float(cases[REFERENCE][TOTAL]):.4f}"
    _heading(part, f"The error of sign's k-th harmonic on the period 2π ({clip})", "k")


if __name__ == "__main__":
    sys.exit(run("figures.spectra", {"spectra": draw}))
