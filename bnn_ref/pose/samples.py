"""What a pose network learns from: crops of annotated persons with the heat maps of their joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bnn_ref.parameter import Array
from bnn_ref.pose.annotations import Annotations
from bnn_ref.pose.augmentation import HRNET, SIMPLE_BASELINE, SLIGHT, Augmentation, mirrored
from bnn_ref.pose.crop import Crop, trainable, transform, warp
from bnn_ref.pose.finding import map_size
from bnn_ref.pose.heatmaps import targets
from bnn_ref.pose.images import Pictures

AUGMENTATIONS: dict[str, Augmentation] = {
    "none": Augmentation(),
    "simple-baseline": SIMPLE_BASELINE,
    "hrnet": HRNET,
    "slight": SLIGHT,
}


@dataclass(frozen=True)
class View:
    """How persons are shown to a network, and what it is to answer.

    Parameters
    ----------
    size : tuple of int (W, H)
        Of the network's input in pixels, multiples of 4.
    sigma : float
        Deviation of the Gaussians, in pixels of the maps.
    augmentation : Augmentation
        How crops vary in training.
    exact : bool
        Ours: whether Gaussians stand where the joints are, not on whole pixels, and joints are read where
        Gaussians stand (`targets`, `decode`).

    Raises
    ------
    ValueError
        For a size that is none.
    """

    size: tuple[int, int]
    sigma: float = 2.0
    augmentation: Augmentation = field(default_factory=Augmentation)
    exact: bool = False

    def __post_init__(self) -> None:
        map_size(self.size)


@dataclass(frozen=True, eq=False)
class Persons:
    """The persons of annotated images that one can learn from (`trainable`).

    Parameters
    ----------
    truth : Annotations
    pictures : callable
        Pixels by image id.
    """

    truth: Annotations
    pictures: Pictures
    rows: NDArray[np.int64] = field(init=False)
    boxes: Array = field(init=False)

    def __post_init__(self) -> None:
        rows, boxes = trainable(self.truth)
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "boxes", boxes)

    def __len__(self) -> int:
        return len(self.rows)

    def sample(
        self, chosen: Sequence[int] | NDArray[np.int64], view: View, rng: np.random.Generator | None = None
    ) -> tuple[NDArray[np.uint8], Array, Array]:
        """Crops of some persons and what is to be answered.

        Parameters
        ----------
        chosen : whole numbers
            Which of the persons, 0 to `len(self)` - 1.
        view : View
        rng : numpy.random.Generator, optional
            Draws the augmentation; without it the crops are plain.

        Returns
        -------
        pixels : uint8 (N, H, W, 3)
        maps : float32 (N, H / 4, W / 4, 17)
        weights : float32 (N, 17)
            1 for a joint that is labelled and inside, else 0.
        """
        shown = [self._shown(int(i), view, rng) for i in chosen]
        pixels, joints, labelled = (np.array(part) for part in zip(*shown, strict=True))
        return (pixels, *targets(joints, labelled, map_size(view.size), view.sigma, view.exact))

    def _shown(
        self, i: int, view: View, rng: np.random.Generator | None
    ) -> tuple[NDArray[np.uint8], Array, Array]:
        """Crop (H, W, 3), joints (17, 2) in its pixels and whether they are labelled (17,), of one person."""
        row, aspect = self.rows[i], view.size[0] / view.size[1]
        image, keypoints = self.pictures(int(self.truth.image_ids[row])), self.truth.keypoints[row]
        crop = Crop.around(self.boxes[i], aspect)
        if rng is not None:
            crop, mirror = view.augmentation.draw(crop, keypoints, aspect, rng)
            if mirror:
                image, keypoints, crop = mirrored(image, keypoints, crop)
        matrix = crop.matrix(view.size)
        labelled = (keypoints[:, 2] > 0).astype(float)
        return warp(image, matrix, view.size), transform(matrix, keypoints[:, :2]), labelled
