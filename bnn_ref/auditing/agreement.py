"""How well a gradient agrees with the true one, which may be known by noisy estimates only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref.checks import require
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class Agreement:
    """How well a gradient g agrees with the true one G.

    Attributes
    ----------
    cosine, low, high : float
        <g, G> / (abs(g) abs(G)), and its 95 % interval by the bootstrap over draws; where G is exact there is
        none, and both are the cosine. Freed of the noise of G, so it may exceed 1 by chance; NaN where G is
        lost in its noise.
    gain : float
        <g, G> / <G, G>: 1 where g has the size that it should.
    bias : float
        abs(g - G) / abs(G).
    """

    cosine: float
    low: float
    high: float
    gain: float
    bias: float


RESAMPLES = 1000


def agreement(gradient: Array, truth: Array, seed: int = 0) -> Agreement:
    """Cosine, gain and bias of `gradient` against `truth`.

    Parameters
    ----------
    gradient : array
        g, of any shape.
    truth : array
        G, of the same shape; or independent unbiased estimates of it, (draws, *shape), two at least.
    seed : int
        Of the bootstrap.

    Raises
    ------
    ValueError
        For shapes that do not fit.

    Notes
    -----
    <G, G> is the mean product of two different draws: that of a draw with itself would count its noise.
    Source: ours.
    """
    g, truth = np.asarray(gradient, np.float64), np.asarray(truth, np.float64)
    if truth.shape == g.shape:
        exact = _ratios(np.array((g * truth).sum()), np.array((truth**2).sum()), float((g * g).sum()))
        one, size, off = map(float, exact)
        return Agreement(one, one, one, size, off)
    fits = truth.shape[1:] == g.shape and len(truth) > 1
    require(fits, "truth", f"shape {g.shape}, or two or more of it", truth.shape)
    estimates = truth.reshape(len(truth), -1)
    along, products = estimates @ g.reshape(-1), estimates @ estimates.T
    np.fill_diagonal(products, 0)
    picks = np.random.default_rng(seed).multinomial(
        len(truth), np.full(len(truth), 1 / len(truth)), RESAMPLES
    )
    weights = np.vstack([np.ones(len(truth)), picks])
    pairs = weights.sum(axis=1) ** 2 - (weights**2).sum(axis=1)
    square = np.einsum("br,rs,bs->b", weights, products, weights, optimize=True) / pairs
    cosines, gain, bias = _ratios(weights @ along / len(truth), square, float((g * g).sum()))
    known = bool(np.isfinite(cosines).all())
    low, high = np.percentile(cosines[1:], [2.5, 97.5]) if known else (np.nan, np.nan)
    return Agreement(float(cosines[0]), float(low), float(high), float(gain[0]), float(bias[0]))


def _ratios(product: Array, square: Array, own: float) -> tuple[Array, Array, Array]:
    """Cosine, gain and bias out of <g, G>, <G, G> and <g, g>; NaN where a square is not positive."""
    square = np.where((square > 0) & (own > 0), square, np.nan)
    bias = np.sqrt(np.maximum((own - 2 * product) / square + 1, 0))
    return product / np.sqrt(square * own), product / square, bias
