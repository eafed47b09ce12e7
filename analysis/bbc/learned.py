"""The trained surrogate inside a rule for weights: what all parts of this study look at."""

from __future__ import annotations

import numpy as np

from bnn_ref.binarizer import Binarizer, Map
from bnn_ref.estimators.classifier import Classifier
from bnn_ref.layers import Layer
from bnn_ref.parameter import Array

ZERO = np.zeros(())


def core(rule: Map) -> Binarizer:
    """What `rule` does to one centred weight."""
    parts = (part for part in rule.parts() if isinstance(part, Binarizer))
    return next(part for part in parts if part.surrogate.elementwise)


def slope(rule: Map) -> float:
    """E'(0)."""
    return float(core(rule).surrogate.derivative(ZERO))


def in_network(model: Layer) -> Binarizer:
    """The one that serves all weights of `model`."""
    held = (rule for _, name, rule in model.maps() if name == "weight" and rule.parameters())
    return core(next(held))


def closed(binarizer: Binarizer, x: Array) -> Array:
    """How many of the two gates are shut at each of `x`."""
    logits = next(part for part in binarizer.surrogate.parts() if isinstance(part, Classifier))
    return np.asarray((np.abs(logits(x)) >= 1).sum(axis=-1))
