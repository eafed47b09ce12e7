"""The Gaussian error linear unit: its curve, and the layer."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np

from bnn_ref.curve import Curve, Piece
from bnn_ref.kernels import normal_cdf
from bnn_ref.layers.activation import Activation
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class GELUCurve(Curve):
    """T(x) = x Phi(x), Phi the distribution function of the standard normal; T'(x) = Phi(x) + x phi(x).

    T' has its maximum at sqrt(2), where T'' = (2 - x^2) phi(x) is 0; T falls left of x = -0.7518.

    Source: after gelu2016 (its exact form).
    """

    odd = False
    monotone = False
    peak = 1.128904145185155  # Phi(sqrt(2)) + sqrt(2) phi(sqrt(2))

    def pieces(self) -> tuple[Piece, ...]:
        return (lambda x: x * normal_cdf(x),)

    def slope(self, x: Array) -> Array:
        return normal_cdf(x) + x * np.exp(-x * x / 2) * (1 / sqrt(2 * pi))


class GELU(Activation):
    """y = x Phi(x), dx = (Phi(x) + x phi(x)) dy. Source: after gelu2016."""

    def __init__(self) -> None:
        super().__init__(GELUCurve())
