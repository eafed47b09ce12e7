"""What is compared, and what was asked before the first run."""

from __future__ import annotations

from typing import Any

from analysis.contrasts import ACCURACY, Contrast, accuracy, by_seed, points
from analysis.tables import Cell, Table
from bnn_ref.models import REAL
from bnn_ref.train import Comparison

POSITIVE = {"weight_parameters": {"init": "positive"}}
"""Ours: by default half of all networks begin with a slope that falls, and do not learn (docs/bbc.md)."""

ARMS: dict[str, dict[str, Any]] = {
    "full precision": {"estimator": REAL},
    "clipped STE": {"estimator": "clipped-ste"},
    "ApproxSign": {"estimator": "approxsign"},
    "FDA": {"estimator": "fda"},
    "ApproxSign, scaled": {"estimator": "approxsign", "weight_estimator": "bireal-weight-paper"},
    "BBC-linear": {"estimator": "approxsign", "weight_estimator": "bbc-linear", **POSITIVE},
    "BBC-MLP": {"estimator": "approxsign", "weight_estimator": "bbc", **POSITIVE},
}
"""Build options. BBC's are estimators of weights, behind ApproxSign as in its released code. The weights of
the others have the clipped STE; of "ApproxSign, scaled" with the mean of a filter as a scale, as BBC's have,
so that BBC's differ from it in the gradient (and in centring) alone."""

CONTRASTS: tuple[Contrast, ...] = (
    Contrast("ours", "ApproxSign", "full precision", direction=-1),
    Contrast("ours", "ApproxSign", "clipped STE"),
    Contrast("ours", "FDA", "clipped STE"),
    Contrast("ours", "FDA", "ApproxSign"),
    Contrast("ours", "ApproxSign, scaled", "ApproxSign"),
    Contrast("abstract", "BBC-linear", "ApproxSign, scaled", direction=1),
    Contrast("abstract", "BBC-MLP", "ApproxSign, scaled", direction=1),
    Contrast("ours", "BBC-linear", "BBC-MLP"),
)
"""BBC's abstract says that a learned estimator, even a linear one, beats soft functions made by hand; its
tables could not be obtained."""


def table(result: Comparison) -> Table:
    """Every arm: AP of the figures to test by, share of joints near their places (both in %), minutes."""
    rows: list[list[Cell]] = []
    for summary in result.summaries:
        runs = [run for run in result.runs if run.arm == summary.arm and len(run.history)]
        near = " ".join(str(points(run.history[-1].train_accuracy)) for run in runs)
        minutes = max((sum(epoch.seconds for epoch in run.history) for run in runs), default=0.0) / 60
        rows.append([summary.arm, *accuracy(summary), by_seed(summary), near, f"{minutes:.1f}"])
    columns = ("arm", *ACCURACY, "by seed", "joints near, in training", "longest run, minutes")
    return Table.of(columns, rows)
