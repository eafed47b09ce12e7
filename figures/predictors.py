"""Accuracy against what can be computed of an estimator: its error to sign, and the variance it passes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import load
from bnn_ref.plot import PALETTE, figure
from figures.drawing import run

OPERANDS = {"activation": "estimators of activations", "weight": "estimators of weights"}
MARKERS = "os^Dv"
"""Their number and that of the colours have no common divisor: no two of the first sixty look alike."""

MEASURES = {
    "error to sign": "area between T and sign on [-1, 1]",
    "variance ratio": "variance of the gradient behind T, over that in front",
}
NOTE = (
    "Each point: an estimator, the mean over seeds and its 95 % interval; measured on the tensors of its own "
    "network, mean over epochs.\nrho: Spearman's rank correlation with its 95 % interval. List of estimators "
    "and measures are ours."
)
Record = dict[str, str]


def panel(
    ax: Axes, rows: Sequence[Record], numbers: dict[str, int], ranking: Record, operand: str, measure: str
) -> None:
    """One operand, one measure: a point an estimator."""
    rows = [row for row in rows if row["mean"]]
    x, y = ([float(row[key]) for row in rows] for key in (measure, "mean"))
    low, high = (
        [abs(float(row[end] or row["mean"]) - float(row["mean"])) for row in rows] for end in ("low", "high")
    )
    for i, row in enumerate(rows):
        number = numbers[row["estimator"]]
        marker, color = MARKERS[number % len(MARKERS)], PALETTE[number % len(PALETTE)]
        ax.errorbar(
            x[i], y[i], yerr=[[low[i]], [high[i]]], marker=marker, color=color, markersize=6,
            elinewidth=0.7, linestyle="", label=row["estimator"],
        )  # fmt: skip
    if measure == "variance ratio":
        ax.set_xscale("log")
    ax.margins(0.08, 0.08)
    ax.set_ylim(max(0.0, min(y) - 6), min(100.0, max(y) + 6))
    found = "none, all alike"
    if ranking["rho"]:
        found = f"{ranking['rho']} ({ranking['low']} to {ranking['high']})"
    ax.set_title(f"{OPERANDS[operand]}, rho: {found}", loc="left", fontsize=9)
    ax.set(xlabel=MEASURES[measure], ylabel="test accuracy, %")


def draw(results: Path) -> Figure:
    """A row an operand, a column a measure, from the tables in `results`."""
    rows = load("predictors-estimators", "predictors", results).records()
    rankings = load("predictors-rankings", "predictors", results).records()
    numbers = {name: i for i, name in enumerate(dict.fromkeys(row["estimator"] for row in rows))}
    fig = figure(10.4, 7.8)
    for line, operand in zip(fig.subplots(2, 2, sharey="row"), OPERANDS, strict=True):
        own = [row for row in rows if row["operand"] == operand]
        for ax, measure in zip(line, MEASURES, strict=True):
            found = next(r for r in rankings if (r["operand"], r["measure"]) == (operand, measure))
            panel(ax, own, numbers, found, operand, measure)
    fig.legend(*fig.axes[-1].get_legend_handles_labels(), loc="outside upper left", ncols=8, fontsize=7)
    fig.supxlabel(NOTE, x=0.01, ha="left", fontsize=8, linespacing=1.4)
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.predictors", {"predictors": draw}))
