"""DoReFa-Net: weights of one bit with one scale a layer, activations and gradients of k bits."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bnn_ref.binarizer import Binarizer, Curve, Map, MeanAbs, Piece, Scaled, Sign
from bnn_ref.checks import require, require_whole
from bnn_ref.estimators.ste import Identity
from bnn_ref.parameter import Array

MOST_BITS = 8


def _require_bits(bits: int) -> None:
    require_whole("bits", bits, 1)
    require(bits <= MOST_BITS, "bits", f"at most {MOST_BITS}", bits)


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
        _require_bits(self.bits)

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


@dataclass(frozen=True)
class GradientQuantizer(Map):
    """dx = m (2 q - 1), q = round(n clip(u + e)) / n, u = (dy / m + 1) / 2, n = 2^k - 1, whatever x is.

    m = max abs(dy) of each image, e uniform in (-1/2n, 1/2n): dx takes 2^k values from -m to m, and is dy in
    the mean over e. It is not linear in dy: there is no T. `drawn` gives e a new seed.

    Parameters
    ----------
    bits : int
        k, 1 to 8.
    seed : int
        The draw.

    Source: dorefa2016, released code. A gradient of zeros stays one: ours.
    """

    bits: int = 6
    seed: int = 0
    linear = False

    def __post_init__(self) -> None:
        _require_bits(self.bits)

    def _drawn(self, rng: np.random.Generator, seen: dict[int, Map]) -> Map:
        return replace(self, seed=int(rng.integers(2**63)))

    def _parts(self, dy: Array) -> tuple[int, Array, Array]:
        """n, m of shape (N, 1, ..., 1), and u + e."""
        n, largest = 2**self.bits - 1, np.abs(dy).max(axis=tuple(range(1, dy.ndim)), keepdims=True)
        noise = (np.random.default_rng(self.seed).random(dy.shape) - 0.5) / n
        share = dy / np.where(largest > 0, largest, 1)
        return n, largest, (share + 1) / 2 + noise.astype(dy.dtype)

    def vjp(self, x: Array, dy: Array) -> Array:
        n, largest, noisy = self._parts(dy)
        return np.asarray(largest * (2 * np.round(n * np.clip(noisy, 0, 1)) / n - 1), dy.dtype)

    def declared_vjp(self, x: Array, dy: Array) -> Array:
        """m (2 q - 1), q the one of 0, 1/n, ..., 1 nearest to u + e."""
        n, largest, noisy = self._parts(dy)
        levels = np.arange(n + 1) / n
        return np.asarray(largest * (2 * levels[np.abs(noisy[..., None] - levels).argmin(axis=-1)] - 1))

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)


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


def gradient(bits: int = 6) -> Binarizer:
    """F(x) = x, dx = m (2 q - 1): q is (dy / m + 1) / 2 in k bits, rounded by chance, m = max abs(dy).

    There is no T. It stands behind a convolution, as an `Activation`, and each image has its own m.

    Parameters
    ----------
    bits : int
        k, 1 to 8.

    Source: dorefa2016, released code.
    """
    return Binarizer(Identity(), GradientQuantizer(bits), Identity())
