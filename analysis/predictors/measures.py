"""What can be computed of an estimator on the tensors of its own network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from analysis.predictors.probe import Call
from bnn_ref.binarizer import Map
from bnn_ref.parameter import Array

CELLS = 4000
"""Of the midpoint rule on [-1, 1]. The jump of sign lies between two of them."""


def error_to_sign(surrogate: Map) -> float:
    """The integral of abs(sign - T) over [-1, 1]. Source: ours; the paper's own measure is not known."""
    x = (np.arange(CELLS) + 0.5) * (2 / CELLS) - 1
    return float(np.abs(np.sign(x) - surrogate(x)).mean() * 2)


def sample_error(call: Call) -> float:
    """The mean of abs(sign(x) - T(x)) over what stands in front of the signs."""
    x = call.x.astype(np.float64)
    return float(np.abs(np.where(x >= 0, 1, -1) - call.surrogate(x)).mean())


def saturation(call: Call) -> float:
    """The share of elements whose slope is zero: they receive nothing."""
    return float((_slopes(call) == 0).mean())


def gain(call: Call) -> float:
    """The mean slope over the elements."""
    return float(_slopes(call).mean())


def variance(call: Call) -> float:
    """Variance of the gradient behind T over that in front of it: Var(T'(x) dy) / Var(dy)."""
    before = float(call.dy.var(dtype=np.float64))
    return float(call.dx.var(dtype=np.float64)) / before if before > 0 else float("nan")


def unevenness(call: Call) -> float:
    """Var(T'(x)) / mean(T'(x)^2): 0 where all slopes are alike, near 1 where few elements have all of it.

    Unlike the others it does not change when T is multiplied by a number, which Adam would cancel.
    """
    slopes = _slopes(call)
    square = float((slopes**2).mean())
    return float(slopes.var()) / square if square > 0 else float("nan")


def _slopes(call: Call) -> Array:
    return call.surrogate.derivative(call.x.astype(np.float64))


MEASURES: dict[str, Callable[[Call], float]] = {
    "error to sign": lambda call: error_to_sign(call.surrogate),
    "error on the sample": sample_error,
    "saturation": saturation,
    "mean slope": gain,
    "variance ratio": variance,
    "unevenness": unevenness,
}
"""By name; each is averaged over layers and epochs."""


def measure(calls: Sequence[Call]) -> list[float]:
    """Every measure, the mean over the calls that have it."""
    values = np.array([[one(call) for one in MEASURES.values()] for call in calls])
    known = np.isfinite(values)
    sums = np.where(known, values, 0).sum(axis=0)
    return [float(s / n) if n else float("nan") for s, n in zip(sums, known.sum(axis=0), strict=True)]
