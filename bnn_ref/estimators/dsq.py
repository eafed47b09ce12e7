"""DSQ: differentiable soft quantization, a scaled tanh that reaches exactly 1 at the clip."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from bnn_ref.binarizer import Curve, Map, Piece
from bnn_ref.checks import is_number, require
from bnn_ref.estimators.ste import sech_squared
from bnn_ref.parameter import Array, Parameter, value_of


@dataclass(frozen=True)
class SoftQuantizer(Curve):
    """T(x) = s tanh(k x) on [-1, 1], sign(x) outside; s = 1 / (1 - alpha), k = log(2/alpha - 1) / 2.

    T'(x) = s k sech^2(k x) on [-1, 1]. alpha -> 1 gives the clip, alpha -> 0 sign.

    Parameters
    ----------
    alpha : float or Parameter
        Distance of the tanh from 1 at the clip, in (0, 1).
    learn : bool
        Train alpha: binding makes it a parameter, one per tensor.

    Source: after dsq2019, one bit on [-1, 1] (there is no official code; unofficial ports agree on s and k).
    """

    alpha: float | Parameter = 0.2
    learn: bool = False
    kinks = (-1.0, 1.0)
    owners = ("right", "left")
    support = 1.0
    area = 2.0

    def __post_init__(self) -> None:
        if not isinstance(self.alpha, Parameter):
            require(is_number(self.alpha) and 0 < self.alpha < 1, "alpha", "a number in (0, 1)", self.alpha)

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        if not self.learn or isinstance(self.alpha, Parameter):
            return self
        return dataclasses.replace(self, alpha=Parameter(np.asarray(self.alpha, np.float32), "alpha"))

    def _shape(self) -> tuple[Array, Array]:
        alpha = value_of(self.alpha)
        return 1 / (1 - alpha), np.log(2 / alpha - 1) / 2

    @property
    def peak(self) -> float:
        s, k = self._shape()
        return float(s * k)

    def pieces(self) -> tuple[Piece, ...]:
        s, k = self._shape()
        return (-1.0, lambda x: s * np.tanh(k * x), 1.0)

    def slope(self, x: Array) -> Array:
        s, k = self._shape()
        return s * k * sech_squared(k * x) * (np.abs(x) <= 1)

    def parameter_slopes(self, x: Array) -> tuple[tuple[Parameter, Array], ...]:
        """dT/dalpha = s^2 tanh(kx) + s x sech^2(kx) dk/dalpha, dk/dalpha = -1 / (alpha (2 - alpha))."""
        if not isinstance(self.alpha, Parameter):
            return ()
        (s, k), alpha = self._shape(), self.alpha.value
        slope = s * s * np.tanh(k * x) - s * x * sech_squared(k * x) / (alpha * (2 - alpha))
        return ((self.alpha, slope * (np.abs(x) <= 1)),)
