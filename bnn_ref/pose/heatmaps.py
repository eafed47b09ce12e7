"""One map a joint: what a network learns, and how joints are read from what it says.

Maps are (N, H, W, 17), points (x, y) in pixels of the map or, four times as fine, of the network's input.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

from bnn_ref.checks import require, require_positive
from bnn_ref.parameter import Array
from bnn_ref.pose.joints import COUNT, FLIP, JOINTS

STRIDE = 4
"""Pixels of the input for one of the map: input (4i, 4j) lies on map (i, j), with no half pixel between."""

TINY = 1e-9
"""Less is no height, and no bend."""

HARD = {"elbow": 1.2, "knee": 1.2, "wrist": 1.5, "ankle": 1.5}
HARD_JOINTS = np.array([HARD.get(name.split("_")[-1], 1.0) for name in JOINTS])
"""Weights (17,) that HRNet's released code offers, and leaves off. Source: hrnet2019 (released code)."""


def targets(
    joints: Array, weights: Array, size: tuple[int, int], sigma: float = 2.0, exact: bool = False
) -> tuple[Array, Array]:
    """A Gaussian for each joint.

    The centre is trunc(joint / 4 + 1/2), the peak 1, and beyond 3 sigma in x or y the map is 0. A joint whose
    square of 3 sigma misses the map gets the weight 0; so should one that is not labelled.

    Parameters
    ----------
    joints : array (N, 17, 2)
        In pixels of the input.
    weights : array (N, 17)
        1 for a labelled joint, 0 for the others (or times `HARD_JOINTS`).
    size : tuple of int (W, H)
        Of the map.
    sigma : float
        In pixels of the map: 2 for inputs of 192 x 256, 3 for 288 x 384.
    exact : bool
        Ours: the centre stays where the joint is, joint / 4. Small maps then say more, to `decode` and above
        all to `decode(maps, exact=True)`.

    Returns
    -------
    maps : float32 (N, H, W, 17)
    weights : float32 (N, 17)

    Source: simplebaseline2018 (released code).
    """
    require(joints.shape[1:] == (COUNT, 2), "joints", f"(N, {COUNT}, 2)", joints.shape)
    require(weights.shape == joints.shape[:2], "weights", f"{joints.shape[:2]}", weights.shape)
    require_positive("sigma", sigma)
    centres = joints / STRIDE if exact else np.trunc(joints / STRIDE + 0.5)
    lines = []
    for axis, length in enumerate(size):
        away = np.arange(length)[:, None] - centres[:, None, :, axis]
        near = np.abs(away) <= 3 * sigma
        lines.append(np.where(near, np.exp(-(np.where(near, away, 0) ** 2) / (2 * sigma**2)), 0))
    hit = lines[0].any(axis=1) & lines[1].any(axis=1) & (weights > 0)
    maps = lines[1][:, :, None] * lines[0][:, None] * hit[:, None, None]
    return maps.astype(np.float32), (weights * hit).astype(np.float32)


def peaks(maps: Array) -> tuple[Array, Array]:
    """Where each map is largest, the first of equals in reading order, and how large; (0, 0) if not above 0.

    Returns
    -------
    points : float64 (N, 17, 2)
        In pixels of the map.
    scores : (N, 17)
    """
    n, _, width, count = maps.shape
    flat = maps.reshape(n, -1, count)
    best = flat.argmax(axis=1)
    scores = np.take_along_axis(flat, best[:, None], axis=1)[:, 0]
    points = np.stack([best % width, best // width], axis=-1).astype(float)
    return points * (scores > 0)[..., None], scores


def decode(maps: Array, exact: bool = False) -> tuple[Array, Array]:
    """`peaks`, each moved a quarter of a pixel in x and y towards the higher neighbour.

    Peaks on the two outermost columns or rows stay where they are, and so do those with equal neighbours.
    With `exact` (ours) they move to the top of a Gaussian, by half a pixel at most: on each axis, of the
    parabola through the logarithms at the peak and beside it, in the map smoothed by a Gaussian of one pixel.

    Source: simplebaseline2018 (released code); `exact` after the idea of dark2020.
    """
    points, scores = peaks(maps)
    height, width = maps.shape[1:3]
    x, y = points.astype(int)[..., 0], points.astype(int)[..., 1]
    n, j = np.nonzero((x > 1) & (x < width - 1) & (y > 1) & (y < height - 1))
    x, y = x[n, j], y[n, j]
    seen = np.log(np.maximum(gaussian_filter(maps, (0, 1, 1, 0), mode="constant"), TINY)) if exact else maps
    for axis, (left, right) in enumerate(
        ((seen[n, y, x - 1, j], seen[n, y, x + 1, j]), (seen[n, y - 1, x, j], seen[n, y + 1, x, j]))
    ):
        points[n, j, axis] += _top(left, seen[n, y, x, j], right) if exact else 0.25 * np.sign(right - left)
    return points, scores


def _top(left: Array, middle: Array, right: Array) -> Array:
    """Where the parabola through three values one apart is highest, from the middle one; at most 1/2."""
    bend = 2 * middle - left - right
    return np.asarray(np.clip((right - left) / (2 * np.maximum(bend, TINY)), -0.5, 0.5))


def flipped_back(maps: Array, shift: bool = True) -> Array:
    """Maps of a mirrored image as maps of the image: mirrored, sides exchanged, one pixel to the right.

    Without the shift a peak at input u comes back at u/4 - 3/4, for x' = W - 1 - x mirrors pixels and not
    edges; with it at u/4 + 1/4. Column 0 keeps its value.

    Source: simplebaseline2018 (released code); the two numbers are ours.
    """
    back = maps[:, :, ::-1, FLIP].copy()
    if shift:
        back[:, :, 1:] = back[:, :, :-1].copy()
    return np.asarray(back)


def flip_test(network: Callable[[Array], Array], x: Array) -> Array:
    """The mean of the maps of `x` (N, H, W, C) and of its mirror image's, brought back."""
    return np.asarray((network(x) + flipped_back(network(x[:, :, ::-1]))) / 2)


def person_scores(boxes: Array, joints: Array, threshold: float = 0.2) -> Array:
    """Box score (N,) times the mean of the joint scores (N, 17) above `threshold`; 0 where none is.

    Source: simplebaseline2018 (released code).
    """
    counted = joints > threshold
    sums = np.where(counted, joints, 0).sum(axis=1, dtype=float)
    return np.asarray(boxes * sums / np.maximum(counted.sum(axis=1), 1))


def accuracy(maps: Array, wanted: Array, threshold: float = 0.5) -> float:
    """The part of joints whose peak is near enough to the wanted one, joint by joint, then their mean.

    Distances in x are divided by H / 10 and in y by W / 10, as the released code has it. Joints wanted in
    one of the first two columns or rows are not counted; NaN where none is.

    Source: simplebaseline2018 (released code).
    """
    (found, _), (true, _) = peaks(maps), peaks(wanted)
    counted = (true > 1).all(axis=-1)
    apart = (found - true) / (np.array(maps.shape[1:3]) / 10)
    near = np.hypot(apart[..., 0], apart[..., 1]) < threshold
    some = counted.any(axis=0)
    if not some.any():
        return float("nan")
    return float(np.mean((near & counted).sum(axis=0)[some] / counted.sum(axis=0)[some]))
