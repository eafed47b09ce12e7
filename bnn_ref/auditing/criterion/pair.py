"""A forward and a backward as two functions of one number, and where they are declared to have kinks."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnn_ref import estimators
from bnn_ref.binarizer import Binarizer, Curve, Map
from bnn_ref.checks import require
from bnn_ref.parameter import Array

Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Side:
    """F or B, element by element on arrays (n,) of float64; `kinks` as declared, or None: to be found."""

    function: Function
    kinks: tuple[float, ...] | None = None

    def __call__(self, x: Array) -> Array:
        return self.function(x)


@dataclass(frozen=True)
class Pair:
    """F, and B, which multiplies the incoming gradient."""

    forward: Side
    backward: Side

    @property
    def kinks(self) -> tuple[float, ...]:
        """All that are declared."""
        return tuple(sorted({*(self.forward.kinks or ()), *(self.backward.kinks or ())}))


def pair(forward: str | Binarizer | Function, backward: Function | None) -> Pair:
    """The pair that the arguments of `decompose` mean.

    Raises
    ------
    TypeError
        When one of them is no function.
    ValueError
        For an unknown name, a second argument beside a binarizer, or a binarizer that is no pair of functions
        of one number (`objection`).
    """
    if isinstance(forward, str):
        forward = estimators.get(forward)
    if isinstance(forward, Binarizer):
        require(backward is None, "B", "nothing beside a binarizer, which has its own", backward)
        return _declared(forward)
    for name, function in (("F", forward), ("B", backward)):
        if not callable(function):
            raise TypeError(f"{name}: required a function of an array, got {function!r}")
    assert backward is not None
    return Pair(_values(forward, "F"), _slopes(backward))


def objection(binarizer: Binarizer) -> str:
    """Why `binarizer` is no pair of functions of one number; empty where it is one."""
    if binarizer.reduces:
        return "it reads the whole tensor"
    if binarizer.nonlinear():
        return "its gradient is not linear in the incoming one, so there is no B"
    bound = _bound(binarizer, 3)
    x = np.random.default_rng(0).normal(size=(64, 3))
    one, two = (bound.drawn(np.random.default_rng(seed))(x) for seed in (1, 2))
    if not np.array_equal(one, two):
        return "its forward answers by chance"
    if not np.array_equal(_alone(bound, x), _alone(bound, x * [1, -2, 0.5])):
        return "each value depends on a whole vector"
    return ""


def _alone(bound: Binarizer, x: Array) -> Array:
    """What channel 0 answers, and its gradient."""
    return np.stack([bound.forward(x)[:, 0], bound.surrogate.vjp(x, np.ones_like(x) * [1, 0, 0])[:, 0]])


def _bound(binarizer: Binarizer, channels: int) -> Binarizer:
    """A copy that is bound to so many channels, its parameters in float64."""
    bound = copy.deepcopy(binarizer).bind((channels,), -1, np.random.default_rng(0))
    assert isinstance(bound, Binarizer)
    for parameter in bound.parameters():
        parameter.value = parameter.value.astype(np.float64)
    return bound


def _declared(binarizer: Binarizer) -> Pair:
    reason = objection(binarizer)
    require(not reason, "F", "a binarizer whose forward and slope are functions of one number", reason)
    bound = _bound(binarizer, 1)
    return Pair(_values(bound.forward, "F"), _slopes(bound.surrogate))


def _values(function: Any, name: str) -> Side:
    """A function by its values; a map of tensors sees n vectors of one channel."""
    if isinstance(function, Curve):
        return Side(_checked(function, name), function.kinks)
    if isinstance(function, Map):
        return Side(_checked(lambda x: function(x[:, None])[:, 0], name))
    return Side(_checked(function, name))


def _slopes(function: Any) -> Side:
    """B as it is or, given by a map, the slope of this surrogate."""
    if isinstance(function, Curve):
        return Side(_checked(function.derivative, "B"), function.kinks)
    if isinstance(function, Map):
        return Side(_checked(lambda x: function.vjp(x[:, None], np.ones((len(x), 1)))[:, 0], "B"))
    return _values(function, "B")


def _checked(function: Function, name: str) -> Function:
    """`function`, its values required to be finite real numbers, one for each x."""

    def called(x: Array) -> Array:
        y = np.asarray(function(x.copy()))
        require(y.shape == x.shape, name, f"values of the shape of x, {x.shape}", y.shape)
        require(y.dtype.kind in "fiub", name, "real values", y.dtype)
        good = np.isfinite(y)
        wrong = "" if good.all() else f"{y[~good][0]} at x = {float(x[~good][0]):.12g}"
        require(not wrong, name, "finite values on the window", wrong)
        return y if y.dtype.kind == "f" else y.astype(np.float64)

    return called
