"""One figure: a body in clothes, painted from its far side to its near side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnn_ref.parameter import Array
from bnn_ref.pose.figures.body import HEAD, HIDDEN, Body, draw_body
from bnn_ref.pose.figures.canvas import Canvas, Tint, cloth, shaded
from bnn_ref.pose.joints import COUNT, JOINTS

TORSO, FACE = 0, 1
LIMBS = tuple(
    (f"{side}_{start}", f"{side}_{end}", thick, thin, wear)
    for side in ("left", "right")
    for start, end, thick, thin, wear in (
        ("shoulder", "elbow", 0.042, 0.034, "shirt"),
        ("elbow", "wrist", 0.034, 0.024, "sleeve"),
        ("hip", "knee", 0.06, 0.044, "trousers"),
        ("knee", "ankle", 0.044, 0.03, "leg"),
    )
)
"""From, to, both radii in parts of the height, and what is worn there."""

PARTS = 2 + len(LIMBS)
"""Torso, face, and one number a limb."""


def _bearers() -> list[set[int]]:
    """Which parts of a figure a joint can be seen on."""
    found: list[set[int]] = [{FACE} if j < 5 else set() for j in range(COUNT)]
    for number, (start, end, *_) in enumerate(LIMBS, 2):
        for name in (start, end):
            found[JOINTS.index(name)].add(number)
    for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip"):
        found[JOINTS.index(name)].add(TORSO)
    return found


BEARERS = _bearers()


@dataclass(frozen=True, eq=False)
class Figure:
    """A body on the picture.

    Attributes
    ----------
    body : Body
    points : float64 (17, 2)
        Its joints, x and y in pixels.
    height : float
        Pixels for the body's height.
    first : int
        The number of its first part; the others follow.
    """

    body: Body
    points: Array
    height: float
    first: int

    def project(self, place: Array) -> Array:
        """x, y in pixels of a place of the body's space."""
        origin = self.points[0] - self.height * self.body.joints[0, :2]
        return np.asarray(origin + self.height * place[..., :2])

    def visibility(self, canvas: Canvas) -> NDArray[np.int64]:
        """2 where a joint's own part was painted last, 1 where something else was, 0 outside; of (17,).

        Points of the face that is turned away are 0 as well.
        """
        height, width = canvas.owner.shape
        nearest = np.rint(self.points).astype(int)
        column, row = nearest[:, 0], nearest[:, 1]
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        owners = canvas.owner[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)] - self.first
        seen = np.array([owner in bearers for owner, bearers in zip(owners.tolist(), BEARERS)])
        away = np.arange(COUNT) < 5
        away &= self.body.joints[:, 2] - self.body.head[2] > HIDDEN
        return np.asarray(np.where(inside & ~away, 1 + seen, 0))


def draw_figure(
    rng: np.random.Generator,
    size: tuple[int, int],
    share: tuple[float, float],
    first: int,
    turn: float = 180,
) -> Figure:
    """A body, turned by up to `turn` degrees, that takes a part of a picture between the two of `share`."""
    body = draw_body(rng, turn / 180 * np.pi)
    flat = body.joints[:, :2]
    low, high = flat.min(axis=0) - HEAD, flat.max(axis=0) + HEAD
    height = rng.uniform(*share) * min(np.array(size) / (high - low))
    room = np.array(size) - height * (high - low)
    corner = room * rng.uniform(-0.05, 1.05, 2)
    return Figure(body, corner + height * (flat - low), float(height), first)


def paint(canvas: Canvas, figure: Figure, rng: np.random.Generator) -> None:
    """The figure in clothes of its own, far limbs first."""
    skin = np.array([1.0, 0.78, 0.62]) * rng.uniform(90, 245)
    worn = {name: (rng.uniform(15, 245, 3), cloth(rng)) for name in ("shirt", "trousers")}
    bare: tuple[Array, Tint] = (skin, shaded)
    worn["sleeve"] = worn["shirt"] if rng.random() < 0.5 else bare
    worn["leg"] = worn["trousers"] if rng.random() < 0.7 else bare
    joints = figure.body.joints
    order = [(0.0, TORSO), (figure.body.head[2], FACE)]
    for number, (start, end, *_) in enumerate(LIMBS, 2):
        order.append(((joints[JOINTS.index(start), 2] + joints[JOINTS.index(end), 2]) / 2, number))
    hair = rng.uniform(10, 200) * np.array([1.0, 0.8, 0.5])
    for _, number in sorted(order, key=lambda one: -one[0]):
        if number == TORSO:
            _paint_torso(canvas, figure, *worn["shirt"])
        elif number == FACE:
            _paint_head(canvas, figure, skin, hair)
        else:
            start, end, thick, thin, wear = LIMBS[number - 2]
            ends = figure.points[[JOINTS.index(start), JOINTS.index(end)]]
            radii = thick * figure.height, thin * figure.height
            canvas.capsule(ends, radii, worn[wear][0], figure.first + number, worn[wear][1])


def _paint_torso(canvas: Canvas, figure: Figure, colour: Array, tint: Tint) -> None:
    """Three bands from the shoulders to the hips, which overlap."""
    left, right = (
        [JOINTS.index(f"{side}_{part}") for part in ("shoulder", "hip")] for side in ("left", "right")
    )
    sides = figure.points[left], figure.points[right]
    for ends in (*sides, (sides[0] + sides[1]) / 2):
        canvas.capsule(ends, (0.06 * figure.height, 0.062 * figure.height), colour, figure.first, tint)


def _paint_head(canvas: Canvas, figure: Figure, skin: Array, hair: Array) -> None:
    """A ball of hair, with a face, ears, eyes and a nose where these are turned this way."""
    body, part, unit = figure.body, figure.first + FACE, HEAD * figure.height
    centre = figure.project(body.head)
    canvas.capsule(np.array([centre, centre]), (unit, unit), hair, part)
    if body.forward[2] < HIDDEN / HEAD:
        face = figure.project(body.head + 0.3 * HEAD * body.forward)
        canvas.capsule(np.array([face, face]), (0.8 * unit, 0.8 * unit), skin, part)
    dots = (
        (0, 0.16, 0.75 * skin),
        *((j, 0.13, np.full(3, 20.0)) for j in (1, 2)),
        *((j, 0.22, 0.85 * skin) for j in (3, 4)),
    )
    for joint, radius, colour in dots:
        if body.joints[joint, 2] - body.head[2] <= HIDDEN:
            ends = figure.points[[joint, joint]]
            canvas.capsule(ends, (max(0.8, radius * unit),) * 2, colour, part)
