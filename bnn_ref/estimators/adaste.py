"""AdaSTE: the gradient is a finite difference of an inner minimiser, taken as far as the sign needs to turn.

For a latent weight x the weight used is w*(x) = argmin (w - x)^2 / 2 + b / 2 (abs(w) - 1 - a)^2 on [-1, 1],
and the gradient (w*(x) - w*(x - t dy)) / t, with a t for each weight that may reach across 0. That is not
linear in dy: there is no T.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bnn_ref.annealing import Moment
from bnn_ref.binarizer import Binarizer, Curve, Map, Piece, Sign
from bnn_ref.checks import require_positive
from bnn_ref.parameter import Array

SMALLEST = 1e-300
"""The other side of 0, and what stands for 0 in a quotient."""


@dataclass(frozen=True)
class InnerMinimiser(Curve):
    """w*(x) = max(-1, min((x + b (1 + a) sign(x)) / (1 + b), 1)).

    It jumps at 0, and is -1 or +1 from abs(x) = 1 - a b on: everywhere, once a b >= 1.

    Parameters
    ----------
    a : float
        How far beyond 1 the pull goes, in units of x.
    b : float
        Strength of the pull.

    Source: derived by us from adaste2022's released code.
    """

    a: float = 0.01
    b: float = 0.01
    odd = False

    def __post_init__(self) -> None:
        require_positive("a", self.a)
        require_positive("b", self.b)

    @property
    def saturation(self) -> float:
        """abs(x) above which w* is a sign: 1 - a b, or 0 (the last b is 1 / a, but for rounding)."""
        gap = 1 - self.a * self.b
        return gap if gap > 1e-12 else 0.0

    @property
    def kinks(self) -> tuple[float, ...]:
        s = self.saturation
        return (-s, 0.0, s) if s else (0.0,)

    @property
    def owners(self) -> tuple[str, ...]:
        return ("right", "right", "left") if self.saturation else ("right",)

    @property
    def peak(self) -> float:
        return 1 / (1 + self.b) if self.saturation else 0.0

    def pieces(self) -> tuple[Piece, ...]:
        pull, slope = self.b * (1 + self.a), 1 + self.b
        if not self.saturation:
            return (-1.0, 1.0)
        return (-1.0, lambda x: (x - pull) / slope, lambda x: (x + pull) / slope, 1.0)

    def slope(self, x: Array) -> Array:
        return np.where(np.abs(x) <= self.saturation, self.peak, 0).astype(x.dtype)


@dataclass(frozen=True)
class AdaptiveDifference(Map):
    """dx = (w*(x) - w*(x - t dy)) / t: outward a small t, inward (dy of the sign of x) one that crosses 0.

    With s = abs(x): inward, the factor of dy is

    - min(1 / s, 1/2) where a b >= 1: t dy = max(2 s, 4) sign(x);
    - else the rise over s, at most 1/2: t dy just reaches 0, or goes on until the quotient has fallen to 1/2.
      The rise is (1 + 2b + ab) / (1 + b) where w* is saturated, (s + 2b (1 + a)) / (1 + b) where not.

    Outward it is the slope of w*: 0 where saturated, 1 / (1 + b) where not.

    Parameters
    ----------
    a, b : float
        Of `InnerMinimiser`.

    Source: derived by us from adaste2022's released code, which differs (`CodedDifference`).
    """

    a: float = 0.01
    b: float = 0.01
    linear = False

    @property
    def minimiser(self) -> InnerMinimiser:
        """w*."""
        return InnerMinimiser(self.a, self.b)

    def inward(self, x: Array, dy: Array) -> Array:
        """Where the step against dy goes towards 0; 0 itself counts as positive."""
        return np.where(x < 0, dy < 0, dy > 0)

    def middle_rise(self, x: Array) -> Array:
        """(1 + b) times the rise of w* from just across 0 to an unsaturated x."""
        return np.abs(x) + 2 * self.b * (1 + self.a)

    def vjp(self, x: Array, dy: Array) -> Array:
        a, b, saturation = self.a, self.b, self.minimiser.saturation
        size = np.maximum(np.abs(x), np.finfo(x.dtype).tiny)
        saturated = np.abs(x) > saturation if saturation else np.ones(x.shape, bool)
        rise = np.where(saturated, 1 + 2 * b + a * b, self.middle_rise(x)) / (1 + b)
        inward = np.minimum(rise if saturation else 1.0, size / 2) / size
        outward = np.where(saturated, 0.0, 1 / (1 + b))
        return np.asarray(np.where(self.inward(x, dy), inward, outward) * dy, x.dtype)

    def declared_vjp(self, x: Array, dy: Array) -> Array:
        """The differences themselves, by evaluating w*."""
        w, s = self.minimiser, Sign()(x)
        middle = np.where(2 * np.abs(x) > w.saturation, x / 2, x + s * (w.saturation or 1.0) / 4)
        same_piece = np.where(np.abs(x) > w.saturation, x + s, middle)
        outward = (w(x) - w(same_piece)) / (x - same_piece)
        if w.saturation:
            inward = np.minimum(self.crossing(x) / np.maximum(np.abs(x), SMALLEST), 0.5)
        else:
            reach = np.maximum(2 * np.abs(x), 4)
            inward = np.abs(w(x) - w(x - s * reach)) / reach
        return np.asarray(np.where(self.inward(x, dy), inward, outward) * dy)

    def crossing(self, x: Array) -> Array:
        """How far w* falls from x to just across 0."""
        s = Sign()(x)
        return s * (self.minimiser(x) - self.minimiser(-s * SMALLEST))

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)


@dataclass(frozen=True)
class CodedDifference(AdaptiveDifference):
    """The same as the released code has it: x in place of abs(x) in the unsaturated rise, and thresholds.

    For 2b (1 + a) < x < 1 - a b an inward gradient so changes its sign. Steps inward are taken only where
    abs(dy) > 0.001 and abs(x) > 0.000001 (0.001 where a b >= 1); what is left counts as outward (ours).

    Parameters
    ----------
    a, b : float
        Of `InnerMinimiser`.

    Source: adaste2022, released code.
    """

    def inward(self, x: Array, dy: Array) -> Array:
        least = 1e-6 if self.minimiser.saturation else 1e-3
        return super().inward(x, dy) & (np.abs(dy) > 1e-3) & (np.abs(x) > least)

    def middle_rise(self, x: Array) -> Array:
        return 2 * self.b * (1 + self.a) - x

    def crossing(self, x: Array) -> Array:
        """That from -abs(x) on the other branch of w*: for x < 0 the same."""
        w = self.minimiser
        mirrored = np.where((x > 0) & (x <= w.saturation), 2 * w.peak * x, 0)
        return super().crossing(x) - mirrored


@dataclass(frozen=True)
class Growing:
    """b = min(start * 1.05^epoch, 1 / a). Source: adaste2022, released code.

    Parameters
    ----------
    start, a : float
        b in the first epoch, and 1 / a its end.
    epochs : int
        How many, where the moment does not know.
    """

    start: float = 0.01
    a: float = 0.01
    epochs: int = 700

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """b at the moment's epoch."""
        # epoch / epochs * epochs may fall short of the epoch by rounding
        epoch = int(moment.fraction * (moment.epochs or self.epochs) + 1e-6)
        return {"b": float(min(self.start * 1.05**epoch, 1 / self.a))}


def finite_difference(a: float = 0.01, b: float = 0.01, *, zero: int = 1) -> Binarizer:
    """F(x) = w*(x), dx = (w*(x) - w*(x - t dy)) / t, deployed as sign; b grows by 5 % an epoch up to 1 / a.

    There is no T. Outward, dx is the slope of w* times dy; inward, t reaches across 0, where w* jumps.

    Parameters
    ----------
    a : float
        How far beyond 1 the inner problem pulls, in units of x.
    b : float
        Strength of the pull in the first epoch.

    Source: adaste2022, after its released code; its one asymmetry is left out by us.
    """
    return Binarizer(InnerMinimiser(a, b), AdaptiveDifference(a, b), Sign(zero), Growing(b, a))


def as_released(a: float = 0.01, b: float = 0.01, *, zero: int = 1) -> Binarizer:
    """F(x) = w*(x), dx = dy times a factor by cases, deployed as sign; b grows by 5 % an epoch up to 1 / a.

    There is no T. An inward gradient changes its sign for 2b (1 + a) < x < 1 - a b, and only there.

    Parameters
    ----------
    a : float
        How far beyond 1 the inner problem pulls, in units of x.
    b : float
        Strength of the pull in the first epoch.

    Source: adaste2022, released code.
    """
    return Binarizer(InnerMinimiser(a, b), CodedDifference(a, b), Sign(zero), Growing(b, a))
