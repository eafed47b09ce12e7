"""Wrong estimators: foreign pairs held against a claim, and declared curves that are not what they say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bnn_ref import estimators
from bnn_ref.auditing.api import audit, audit_operation
from bnn_ref.auditing.broken.base import Broken
from bnn_ref.auditing.report import Report
from bnn_ref.binarizer import Binarizer, Curve, Faded, Piece, ReLU, Sign, Sum
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.dorefa import Quantizer, UnitClip
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.estimators.noise import NoiseModule
from bnn_ref.estimators.ste import HardTanh, Tanh
from bnn_ref.parameter import Array

CLIPPED = estimators.get("clipped-ste")


def _mask(x: Array) -> Array:
    return (np.abs(x) <= 1).astype(np.asarray(x).dtype)


class _HalfLevels(Quantizer):
    """One bit, but with three values."""

    def __call__(self, x: Array) -> Array:
        return np.asarray(np.round(2 * np.clip(x, 0, 1)) / 2)


def _in_place(x: Array, dy: Array) -> Array:
    np.multiply(dy, _mask(x), out=dy)
    return dy


def _clips_its_input(x: Array) -> Array:
    np.clip(x, -1, 1, out=x)
    return np.asarray(CLIPPED.forward(x))


def _by_the_sign_bit(x: Array) -> Array:
    return np.where(np.isnan(x), x, np.copysign(np.ones_like(x), x))


def _one_sided(x: Array, dy: Array) -> Array:
    return np.clip(2 - 2 * x, 0, 2).astype(x.dtype) * _mask(x) * dy


def _all_harmonics(x: Array, dy: Array) -> Array:
    slope = 0.4 / np.pi * sum(np.cos((i + 1) * 0.1 * x) for i in range(10))
    return (slope * _mask(x) * dy).astype(x.dtype)


def _operation(
    backward: Callable[[Array, Array], Array],
    claim: str = "clipped-ste",
    forward: Callable[[Array], Array] = CLIPPED.forward,
) -> Callable[[], Report]:
    return partial(audit_operation, forward, backward, claim)


@dataclass(frozen=True)
class _SteepTanh(Tanh):
    """Its slope is 1 % too large for its T."""

    def slope(self, x: Array) -> Array:
        return 1.01 * super().slope(x)


@dataclass(frozen=True)
class _Jumping(HardTanh):
    """T jumps at its kinks, where no slope can show it."""

    def pieces(self) -> tuple[Piece, ...]:
        return (-1.5, lambda x: x, 1.5)


@dataclass(frozen=True)
class _Boastful(PiecewiseQuadratic):
    """Claims a smaller peak than it has."""

    peak = 1.0


@dataclass(frozen=True)
class _Wavy(Curve):
    """Claims to be monotone."""

    peak = 4.0

    def pieces(self) -> tuple[Piece, ...]:
        return (lambda x: x + np.sin(3 * x),)

    def slope(self, x: Array) -> Array:
        return 1 + 3 * np.cos(3 * x)


@dataclass(frozen=True)
class _InvertedSign(Sign):
    """-sign(x)."""

    def __call__(self, x: Array) -> Array:
        return -super().__call__(x)


@dataclass(frozen=True)
class _PrintedAlpha(Faded):
    """Passes the gradient on unscaled, as a paper prints it."""

    def vjp(self, x: Array, dy: Array) -> Array:
        return self.inner.vjp(x, dy)


@dataclass(frozen=True)
class _OpenAtZero(NoiseModule):
    """Its gradient takes relu's slope at 0 as 1, its T declares 0."""

    def vjp(self, x: Array, dy: Array) -> Array:
        return NoiseModule.vjp(replace(self, relu=ReLU(at_zero=1)), x, dy)


def _with_module(module: Faded) -> Callable[[], Report]:
    series = FourierSeries()
    return partial(audit, Binarizer(Sum((Sign(), module)), Sum((series, module))))


def _declared(curve: Curve) -> Callable[[], Report]:
    return partial(audit, Binarizer(Sign(), curve))


ESTIMATORS: tuple[Broken, ...] = (
    Broken("dead backward", _operation(lambda x, dy: 0 * dy), "slope"),
    Broken("sign-flipped", _operation(lambda x, dy: -_mask(x) * dy), "slope"),
    Broken("shifted by 0.1", _operation(lambda x, dy: _mask(x - x.dtype.type(0.1)) * dy), "slope"),
    Broken("unclipped", _operation(lambda x, dy: 1 * dy), "slope"),
    Broken("scaled by 1 %", _operation(lambda x, dy: x.dtype.type(1.01) * _mask(x) * dy), "slope"),
    Broken(
        "wrong only on the kink",
        _operation(lambda x, dy: (np.abs(x) < 1).astype(x.dtype) * dy),
        "slope on kinks",
    ),
    Broken("mutates the incoming gradient", _operation(_in_place), "incoming gradient not mutated"),
    Broken("mutates its input", _operation(CLIPPED.backward, forward=_clips_its_input), "input not mutated"),
    Broken(
        "returns float64 for float32",
        _operation(lambda x, dy: np.asarray(_mask(x) * dy, np.float64)),
        "dtype and shape kept",
    ),
    Broken(
        "clips the gradient's size",
        _operation(lambda x, dy: np.clip(_mask(x) * dy, -1, 1)),
        "linear in the incoming gradient",
    ),
    Broken(
        "masks by its input where the gradient should be clipped",
        _operation(CLIPPED.backward, "gradient-clip"),
        "gradient as declared, incoming ~ 30, float64",
    ),
    Broken(
        "clips the gradient 1 % too late",
        _operation(estimators.get("gradient-clip", limit=1.01).backward, "gradient-clip"),
        "gradient as declared, incoming ~ 1, float64",
    ),
    Broken(
        "AdaSTE with the released code's oversight",
        _operation(
            estimators.get("adaste-code").backward, "adaste", forward=estimators.get("adaste").forward
        ),
        "gradient as declared, incoming ~ 1, float64",
    ),
    Broken(
        "deployed as levels that it does not claim",
        partial(audit, Binarizer(UnitClip(), UnitClip(), deployed=_HalfLevels())),
        "deployed values are 0 or 1",
    ),
    Broken("sign(0) = 0", _operation(CLIPPED.backward, forward=np.sign), "forward at 0 and -0"),
    Broken(
        "sign by the sign bit", _operation(CLIPPED.backward, forward=_by_the_sign_bit), "forward at 0 and -0"
    ),
    Broken("ApproxSign without its left half", _operation(_one_sided, "approxsign"), "slope"),
    Broken("Fourier series with even harmonics", _operation(_all_harmonics, "fda"), "slope"),
    Broken("one Fourier term too many", _operation(estimators.get("fda", terms=11).backward, "fda"), "slope"),
    Broken("slope 1 % above T's", _declared(_SteepTanh()), "slope is T's derivative"),
    Broken("T jumps at a kink", _declared(_Jumping()), "T is continuous at its kinks"),
    Broken("peak claimed too small", _declared(_Boastful()), "peak"),
    Broken("monotone claimed, but wavy", _declared(_Wavy()), "monotone"),
    Broken(
        "noise module without its alpha in the gradient",
        _with_module(_PrintedAlpha(0.1, NoiseModule())),
        "activation, float64: gradient to curve.second",
    ),
    Broken(
        "noise module open at 0 behind a T that is not",
        _with_module(Faded(0.1, _OpenAtZero())),
        "weight, float64: gradient to input 0",
    ),
    Broken(
        "real numbers deployed behind a hard sign",
        partial(audit, Binarizer(Sign(), HardTanh(), deployed=HardTanh())),
        "deployed values are -1 or +1",
    ),
    Broken(
        "deployed inverted",
        partial(audit, Binarizer(Sign(), HardTanh(), deployed=_InvertedSign())),
        "deployed is the level nearest to the trained value",
    ),
)
