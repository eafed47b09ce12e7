"""Gradient mismatch: how far the gradient of each estimator points from where the loss really falls."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import load
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, GREY, ORANGE, run

OPERANDS = {"activation": "activations", "weight": "weights"}
TRUTHS = {
    "flips": ("against the flip of every sign", BLUE, "o", -0.16),
    "noise": ("against the noise-smoothed loss", ORANGE, "s", 0.16),
}
"""Of each truth: its name, its look, and a step aside."""
NOTE = (
    "One convolution of small trained networks; estimators stand in for one another, the signs stay.\n"
    "Large: mean and 95 % interval over networks; small: each network. 1: the gradient points where the loss "
    "falls;\n0: no better than chance."
)
Record = dict[str, str]


def panel(ax: Axes, operand: str, means: Sequence[Record], networks: Sequence[Record]) -> None:
    """A row an estimator: its mean cosine and those of all networks, for both truths."""
    names = list(dict.fromkeys(row["estimator"] for row in means))
    for truth, (label, color, marker, aside) in TRUTHS.items():
        chosen = [row for row in means if row["truth"] == truth and row["operand"] == operand and row["mean"]]
        y = np.array([names.index(row["estimator"]) for row in chosen]) + aside
        mean, low, high = (
            np.array([float(row[k] or row["mean"]) for row in chosen]) for k in ("mean", "low", "high")
        )
        ax.errorbar(
            mean, y, xerr=(mean - low, high - mean), fmt=marker, color=color, label=label,
            markersize=5, elinewidth=1.0, capsize=2.0,
        )  # fmt: skip
        single = [
            row for row in networks if row["truth"] == truth and row["operand"] == operand and row["cosine"]
        ]
        at = np.array([names.index(row["estimator"]) for row in single]) + aside
        ax.plot([float(row["cosine"]) for row in single], at + 0.1, ".", color=color, markersize=4, alpha=0.6)
    ax.axvline(0, color=INK, linewidth=0.8)
    ax.axvline(1, color=GREY, linewidth=0.8, linestyle=":")
    ax.set_yticks(range(len(names)), names)
    ax.set(xlim=(-0.35, 1.35), ylim=(len(names) - 0.5, -0.5))
    ax.set_title(f"cosine to the true gradient, {OPERANDS[operand]}", loc="left")
    ax.grid(False, axis="y")


def draw(results: Path) -> Figure:
    """A panel for activations and one for weights, from the tables in `results`."""
    means, networks = (
        load(f"bireal-{name}", "bireal", results).records() for name in ("mismatch", "networks")
    )
    fig = figure(10.4, 5.0)
    axes = fig.subplots(1, 2, sharey=True)
    for ax, operand in zip(axes, OPERANDS, strict=True):
        panel(ax, operand, means, networks)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    fig.supxlabel(NOTE, x=0.01, ha="left", fontsize=8, linespacing=1.4)
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.mismatch", {"mismatch": draw}))
