"""ABC-Net: a real tensor as a sum of several binary ones, each shifted otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bnn_ref.basepoint import decide
from bnn_ref.binarizer import Binarizer, Compose, Constant, Curve, Detach, Map, Piece, Scaled, Sign, Sum
from bnn_ref.checks import is_number, require, require_whole
from bnn_ref.estimators.dorefa import UnitClip
from bnn_ref.estimators.ste import Identity
from bnn_ref.parameter import Array, Parameter, value_of


def shifts(bases: int) -> Array:
    """u_m = -1 + 2 (m - 1) / (M - 1), m = 1 .. M; 0 for a single base. Source: after abcnet2017."""
    return np.linspace(-1, 1, bases) if bases > 1 else np.zeros(1)


@dataclass(frozen=True)
class Base(Map):
    """B = sign(x - mean(x) + u std(x)), mean and (population) deviation over the whole tensor.

    Parameters
    ----------
    shift : float
        u.
    zero : int
        sign(0).

    Source: after abcnet2017; third-party code.
    """

    shift: float = 0.0
    zero: int = 1
    whole = True

    def __post_init__(self) -> None:
        Sign(self.zero)

    @property
    def levels(self) -> tuple[float, ...] | None:
        return (-1.0, 1.0)

    def __call__(self, x: Array) -> Array:
        return decide(lambda: Sign(self.zero)(x.real - x.real.mean() + self.shift * x.real.std()))


@dataclass(frozen=True)
class Coefficients(Map):
    """alpha, which minimises sum((x - sum_m alpha_m B_m)^2) over the whole tensor; shape (1, ..., 1).

    Parameters
    ----------
    bases : int
        M.
    which : int or None
        m - 1: the answer is alpha_m; None: the sum of all.
    zero : int
        sign(0).

    Source: after abcnet2017. Of several minima (two bases may be equal) the shortest, which is ours.
    """

    bases: int = 1
    which: int | None = None
    zero: int = 1
    whole = True

    def __call__(self, x: Array) -> Array:
        flat = x.real.reshape(-1).astype(np.float64)
        base = np.stack([Base(u, self.zero)(flat) for u in shifts(self.bases)], axis=1)
        known = not np.isnan(flat).any()
        alpha = (
            np.linalg.lstsq(base.T @ base, base.T @ flat, rcond=None)[0] if known else flat.mean() * base[0]
        )
        chosen = alpha.sum() if self.which is None else alpha[self.which]
        return np.asarray(chosen, x.dtype).reshape((1,) * x.ndim)


def weight(bases: int = 3, *, zero: int = 1) -> Binarizer:
    """F(x) = sum of alpha_m B_m over M bases; T(x) = (alpha_1 + ... + alpha_M) x, the alphas held.

    Each B_m has the identity for its gradient: dx = sum of alpha_m dB_m, where dB_m is the gradient to the
    output of base m before it is scaled. A single base is a sign with one scale and can be packed.

    Parameters
    ----------
    bases : int
        M, 1 or more.

    Source: after abcnet2017; third-party code.
    """
    require_whole("bases", bases, 1)
    terms = tuple(
        Scaled(Coefficients(bases, m, zero), Base(float(u), zero)) for m, u in enumerate(shifts(bases))
    )
    binary = terms[0] if bases == 1 else Sum(terms)
    return Binarizer(binary, Scaled(Detach(Coefficients(bases, None, zero)), Identity()), binary)


@dataclass(frozen=True)
class Shift(Map):
    """y = x + v; dx = dy, dv = sum of dy.

    Parameters
    ----------
    offset : float or Parameter
        v, in units of x: binding makes it a parameter, one a tensor.

    Source: after abcnet2017; third-party code.
    """

    offset: float | Parameter = 0.0

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        if isinstance(self.offset, Parameter):
            return self
        return replace(self, offset=Parameter(np.asarray(self.offset, np.float32), "offset"))

    def __call__(self, x: Array) -> Array:
        return x + value_of(self.offset)

    def vjp(self, x: Array, dy: Array) -> Array:
        if isinstance(self.offset, Parameter):
            self.offset.accumulate(np.asarray(dy.sum()))
        return dy.copy()

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)


@dataclass(frozen=True)
class UpperHalf(Curve):
    """2 * 1[x >= 1/2] - 1: the sign of a number in [0, 1]. Source: after abcnet2017; third-party code."""

    kinks = (0.5,)
    odd = False
    support = 0.5
    peak = 0.0
    area = 0.0

    @property
    def levels(self) -> tuple[float, ...] | None:
        return (-1.0, 1.0)

    def pieces(self) -> tuple[Piece, ...]:
        return (-1.0, 1.0)

    def slope(self, x: Array) -> Array:
        return np.zeros_like(x)


def activation(offsets: tuple[float, ...] = (0.25, 0.5, 0.75)) -> Binarizer:
    """F(x) = sum of beta_n H_n(x), H_n(x) = 2 * 1[h(x + v_n) >= 1/2] - 1, h(x) = max(0, min(x, 1)).

    T(x) = sum of beta_n h(x + v_n), as far as x and v_n are concerned; dbeta_n = sum of H_n(x) dy. Every v_n
    and beta_n is trained.

    Parameters
    ----------
    offsets : tuple of float
        v_n at first, N of them, in units of x; 0.5 puts the step at 0. beta_n starts at 1 / N,
        rounded up to a power of two (sums of such numbers are exact).

    Source: after abcnet2017; third-party code. The first values are ours.
    """
    good = isinstance(offsets, (tuple, list)) and len(offsets) > 0 and all(map(is_number, offsets))
    require(good, "offsets", "at least one number", offsets)
    step = Binarizer(UpperHalf(), UnitClip(), UpperHalf())
    beta = 2.0 ** -(len(offsets).bit_length() - 1)
    terms = tuple(Scaled(Constant(beta, learn=True), Compose((Shift(float(v)), step))) for v in offsets)
    whole = terms[0] if len(terms) == 1 else Sum(terms)
    return Binarizer(whole, whole, whole)
