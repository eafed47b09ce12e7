"""Binary weights without their scale: the batch norm behind absorbs it, exactly, or does not.

With z = conv(sign x, sign W) a batch norm computes gamma (alpha z - mu) / sqrt(v + eps) + beta = A z + B. The
same A and B come from z alone with mu / alpha in place of mu and (v + eps) / alpha^2 in place of v + eps.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from bnn_ref.autodiff import Symbol, steps
from bnn_ref.calculus import Scaled
from bnn_ref.checks import require
from bnn_ref.layers import (
    AvgPool2d,
    BatchNorm,
    BilinearUpsample,
    GlobalAvgPool,
    Layer,
    MaxPool2d,
    NearestUpsample,
    PReLU,
    Product,
    ReLU,
)
from bnn_ref.models.base import Model

Network = TypeVar("Network", bound=Layer)

FOLDED = "folded"
"""The scale of a network whose weight rule has one of its own that was taken out."""

HOMOGENEOUS = (AvgPool2d, BilinearUpsample, GlobalAvgPool, MaxPool2d, NearestUpsample, PReLU, ReLU)
"""Layers f with f(a x) = a f(x) for one a > 0 per channel: a scale may pass them."""


def fold_scale(model: Network) -> Network:
    """A copy of `model` whose binary weights have no scale, with the same outputs in eval mode.

    Parameters
    ----------
    model : Layer
        Trained. Every scaled product is called once, and a batch norm alone reads it, directly or through
        pooling, upsampling, ReLU, PReLU. The scale may stand beside the rule for weights or inside it, as in
        "bireal-weight-code". Where nothing has a scale the copy is equal.

    Returns
    -------
    Layer
        Equal in eval mode but for rounding (a sign whose argument rounding moves across 0 may turn). In
        training mode its values differ by the eps of the batch norms. `models.build` knows it by
        scale="none", or "folded" where the rule had the scale.

    Raises
    ------
    ValueError
        For a product whose scale nothing can absorb, or with a scale that is not above 0; names the layer.

    Source: ours. The paper retrains the batch norms for an epoch instead: `train.retrain_norms`.
    """
    folded = copy.deepcopy(model)
    for name, product, norm in _pairs(folded):
        _, scale = product.deployed_weight()
        if scale is None or not (scale > 0).all():
            raise ValueError(f"{name}: required a scale of one number > 0 a channel or for all, got {scale}")
        norm.absorb(scale)
        if product.bias is not None:
            product.bias.value = product.bias.value / scale
    return _bare(folded)


def drop_scale(model: Network) -> Network:
    """A copy of `model` whose binary weights are -1 and +1, and nothing else changed.

    The batch norms still expect the scaled outputs: its answers are wrong until `train.retrain_norms` has
    run. Source: bireal2018 (README of the released code, step two).
    """
    return _bare(copy.deepcopy(model))


def _bare(model: Network) -> Network:
    """`model` itself, its binary weights without their scale."""
    inside = False
    for _, layer in model.layers():
        if isinstance(layer, Product) and layer.scaled:
            inside = inside or not isinstance(layer.weight, Scaled)
            layer.unscale()
    if isinstance(model, Model) and hasattr(model, "spec"):
        scale = FOLDED if inside or model.spec.options["scale"] == FOLDED else "none"
        model.spec = replace(model.spec, options={**model.spec.options, "scale": scale})
    return model


def _pairs(model: Layer) -> Iterator[tuple[str, Product, BatchNorm]]:
    """Each scaled product with its name and the batch norm that reads it."""
    names = {id(layer): name for name, layer in model.layers()}
    symbols = steps(model(Symbol()))
    for symbol in symbols:
        product = symbol.layer
        if isinstance(product, Product) and product.scaled:
            norm = _reader(symbol, symbols, names)
            for layer in (product, norm):
                calls = sum(other.layer is layer for other in symbols)
                require(calls == 1, names[id(layer)], "a layer that is called once", f"{calls} calls")
            yield names[id(product)], product, norm


def _reader(symbol: Symbol, symbols: list[Symbol], names: dict[int, str]) -> BatchNorm:
    """The batch norm behind `symbol`, through layers that a scale may pass."""
    while True:
        readers = [other for other in symbols if symbol in other.inputs]
        kinds = [type(reader.layer) for reader in readers]
        fits = len(kinds) == 1 and kinds[0] in (BatchNorm, *HOMOGENEOUS)
        got = ", ".join(kind.__name__ for kind in kinds) or "nothing"
        require(fits, names[id(symbol.layer)], "a batch norm alone behind it, to absorb its scale", got)
        symbol = readers[0]
        if isinstance(symbol.layer, BatchNorm):
            return symbol.layer
