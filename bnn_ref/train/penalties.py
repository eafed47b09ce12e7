"""The penalties of a model's latent weights: one a weight, each with its learned scale."""

from __future__ import annotations

import numpy as np

from bnn_ref.layers import LatentPenalty, Layer
from bnn_ref.parameter import Parameter
from bnn_ref.train.config import PENALTIES, Config


class Penalties(Layer):
    """What `config.penalty` adds to the loss for every latent weight of `model`; nothing for "none".

    Its parameters are the scales alpha, at first the mean size of their weight.
    """

    def __init__(self, model: Layer, config: Config) -> None:
        self.weights: dict[str, Parameter] = {}
        self.terms: dict[str, LatentPenalty] = {}
        if config.penalty != "none":
            self.weights = {name: p for name, p in model.named_parameters().items() if p.latent}
            make, strength = PENALTIES[config.penalty], config.penalty_strength
            for name, weight in self.weights.items():
                self.terms[name] = make(strength, float(np.abs(weight.value).mean()))

    def add_gradients(self) -> float:
        """Add every term's gradient to that of its weight and of its scale; the sum of the terms' values."""
        total = 0.0
        for name, term in self.terms.items():
            value, cache = term.forward(self.weights[name].value)
            self.weights[name].accumulate(term.backward(np.ones_like(value), cache))
            total += float(value)
        return total
