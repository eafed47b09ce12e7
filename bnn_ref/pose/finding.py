"""From boxes to poses: crops, heat maps, joints, scores, and doubles dropped. Any network will do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnn_ref.checks import require, require_whole
from bnn_ref.data import Preprocessing
from bnn_ref.parameter import Array
from bnn_ref.pose.annotations import Annotations, Boxes, Results
from bnn_ref.pose.crop import Crop, inverse, trainable, transform, warp
from bnn_ref.pose.heatmaps import STRIDE, decode, flip_test, person_scores
from bnn_ref.pose.images import Pictures
from bnn_ref.pose.joints import COUNT
from bnn_ref.pose.oks import oks_nms

BATCH = 64


@dataclass(frozen=True, eq=False)
class Found:
    """M poses.

    Attributes
    ----------
    image_ids : int64 (M,)
    keypoints : float64 (M, 17, 3)
        x, y in pixels of the image, and the joint's score: the height of its peak.
    scores : float64 (M,)
    """

    image_ids: NDArray[np.int64]
    keypoints: Array
    scores: Array

    @property
    def results(self) -> Results:
        """As COCO's evaluation takes them."""
        return Results(self.image_ids, self.keypoints[:, :, :2], self.scores)


def map_size(size: tuple[int, int]) -> tuple[int, int]:
    """(W, H) of the maps for an input of `size` (W, H); ValueError unless both are multiples of 4."""
    require(min(size) > 0 and not any(side % STRIDE for side in size), "size", "multiples of 4", size)
    return size[0] // STRIDE, size[1] // STRIDE


def true_boxes(truth: Annotations) -> Boxes:
    """The boxes of the annotated persons that one can learn from (`trainable`), all with the score 1."""
    rows, boxes = trainable(truth)
    return Boxes(truth.image_ids[rows], boxes, np.ones(len(rows)))


def whole_images(truth: Annotations) -> Boxes:
    """One person an image, who fills it."""
    corners = [[0, 0, image.width - 1, image.height - 1] for image in truth.images.values()]
    boxes = np.array(corners, float).reshape(-1, 4)
    return Boxes(np.array(list(truth.images), np.int64), boxes, np.ones(len(boxes)))


def find(
    network: Callable[[Array], Array],
    candidates: Boxes,
    pictures: Pictures,
    preprocessing: Preprocessing,
    *,
    flip: bool = True,
    exact: bool = False,
    batch: int = BATCH,
) -> Found:
    """The pose in every box, doubles within an image dropped (`oks_nms` by the areas of the crops).

    Parameters
    ----------
    network : callable
        From preprocessed crops (N, H, W, 3) to maps (N, H / 4, W / 4, 17): a model in eval mode or packed.
    candidates : Boxes
        With a width or a height above 0.
    pictures : callable
        Pixels by image id.
    preprocessing : Preprocessing
        The one that the network was trained with; its shape is the size of the crops.
    flip : bool
        Average with the maps of the mirrored crop (`flip_test`).
    exact : bool
        How peaks are read, as in `decode`: what the `View` of training said.
    batch : int
        Crops at a time.

    Returns
    -------
    Found
        In the order of the candidates.

    Raises
    ------
    ValueError
        If the network's answer is no such maps, an image cannot be read, or an argument is wrong.
    """
    require_whole("batch", batch, 1)
    height, width, _ = preprocessing.shape
    crops = [Crop.around(box, width / height) for box in candidates.boxes]
    parts = [np.zeros((0, COUNT, 3))]
    for start in range(0, len(crops), batch):
        keys = candidates.image_ids[start : start + batch].tolist()
        pixels = cut(pictures, keys, crops[start : start + batch], (width, height))
        maps = _maps(network, preprocessing(pixels), flip)
        parts.append(_located(decode(maps, exact), crops[start : start + batch], (width, height)))
    joints = np.concatenate(parts)
    scores = person_scores(candidates.scores, joints[:, :, 2])
    kept = _distinct(candidates.image_ids, joints, scores, np.array([crop.area for crop in crops]))
    return Found(candidates.image_ids[kept], joints[kept], scores[kept])


def cut(
    pictures: Pictures, image_ids: list[int], crops: list[Crop], size: tuple[int, int]
) -> NDArray[np.uint8]:
    """The crops of images as uint8 (N, H, W, 3)."""
    return np.stack([warp(pictures(key), crop.matrix(size), size) for key, crop in zip(image_ids, crops)])


def _maps(network: Callable[[Array], Array], x: Array, flip: bool) -> Array:
    """The network's maps of preprocessed crops, checked."""
    wanted = (len(x), *map_size((x.shape[2], x.shape[1]))[::-1], COUNT)

    def checked(inputs: Array) -> Array:
        maps = network(inputs)
        require(maps.shape == wanted, "network", f"one that answers with maps {wanted}", maps.shape)
        return maps

    return flip_test(checked, x) if flip else checked(x)


def _located(decoded: tuple[Array, Array], crops: list[Crop], size: tuple[int, int]) -> Array:
    """Joints in pixels of the image, with their scores: (N, 17, 3)."""
    points, scores = decoded
    back = (inverse(crop.matrix(map_size(size))) for crop in crops)
    places = [transform(matrix, joints) for matrix, joints in zip(back, points)]
    return np.concatenate([np.array(places).reshape(-1, COUNT, 2), scores[:, :, None]], axis=2)


def _distinct(image_ids: NDArray[np.int64], joints: Array, scores: Array, areas: Array) -> NDArray[np.int64]:
    """Rows that stay when each image's doubles are dropped, in their order."""
    kept = [np.zeros(0, np.int64)]
    for key in np.unique(image_ids):
        (rows,) = np.nonzero(image_ids == key)
        kept.append(rows[oks_nms(joints[rows, :, :2], scores[rows], areas[rows])])
    return np.sort(np.concatenate(kept))
