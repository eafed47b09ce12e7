"""What a layer calls, in which order, on what: read from the network as it writes itself down."""

from __future__ import annotations

from typing import Any

from bnn_ref import models
from bnn_ref.autodiff import Symbol, steps
from bnn_ref.layers import Layer

POSE = [name for name in models.names() if "joints" in models.options(name)]
"""The networks that answer with maps."""


def shallow(name: str) -> dict[str, Any]:
    """Options of a pose network that leave as few layers as can be chosen."""
    few: dict[str, Any] = {"modules": (1,), "depth": 1, "first": 4, "blocks": (1, 1, 1, 1)}
    return {key: value for key, value in few.items() if key in models.options(name)}


def feeds(layer: Layer) -> dict[int, list[Any]]:
    """By id of each layer that is called: the layers whose outputs it takes."""
    return {id(s.layer): [x.layer for x in s.inputs] for s in steps(layer(Symbol()))[1:]}


def kinds(layer: Layer, *more: Any) -> list[str]:
    """The types of the layers in the order of their calls."""
    return [type(symbol.layer).__name__ for symbol in steps(layer(Symbol(), *more))[1:]]
