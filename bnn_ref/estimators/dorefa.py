"""DoReFa-Net: weights of one bit with one scale a layer, activations of k bits between 0 and 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref.binarizer import Binarizer, Curve, MeanAbs, Piece, Scaled, Sign
from bnn_ref.checks import require, require_whole
from bnn_ref.estimators.ste import Identity
from bnn_ref.parameter import Array

MOST_BITS = 8


@dataclass(frozen=True)
class UnitClip(Curve):
    """T(x) = max(0, min(x, 1)), T'(x) = 1[0 <= x <= 1]. Source: dorefa2016, released code."""

    kinks = (0.0, 1.0)
    owners = ("right", "left")
    odd = False
    support = 1.0
    peak = 1.0
    area = 1.0

    def pieces(self) -> tuple[Piece, ...]:
        return (0.0, lambda x: x, 1.0)

    def slope(self, x: Array) -> Array:
        return ((x >= 0) & (x <= 1)).astype(x.dtype)


@dataclass(frozen=True)
class Quantizer(Curve):
    """round(n max(0, min(x, 1))) / n with n = 2^bits - 1, halves to the even side; its true derivative is 0.

    Parameters
    ----------
    bits : int
        1 to 8.

    Source: dorefa2016, released code.
    """

    bits: int = 1
    odd = False
    support = 0.0
    peak = 0.0
    area = 0.0

    def __post_init__(self) -> None:
        require_whole("bits", self.bits, 1)
        require(self.bits <= MOST_BITS, "bits", f"at most {MOST_BITS}", self.bits)

    @property
    def levels(self) -> tuple[float, ...]:
        n = 2**self.bits - 1
        return tuple(i / n for i in range(n + 1))

    @property
    def kinks(self) -> tuple[float, ...]:
        n = 2**self.bits - 1
        return tuple((i + 0.5) / n for i in range(n))

    @property
    def owners(self) -> tuple[str, ...]:
        return tuple("left" if i % 2 == 0 else "right" for i in range(2**self.bits - 1))

    def pieces(self) -> tuple[Piece, ...]:
        return self.levels

    def slope(self, x: Array) -> Array:
        return np.zeros_like(x)


def weight(*, zero: int = 1) -> Binarizer:
    """F(x) = E sign(x), E = mean abs(x) of the whole layer; T(x) = x.

    The released code divides by E before the sign and multiplies by it after, so that no E is left in the
    gradient. Source: dorefa2016, released code.
    """
    binary = Scaled(MeanAbs(per_channel=False), Sign(zero))
    return Binarizer(binary, Identity(), binary)


def activation(bits: int = 1) -> Binarizer:
    """F(x) = round(n clip(x)) / n, n = 2^k - 1; T(x) = max(0, min(x, 1)). One bit is {0, 1}, not {-1, +1}.

    Parameters
    ----------
    bits : int
        k, 1 to 8.

    Source: dorefa2016, released code.
    """
    return Binarizer(Quantizer(bits), UnitClip(), Quantizer(bits))
