"""A data set: images, labels and where they come from; and the batches drawn from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

I = TypeVar("I", bound=np.generic)
L = TypeVar("L", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images in a training and a test part, as stored: integers, no preprocessing.

    The arrays are read-only, so that one data set can serve many runs.

    Parameters
    ----------
    name : str
        The name that `bnn_ref.data.load` knows it by.
    train_images, test_images : uint8 (N, H, W, C)
        Pixels, 0 to `peak`. N differs between the parts, H, W and C do not.
    train_labels, test_labels : int64 (N,)
        Indices into `classes`.
    classes : tuple of str
        What each label stands for.
    source : str
        Who made it and under which licence, in one line.
    peak : int
        The largest pixel value the format allows, whether or not it occurs.

    Raises
    ------
    ValueError
        If a dtype, a shape, a pixel or a label is not as stated above.
    """

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    classes: tuple[str, ...]
    source: str
    peak: int = 255

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            _check_images(f"{part}_images", getattr(self, f"{part}_images"), self.peak)
            _check_labels(part, getattr(self, f"{part}_labels"), len(getattr(self, f"{part}_images")), self)
            for field in (f"{part}_images", f"{part}_labels"):
                view = getattr(self, field).view()  # a view: the caller's own array stays writable
                view.flags.writeable = False
                object.__setattr__(self, field, view)
        if self.test_images.shape[1:] != self.shape:
            raise ValueError(
                f"test_images: required images of {self.shape}, got {self.test_images.shape[1:]}"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels (H, W, C) of one image."""
        _, height, width, channels = self.train_images.shape
        return height, width, channels

    def take(self, train: int | None = None, test: int | None = None) -> Dataset:
        """Return the same data set with only the first images of each part.

        Parameters
        ----------
        train, test : int, optional
            How many images to keep, 1 to N; all by default.

        Raises
        ------
        ValueError
            If there are not that many.
        """
        for part, count, labels in (("train", train, self.train_labels), ("test", test, self.test_labels)):
            if count is not None and not 1 <= count <= len(labels):
                raise ValueError(f"{part}: required 1 to {len(labels)} images of {self.name}, got {count}")
        return replace(
            self,
            train_images=self.train_images[:train],
            train_labels=self.train_labels[:train],
            test_images=self.test_images[:test],
            test_labels=self.test_labels[:test],
        )


def batches(
    images: NDArray[I], labels: NDArray[L], size: int, rng: np.random.Generator | None = None
) -> Iterator[tuple[NDArray[I], NDArray[L]]]:
    """Yield every image and its label once, `size` at a time; the last batch may be shorter.

    Parameters
    ----------
    images, labels : arrays (N, ...)
        Stored or preprocessed images and what belongs to each of them.
    size : int
        Images in a batch, at least 1.
    rng : numpy.random.Generator, optional
        Shuffles the order, which is drawn when `batches` is called; without it the order is kept and the
        batches are views.

    Raises
    ------
    ValueError
        At the call, not at the first batch, if an argument is not as stated above.
    """
    if len(images) != len(labels):
        raise ValueError(f"labels: required one an image, {len(images)}, got {len(labels)}")
    if size < 1:
        raise ValueError(f"size: required at least 1 image a batch, got {size}")
    if rng is not None and not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng: required a numpy.random.Generator or None, got {rng!r}")
    order = None if rng is None else rng.permutation(len(images))

    def batch(start: int) -> tuple[NDArray[I], NDArray[L]]:
        span = slice(start, start + size)
        return (images[span], labels[span]) if order is None else (images[order[span]], labels[order[span]])

    return (batch(start) for start in range(0, len(images), size))


def _check_images(argument: str, images: NDArray[np.uint8], peak: int) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or images.size == 0:
        raise ValueError(f"{argument}: required uint8 (N, H, W, C), got {images.dtype} {images.shape}")
    if images.max() > peak:
        raise ValueError(f"{argument}: required pixels of 0 to {peak}, got {images.max()}")


def _check_labels(part: str, labels: NDArray[np.int64], count: int, dataset: Dataset) -> None:
    if labels.dtype != np.int64 or labels.shape != (count,):
        raise ValueError(f"{part}_labels: required int64 ({count},), got {labels.dtype} {labels.shape}")
    last = len(dataset.classes) - 1
    if labels.min() < 0 or labels.max() > last:
        raise ValueError(f"{part}_labels: required 0 to {last}, got {labels.min()} to {labels.max()}")
