"""RBNN: a triangular slope whose width follows a training schedule. Its weights stand in `rotation`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bnn_ref.annealing import Moment
from bnn_ref.binarizer import Binarizer, Curve, Piece, Sign
from bnn_ref.checks import require_positive
from bnn_ref.estimators.irnet import Centre, LogSpaced, UnitSpread
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class Triangle(Curve):
    """T(x) = k (sqrt2 t x - sign(x) t^2 x^2 / 2) for abs(x) < sqrt2 / t, k sign(x) outside.

    T'(x) = k max(0, sqrt2 t - t^2 abs(x)). With k = 1 and t = sqrt2 this is ApproxSign.

    Parameters
    ----------
    k : float
        Height of the step.
    t : float
        Steepness, in units of 1/x.

    Source: rbnn2020; released code.
    """

    k: float = 1.0
    t: float = 1.0

    def __post_init__(self) -> None:
        require_positive("k", self.k)
        require_positive("t", self.t)

    @property
    def support(self) -> float:
        return float(np.sqrt(2) / self.t)

    @property
    def kinks(self) -> tuple[float, ...]:
        return (-self.support, 0.0, self.support)

    @property
    def peak(self) -> float:
        return float(self.k * np.sqrt(2) * self.t)

    @property
    def area(self) -> float:
        return 2 * self.k

    def pieces(self) -> tuple[Piece, ...]:
        k, t, rise = self.k, self.t, float(np.sqrt(2) * self.t)
        return (
            -k,
            lambda x: k * x * (rise + t * t * x / 2),
            lambda x: k * x * (rise - t * t * x / 2),
            k,
        )

    def slope(self, x: Array) -> Array:
        return self.k * np.maximum(float(np.sqrt(2) * self.t) - self.t**2 * np.abs(x), 0)

    def gain(self, w: Array) -> Array:
        """H(w) = k (sin(w a/2) / (w a/2))^2, a = sqrt2 / t."""
        return self.k * np.sinc(w * self.support / (2 * np.pi)) ** 2


@dataclass(frozen=True)
class ActivationLaw:
    """The law of RBNN's activations: k = 1 and t = max(t, 1). Source: rbnn2020, released code."""

    weights: LogSpaced = LogSpaced(t_min=0.01)

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """t and k at `moment.fraction`."""
        return {"t": max(self.weights(moment)["t"], 1.0), "k": 1.0}


def standardised(k: float = 1.0, t: float = 1.0, zero: int = 1) -> Binarizer:
    """sign(z), z = (x - mean) / std of each image over its pixels and channels (std with n - 1).

    T(x) = k (sqrt2 t z - sign(z) t^2 z^2 / 2) where abs(z) < sqrt2 / t: the triangle and its law for
    activations, the gradient through mean and std. Eval mode standardises too, so it cannot be packed.

    Parameters
    ----------
    k : float
        Height of the step.
    t : float
        Steepness, in units of 1/z.

    Source: rbnn2020, released code. That the gradient goes through mean and std is ours.
    """
    triangle = Binarizer(Sign(zero), Triangle(k, t), Sign(zero), ActivationLaw())
    return triangle.behind(Centre(axis=0), UnitSpread(axis=0))
