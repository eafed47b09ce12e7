"""A small network of one number: the classifier of BBC, whose two outputs are the logits of -1 and +1."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from bnn_ref.binarizer import Compose, Curve, Map, ReLU, as_inexact
from bnn_ref.checks import require, require_whole
from bnn_ref.estimators.ste import Identity, Tanh
from bnn_ref.parameter import Array, Parameter

ACTIVATIONS: dict[str, Curve] = {"tanh": Tanh(), "relu": ReLU(), "identity": Identity()}
"""What stands between the linear layers: the three choices of BBC's released code."""

INITS = ("default", "positive")
"""How trained slopes begin: drawn around 0, or the same draw with signs such that every slope is positive."""

BLOCK = 1024
"""Elements at a time: with 100 hidden units that is 1.6 MB of float32."""

STEP = 1e-20
"""Of the complex derivative: its square vanishes beside 1."""

Function: TypeAlias = Callable[..., Array]


@dataclass(frozen=True)
class Dense(Map):
    """y = x W, x (..., n), W (n, m): dx = dy W^T, dW = the sum of x^T dy over all vectors. Source: ours.

    Parameters
    ----------
    weight : Parameter
        W.
    """

    weight: Parameter

    def __call__(self, x: Array) -> Array:
        w = self.weight.value
        return np.asarray(x * w if len(w) == 1 else x @ w)  # BLAS has no such outer product

    def vjp(self, x: Array, dy: Array) -> Array:
        n, m = self.weight.value.shape
        self.weight.accumulate(x.reshape(-1, n).T @ dy.reshape(-1, m))
        return np.asarray(dy @ self.weight.value.T)

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return (*x.shape[:-1], self.weight.value.shape[1])


@dataclass(frozen=True)
class Lift(Map):
    """Each number as a vector of one: y = x[..., None], dx = dy[..., 0]. Source: ours."""

    def __call__(self, x: Array) -> Array:
        return x[..., None]

    def vjp(self, x: Array, dy: Array) -> Array:
        return dy[..., 0]


@dataclass(frozen=True)
class Mix(Map):
    """y = sum_k c_k x_k over the last axis of x (..., n), which goes: dx_k = c_k dy. Source: ours.

    Parameters
    ----------
    factors : tuple of float
        c, n of them.
    """

    factors: tuple[float, ...]

    def __call__(self, x: Array) -> Array:
        return np.asarray(x @ np.asarray(self.factors, x.real.dtype))

    def vjp(self, x: Array, dy: Array) -> Array:
        return dy[..., None] * np.asarray(self.factors, dy.dtype)

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return x.shape[:-1]


@dataclass(frozen=True)
class Classifier(Map):
    """f(x), x.shape + (2,): the two logits of each number, by an MLP 1 -> hidden -> ... -> 2 without biases.

    Without biases, and with an odd function in between, every logit is odd in x. One classifier serves a
    whole network; binding makes its weights, uniform on +-1/sqrt(fan in).

    Parameters
    ----------
    depth : int
        Linear layers, at least 1: with one of them f_k(x) = w_k x.
    hidden : int
        Width between them.
    activation : Curve
        What stands between them.
    init : str
        "default"; or "positive" (ours), which turns the signs of the last layer so that the product of all
        weights is positive for either logit: that is its slope at 0, behind tanh or the identity.
    shared : bool
        One for a whole network, or (False) one a tensor.
    network : Map or None
        Made by binding.

    Source: bbc2023, released code (width, initialisation, one for the network).
    """

    depth: int = 2
    hidden: int = 100
    activation: Curve = Tanh()
    init: str = "default"
    shared: bool = True
    network: Map | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        require_whole("depth", self.depth, 1)
        require_whole("hidden", self.hidden, 1)
        require(self.init in INITS, "init", f"one of {', '.join(INITS)}", self.init)
        require(isinstance(self.shared, bool), "shared", "True or False", self.shared)

    @property
    def oriented(self) -> bool:
        return self.init == "positive"

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        if self.network is not None:
            return self
        widths = (1, *[self.hidden] * (self.depth - 1), 2)
        weights = [rng.uniform(-1, 1, size) / np.sqrt(size[0]) for size in pairwise(widths)]
        if self.init == "positive":
            slopes = weights[0] if self.depth == 1 else np.linalg.multi_dot(weights)
            weights[-1] = weights[-1] * np.where(slopes < 0, -1, 1)
        layers: list[Map] = [Lift()]
        for i, weight in enumerate(weights):
            layers += [self.activation] if i else []
            layers.append(Dense(Parameter(weight.astype(np.float32), f"w{i}")))
        return dataclasses.replace(self, network=Compose(tuple(layers)))

    def _network(self) -> Map:
        if self.network is None:
            raise ValueError("Classifier: required to be bound to a tensor before it is used (Map.bind)")
        return self.network

    def __call__(self, x: Array) -> Array:
        return self._network()(x)

    def vjp(self, x: Array, dy: Array) -> Array:
        return self._network().vjp(x, dy)

    def steps(self) -> tuple[Map, ...]:
        return self._network().steps()

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return (*x.shape, 2)


@dataclass(frozen=True)
class Pointwise(Map):
    """A map of one number, whatever it is made of, applied to every element, a block of them at a time.

    Parameters
    ----------
    inner : Map
        From numbers (n,) to numbers (n,).

    Source: ours.
    """

    inner: Map
    elementwise = True

    def __call__(self, x: Array) -> Array:
        return _blocks(self.inner, as_inexact(x))

    def vjp(self, x: Array, dy: Array) -> Array:
        return _blocks(self.inner.vjp, x, dy)

    def derivative(self, x: Array) -> Array:
        """The slope by a complex step, of the dtype of `x`; on a kink, of the side that owns it."""
        x = as_inexact(x)
        return np.asarray(self(x + 1j * STEP).imag / STEP, x.dtype)

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)

    def _refresh(self, x: Array, first: bool, seen: set[int]) -> None:
        """A function of one number keeps nothing of a tensor."""


def _blocks(function: Function, *arrays: Array) -> Array:
    """`function` of arrays of one shape, flattened and cut; its values in that shape."""
    flat = [a.reshape(-1) for a in arrays]
    starts = range(0, max(flat[0].size, 1), BLOCK)
    parts = [function(*(a[start : start + BLOCK] for a in flat)) for start in starts]
    return np.concatenate(parts).reshape(arrays[0].shape)
