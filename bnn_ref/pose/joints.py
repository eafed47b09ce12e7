"""The seventeen joints of COCO, in their order: names, sides, limbs, how exactly people mark them."""

from __future__ import annotations

import numpy as np

JOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
)
"""Source: coco2014 (the public evaluation code)."""

COUNT = len(JOINTS)

SIGMAS = np.array(
    [0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72, 0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89]
) / 10.0  # fmt: skip
"""How far apart people mark each joint, in units of the root of the person's area.

Quotients by ten as in the public evaluation code, so that every rounding is the same. Source: coco2014.
"""

FLIP = np.array([0, *(j + 1 if j % 2 else j - 1 for j in range(1, COUNT))])
"""Which joint takes whose place in a mirrored image: left and right of each pair change."""

UPPER_BODY = np.arange(COUNT) < JOINTS.index("left_hip")
"""Nose to wrists; the others are the lower body."""

SKELETON = (
    *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9)),
    *((8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
)
"""The limbs, as pairs of joints. Source: coco2014 (the categories of its annotation files)."""
