"""Persons in a set of images: what is true of them, and what somebody found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_ref.parameter import Array


@dataclass(frozen=True)
class Image:
    """One image: its file's name, width and height in pixels."""

    file_name: str
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class Annotations:
    """The images of a set, and the N persons in them.

    Attributes
    ----------
    images : dict of int to Image
        By image id.
    category : int
        The id that means a person.
    other_categories : frozenset of int
        Ids that mean something else; results may hold them, and they are left out.
    ids, image_ids : int64 (N,)
        In the order of the file.
    keypoints : float64 (N, 17, 3)
        x, y in pixels and visibility: 0 unlabelled, 1 hidden, 2 visible.
    boxes : float64 (N, 4)
        x, y of the upper left corner, width and height.
    areas : float64 (N,)
        Of the person's segment, in square pixels.
    crowd : bool (N,)
        Whether the box holds a crowd that nobody took apart.
    """

    images: dict[int, Image]
    category: int
    other_categories: frozenset[int]
    ids: NDArray[np.int64]
    image_ids: NDArray[np.int64]
    keypoints: Array
    boxes: Array
    areas: Array
    crowd: NDArray[np.bool_]

    def take(self, image_ids: Collection[int]) -> Annotations:
        """Some of the images, and the persons in them."""
        rows = np.isin(self.image_ids, list(image_ids))
        names = ("ids", "image_ids", "keypoints", "boxes", "areas", "crowd")
        images = {key: image for key, image in self.images.items() if key in image_ids}
        return replace(self, images=images, **{name: getattr(self, name)[rows] for name in names})

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """Which joints have a place, bool (N, 17)."""
        return np.asarray(self.keypoints[:, :, 2] > 0)


@dataclass(frozen=True, eq=False)
class Results:
    """M persons that somebody found.

    Attributes
    ----------
    image_ids : int64 (M,)
        In the order of the file, which decides between equal scores.
    keypoints : float64 (M, 17, 2)
        x, y in pixels; whether a joint is visible is not judged.
    scores : float64 (M,)
        Higher is surer.
    """

    image_ids: NDArray[np.int64]
    keypoints: Array
    scores: Array


@dataclass(frozen=True, eq=False)
class Boxes:
    """M boxes that may hold a person.

    Attributes
    ----------
    image_ids : int64 (M,)
    boxes : float64 (M, 4)
        x, y of the upper left corner, width and height in pixels.
    scores : float64 (M,)
        How sure it is that there is a person.
    """

    image_ids: NDArray[np.int64]
    boxes: Array
    scores: Array


def unlabelled(images: dict[int, Image]) -> Annotations:
    """Images of which nothing is known; the category of a person is 1, as in COCO's files."""
    none = np.zeros(0, np.int64)
    shapes = np.zeros((0, 17, 3)), np.zeros((0, 4)), np.zeros(0), np.zeros(0, bool)
    return Annotations(images, 1, frozenset(), none, none, *shapes)


def result_records(
    truth: Annotations, image_ids: Sequence[int], keypoints: Array, scores: Array
) -> list[Any]:
    """What a results file holds, one record a person, ready for `json.dump`.

    Parameters
    ----------
    truth : Annotations
        Says which category is the person.
    image_ids : whole numbers (M,)
    keypoints : array (M, 17, 3)
        x, y in pixels and the joint's score.
    scores : array (M,)
    """
    return [
        {
            "image_id": int(image),
            "category_id": truth.category,
            "keypoints": [float(v) for v in points.ravel()],
            "score": float(score),
        }
        for image, points, score in zip(image_ids, keypoints, scores, strict=True)
    ]
