"""Accuracy against what can be computed of an estimator: its error to sign, and how uneven its slope is."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import load
from bnn_ref.plot import figure
from figures.drawing import BLUE, ORANGE, run

OPERANDS = {"activation": ("estimators of activations", BLUE), "weight": ("estimators of weights", ORANGE)}
MEASURES = {
    "error to sign": "area between T and sign on [-1, 1]",
    "unevenness": "unevenness of the slope, Var T' / mean T'$^2$",
}
NOTE = (
    "Each point: an estimator, the mean over seeds and its 95 % interval; measured on the tensors of its own "
    "network, mean over epochs.\nrho: Spearman's rank correlation with its 95 % interval. List of estimators "
    "and measures are ours."
)
Record = dict[str, str]


def panel(ax: Axes, rows: Sequence[Record], ranking: Record, operand: str, measure: str) -> None:
    """One operand, one measure: a labelled point an estimator."""
    rows = sorted((row for row in rows if row["mean"]), key=lambda row: float(row["mean"]))
    x = [float(row[measure]) for row in rows]
    y = [float(row["mean"]) for row in rows]
    bounds = [
        [abs(float(row[end] or row["mean"]) - float(row["mean"])) for row in rows] for end in ("low", "high")
    ]
    color = OPERANDS[operand][1]
    ax.errorbar(x, y, yerr=bounds, fmt="o", color=color, markersize=4, elinewidth=0.7, alpha=0.9)
    span, middle = max(x) - min(x) or 1.0, (max(x) + min(x)) / 2
    for i, row in enumerate(rows):
        right = x[i] > middle
        aside = (-5, 3) if right else (5, 3)
        where = {"ha": "right" if right else "left", "fontsize": 7}
        ax.annotate(row["estimator"], (x[i], y[i]), xytext=aside, textcoords="offset points", **where)
    ax.set_xlim(min(x) - 0.08 * span, max(x) + 0.08 * span)
    found = "rho: none, all alike"
    if ranking["rho"]:
        found = f"rho = {ranking['rho']} ({ranking['low']} to {ranking['high']})"
    ax.set_title(f"{OPERANDS[operand][0]}: {found}", loc="left", fontsize=9)
    ax.set(xlabel=MEASURES[measure], ylabel="test accuracy, %")


def draw(results: Path) -> Figure:
    """A row an operand, a column a measure, from the tables in `results`."""
    rows = load("predictors-estimators", "predictors", results).records()
    rankings = load("predictors-rankings", "predictors", results).records()
    fig = figure(10.4, 7.6)
    for line, operand in zip(fig.subplots(2, 2, sharey="row"), OPERANDS, strict=True):
        own = [row for row in rows if row["operand"] == operand]
        for ax, measure in zip(line, MEASURES, strict=True):
            found = next(r for r in rankings if (r["operand"], r["measure"]) == (operand, measure))
            panel(ax, own, found, operand, measure)
    fig.supxlabel(NOTE, x=0.01, ha="left", fontsize=8, linespacing=1.4)
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.predictors", {"predictors": draw}))
