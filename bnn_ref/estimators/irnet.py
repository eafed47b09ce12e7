"""IR-Net: the error decay estimator (EDE), and Libra, which balances and standardises weights before sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np

from bnn_ref.annealing import Moment
from bnn_ref.basepoint import decide
from bnn_ref.binarizer import Binarizer, Compose, Curve, Detach, Map, MeanAbs, Piece, Scaled, Sign
from bnn_ref.checks import require, require_positive
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


@dataclass(frozen=True)
class Slices(Map):
    """What is done to the slices of a tensor, to each on its own.

    Parameters
    ----------
    axis : int
        The axis that numbers them: -1 the filters of a weight, 0 the images of a batch.
    """

    axis: int = -1

    def __post_init__(self) -> None:
        require(self.axis in (-1, 0), "axis", "-1 (filters) or 0 (images)", self.axis)

    @property
    def whole(self) -> bool:  # type: ignore[override]
        return self.axis == -1

    def _inside(self, x: Array) -> tuple[int, ...]:
        """Every axis but that one."""
        return tuple(range(1, x.ndim) if self.axis == 0 else range(x.ndim - 1))

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)


@dataclass(frozen=True)
class Centre(Slices):
    """y = x - mean(x), the mean of each slice; dx = dy - mean(dy). Source: irnet2020 (Libra)."""

    def __call__(self, x: Array) -> Array:
        return x - x.mean(axis=self._inside(x), keepdims=True)

    def vjp(self, x: Array, dy: Array) -> Array:
        return dy - dy.mean(axis=self._inside(x), keepdims=True)


@dataclass(frozen=True)
class UnitSpread(Slices):
    """y = x / s, s^2 = sum(x^2) / (n - 1) over the n entries of each slice: behind `Centre` the unbiased

    standard deviation. A slice of zeros stays one.

    Source: irnet2020 (Libra; n - 1 is its released code's). The slice of zeros is ours.
    """

    def _spread(self, x: Array) -> tuple[Array, int]:
        axes = self._inside(x)
        freedom = max(prod(x.shape[i] for i in axes) - 1, 1)
        power = (x * x).sum(axis=axes, keepdims=True) / freedom
        silent = decide(lambda: power.real == 0, lambda: int((power == 0).sum()))
        return np.sqrt(np.where(silent, 1, power)), freedom

    def __call__(self, x: Array) -> Array:
        return x / self._spread(x)[0]

    def vjp(self, x: Array, dy: Array) -> Array:
        """dx = (dy - y sum(dy y) / (n - 1)) / s."""
        spread, freedom = self._spread(x)
        y = x / spread
        return (dy - y * ((dy * y).sum(axis=self._inside(x), keepdims=True) / freedom)) / spread


@dataclass(frozen=True)
class PowerOfTwo(Map):
    """y = 2^round(log2(x)) for x > 0, exactly; 0 for 0. It has no slope: stop its gradient (`Detach`).

    Source: irnet2020 (a scale that is a shift of bits). The 0 is ours.
    """

    def __call__(self, x: Array) -> Array:
        size = np.asarray(x.real)
        exponent = np.round(np.log2(np.where(size > 0, size, 1))).astype(np.int32)
        return np.where(size > 0, np.ldexp(size.dtype.type(1), exponent), size)


LIBRA: tuple[Map, ...] = (Centre(), UnitSpread())
"""Each filter with mean 0 and standard deviation 1, the gradient through both."""


def libra(k: float = 1.0, t: float = 1.0, zero: int = 1) -> Binarizer:
    """2^e sign(z), z = (w - mean w) / std w filter by filter, e = round(log2(mean abs z)), detached.

    T(x) = 2^e k tanh(t z): EDE behind Libra, annealed as EDE is.

    Parameters
    ----------
    k : float
        Height of the step.
    t : float
        Steepness, in units of 1/z.

    Source: irnet2020; released code.
    """
    scale = Detach(Compose((*LIBRA, MeanAbs(), PowerOfTwo())))
    rule = Scaled(scale, Compose((*LIBRA, Binarizer(Sign(zero), EDE(k, t), Sign(zero)))))
    return Binarizer(rule, rule, Scaled(scale, Compose((*LIBRA, Sign(zero)))), LogSpaced())
