"""What deployment changes: how far its weights are from those of training, and what batch norm then sees."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bnn_ref.data import Preprocessing, batches
from bnn_ref.layers import BatchNorm, Layer, Product
from bnn_ref.parameter import Array
from bnn_ref.train.evaluation import BATCH, evaluating


def quantization_gap(model: Layer) -> dict[str, list[float]]:
    """abs(F(w*) - P_Q(w*)), training's weights less the deployed ones: [largest, mean] a layer.

    Parameters
    ----------
    model : Layer
        Annealed to where it is trained; in any mode.

    Returns
    -------
    dict
        Under the dotted name of each layer whose gap is not zero.

    Source: ours.
    """
    found: dict[str, list[float]] = {}
    for name, layer in model.layers():
        if isinstance(layer, Product) and layer.weight is not None:
            latent = layer.latent.value
            gap = np.abs(layer.weight(latent) - layer.weight.deploy()(latent))
            if gap.any():
                found[name] = [float(gap.max()), float(gap.mean(dtype=np.float64))]
    return found


def reestimate_norms(
    model: Layer, images: NDArray[np.uint8], preprocessing: Preprocessing, batch: int = BATCH
) -> None:
    """Measure the running statistics of every batch norm anew, behind deployed maps; nothing is trained.

    Each becomes the mean over all batches, weighed by their sizes. A last batch of one image is left out.

    Parameters
    ----------
    model : Layer
        In place; its mode stays as it is.
    images : uint8 (N, H, W, C)
        Training images, N at least 2.
    preprocessing : Preprocessing
        The one that the model was trained with.
    batch : int
        Images at a time, at least 2.

    Raises
    ------
    ValueError
        For fewer than 2 images or a batch of fewer.

    Source: ours (statistics over one pass, as usual after a change of weights).
    """
    for name, count in (("images", len(images)), ("batch", batch)):
        if count < 2:
            raise ValueError(f"{name}: required at least 2 (batch norm needs a variance), got {count}")
    parts = batches(images, np.arange(len(images)), batch)
    measure_norms(model, (preprocessing(part) for part, _ in parts))


def measure_norms(model: Layer, inputs: Iterable[Array]) -> None:
    """`reestimate_norms` from batches of what the network is fed, (N, H, W, C)."""
    norms = [layer for _, layer in model.layers() if isinstance(layer, BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    seen = 0
    try:
        for x in inputs:
            if len(x) > 1:
                seen += len(x)
                _measure(model, norms, x, len(x) / seen)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def _measure(model: Layer, norms: list[BatchNorm], x: Array, momentum: float) -> None:
    """One forward pass: eval mode everywhere but in the batch norms, which move by `momentum`."""
    with evaluating(model):
        for norm in norms:
            norm.training, norm.momentum = True, momentum
        model(x)
