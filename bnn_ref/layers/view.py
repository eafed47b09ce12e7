"""The binarized view of a model: latent weights hidden, for as long as a `with` block lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bnn_ref.layers.base import Layer
from bnn_ref.layers.product import Product


@contextmanager
def binarized(model: Layer) -> Iterator[Layer]:
    """Inside the block, `state_dict` and parameters hold the deployed weights (signs times scale)."""
    binary = [layer for _, layer in model.layers() if isinstance(layer, Product) and layer.weight is not None]
    hidden = {id(layer.latent): (layer.latent, layer.latent.value) for layer in binary}
    shown = {}
    for layer in binary:
        weight, scale = layer.deployed_weight()
        shown[id(layer.latent)] = weight if scale is None else weight * scale
    for key, (parameter, _) in hidden.items():
        parameter.value = shown[key]
    try:
        yield model
    finally:
        for parameter, latent in hidden.values():
            parameter.value = latent
