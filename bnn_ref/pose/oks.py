"""How alike two poses are: object keypoint similarity, and the suppression of doubles that goes by it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bnn_ref.checks import require
from bnn_ref.parameter import Array
from bnn_ref.pose.joints import COUNT, SIGMAS

TINY = np.spacing(1)
VARIANCES = (2 * SIGMAS) ** 2


def oks(found: Array, keypoints: Array, boxes: Array, areas: Array) -> Array:
    """Object keypoint similarity of poses to true poses, in [0, 1].

    The mean over the labelled joints of exp(-d^2 / (2 (area + eps) k^2)), d the distance to the true joint,
    k = 2 sigma, eps the spacing of floats at 1. Where the truth has no labelled joint, the mean over all, d
    the distance to the box widened by its own width and height on every side.

    Parameters
    ----------
    found : array (..., 17, 2)
        x, y in pixels.
    keypoints : array (..., 17, 3)
        x, y and visibility of the truth. Leading axes are broadcast.
    boxes : array (..., 4)
        x, y, width, height of the truth.
    areas : array (...)
        In square pixels.

    Source: coco2014 (the public evaluation code, and its order of operations).
    """
    labelled = np.asarray(keypoints[..., 2] > 0)
    bare = np.asarray(~labelled.any(axis=-1, keepdims=True))
    apart = found - keypoints[..., :2]
    if bare.any():
        apart = np.where(bare[..., None], _outside(found, boxes), apart)
        labelled = labelled | bare
    squares = apart[..., 0] ** 2 + apart[..., 1] ** 2
    alike = np.exp(-(squares / VARIANCES / (areas + TINY)[..., None] / 2))
    return np.asarray((alike * labelled).sum(axis=-1) / labelled.sum(axis=-1))


def _outside(points: Array, boxes: Array) -> Array:
    """How far each point is outside of the widened box, along x and y: (..., 17, 2)."""
    corner, size = boxes[..., None, :2], boxes[..., None, 2:]
    low, high = corner - size, corner + 2 * size
    return np.asarray(np.maximum(0, low - points) + np.maximum(0, points - high))


def oks_nms(poses: Array, scores: Array, areas: Array, threshold: float = 0.9) -> NDArray[np.int64]:
    """Which poses stay when, from the best score down, every pose drops those that are too much like it.

    The similarity is over all joints, with the mean of both areas.

    Parameters
    ----------
    poses : array (N, 17, 2)
        Of one image, x, y in pixels.
    scores : array (N,)
        Equal ones: the first goes first.
    areas : array (N,)
        In square pixels; the parents of BBC's pose networks take that of the crop.
    threshold : float
        Poses with a higher similarity are dropped.

    Returns
    -------
    int64 (kept,)
        Indices, best score first.

    Source: simplebaseline2018 (released code, visibility filter off as there).
    """
    require(poses.ndim == 3 and poses.shape[1:] == (COUNT, 2), "poses", f"(N, {COUNT}, 2)", poses.shape)
    for name, given in (("scores", scores), ("areas", areas)):
        require(given.shape == (len(poses),), name, f"one a pose, ({len(poses)},)", given.shape)
    order, kept = np.argsort(-scores, kind="stable"), []
    marked = np.ones((len(poses), COUNT, 3))
    marked[:, :, :2] = poses
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        both = (areas[best] + areas[rest]) / 2
        order = rest[oks(poses[rest], marked[best], np.zeros(4), both) <= threshold]
    return np.array(kept, np.int64)
