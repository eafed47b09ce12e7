"""The idea: a binarizer answers with one function, learns from another, and is deployed as a third.

`Binarizer(F, T, D)`: training computes y = F(x), its gradient is dx = T'(x) dy, eval mode computes D(x).
T, the surrogate, is the declaration: it is written down as a function, and its slope is proved from it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from bnn_ref.annealing import Law, Moment
from bnn_ref.basepoint import decide, recentring
from bnn_ref.calculus import Compose, Constant, Detach, Faded, MeanAbs, Scaled, Sum, factored, split
from bnn_ref.checks import require
from bnn_ref.curve import Curve, Piece, ReLU, Sign, as_inexact
from bnn_ref.kernels import TwoValued
from bnn_ref.maps import Map
from bnn_ref.parameter import Array

__all__ = [
    "Binarizer",
    "Compose",
    "Constant",
    "Curve",
    "Detach",
    "Faded",
    "Map",
    "MeanAbs",
    "Piece",
    "ReLU",
    "Scaled",
    "Sign",
    "Sum",
    "annealed",
    "as_inexact",
    "factored",
    "split",
]


@dataclass(frozen=True)
class Binarizer(Map):
    """A hard primitive: the value of one map, the gradient of another.

    Attributes
    ----------
    forward : Map
        F: y = F(x), the values used in training.
    surrogate : Map
        T: dx = T'(x) * dy, the function whose slope is used.
    deployed : Map
        What eval mode and the packed network compute.
    law : Law, optional
        How its parameters move during training; `at` applies it.
    name : str
        The table's key, where it comes from there.
    """

    forward: Map
    surrogate: Map
    deployed: Map = Sign()
    law: Law | None = None
    name: str = ""

    @property
    def levels(self) -> tuple[float, ...] | None:
        return self.forward.exact_levels

    @property
    def scaled(self) -> bool:
        """Whether its values are multiplied by a scale of its own, so that a layer needs no other."""
        return any(isinstance(part, Scaled) for part in self.forward.parts())

    def __call__(self, x: Array) -> Array:
        """F(x). Re-centred: F(z0) + T(z) - T(z0), the same value with the surrogate's true derivative."""
        if not recentring():
            return self.forward(x)
        value, base = decide(lambda: (self.forward(x), self.surrogate(x)))
        return value + (self.surrogate(x) - base)

    def backward(self, x: Array, dy: Array) -> Array:
        """dx = T'(x) * dy, same shape as `x`.

        Raises
        ------
        ValueError
            When `dy` does not have the shape of `x`.
        """
        x, dy = as_inexact(x), as_inexact(dy)
        if x.shape != dy.shape:
            raise ValueError(f"dy: required the shape of x, {x.shape}, got {dy.shape}")
        return self.surrogate.vjp(x, dy)

    vjp = backward

    def kept(self, x: Array) -> Array | TwoValued:
        return self.surrogate.kept(x)

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return self.forward.output_shape(x)

    def deploy(self) -> Map:
        return self.deployed.deploy()

    def unscaled(self) -> Binarizer:
        return self.rewrite(lambda part: part.unscaled())

    def behind(self, *maps: Map) -> Binarizer:
        """This binarizer of what `maps` make of x, the first applied first: F, T and D share them."""
        parts = (self.forward, self.surrogate, self.deployed)
        forward, surrogate, deployed = (Compose((*maps, part)) for part in parts)
        return dataclasses.replace(self, forward=forward, surrogate=surrogate, deployed=deployed)

    def at(self, progress: float | Moment) -> Binarizer:
        """This binarizer as annealed at `progress`: 0 in the first epoch, 1 in the last.

        Raises
        ------
        ValueError
            When `progress` is a number outside [0, 1], or the law names a field that nothing here has.
        """
        moment = progress if isinstance(progress, Moment) else Moment.at(progress)
        if self.law is None:
            return self
        values = self.law(moment)
        known = {field.name for part in self.parts() for field in dataclasses.fields(part)}  # type: ignore[arg-type]
        unknown = sorted(set(values) - known)
        require(not unknown, "law", "the names of fields of its binarizer", unknown)
        return self.with_values(values)


def annealed(subject: Map, moment: Moment) -> Map:
    """`subject` with every binarizer inside it moved to `moment`."""
    inner = subject.rewrite(lambda part: annealed(part, moment))
    return inner.at(moment) if isinstance(inner, Binarizer) else inner
