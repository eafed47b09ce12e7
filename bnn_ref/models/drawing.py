"""How the first weights are drawn, where a paper's code says something of its own."""

from __future__ import annotations

from math import prod

import numpy as np

from bnn_ref.checks import require
from bnn_ref.layers import Layer, Product
from bnn_ref.parameter import Array

INITS = ("glorot", "released")


def redraw(model: Layer, init: str, rng: np.random.Generator) -> None:
    """Draw the weights of `model` as `init` says.

    Parameters
    ----------
    model : Layer
        Its convolutions and linear layers have their weights already, Glorot uniform.
    init : str
        "glorot" leaves them. "released" is what Bi-Real Net's PyTorch release does: a weight behind a binary
        activation is uniform on [0, 1e-3), so that every binary filter starts as +1 everywhere; any other
        weight, and bias, is uniform on (-b, b) with b = 1 / sqrt(fan in), torch's own choice.
    rng : numpy.random.Generator

    Raises
    ------
    ValueError
        For another `init`.

    Source: bireal2018 (PyTorch release).
    """
    require(init in INITS, "init", f"one of {', '.join(INITS)}", init)
    if init == "glorot":
        return
    for _, layer in model.layers():
        if isinstance(layer, Product):
            shape = layer.latent.value.shape
            bound = 1 / np.sqrt(prod(shape[:-1]))
            low, high = (-bound, bound) if layer.activation is None else (0, 1e-3)
            layer.latent.value = _uniform(rng, low, high, shape)
            if layer.bias is not None:
                layer.bias.value = _uniform(rng, -bound, bound, layer.bias.value.shape)


def _uniform(rng: np.random.Generator, low: float, high: float, shape: tuple[int, ...]) -> Array:
    return rng.uniform(low, high, shape).astype(np.float32)
