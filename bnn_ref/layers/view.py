"""The binarized view of a model: latent weights hidden, for as long as a `with` block lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bnn_ref.layers.base import Layer
from bnn_ref.layers.product import Product


@contextmanager
def binarized(model: Layer) -> Iterator[Layer]:
    """Inside the block, `state_dict` and parameters hold the deployed weights (signs times scale)."""
    hidden = []
    for _, layer in model.layers():
        if isinstance(layer, Product) and layer.weight is not None:
            hidden.append((layer.latent, layer.latent.value))
            weight, scale = layer.deployed_weight()
            layer.latent.value = weight if scale is None else weight * scale
    try:
        yield model
    finally:
        for parameter, latent in hidden:
            parameter.value = latent
