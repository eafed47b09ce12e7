"""FDA-BNN's noise adaptation module: a small network that learns what an estimator leaves of sign.

It is added to forward and surrogate alike, z = F(t) + alpha e(t), fades out while training runs, and is gone
from eval mode and packed networks. Being one part of a sum it goes with any estimator (`noisy`).
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from bnn_ref.annealing import Law, Moment, Together
from bnn_ref.binarizer import Binarizer, Curve, Faded, Map, Piece, ReLU, Sum
from bnn_ref.checks import is_number, require, require_whole
from bnn_ref.estimators.ste import Identity
from bnn_ref.parameter import Array, Parameter


@dataclass(frozen=True)
class Sine(Curve):
    """T(x) = sin x, T'(x) = cos x: a shortcut that stays bounded. Source: fda2021, Section 3.2."""

    monotone = False
    peak = 1.0
    period = 2 * np.pi

    def pieces(self) -> tuple[Piece, ...]:
        return (np.sin,)

    def slope(self, x: Array) -> Array:
        return np.cos(x)


SHORTCUTS: dict[str, Curve | None] = {"sine": Sine(), "line": Identity(), "none": None}
"""eta / a: the three that the paper compares (Table 4)."""


def eta_named(shortcut: str) -> Curve | None:
    """eta / a by its name; ValueError for an unknown one."""
    known = isinstance(shortcut, str) and shortcut in SHORTCUTS
    require(known, "shortcut", f"one of {', '.join(SHORTCUTS)}", shortcut)
    return SHORTCUTS[shortcut]


@dataclass(frozen=True)
class NoiseModule(Map):
    """e(t) = relu(t W1) W2 + eta(t) for row vectors t, W1 (d, m), W2 (m, d), eta = a sin, a times or nothing.

    Binding makes W1 and W2 at once, one pair a tensor, so that an optimizer sees them from the start. The
    vectors of an activation are its channels (d = C, one at every pixel of every image); those of a weight
    are its filters (d = K K C, or C in a linear layer).

    Parameters
    ----------
    eta : Curve or None
        eta / a, the shortcut: `Sine` (default), `Identity`, or None for none.
    amplitude : float
        a.
    ratio : int
        k: m = max(1, floor(d / k)).
    hidden : int or None
        m itself, in place of the ratio.
    relu : ReLU
        Which slope relu has at 0.
    first, second : Parameter or None
        W1 and W2, made by binding: uniform on +-1/sqrt(fan in).
    rows : int or None
        Set by binding: the axis that numbers the vectors of a weight; None for an activation.

    Source: fda2021, Eq. 13, with k = 64 and a = 0.1. What the vectors are, the rounding down of d / k and the
    first values follow third-party code; m >= 1 is ours.
    """

    eta: Curve | None = Sine()
    amplitude: float = 0.1
    ratio: int = 64
    hidden: int | None = None
    relu: ReLU = ReLU()
    first: Parameter | None = field(default=None, repr=False)
    second: Parameter | None = field(default=None, repr=False)
    rows: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        require(is_number(self.amplitude), "amplitude", "a finite number", self.amplitude)
        object.__setattr__(self, "amplitude", float(self.amplitude))  # NumPy's own floats promote float32
        require_whole("ratio", self.ratio, 1)
        if self.hidden is not None:
            require_whole("hidden", self.hidden, 1)

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        if self.first is not None:
            return self
        require(
            len(shape) > 0, "shape", "the channels (C,) or the whole shape of a weight, to bind to", shape
        )
        rows = None if len(shape) == 1 else axis % len(shape)
        d = shape[0] if rows is None else prod(shape) // shape[rows]
        m = self.hidden or max(1, d // self.ratio)
        first, second = (rng.uniform(-1, 1, size) / np.sqrt(size[0]) for size in ((d, m), (m, d)))
        return dataclasses.replace(
            self,
            first=Parameter(first.astype(np.float32), "first"),
            second=Parameter(second.astype(np.float32), "second"),
            rows=rows,
        )

    def _weights(self, x: Array) -> tuple[Parameter, Parameter]:
        """W1 and W2, if they are there and fit `x`."""
        if self.first is None or self.second is None:
            raise ValueError("NoiseModule: required to be bound to a tensor before it is used (Map.bind)")
        d = self.first.value.shape[0]
        fits = x.ndim > 0 and self._vectors(x).shape[1] == d
        require(fits, "x", f"vectors of {d}, as the module was bound to", x.shape)
        return self.first, self.second

    def _vectors(self, x: Array) -> Array:
        """The rows t of `x`: (n, d)."""
        if self.rows is None:
            return x.reshape(prod(x.shape[:-1]), x.shape[-1])
        moved = np.moveaxis(x, self.rows, 0)
        return moved.reshape(len(moved), prod(moved.shape[1:]))

    def _tensor(self, vectors: Array, x: Array) -> Array:
        """Rows back in the place of those of `x`."""
        if self.rows is None:
            return vectors.reshape(x.shape)
        moved = np.moveaxis(x, self.rows, 0).shape
        return np.ascontiguousarray(np.moveaxis(vectors.reshape(moved), 0, self.rows))

    def __call__(self, x: Array) -> Array:
        first, second = self._weights(x)
        e = self._tensor(self.relu(self._vectors(x) @ first.value) @ second.value, x)
        return e if self.eta is None else e + self.amplitude * self.eta(x)

    def vjp(self, x: Array, dy: Array) -> Array:
        """With h = t W1: dt = ((dy W2^T) relu'(h)) W1^T + dy eta'(t);

        dW1 = t^T ((dy W2^T) relu'(h)), dW2 = relu(h)^T dy, summed over the rows.
        """
        first, second = self._weights(x)
        t, g = self._vectors(x), self._vectors(dy)
        h = t @ first.value
        dh = self.relu.slope_times(h, g @ second.value.T)
        first.accumulate(t.T @ dh)
        second.accumulate(self.relu(h).T @ g)
        dx = self._tensor(dh @ first.value.T, x)
        return dx if self.eta is None else dx + self.amplitude * self.eta.slope_times(x, dy)

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)


@dataclass(frozen=True)
class Fading:
    """alpha = start (1 + cos(pi progress)) / 2: `start` in the first epoch, 0 in the last.

    Parameters
    ----------
    start : float
        alpha at first.

    Source: ours; fda2021 says only that alpha falls to 0.
    """

    start: float = 0.1

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """alpha, the field `strength`."""
        return {"strength": self.start * (1 + float(np.cos(np.pi * moment.progress))) / 2}


@dataclass(frozen=True)
class ReleasedFading(Fading):
    """alpha = start (1 + cos(pi (epoch + 1) / epochs)) / 2: 0 in the last epoch. Source: third-party code."""

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """alpha, the field `strength`."""
        return {"strength": self.start * (1 + float(np.cos(np.pi * moment.ended))) / 2}


def noisy(make: Callable[..., Binarizer], fading: type[Fading] = Fading) -> Callable[..., Binarizer]:
    """`make` with the module: F + alpha e forward, T + alpha e for the gradient, deployed as before.

    Parameters
    ----------
    make : callable
        Makes the binarizer; its parameters stay what they are, those of the module join them.
    fading : type
        How alpha falls, from `strength`.

    Returns
    -------
    callable
        With the parameters of `make`, `shortcut`, `amplitude`, `ratio`, `hidden` and `strength` (alpha at
        first, 0.1: third-party code).

    Source: fda2021, Eq. 14 and Fig. 2 (a, d).
    """

    def made(
        *,
        shortcut: str = "sine",
        amplitude: float = 0.1,
        ratio: int = 64,
        hidden: int | None = None,
        strength: float = 0.1,
        **own: Any,
    ) -> Binarizer:
        module = Faded(strength, NoiseModule(eta_named(shortcut), amplitude, ratio, hidden))
        base = make(**own)
        laws: tuple[Law, ...] = () if base.law is None else (base.law,)
        return Binarizer(
            Sum((base.forward, module)),
            Sum((base.surrogate, module)),
            base.deployed,
            Together((*laws, fading(strength))),
        )

    extra = [p for p in inspect.signature(made).parameters.values() if p.kind is p.KEYWORD_ONLY]
    parameters = [*inspect.signature(make).parameters.values(), *extra]
    made.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    made.__doc__ = DOCUMENTATION.format(base=inspect.getdoc(make))
    return made


DOCUMENTATION = """T(x) = T0(x) + alpha e(x), F(x) = F0(x) + alpha e(x), e(t) = relu(t W1) W2 + eta(t).

F0 and T0 are those of the estimator that the noise module is added to:

{base}

The module; it is gone from what is deployed:

shortcut : str
    eta: "sine" (a sin t, default), "line" (a t) or "none".
amplitude : float
    a.
ratio : int
    k: the hidden width is max(1, floor(d / k)) for vectors of d elements.
hidden : int or None
    That width itself.
strength : float
    alpha in the first epoch; 0 in the last.

Source: fda2021, Eq. 13-14.
"""
"""What `noisy` says of what it makes; `base` is the documentation of the estimator without the module."""
