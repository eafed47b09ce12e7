"""What a trained model answers: eval mode, a chunk of images at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bnn_ref.data import Preprocessing
from bnn_ref.layers import Layer

BATCH = 256


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Share of right answers, and the answers: class indices, int64 (N,)."""

    accuracy: float
    predictions: NDArray[np.int64]


@contextmanager
def evaluating(model: Layer) -> Iterator[Layer]:
    """Inside the block the model is in eval mode; afterwards every layer is in the mode that it came in."""
    modes = [(layer, layer.training) for _, layer in model.layers()]
    model.eval()
    try:
        yield model
    finally:
        for layer, mode in modes:
            layer.training = mode


def predict_classes(
    model: Layer, images: NDArray[np.uint8], preprocessing: Preprocessing, batch: int = BATCH
) -> NDArray[np.int64]:
    """The class of the highest score (the first of equal ones) for every image, in eval mode.

    Parameters
    ----------
    model : Layer
        From preprocessed images (N, H, W, C) to scores (N, classes).
    images : uint8 (N, H, W, C)
        Stored pixels.
    preprocessing : Preprocessing
        The one that the model was trained with.
    batch : int
        Images at a time: bounds the memory. Scores may differ in their last bits from batch to batch.

    Returns
    -------
    int64 (N,)

    Raises
    ------
    ValueError
        For images that the preprocessing refuses, or a batch below 1.
    """
    if batch < 1:
        raise ValueError(f"batch: required at least 1 image, got {batch}")
    with evaluating(model):
        parts = [
            model(preprocessing(images[start : start + batch])).argmax(axis=1)
            for start in range(0, len(images), batch)
        ]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def evaluate(
    model: Layer,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    preprocessing: Preprocessing,
    batch: int = BATCH,
) -> Evaluation:
    """Answers and the share of right ones; arguments as `predict_classes`, with labels int64 (N,), N > 0.

    Raises
    ------
    ValueError
        As `predict_classes`; also for labels that are not one an image.
    """
    if not len(images) or labels.shape != (len(images),):
        wanted = f"one an image, of {len(images)} > 0 images"
        raise ValueError(f"labels: required {wanted}, got shape {labels.shape}")
    predictions = predict_classes(model, images, preprocessing, batch)
    return Evaluation(float((predictions == labels).mean()), predictions)
