"""Pictures of figures in front of clutter, and what COCO's files would say of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_ref.checks import is_number, require, require_whole
from bnn_ref.parameter import Array
from bnn_ref.pose.figures.canvas import Canvas, background, cloth
from bnn_ref.pose.figures.figure import PARTS, Figure, draw_figure, paint
from bnn_ref.pose.joints import COUNT, JOINTS, SKELETON


@dataclass(frozen=True)
class Difficulty:
    """How hard the pictures are.

    Parameters
    ----------
    company : float
        How probable a second figure is, behind or in front of the first.
    clutter : int
        Limbs of nobody in the background, at most; how many is drawn anew for each picture.
    noise : float
        Deviation of the grain, in levels of 255.
    turn : float
        Degrees by which a figure is turned away from the onlooker at most; 180: it may show its back, which
        is where left and right are hard to tell.

    Raises
    ------
    ValueError
        For a probability outside [0, 1], a clutter that is no whole number >= 0, a negative noise, a turn
        outside [0, 180].
    """

    company: float = 0.2
    clutter: int = 8
    noise: float = 8.0
    turn: float = 180.0

    def __post_init__(self) -> None:
        require(is_number(self.company) and 0 <= self.company <= 1, "company", "a probability", self.company)
        require_whole("clutter", self.clutter, 0)
        require(is_number(self.noise) and self.noise >= 0, "noise", "a number >= 0", self.noise)
        require(is_number(self.turn) and 0 <= self.turn <= 180, "turn", "degrees in [0, 180]", self.turn)


DIFFICULTIES: dict[str, Difficulty] = {
    "default": Difficulty(),
    "easy": Difficulty(company=0.0, clutter=4, noise=4.0, turn=60.0),
}
"""The easy one a small network can learn in minutes: left and right can be told by the face."""


def generate(
    count: int, seed: int = 0, size: tuple[int, int] = (160, 160), difficulty: Difficulty | None = None
) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """Pictures of figures, and their annotation document.

    Parameters
    ----------
    count : int
        How many pictures.
    seed : int
        Picture i depends on the seed, i, the size and the difficulty alone: a long set begins with the short.
    size : tuple of int (W, H)
        Of each picture, in pixels, at least 16.
    difficulty : Difficulty, optional
        The default's, if none is given.

    Returns
    -------
    images : uint8 (count, H, W, 3)
    document : dict
        In COCO's keypoint format, as `parse_annotations` and `json.dump` take it; the images' ids are 1 to
        `count`. `area` is that of the pixels that show the figure, `bbox` theirs; visibility is 2 for a joint
        that is seen, 1 for a covered one, 0 beyond the picture or on a face that is turned away.

    Raises
    ------
    ValueError
        If an argument is not as stated above.

    Source: ours.
    """
    for name, value, least in (
        ("count", count, 0),
        ("seed", seed, 0),
        *(("size", side, 16) for side in size),
    ):
        require_whole(name, value, least)
    difficulty = Difficulty() if difficulty is None else difficulty
    images = np.zeros((count, size[1], size[0], 3), np.uint8)
    document: dict[str, Any] = {"images": [], "categories": [_category()], "annotations": []}
    for i in range(count):
        rng = np.random.default_rng((seed, i))
        images[i], canvas, figures = _picture(rng, size, difficulty)
        document["images"].append(
            {"id": i + 1, "file_name": f"{i + 1:06d}.png", "width": size[0], "height": size[1]}
        )
        for figure in figures:
            key = len(document["annotations"]) + 1
            document["annotations"].append({"id": key, "image_id": i + 1, **annotate(canvas, figure)})
    return images, document


def _category() -> dict[str, Any]:
    limbs = [[a + 1, b + 1] for a, b in SKELETON]  # counted from 1 in COCO's files
    return {
        "id": 1,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(JOINTS),
        "skeleton": limbs,
    }


def _picture(
    rng: np.random.Generator, size: tuple[int, int], difficulty: Difficulty
) -> tuple[NDArray[np.uint8], Canvas, list[Figure]]:
    canvas = Canvas(background(rng, size))
    for _ in range(rng.integers(difficulty.clutter + 1)):
        start, step = rng.uniform(0, size, 2), rng.normal(0, min(size) / 5, 2)
        radii = rng.uniform(0.01, 0.05, 2) * min(size)
        canvas.capsule(
            np.array([start, start + step]), (radii[0], radii[1]), rng.uniform(15, 245, 3), 0, cloth(rng)
        )
    figures = [draw_figure(rng, size, (0.6, 0.95), 1, difficulty.turn)]
    if rng.random() < difficulty.company:
        figures.insert(rng.integers(2), draw_figure(rng, size, (0.45, 0.8), 1 + PARTS, difficulty.turn))
    for figure in figures:
        paint(canvas, figure, rng)
    light, grain = rng.uniform(0.75, 1.2), rng.normal(0, 1, canvas.pixels.shape)
    pixels = np.rint(np.clip(light * canvas.pixels + difficulty.noise * grain, 0, 255))
    return pixels.astype(np.uint8), canvas, figures


def annotate(canvas: Canvas, figure: Figure) -> dict[str, Any]:
    """What COCO's files would say of a figure on a finished canvas; without ids."""
    seen = figure.visibility(canvas)
    shown = (canvas.owner >= figure.first) & (canvas.owner < figure.first + PARTS)
    keypoints: Array = np.column_stack([np.round(figure.points, 2), seen]) * (seen > 0)[:, None]
    return {
        "category_id": 1,
        "iscrowd": 0,
        "num_keypoints": int((seen > 0).sum()),
        "keypoints": keypoints.reshape(3 * COUNT).tolist(),
        "bbox": _box(shown),
        "area": float(shown.sum()),
    }


def _box(shown: NDArray[np.bool_]) -> list[float]:
    """x, y, width and height of what is shown; zeros where nothing is."""
    if not shown.any():
        return [0.0] * 4
    (top, bottom), (left, right) = (np.flatnonzero(shown.any(axis=axis))[[0, -1]] for axis in (1, 0))
    return [float(left), float(top), float(right - left + 1), float(bottom - top + 1)]
