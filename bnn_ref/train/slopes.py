"""What a trained surrogate becomes: its slope at 0, where signs change."""

from __future__ import annotations

import numpy as np

from bnn_ref.binarizer import Binarizer
from bnn_ref.layers import Layer


def trained_slopes(model: Layer) -> dict[str, float]:
    """T'(0) of every surrogate that is a function of one number and has trained parameters.

    A negative one turns the gradient round: training then climbs.

    Parameters
    ----------
    model : Layer

    Returns
    -------
    dict
        Under the dotted name of the tensor that is binarized, as "blocks.0.conv.weight"; a surrogate that
        serves several tensors under the first of them.

    Source: ours.
    """
    names = {id(layer): name for name, layer in model.layers()}
    found: dict[str, float] = {}
    seen: set[tuple[int, ...]] = set()
    for layer, attribute, held in model.maps():
        for part in held.parts():
            if not isinstance(part, Binarizer) or not part.surrogate.elementwise:
                continue
            trained = tuple(map(id, part.surrogate.parameters()))
            if trained and trained not in seen:
                seen.add(trained)
                key = f"{names[id(layer)]}.{attribute}".lstrip(".")
                found[key] = float(part.surrogate.derivative(np.zeros(())))
    return found
