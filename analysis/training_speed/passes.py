"""Slope times gradient, in turns with the expression that torch users write, one thread.

Each in a process of its own, as steps are: what is freed stays with ours, as in training, and with torch's
where that is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from analysis.fda.speed import OMEGA, TOLERANCE, cosines, samples
from analysis.training_speed.steps import Process
from bnn_ref import estimators
from bnn_ref.kernels import fourier_slope
from bnn_ref.parameter import Array
from bnn_ref.timing import Pairing, interleaved

RELEASED = "approxsign, torch's autograd of the released form"
FEW = 10**5
"""Elements that are compared before anything is timed."""

ROWS = ("clipped-ste", "approxsign", RELEASED, "fda")


def released(torch: Any, x: Any) -> Any:
    """ApproxSign as Bi-Real Net's release writes it; autograd finds its slope. Source: bireal2018."""
    below, negative, inside = ((x < edge).float() for edge in (-1, 0, 1))
    left = -1 * below + (x * x + 2 * x) * (1 - below)
    middle = left * negative + (2 * x - x * x) * (1 - negative)
    return middle * inside + (1 - inside)


def ours(name: str, size: int) -> Callable[[], Array]:
    """The backward pass of an estimator on `size` float32 elements."""
    x, dy, _ = samples(size)
    if name == "fda":
        return lambda: fourier_slope(x, dy, 10, OMEGA)
    estimator = estimators.get(name.split(",")[0])
    return lambda: estimator.backward(x, dy)


def theirs(name: str, size: int) -> Callable[[], Array]:
    """The same in torch."""
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(1)
    x, dy = (torch.from_numpy(array) for array in samples(size)[:2])
    if name == RELEASED:
        y = released(torch, x.requires_grad_())
        return lambda: torch.autograd.grad(y, x, dy, retain_graph=True)[0].numpy()
    if name == "fda":
        return lambda: (cosines(torch, x) * dy).numpy()
    expression = importlib.import_module("analysis.training_speed.twin").SLOPES[name]
    return lambda: (dy * expression(x)).numpy()


def backward(side: str, name: str, size: int) -> Callable[[], float]:
    """A pass of "ours" or of torch; called, it returns a number of the result, which goes."""
    run = (ours if side == "ours" else theirs)(name, size)
    return lambda: float(run()[size // 2])


def slope(name: str, size: int, side: str, pairs: int) -> Pairing:
    """How many times faster ours is, in a process for each; ValueError when the results differ.

    `side` is the worker's of torch.
    """
    mine, other = (make(name, FEW)() for make in (ours, theirs))
    if not np.allclose(mine, other, rtol=0, atol=TOLERANCE):
        raise ValueError(f"{name}: required equal gradients, got different ones")
    with Process("ours", str(size), name) as left, Process(side, str(size), name) as right:
        left(), right()
        return interleaved(lambda: left().seconds, lambda: right().seconds, pairs)
