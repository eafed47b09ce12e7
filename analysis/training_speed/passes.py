"""Slope times gradient, in turns with the expression that torch users write, one thread."""

from __future__ import annotations

import importlib
from typing import Any

from analysis.fda.speed import against_torch, samples
from bnn_ref import estimators
from bnn_ref.parameter import Array
from bnn_ref.timing import Pairing, paired

RELEASED = "approxsign, torch's autograd of the released form"
ROWS = ("clipped-ste", "approxsign", RELEASED, "fda")


def released(torch: Any, x: Any) -> Any:
    """ApproxSign as Bi-Real Net's release writes it; autograd finds its slope. Source: bireal2018."""
    below, negative, inside = ((x < edge).float() for edge in (-1, 0, 1))
    left = -1 * below + (x * x + 2 * x) * (1 - below)
    middle = left * negative + (2 * x - x * x) * (1 - negative)
    return middle * inside + (1 - inside)


def slope(name: str, size: int, pairs: int) -> Pairing:
    """The backward pass of an estimator on `size` float32 elements, each into a fresh array."""
    if name == "fda":
        return against_torch(size, pairs, True)
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(1)
    slopes = importlib.import_module("analysis.training_speed.twin").SLOPES
    x, dy, _ = samples(size)
    tx, tdy = torch.from_numpy(x), torch.from_numpy(dy)
    estimator = estimators.get(name.split(",")[0])
    if name == RELEASED:
        tx.requires_grad_()
        y = released(torch, tx)

    def theirs() -> Array:
        if name == RELEASED:
            (found,) = torch.autograd.grad(y, tx, tdy, retain_graph=True)
        else:
            found = tdy * slopes[name](tx)
        numbers: Array = found.numpy()
        return numbers

    return paired(lambda: estimator.backward(x, dy), theirs, pairs, 1e-5)
