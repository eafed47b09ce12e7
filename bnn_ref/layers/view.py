"""Views of a model: its binarized weights for as long as a `with` block lasts, and what eval mode reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bnn_ref.binarizer import Map
from bnn_ref.layers.base import Layer
from bnn_ref.layers.product import Product
from bnn_ref.parameter import Array, Parameter


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


def read_in_eval(layer: Layer) -> Iterator[Parameter]:
    """Every parameter that eval mode of `layer` reads: maps give those of their deployed form."""
    for _, part in layer.layers():
        for held in vars(part).values():
            if isinstance(held, Parameter):
                yield held
            elif isinstance(held, Map):
                yield from held.deploy().parameters()


def deployed_state(model: Layer) -> dict[str, Array]:
    """The part of `state_dict` that eval mode reads: not what only training has, such as a noise module."""
    read = {id(parameter) for parameter in read_in_eval(model)}
    unread = {name for name, parameter in model.named_parameters().items() if id(parameter) not in read}
    return {name: value for name, value in model.state_dict().items() if name not in unread}
