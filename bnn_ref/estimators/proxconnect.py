"""ProxConnect and ProxConnect++: forward and backward quantizers as pairs, and the laws that harden them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Any

from bnn_ref.annealing import Linear, Moment
from bnn_ref.binarizer import Binarizer, Curve
from bnn_ref.checks import is_number, require, require_positive
from bnn_ref.estimators.composition import composed
from bnn_ref.estimators.quantizers import SELECTION, Parq, ProximalQuantizer, as_levels, projection, reach
from bnn_ref.estimators.ste import Identity


@dataclass(frozen=True)
class InverseSlope:
    """start + (stop - start) (1 - s), s falling from 1 to 0 as a logistic curve with its ends pulled to them.

    s = (h(p) - h(1)) / (h(0) - h(1)), h(p) = 1 / (1 + exp(a (p - c))), p the progress: at 0, 1/4, 1/2, 3/4, 1
    it is 1, 0.930, 0.5, 0.070, 0.

    Parameters
    ----------
    field : str
        What it moves.
    start, stop : float
        The field's first and last value; 1 and 0 make s itself.
    steepness : float
        a.
    centre : float
        c, in (0, 1).

    Source: parq2025, released code.
    """

    field: str
    start: float = 1.0
    stop: float = 0.0
    steepness: float = 10.0
    centre: float = 0.5

    def __post_init__(self) -> None:
        require_positive("steepness", self.steepness)
        require(is_number(self.centre) and 0 < self.centre < 1, "centre", "a number in (0, 1)", self.centre)

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """The field's value at `moment.progress`."""
        first, last = self._height(0), self._height(1)
        s = (self._height(moment.progress) - last) / (first - last)
        return {self.field: self.stop + s * (self.start - self.stop)}

    def _height(self, progress: float) -> float:
        return 1 / (1 + exp(self.steepness * (progress - self.centre)))


def full_precision() -> Binarizer:
    """F(x) = x, T(x) = x, deployed as x: no binarizer at all, the pair that the others are measured by.

    Source: after pcpp2023.
    """
    return Binarizer(Identity(), Identity(), Identity())


def proxconnect(
    levels: Sequence[float] = (-1.0, 1.0), rho: float = 0.0, vrho: float = 0.0, *, zero: int = 1
) -> Binarizer:
    """F(x) = L(x), T(x) = x; rho grows in equal steps until nothing lies between the levels; deployed as P_Q.

    Parameters
    ----------
    levels : tuple of float
        Q, ascending; other levels than -1 and 1 train and evaluate, but don't pack.
    rho : float
        How far each level is held on both of its sides, in units of x; annealing sets it.
    vrho : float
        Half the jump at each midpoint, in units of x.

    `zero` is sign(0): with -1 every tie takes the lower level.

    Source: after proxconnect2021; its schedule as written here is ours.
    """
    points, hard = as_levels(levels), projection(levels, zero)
    soft = ProximalQuantizer(points=points, rho=rho, vrho=vrho, selection=SELECTION[zero])
    return Binarizer(soft, Identity(), hard, Linear("rho", 0.0, reach(points)))


def parq(levels: Sequence[float] = (-1.0, 1.0), s: float = 1.0, *, zero: int = 1) -> Binarizer:
    """F(x) = lines of slope 1/s between the levels, T(x) = x; s falls from 1 to 0; deployed as P_Q.

    Parameters
    ----------
    levels : tuple of float
        Q, ascending; other levels than -1 and 1 train and evaluate, but don't pack.
    s : float
        In [0, 1]; annealing sets it.

    `zero` is sign(0): with -1 every tie takes the lower level.

    Source: parq2025, released code; the constants outside the levels are ours.
    """
    hard = projection(levels, zero)
    soft = Parq(points=as_levels(levels), s=s, selection=SELECTION[zero])
    return Binarizer(soft, Identity(), hard, InverseSlope("s"))


def through(transformation: type[Curve], **defaults: float) -> Callable[..., Binarizer]:
    """F = T o L, B = T' o L on the levels -1 and 1, rho growing in equal steps to 1; T stays as it is."""

    def make(rho: float = 0.0, vrho: float = 0.0, zero: int = 1, **parameters: Any) -> Binarizer:
        sign = projection((-1, 1), zero)
        inner = ProximalQuantizer(rho=rho, vrho=vrho, selection=SELECTION[zero])
        pair = composed(transformation(**{**defaults, **parameters}), inner)
        return replace(pair, deployed=sign, law=Linear("rho", 0.0, 1.0))

    fields = inspect.signature(transformation).parameters.values()
    own = [p.replace(default=defaults.get(p.name, p.default)) for p in fields]
    given = inspect.signature(make).parameters.values()
    named = [p.replace(kind=p.KEYWORD_ONLY) for p in (*own, *given) if p.kind != p.VAR_KEYWORD]
    make.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    make.__doc__ = f"{transformation.__doc__}\n{THROUGH}"
    return make


THROUGH = """This curve behind L: F(x) = T(L(x)), and the gradient is T'(L(x)) dy.

    Parameters
    ----------
    rho : float
        How far -1 and 1 are held towards 0, in units of x; annealing sets it.
    vrho : float
        Half the jump at 0, in units of x.

    Source: after pcpp2023, whose recipe such pairs follow; this pair is ours.
    """
