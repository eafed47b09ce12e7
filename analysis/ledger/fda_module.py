"""FDA-BNN's statements about its noise module, its tail, and what follows from them for training."""

from __future__ import annotations

from functools import partial

import numpy as np

from analysis.ledger.claim import Claim, Finding, at_most, claim, collected
from analysis.ledger.numeric import integral, largest, series
from bnn_ref.layers import ReLU
from bnn_ref.parameter import Array

PAPER = "fda2021"
SEED = 0
WIDTH, HIDDEN, DRAWS = 16, 4, 4000


OPTIMUM = Claim(
    "fda-same-optimum", PAPER, "Section 3.1", "P",
    "In the limit the surrogate has the same optimum as sign.",
    reason="Theorem 1 is about values in L2; no statement about minimisers or gradients follows from it, and "
    "none is given that could be computed.",
)  # fmt: skip


def _mean_outputs() -> Array:
    """E[relu(t W1)] W2 over t ~ N(0, I), exactly, for many draws of W1, W2: shape (draws, width)."""
    rng = np.random.default_rng(SEED)
    first = rng.uniform(-1, 1, (DRAWS, WIDTH, HIDDEN)) / np.sqrt(WIDTH)
    second = rng.uniform(-1, 1, (DRAWS, HIDDEN, WIDTH)) / np.sqrt(HIDDEN)
    half_normal = integral(lambda g: g * np.exp(-g * g / 2) / np.sqrt(2 * np.pi), 0, 12)  # E relu(g)
    sigma = np.sqrt((first**2).sum(axis=1))  # t W1 is Gaussian with these deviations
    return np.asarray(np.einsum("dh,dhw->dw", half_normal * sigma, second))


@claim(
    "fda-module-unbiased", PAPER, "Section 3.2", "P",
    "Weights drawn with mean 0 make the noise module's first output unbiased for Gaussian input.",
)  # fmt: skip
def module_unbiased() -> Finding:
    """For the weights that a network has, not only on average over the draws."""
    means = _mean_outputs()
    size = float(np.sqrt((means**2).mean()))
    return at_most(size, 1e-3, "root mean square of one module's mean output, inputs of variance 1")


@claim(
    "fda-module-unbiased-on-average", PAPER, "ours, on Section 3.2", "D",
    "Averaged over the draws of the weights the module's mean output is 0.",
)  # fmt: skip
def module_unbiased_on_average() -> Finding:
    means = _mean_outputs()
    scores = means.mean(axis=0) / (means.std(axis=0) / np.sqrt(DRAWS))
    return at_most(
        float(np.sqrt((scores**2).mean())), 2.0, "root mean square of the means, in standard errors"
    )


@claim(
    "fda-module-mean", PAPER, "ours, on Section 3.2", "D",
    "For fixed weights and t ~ N(0, I) that mean is (2 pi)^(-1/2) (norms of the columns of W1) W2.",
)  # fmt: skip
def module_mean() -> Finding:
    """In the plane, by polar coordinates: the radius integrates alone, the angle through each ReLU."""
    rng = np.random.default_rng(SEED)
    first, second = rng.normal(size=(2, 3)), rng.normal(size=(3, 2))
    radius = integral(lambda r: r * r * np.exp(-r * r / 2) / (2 * np.pi), 0, 12)

    def relu(column: Array, angle: Array) -> Array:
        return np.maximum(column[0] * np.cos(angle) + column[1] * np.sin(angle), 0)

    hidden = [radius * integral(partial(relu, column), 0, 2 * np.pi, 20_000) for column in first.T]
    formula = np.sqrt((first**2).sum(axis=0)) @ second / np.sqrt(2 * np.pi)
    return at_most(largest(np.array(hidden) @ second - formula), 1e-7, "largest difference, 2 inputs")


@claim(
    "fda-lipschitz-smooth", PAPER, "Section 3.2", "P",
    "Networks are Lipschitz, hence their gradients are continuous.",
)  # fmt: skip
def lipschitz_smooth() -> Finding:
    x = np.array([-5e-324, 5e-324])
    relu = ReLU()
    slopes = relu.backward(np.ones(2), relu.forward(x)[1])
    return at_most(
        float(slopes[1] - slopes[0]), 1e-6, "jump at 0 of the gradient of a ReLU, which is Lipschitz"
    )


@claim(
    "fda-tail-oscillates", PAPER, "Section 3.2", "P",
    "With many terms the tail of the slope oscillates around 0.",
)  # fmt: skip
def tail_oscillates() -> Finding:
    signs = np.sign(series(18).derivative(np.linspace(0, np.pi, 10_001)))
    changes = int((np.diff(signs[signs != 0]) != 0).sum())  # a grid point may be a zero
    return Finding(changes == 35, changes, "changes of sign between 0 and T/2, 18 terms: 2N - 1")


SHORTCUT = Claim(
    "fda-shortcut-helps", PAPER, "Section 3.2; Table 4", "P",
    "The positive bias of the module's shortcut helps against that tail.",
    reason="Help means trained accuracy (Table 4: 85.27 to 86.20 %), which needs full-size training. "
    "How large the bias is, is in fda-shortcut-small.",
)  # fmt: skip


@claim(
    "fda-shortcut-small", PAPER, "ours, at alpha = a = 0.1 and omega = 0.1", "D",
    "That bias, at most alpha a, is less than 2 % of the tail that it is meant to lift (t = 1).",
)  # fmt: skip
def shortcut_small() -> Finding:
    slopes = [abs(float(series(n, 0.1).derivative(np.array(1.0)))) for n in range(100, 200)]
    return at_most(0.1 * 0.1 / max(slopes), 0.02, "largest bias over largest tail, 100 to 199 terms")


@claim(
    "fda-shortcut-positive", PAPER, "Section 3.2", "P",
    "The shortcut a sin x adds a positive bias to the slope in the given range (we read: abs(x) <= 1).",
)  # fmt: skip
def shortcut_positive() -> Finding:
    x = np.linspace(-1, 1, 2001)
    rise = float(np.diff(np.sin(x)).min() / np.diff(x)[0])
    return Finding(rise > 0, rise, "least slope of sin on it; negative from abs(x) = pi/2 on")


@claim(
    "fda-window-terms", PAPER, "ours, on third-party code", "D",
    "At omega = 0.1 the slope is positive on all of abs(t) <= 1 up to N = 15; the recipe goes on to 18.",
)  # fmt: skip
def window_terms() -> Finding:
    t = np.linspace(-1, 1, 4001)
    positive = [n for n in range(1, 25) if series(n, 0.1).derivative(t).min() > 0]
    return Finding(positive == list(range(1, 16)), max(positive), "largest N with a positive slope")


@claim(
    "fda-window-negative", PAPER, "ours, on third-party code", "D",
    "At N = 18 the gradient is inverted for 9.6 % of unit-normal inputs inside the window.",
)  # fmt: skip
def window_negative() -> Finding:
    def density(t: Array) -> Array:
        return np.exp(-t * t / 2)

    def inverted(t: Array) -> Array:
        return density(t) * (series(18, 0.1).derivative(t) < 0)

    share = integral(inverted, 0, 1, 20_000) / integral(density, 0, 1)
    return Finding(abs(share - 0.096) < 5e-4, share, "share of negative slopes")


CLAIMS = collected(globals())
