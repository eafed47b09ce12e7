"""What does batch norm leave of a weight gradient that carries the weight's magnitude?

One layer of binary products, batch norm behind it, a shortcut added, a smooth loss: the gradient of the
latent weight under each rule. BN(alpha z) = BN(z), so that with eps = 0 the published rule is the one without
magnitude, exactly; what is measured here is by how much eps spoils that, and where magnitude really enters.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from analysis.study import Study, run
from analysis.tables import Cell, Table
from bnn_ref import estimators
from bnn_ref.layers import BatchNorm, Layer, Linear, Sequential
from bnn_ref.parameter import Array

SAMPLES, INPUTS, CHANNELS = 64, 45, 7
SEEDS = (0, 1, 2, 3, 4)
EPSILONS = (0.0, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2)
MAGNITUDES = (1.0, 0.1, 0.01, 5e-4)
"""Of weights: uniform up to 1.2 times as much. The last one is the released code's start: alpha near 5e-4."""


def weight_gradient(
    rule: str, seed: int, eps: float = 0.0, magnitude: float | Array = 1.0, norm_first: bool = False
) -> tuple[Array, Array]:
    """The latent weight and its gradient under `rule`, (45, 7) each, in float64.

    Parameters
    ----------
    rule : str
        A name of the table.
    seed : int
        Of weight, inputs, shortcut.
    eps : float
        Of the batch norm.
    magnitude : float or array (7,)
        The weight is uniform on +-1.2 times this, filter by filter: at 1 some of it lies beyond the mask.
    norm_first : bool
        Batch norm before the product, as in XNOR-Net's block, instead of behind it.
    """
    rng = np.random.default_rng(seed)
    signs = estimators.get("clipped-ste")
    weight = estimators.get(rule)
    product = Linear(INPUTS, CHANNELS, rng=rng, bias=False, activation=signs, weight=weight)
    behind: list[Layer] = [product, BatchNorm(CHANNELS, eps)]
    net = Sequential(*([BatchNorm(INPUTS, eps), product] if norm_first else behind))
    net.astype(np.float64)
    product.latent.value = magnitude * rng.uniform(-1.2, 1.2, (INPUTS, CHANNELS))
    y, cache = net.forward(rng.normal(size=(SAMPLES, INPUTS)))
    shortcut = rng.normal(size=y.shape)
    net.backward(np.cos(y + shortcut) / SAMPLES, cache)
    assert product.latent.grad is not None
    return product.latent.value, product.latent.grad


def alpha(weight: Array) -> Array:
    """mean abs per filter, (7,)."""
    return np.asarray(np.abs(weight).mean(axis=0))


def difference(a: Array, b: Array) -> float:
    """The largest difference, relative to the largest entry of `a`."""
    return float(np.abs(a - b).max() / np.abs(a).max())


def equalities() -> Table:
    """How far apart the rules are that are equal at eps = 0: medians over seeds, smallest and largest."""
    columns = ("eps", "weights up to", "comparison", "seeds", "median", "least", "most")
    rows: list[list[Cell]] = []
    for magnitude in MAGNITUDES:
        for eps in EPSILONS:
            found = np.array([_gaps(seed, eps, magnitude) for seed in SEEDS])
            for name, gaps in zip(COMPARISONS, found.T, strict=True):
                spread = (float(np.median(gaps)), float(gaps.min()), float(gaps.max()))
                rows.append([f"{eps:g}", f"{1.2 * magnitude:g}", name, len(SEEDS), *map(_short, spread)])
    return Table.of(columns, rows)


COMPARISONS = ("paper - bnn", "exact - paper", "alpha code - bnn")


def _gaps(seed: int, eps: float, magnitude: float) -> tuple[float, float, float]:
    weight, bnn = weight_gradient("bnn-weight", seed, eps, magnitude)
    paper = weight_gradient("bireal-weight-paper", seed, eps, magnitude)[1]
    exact = weight_gradient("xnor-weight-exact", seed, eps, magnitude)[1]
    code = weight_gradient("bireal-weight-code", seed, eps, magnitude)[1]
    return difference(bnn, paper), difference(paper, exact), difference(bnn, alpha(weight) * code)


def _short(value: float) -> str:
    """Four digits; what is rounding counts as nothing."""
    return "0" if value < 1e-11 else f"{value:.4g}"


def ratios() -> Table:
    """Filter by filter: the released code's gradient over the baseline's, beside 1/alpha (eps = 0)."""
    rows: list[list[Cell]] = []
    for seed in SEEDS:
        magnitude = 10.0 ** np.random.default_rng(seed + 100).uniform(-3, 0, CHANNELS)
        weight, bnn = weight_gradient("bnn-weight", seed, 0.0, magnitude)
        code = weight_gradient("bireal-weight-code", seed, 0.0, magnitude)[1]
        paper = weight_gradient("bireal-weight-paper", seed, 0.0, magnitude)[1]
        size = np.linalg.norm(bnn, axis=0)
        over = (np.linalg.norm(code, axis=0) / size, np.linalg.norm(paper, axis=0) / size)
        rows += [[seed, *line] for line in np.column_stack([1 / alpha(weight), *over]).tolist()]
    return Table.of(("seed", "1/alpha", "code over bnn", "paper over bnn"), rows)


def tables() -> Mapping[str, Table]:
    """Every table of this study by name."""
    return {"magnitude-equalities": equalities(), "magnitude-ratios": ratios()}


STUDY = Study("magnitude", "What does batch norm leave of a magnitude-aware weight gradient?", tables, SEEDS)

if __name__ == "__main__":
    sys.exit(run(STUDY))
