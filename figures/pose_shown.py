"""What a trained network finds in pictures that it never saw, and where the joints are."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from analysis.pose.task import DATA_SEED, DIFFICULTY
from analysis.tables import load
from bnn_ref.plot import figure
from figures.drawing import run
from figures.pose import panel, persons

SIZE = 1.7
"""Of a picture, in inches."""

SURE = 0.2
"""Joints with a lower peak are left out, as `bnn-ref pose predict --draw` does."""


def draw(results: Path) -> Figure:
    """A picture beside the other, from the table in `results`; a ring where a joint that is seen truly is."""
    table = load("pose-shown", "pose.shown MODEL", results)
    keys = list(dict.fromkeys(map(int, table.column("picture"))))
    found = np.column_stack([table.numbers(name) for name in ("x", "y", "score")])
    shown = persons(max(keys), DIFFICULTY, DATA_SEED + 1)
    fig = figure(SIZE * len(keys), SIZE)
    for ax, key, joints in zip(fig.subplots(1, len(keys)), keys, found.reshape(len(keys), -1, 3)):
        sure = joints * (joints[:, 2:] > SURE)
        panel(ax, shown.pictures(key), sure[None], "")
        (there,) = shown.truth.keypoints[shown.truth.image_ids == key]
        x, y = there[there[:, 2] > 0, :2].T
        ax.plot(x, y, "o", markersize=5, markerfacecolor="none", markeredgecolor="white", markeredgewidth=0.8)
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.pose_shown", {"pose-shown": draw}))
