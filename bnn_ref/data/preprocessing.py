"""From stored pixels to what a network sees: the constants travel with the model, so they are an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import isfinite, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_ref.data.dataset import Dataset


@dataclass(frozen=True)
class Preprocessing:
    """Standardization of the pixels, (images / peak - mean) / std in float32 and in that order.

    Parameters
    ----------
    peak : int
        The pixel value that becomes 1.
    mean, std : tuple of float (C,)
        Of each channel, in units of `peak`; std is positive.
    shape : tuple of int (H, W, C)
        The only image size that is accepted.

    Raises
    ------
    ValueError
        If a constant is not as stated above.

    Notes
    -----
    Source: ours (the usual convention, constants in float32).
    """

    peak: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    shape: tuple[int, int, int]

    def __post_init__(self) -> None:
        if not 1 <= self.peak <= 255:
            raise ValueError(f"peak: required 1 to 255, got {self.peak}")
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise ValueError(f"shape: required three positive numbers (H, W, C), got {self.shape}")
        channels = self.shape[2]
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != channels or not all(map(isfinite, values)):
                raise ValueError(f"{name}: required {channels} finite numbers, one a channel, got {values}")
        if min(self.std) <= 0:
            raise ValueError(f"std: required positive numbers (is a channel constant?), got {self.std}")

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the standardized images.

        Parameters
        ----------
        images : uint8 (N, H, W, C)
            Pixels, 0 to `peak`.

        Returns
        -------
        float32 (N, H, W, C)

        Raises
        ------
        ValueError
            For another dtype (floats do not say whether 1 or `peak` is white), shape or range.
        """
        if images.dtype != np.uint8:
            raise ValueError(f"images: required uint8 pixels of 0 to {self.peak}, got {images.dtype}")
        if images.ndim != 4 or images.shape[1:] != self.shape:
            wanted = ", ".join(map(str, self.shape))
            raise ValueError(f"images: required shape (N, {wanted}), got {images.shape}")
        if images.size and images.max() > self.peak:
            raise ValueError(f"images: required pixels of 0 to {self.peak}, got {images.max()}")
        scaled: NDArray[np.float32] = np.divide(images, self.peak, dtype=np.float32)
        scaled -= np.asarray(self.mean, np.float32)
        scaled /= np.asarray(self.std, np.float32)
        return scaled

    @classmethod
    def fit(cls, dataset: Dataset) -> Preprocessing:
        """Return the constants that give the training pixels mean 0 and standard deviation 1, per channel.

        Raises
        ------
        ValueError
            If a channel is constant.
        """
        images, peak = dataset.train_images, dataset.peak
        count = images.size // images.shape[-1]
        # Sums of integers are exact: the constants are the same whatever order a machine adds in.
        total = [int(t) for t in np.einsum("nhwc->c", images, dtype=np.int64)]
        square = [int(q) for q in np.einsum("nhwc,nhwc->c", images, images, dtype=np.int64)]
        mean = tuple(t / (count * peak) for t in total)
        std = tuple(sqrt(count * q - t * t) / (count * peak) for t, q in zip(total, square, strict=True))
        return cls(peak, mean, std, dataset.shape)

    def to_dict(self) -> dict[str, Any]:
        """Return the constants under their names, as JSON writes them."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, constants: Mapping[str, Any]) -> Preprocessing:
        """Return the preprocessing that `to_dict` wrote.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or a constant is not one.
        """
        required = [field.name for field in fields(cls)]
        if sorted(constants) != sorted(required):
            raise ValueError(f"constants: required the keys {required}, got {sorted(constants)}")
        try:
            mean, std = (tuple(float(v) for v in constants[key]) for key in ("mean", "std"))
            height, width, channels = (int(v) for v in constants["shape"])
            return cls(int(constants["peak"]), mean, std, (height, width, channels))
        except TypeError as error:
            raise ValueError(f"constants: required numbers and lists of numbers, got {constants}") from error
