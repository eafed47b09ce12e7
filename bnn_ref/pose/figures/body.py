"""A body in space: seventeen joints from a few angles, and the limbs between them.

Coordinates are x to the right, y down, z away from who looks, in units of the body's height. A body that is
not turned faces the onlooker, so its left is on the right of the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref.parameter import Array
from bnn_ref.pose.joints import COUNT, JOINTS

DOWN = np.array([0.0, 1.0, 0.0])
HEAD = 0.075
"""Radius of the head; other lengths, in parts of the height, stand where they are used."""

HIDDEN = 0.4 * HEAD
"""A point of the face that lies this much behind the head's centre cannot be seen, and is not labelled."""


@dataclass(frozen=True, eq=False)
class Body:
    """Where a body's joints are.

    Attributes
    ----------
    joints : float64 (17, 3)
        x, y, z; the middle of the shoulders is the origin.
    head : float64 (3,)
        Its centre.
    forward : float64 (3,)
        Where it looks, a unit vector.
    """

    joints: Array
    head: Array
    forward: Array


def draw_body(rng: np.random.Generator, most: float = np.pi) -> Body:
    """A body that stands, walks, sits or reaches, leaning a little, turned by up to `most` radians."""
    turn = rng.uniform(-most, most)
    cos, sin = np.cos(turn), np.sin(turn)
    left, forward = np.array([cos, 0, sin]), np.array([sin, 0, -cos])
    stature = rng.normal(1, 0.06, 6)
    hips = 0.29 * stature[0] * _direction(left, forward, rng.normal(0, 0.15), rng.normal(0, 0.05))
    places = np.zeros((COUNT, 3))
    for sign, name in ((1, "left"), (-1, "right")):
        shoulder, hip = 0.105 * stature[1] * sign * left, hips + 0.075 * stature[2] * sign * left
        limbs = _limbs(rng.random(8), shoulder, hip, sign * left, forward, stature)
        for part, place in limbs.items():
            places[JOINTS.index(f"{name}_{part}")] = place
    head = -0.15 * stature[5] * _direction(left, forward, rng.normal(0, 0.2), rng.normal(0, 0.1))
    places[:5] = head + _face(left, forward)
    roll = rng.normal(0, 0.2) if rng.random() < 0.85 else rng.uniform(-np.pi / 2, np.pi / 2)
    lean = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return Body(places @ lean.T, lean @ head, lean @ forward)


def _limbs(
    bends: Array, shoulder: Array, hip: Array, out: Array, forward: Array, stature: Array
) -> dict[str, Array]:
    """The joints of one side, by eight numbers in [0, 1): how far each bends; `out` is away from the body."""
    swing, spread = -0.7 + 3.2 * bends[0] ** 2, -0.1 + 1.5 * bends[1] ** 2
    elbow = shoulder + 0.17 * stature[3] * _direction(out, forward, swing, spread)
    wrist = elbow + 0.15 * stature[3] * _direction(out, forward, swing + 2.2 * bends[2], spread * bends[3])
    step, stance = -0.5 + 1.6 * bends[4] ** 1.5, 0.5 * bends[5] ** 2
    knee = hip + 0.25 * stature[4] * _direction(out, forward, step, stance)
    bent = step - 1.5 * bends[6] ** 2
    ankle = knee + 0.24 * stature[4] * _direction(out, forward, bent, stance * bends[7])
    return {"shoulder": shoulder, "elbow": elbow, "wrist": wrist, "hip": hip, "knee": knee, "ankle": ankle}


def _direction(out: Array, forward: Array, swing: float, spread: float) -> Array:
    """A unit vector: straight down, swung forward, spread outward (angles in radians)."""
    return np.cos(spread) * (np.cos(swing) * DOWN + np.sin(swing) * forward) + np.sin(spread) * out


def _face(left: Array, forward: Array) -> Array:
    """Nose, eyes and ears (5, 3), seen from the head's centre."""
    eyes = [HEAD * (0.85 * forward - 0.2 * DOWN + sign * 0.38 * left) for sign in (1, -1)]
    ears = [HEAD * sign * 0.95 * left for sign in (1, -1)]
    return np.array([HEAD * (1.02 * forward + 0.12 * DOWN), *eyes, *ears])
