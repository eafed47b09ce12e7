"""What a pose network sees of an image: one person, cut out by an affine map of one fixed aspect.

Sizes are (width, height) and points (x, y), in pixels, as in COCO's files; arrays of pixels are (H, W, C).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnn_ref.checks import require
from bnn_ref.data import Preprocessing
from bnn_ref.kernels.warp import bilinear
from bnn_ref.parameter import Array
from bnn_ref.pose.annotations import Annotations

UNIT = 200.0
"""Pixels in a scale of 1."""

PADDING = 1.25
"""How much larger than the person's box a crop is."""


@dataclass(frozen=True)
class Crop:
    """A rectangle of an image, perhaps turned.

    Parameters
    ----------
    centre : tuple of float (x, y)
        In pixels.
    scale : tuple of float (w, h)
        Width and height in units of 200 pixels, positive.
    rotation : float
        In degrees; positive turns what is seen against the clock.

    Source: simplebaseline2018 (released code).
    """

    centre: tuple[float, float]
    scale: tuple[float, float]
    rotation: float = 0.0

    def __post_init__(self) -> None:
        require(min(self.scale) > 0, "scale", "two positive numbers", self.scale)

    @classmethod
    def around(cls, box: Array, aspect: float, padding: float = PADDING) -> Crop:
        """The crop around a box (x, y, w, h): one side lengthened to w / h = `aspect`, then both padded."""
        x, y, w, h = (float(value) for value in box)
        require(w > 0 or h > 0, "box", "a width or a height above 0", (x, y, w, h))
        width, height = (w, w / aspect) if w > aspect * h else (aspect * h, h)
        return cls((x + w / 2, y + h / 2), (width / UNIT * padding, height / UNIT * padding))

    @property
    def area(self) -> float:
        """In square pixels."""
        return self.scale[0] * self.scale[1] * UNIT**2

    def matrix(self, size: tuple[int, int]) -> Array:
        """The affine map (2, 3) from the image to a crop of `size` pixels: p -> q R (p - centre) + size / 2.

        q = W / (200 s_w) in both directions; R turns by minus `rotation`.
        """
        q = size[0] / (UNIT * self.scale[0])
        cos, sin = q * np.cos(np.radians(self.rotation)), q * np.sin(np.radians(self.rotation))
        linear = np.array([[cos, sin], [-sin, cos]])
        return np.column_stack([linear, np.array(size) / 2 - linear @ self.centre])


def transform(matrix: Array, points: Array) -> Array:
    """Where the affine map (2, 3) takes points (..., 2)."""
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])


def inverse(matrix: Array) -> Array:
    """The affine map (2, 3) back."""
    back = np.linalg.inv(matrix[:, :2])
    return np.column_stack([back, -back @ matrix[:, 2]])


def warp(image: NDArray[np.uint8], matrix: Array, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The image (H, W, C) under an affine map, bilinear, 0 outside, rounded: (size[1], size[0], C).

    Raises
    ------
    ValueError
        For anything but uint8 (H, W, C).
    """
    shape = f"{image.dtype} {image.shape}"
    require(image.dtype == np.uint8 and image.ndim == 3 and image.size > 0, "image", "uint8 (H, W, C)", shape)
    return bilinear(image, inverse(matrix), size)


def trainable(truth: Annotations) -> tuple[NDArray[np.int64], Array]:
    """Rows of the persons that one can learn from, and their boxes (rows, 4) clipped to the image.

    Left out are crowds, persons without a labelled joint or with an area of 0, and boxes outside the image
    or of a single pixel.

    Source: simplebaseline2018 (released code; it keeps single pixels, whose crops have no size).
    """
    sizes = np.array([[truth.images[i].width, truth.images[i].height] for i in truth.image_ids.tolist()])
    low = np.maximum(0, truth.boxes[:, :2])
    high = np.minimum(sizes.reshape(-1, 2) - 1, low + np.maximum(0, truth.boxes[:, 2:] - 1))
    kept = ~truth.crowd & truth.labelled.any(axis=1) & (truth.areas > 0)
    kept &= (high >= low).all(axis=1) & (high > low).any(axis=1)
    (rows,) = np.nonzero(kept)
    return rows, np.column_stack([low, high - low])[rows]


def normalisation(size: tuple[int, int]) -> Preprocessing:
    """What is done to the pixels (RGB) of crops of `size`. Source: hrnet2019 (released code)."""
    return Preprocessing(255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), (size[1], size[0], 3))
