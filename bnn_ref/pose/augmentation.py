"""The same person, larger, turned, mirrored or halved: what training sees instead of the plain crop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnn_ref.checks import is_number, require
from bnn_ref.parameter import Array
from bnn_ref.pose.crop import Crop
from bnn_ref.pose.joints import FLIP, UPPER_BODY

HALF_PADDING = 1.5
"""How much larger than the box of half a body a crop of it is."""

FEWEST = 3
"""Joints that half a body must have to be shown alone."""


@dataclass(frozen=True)
class Augmentation:
    """How crops vary.

    Parameters
    ----------
    scale : float
        The crop's size is multiplied by 1 + scale n, n normal, clipped to [1 - scale, 1 + scale]; in [0, 1).
    rotation : float
        Degrees; the crop is turned by rotation n, n normal, clipped to twice `rotation` either way.
    rotate, flip, half_body : float
        How probable it is that a crop is turned, is mirrored, shows half of a body that has more than 8
        labelled joints.

    Raises
    ------
    ValueError
        For a probability outside [0, 1], a scale outside [0, 1), a rotation that is negative or no number.
    """

    scale: float = 0.0
    rotation: float = 0.0
    rotate: float = 0.0
    flip: float = 0.0
    half_body: float = 0.0

    def __post_init__(self) -> None:
        require(is_number(self.scale) and 0 <= self.scale < 1, "scale", "a number in [0, 1)", self.scale)
        good = is_number(self.rotation) and self.rotation >= 0
        require(good, "rotation", "a number of degrees >= 0", self.rotation)
        for name in ("rotate", "flip", "half_body"):
            value = getattr(self, name)
            require(is_number(value) and 0 <= value <= 1, name, "a probability", value)

    def draw(
        self, crop: Crop, keypoints: Array, aspect: float, rng: np.random.Generator
    ) -> tuple[Crop, bool]:
        """A varied crop, and whether it is to be mirrored (see `mirrored`).

        Parameters
        ----------
        crop : Crop
            The plain one.
        keypoints : array (17, 3)
            x, y in pixels, and visibility.
        aspect : float
            Width by height of the network's input.
        rng : numpy.random.Generator
            Always gives the same count of numbers, whatever is decided.
        """
        halve, upper, turn, flip = rng.random(4)
        larger, degrees = rng.normal(size=2)
        half = _half(keypoints, aspect, bool(upper < 0.5)) if halve < self.half_body else None
        seen = crop if half is None else half
        factor = 1 + np.clip(self.scale * larger, -self.scale, self.scale)
        angle = np.clip(self.rotation * degrees, -2 * self.rotation, 2 * self.rotation)
        scale = seen.scale[0] * factor, seen.scale[1] * factor
        rotation = crop.rotation + (angle if turn < self.rotate else 0.0)
        return Crop(seen.centre, scale, float(rotation)), bool(flip < self.flip)


SIMPLE_BASELINE = Augmentation(scale=0.3, rotation=40, rotate=0.6, flip=0.5)
"""Source: simplebaseline2018 (released code, COCO)."""

HRNET = Augmentation(scale=0.35, rotation=45, rotate=0.6, flip=0.5, half_body=0.3)
"""Source: hrnet2019 (released code, COCO)."""

SLIGHT = Augmentation(scale=0.1, flip=0.5)
"""For drawn pictures, of which there may be as many as one likes. Source: ours."""


def _half(keypoints: Array, aspect: float, upper: bool) -> Crop | None:
    """The crop of the upper or the lower body, None where there are too few joints for either.

    The wanted half where it has three labelled joints, else the other; its centre is the joints' mean. The
    even odds of both halves are ours.
    """
    labelled = keypoints[:, 2] > 0
    if labelled.sum() <= 8:
        return None
    wanted = UPPER_BODY if upper else ~UPPER_BODY
    halves = [keypoints[labelled & side, :2] for side in (wanted, ~wanted)]
    points = next(half for half in halves if len(half) >= FEWEST)  # nine joints: one half has them
    extent = np.ptp(points, axis=0)
    if not extent.any():
        return None
    crop = Crop.around(np.concatenate([points.min(axis=0), extent]), aspect, HALF_PADDING)
    return Crop((float(points[:, 0].mean()), float(points[:, 1].mean())), crop.scale)


def mirrored(image: NDArray[np.uint8], keypoints: Array, crop: Crop) -> tuple[NDArray[np.uint8], Array, Crop]:
    """Image (H, W, C), keypoints (17, 3) and crop, seen in a mirror: x' = W - 1 - x, left and right change.

    Unlabelled joints stay at 0.
    """
    width = image.shape[1]
    points = keypoints[FLIP].copy()
    points[:, 0] = np.where(points[:, 2] > 0, width - 1 - points[:, 0], points[:, 0])
    (x, y), turned = crop.centre, -crop.rotation
    return image[:, ::-1], points, Crop((width - 1 - x, y), crop.scale, turned)
