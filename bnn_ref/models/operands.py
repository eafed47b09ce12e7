"""How a model's binary layers treat their operands: one choice for the whole network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bnn_ref.binarizer import Map
from bnn_ref.layers import Conv2d, ConvTranspose2d, Linear


@dataclass(frozen=True)
class Operands:
    """The binarizers of activations and weights, the scale of binary weights, the generator that draws them.

    `activation` is a clip or its like in a full-precision twin: without any nonlinearity between its
    convolutions a network without signs would be linear. None, real activations as they come, is for
    networks that have nonlinearities of their own (`Model.nonlinear`).

    What one map has for a whole network (`Map.shared`) is drawn here, before any layer.
    """

    activation: Map | None
    weight: Map | None
    scale: Map | None
    rng: np.random.Generator

    def __post_init__(self) -> None:
        seen: dict[int, Map] = {}
        for name in ("activation", "weight", "scale"):
            held = getattr(self, name)
            if held is not None:
                object.__setattr__(self, name, held.pooled(self.rng, seen))

    @property
    def conv(self) -> Callable[..., Conv2d]:
        """A binary convolution: call with (C, F, K, stride=, padding=, dilation=)."""
        return partial(
            Conv2d, rng=self.rng, activation=self.activation, weight=self.weight, scale=self._scale
        )

    @property
    def transposed(self) -> Callable[..., ConvTranspose2d]:
        """A binary transposed convolution: call with (C, F, K, stride=, padding=)."""
        return partial(
            ConvTranspose2d, rng=self.rng, activation=self.activation, weight=self.weight, scale=self._scale
        )

    @property
    def linear(self) -> Callable[..., Linear]:
        """A binary linear layer without bias: call with (C, F)."""
        return partial(
            Linear,
            rng=self.rng,
            bias=False,
            activation=self.activation,
            weight=self.weight,
            scale=self._scale,
        )

    @property
    def weights_only(self) -> dict[str, Any]:
        """What a layer is given whose weight is as in the binary layers, and whose input stays real."""
        return {"weight": self.weight, "scale": self._scale}

    @property
    def _scale(self) -> Map | None:
        return None if self.weight is None else self.scale
