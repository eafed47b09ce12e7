"""IR-Net: the error decay estimator (EDE), from near identity to near sign while training runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bnn_ref.annealing import Moment
from bnn_ref.binarizer import Curve, Piece
from bnn_ref.checks import require_positive
from bnn_ref.estimators.ste import over_sinh, sech_squared
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class EDE(Curve):
    """T(x) = k tanh(t x); T'(x) = k t sech^2(t x).

    Parameters
    ----------
    k : float
        Height of the step.
    t : float
        Steepness, in units of 1/x.

    Source: irnet2020; released code.
    """

    k: float = 1.0
    t: float = 1.0

    def __post_init__(self) -> None:
        require_positive("k", self.k)
        require_positive("t", self.t)

    @property
    def peak(self) -> float:
        return self.k * self.t

    @property
    def area(self) -> float:
        return 2 * self.k

    def pieces(self) -> tuple[Piece, ...]:
        return (lambda x: self.k * np.tanh(self.t * x),)

    def slope(self, x: Array) -> Array:
        return self.k * self.t * sech_squared(self.t * x)

    def gain(self, w: Array) -> Array:
        """H(w) = k v / sinh(v), v = pi w / (2 t)."""
        return self.k * over_sinh(np.pi * w / (2 * self.t))


@dataclass(frozen=True)
class LogSpaced:
    """t = t_min (t_max / t_min)^(e/E), k = max(1/t, 1): area 2k, slope k t = 1 at 0 while t < 1.

    e/E is the released code's clock: after the last epoch it would be 1, so t_max itself is never reached.

    Source: the released code of irnet2020 (0.1 to 10 for VGG-Small; its ResNet-20 script starts at 0.001).
    """

    t_min: float = 0.1
    t_max: float = 10.0

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """t and k at `moment.fraction`."""
        t = self.t_min * (self.t_max / self.t_min) ** moment.fraction
        return {"t": t, "k": max(1 / t, 1.0)}
