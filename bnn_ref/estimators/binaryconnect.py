"""BinaryConnect: binary weights during propagation, by sign or by chance; the gradient passes unchanged."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bnn_ref.basepoint import decide
from bnn_ref.binarizer import Binarizer, Constant, Map, Scaled, Sign
from bnn_ref.checks import require_positive
from bnn_ref.estimators.ste import Identity
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class StochasticSign(Map):
    """+1 with probability hard_sigmoid(x / H) = max(0, min((x / H + 1) / 2, 1)), else -1.

    The chance of each element is a function of `seed` and of its place, so that one map answers one way;
    `drawn` gives it a new seed.

    Parameters
    ----------
    height : float
        H, in units of x: from here on the sign is certain.
    seed : int
        The draw.

    Source: binaryconnect2015, released code.
    """

    height: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        require_positive("height", self.height)

    @property
    def levels(self) -> tuple[float, ...] | None:
        return (-1.0, 1.0)

    def _drawn(self, rng: np.random.Generator, seen: dict[int, Map]) -> Map:
        return replace(self, seed=int(rng.integers(2**63)))

    def __call__(self, x: Array) -> Array:
        return decide(lambda: self._signs(x))

    def _signs(self, x: Array) -> Array:
        chance = np.random.default_rng(self.seed).random(x.shape)
        signs = np.where(2 * chance < x.real / self.height + 1, 1, -1).astype(x.dtype)
        return np.where(np.isnan(x), x, signs)

    def vjp(self, x: Array, dy: Array) -> Array:
        """0: between two jumps it is constant."""
        return np.zeros_like(x)

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)


def deterministic(height: float = 1.0, *, zero: int = 1) -> Binarizer:
    """F(x) = H sign(x), T(x) = x: the gradient to the binary weight is that of the real one.

    The optimizer clips the real weights to [-H, H] and may scale their steps (`clip` and `glorot` of its
    configuration).

    Parameters
    ----------
    height : float
        H, in units of x.

    Source: binaryconnect2015, released code.
    """
    require_positive("height", height)
    binary = Scaled(Constant(height), Sign(zero))
    return Binarizer(binary, Identity(), binary)


def stochastic(height: float = 1.0) -> Binarizer:
    """F(x) = +H with probability hard_sigmoid(x / H), else -H; T(x) = x; deployed as the real weights.

    Each training step draws anew, from the generator of the run. The real weights of eval mode are not
    binary: such a network cannot be packed.

    Parameters
    ----------
    height : float
        H, in units of x.

    Source: binaryconnect2015, released code.
    """
    return Binarizer(Scaled(Constant(height), StochasticSign(height)), Identity(), Identity())
