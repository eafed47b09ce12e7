"""Lines of trained slope behind a clip or a threshold: BBC without a hidden layer."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from bnn_ref.binarizer import Curve, Map, Piece
from bnn_ref.checks import is_number, require
from bnn_ref.estimators.classifier import INITS
from bnn_ref.estimators.vectors import channels_of
from bnn_ref.parameter import Array, Parameter, unbroadcast, value_of


@dataclass(frozen=True)
class ClippedLines(Curve):
    """T(x) = sum_k clip(w_k x, -1, 1), k = 0, 1; T'(x) = sum_k w_k 1[abs(x) < 1/abs(w_k)].

    A straight-through estimator whose slope and window are one trained number a logit. w = (1/2, 1/2) is the
    clipped one on twice the window, w = (1, 0) the clipped one itself, with a strict mask.

    Parameters
    ----------
    w0 : float or Parameter
        The slope of the first logit: of a curve that is not bound, and where `init` is "given". Binding
        makes it a parameter.
    w1 : float or Parameter
        That of the second one.
    init : str
        "default" draws both from U(-1, 1): in one case of two the sum, which is the slope at 0, is negative.
        "positive" (ours) takes their sizes, "given" w0 and w1 as they are.
    shared : bool
        One pair for a whole network, or (False) one a tensor.

    Source: bbc2023, released code (depth 1; a commented-out line there starts from 1/2, 1/2).
    """

    w0: float | Parameter = 0.5
    w1: float | Parameter = 0.5
    init: str = "default"
    shared: bool = True

    def __post_init__(self) -> None:
        for name, value in (("w0", self.w0), ("w1", self.w1)):
            require(isinstance(value, Parameter) or is_number(value), name, "a finite number", value)
        known = (*INITS, "given")
        require(self.init in known, "init", f"one of {', '.join(known)}", self.init)
        require(isinstance(self.shared, bool), "shared", "True or False", self.shared)

    @property
    def oriented(self) -> bool:
        return self.init != "default"

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        if isinstance(self.w0, Parameter):
            return self
        first = np.array([self.w0, self.w1]) if self.init == "given" else rng.uniform(-1, 1, 2)
        first = (np.abs(first) if self.init == "positive" else first).astype(np.float32)
        w0, w1 = (Parameter(value, name) for name, value in zip(("w0", "w1"), first, strict=True))
        return dataclasses.replace(self, w0=w0, w1=w1)

    def _windows(self) -> Iterator[tuple[float, float, Array | float]]:
        """For each logit that is not 0 throughout: (1/abs(w), sign(w), w)."""
        for held in (self.w0, self.w1):
            w = value_of(held)
            if real := float(np.real(w)):
                yield _window(real), math.copysign(1, real), w

    def _rings(self) -> list[float]:
        """T' in the outermost ring of abs(x) where it is not 0, the next, and so on to 0."""
        ordered = sorted(self._windows(), key=lambda each: -each[0])
        return list(accumulate(sign / reach for reach, sign, _ in ordered))

    @property
    def kinks(self) -> tuple[float, ...]:
        return tuple(sorted({side * reach for reach, _, _ in self._windows() for side in (-1, 1)}))

    @property
    def owners(self) -> tuple[str, ...]:
        return tuple("left" if kink < 0 else "right" for kink in self.kinks)

    @property
    def monotone(self) -> bool:
        return min(self._rings(), default=0) >= 0

    @property
    def support(self) -> float:
        return max((reach for reach, _, _ in self._windows()), default=0.0)

    @property
    def peak(self) -> float:
        return max(map(abs, self._rings()), default=0.0)

    @property
    def area(self) -> float:
        """2 a logit, whatever its slope: what a steeper one gains it loses in its window."""
        return 2 * sum(sign for _, sign, _ in self._windows())

    def pieces(self) -> tuple[Piece, ...]:
        return tuple(self._piece(low, high) for low, high in pairwise((-math.inf, *self.kinks, math.inf)))

    def _piece(self, low: float, high: float) -> Piece:
        slope: Array | float = 0.0
        constant = 0.0
        for reach, sign, w in self._windows():
            if low >= reach or high <= -reach:
                constant += sign if low >= reach else -sign
            else:
                slope = slope + w
        return lambda x: slope * x + constant

    def slope(self, x: Array) -> Array:
        size = np.abs(x)
        inside = (w * (size < reach) for reach, _, w in self._windows())
        return sum(inside, start=np.zeros_like(x))

    def parameter_slopes(self, x: Array) -> tuple[tuple[Parameter, Array], ...]:
        """dT/dw_k = x 1[abs(x) < 1/abs(w_k)]."""
        trained = [w for w in (self.w0, self.w1) if isinstance(w, Parameter)]
        return tuple((w, x * (np.abs(x) < _window(float(w.value.real)))) for w in trained)

    def gain(self, w: Array) -> Array:
        """H(w) = sum_k sin(w / abs(w_k)) / w, with the sign of w_k."""
        return sum(
            (sign * np.sinc(w * reach / np.pi) for reach, sign, _ in self._windows()), np.zeros_like(w)
        )


def _window(w: float) -> float:
    """1/abs(w): where abs(w x) reaches 1."""
    return 1 / abs(w) if w else math.inf


@dataclass(frozen=True)
class Affine(Map):
    """y = a x + b, one a and one b per channel, trained; dx = a dy, da = sum of x dy, db = sum of dy.

    Parameters
    ----------
    gain, shift : float or Parameter
        a and b at first. Binding makes them parameters.

    Source: ours.
    """

    gain: float | Parameter = 1.0
    shift: float | Parameter = 0.0

    def __post_init__(self) -> None:
        for name, value in (("gain", self.gain), ("shift", self.shift)):
            require(isinstance(value, Parameter) or is_number(value), name, "a finite number", value)

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        if isinstance(self.gain, Parameter):
            return self
        channels = channels_of(shape, axis)
        gain, shift = (np.full(channels, value, np.float32) for value in (self.gain, self.shift))
        return dataclasses.replace(self, gain=Parameter(gain, "gain"), shift=Parameter(shift, "shift"))

    def __call__(self, x: Array) -> Array:
        """x: (..., C)."""
        return np.asarray(x * value_of(self.gain) + value_of(self.shift))

    def vjp(self, x: Array, dy: Array) -> Array:
        for held, grad in ((self.gain, dy * x), (self.shift, dy)):
            if isinstance(held, Parameter):
                held.accumulate(unbroadcast(grad, held.value.shape))
        return np.asarray(dy * value_of(self.gain))

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)
