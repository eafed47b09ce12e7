"""What pose networks learn: drawn figures with their joints, a crop of one, and the maps that are wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.pose.task import DATA_SEED, DIFFICULTY, SIDE, SIGMA
from bnn_ref import pose
from bnn_ref.parameter import Array
from bnn_ref.plot import figure, skeleton

SIZE = (96, 128)
STUDIED = (1, 3, 5, 6)
"""Pictures of the study's set, by id."""

HARD = (2, 9)
"""Pictures of the default difficulty, by id."""


def persons(count: int, difficulty: pose.figures.Difficulty | None, seed: int = DATA_SEED) -> pose.Persons:
    """The first pictures of the set with that seed."""
    pixels, document = pose.figures.generate(count, seed, (SIDE, SIDE), difficulty)
    return pose.Persons(pose.parse_annotations(document), pose.Stack(pixels))


def panel(ax: Axes, image: Array, poses: Array, title: str) -> None:
    """An image with skeletons."""
    ax.imshow(image, interpolation="nearest")
    for points in poses:
        skeleton(ax, points, points[:, 2] > 0, 1.1)
    ax.set_title(title)
    ax.set(xticks=[], yticks=[], xlim=(-0.5, image.shape[1] - 0.5), ylim=(image.shape[0] - 0.5, -0.5))
    ax.grid(False)
    ax.set_frame_on(False)


def draw(_: Path) -> Figure:
    """Two rows of four; no results are needed."""
    fig = figure(8.4, 4.6)
    upper, lower = fig.subplots(2, 4)
    studied, hard = persons(max(STUDIED), DIFFICULTY), persons(max(HARD), None)
    titles = ("the study's set", *("",) * 3, "default difficulty", "")
    chosen = [(studied, key) for key in STUDIED] + [(hard, key) for key in HARD]
    for ax, (those, key), title in zip((*upper, *lower), chosen, titles):
        shown = those.truth.keypoints[those.truth.image_ids == key]
        panel(ax, those.pictures(key), shown, title)
    (crop,), (maps,), _weights = studied.sample([0], pose.View(SIZE, SIGMA))
    row = studied.rows[0]
    matrix = pose.Crop.around(studied.boxes[0], SIZE[0] / SIZE[1]).matrix(SIZE)
    joints = pose.transform(matrix, studied.truth.keypoints[row, :, :2])
    seen = np.column_stack([joints, studied.truth.keypoints[row, :, 2]])
    panel(lower[2], crop, seen[None], "a crop, 96 x 128")
    panel(lower[3], maps.max(axis=2), np.zeros((0, 17, 3)), "its 17 maps, 24 x 32")
    return fig
