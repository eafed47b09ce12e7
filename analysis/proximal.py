"""What do proximal optimizers do where the answer is known?

Three toy problems: BinaryConnect in one dimension, ProxConnect with a strength that grows or is frozen, and
random binary least squares with every best vertex known (`analysis.least_squares`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from scipy import optimize

from analysis import least_squares
from analysis.study import Study, run
from analysis.tables import Table
from bnn_ref.annealing import Moment
from bnn_ref.binarizer import Binarizer
from bnn_ref.estimators.shrinkage import ConvexPar
from bnn_ref.estimators.ste import Identity
from bnn_ref.optim import SGD, ProxConnect
from bnn_ref.optim.prox import PROJECTION
from bnn_ref.parameter import Array, Parameter

TARGET, ETA, SAW = 0.35, 0.1, 80
LAM, SIZE, LONG, SEED = 0.3, 5, 3000, 0


def connected(proximal: Binarizer, start: Array) -> tuple[Parameter, ProxConnect]:
    """A weight, and ProxConnect around plain gradient steps for it, begun."""
    weight = Parameter(np.array(start, np.float64), "w", latent=True)
    optimizer = ProxConnect([weight], ETA, proximal=proximal, rule=partial(SGD, momentum=0.0))
    optimizer.anneal(Moment(0.0, 0.0))
    return weight, optimizer


def sawtooth() -> Table:
    """BinaryConnect on l = (w - a)^2 / 2: w*, w and the mean of w so far, step by step."""
    weight, optimizer = connected(PROJECTION, np.array([0.3]))
    rows, total = [], 0.0
    for step in range(1, SAW + 1):
        w = float(weight.value[0])
        total += w
        rows.append([step, float(optimizer.memory["0.other"][0]), w, total / step, TARGET])
        weight.grad = weight.value - TARGET
        optimizer.step()
    return Table.of(("step", "latent", "weight", "mean", "a"), rows)


def drawn() -> tuple[Array, Array]:
    """h (5, 5) and c (5,) of l(w) = w h w / 2 - c w."""
    rng = np.random.default_rng(SEED)
    a, b = rng.normal(size=(8, SIZE)), rng.normal(size=8) * 2
    return a.T @ a / 8, a.T @ b / 8


def height(w: Array) -> float:
    """l(w) + 0.3 abs(w)_1, on the box [-1, 1]."""
    h, c = drawn()
    return float(w @ h @ w / 2 - c @ w + LAM * np.abs(w).sum())


def least() -> float:
    """The least height: w = p - q with p, q in [0, 1], where the problem is smooth."""
    h, c = drawn()

    def parts(v: Array) -> tuple[float, Array]:
        w = v[:SIZE] - v[SIZE:]
        slope = h @ w - c
        value = w @ h @ w / 2 - c @ w + LAM * v.sum()
        return float(value), np.concatenate([slope + LAM, LAM - slope])

    options: Any = {"ftol": 1e-16, "gtol": 1e-14, "maxiter": 10**4, "maxfun": 10**5}
    start, bounds = np.full(2 * SIZE, 0.1), [(0.0, 1.0)] * (2 * SIZE)
    found = optimize.minimize(parts, start, method="L-BFGS-B", jac=True, bounds=bounds, options=options)
    return float(found.fun)


def _growing(moment: Moment) -> Mapping[str, tuple[float, ...]]:
    return {"slopes": (LAM * (1 + moment.lr_sum),)}


def strength() -> Table:
    """Height above the least of ProxConnect's iterates: its strength grows like 1 + sum eta, or stays 1."""
    (h, c), bottom = drawn(), least()
    laws: dict[str, Any] = {"growing": _growing, "frozen": None}
    steps = sorted({round(10**p) for p in np.linspace(0, np.log10(LONG), 60)})
    found: dict[str, list[float]] = {}
    for name, law in laws.items():
        pair = Binarizer(ConvexPar((1.0,), (LAM,)), Identity(), law=law)
        weight, optimizer = connected(pair, np.zeros(SIZE))
        heights, lr_sum = [], 0.0
        for step in range(1, LONG + 1):
            weight.grad, optimizer.lr = h @ weight.value - c, 1 / float(np.sqrt(step))
            optimizer.step()
            lr_sum += optimizer.lr
            optimizer.anneal(Moment.of_step(step, LONG, 1, lr_sum, optimizer.lr))
            heights.append(height(weight.value))
        found[name] = [heights[step - 1] - bottom for step in steps]
    rows = np.column_stack([found[name] for name in laws]).tolist()
    return Table.of(("step", *laws), [[step, *row] for step, row in zip(steps, rows, strict=True)])


def tables() -> Mapping[str, Table]:
    """Every table of this study by name."""
    return {
        "proximal-sawtooth": sawtooth(),
        "proximal-strength": strength(),
        "proximal-least-squares": least_squares.table(),
    }


QUESTION = "What do proximal optimizers do where the answer is known?"
STUDY = Study("proximal", QUESTION, tables, (SEED, least_squares.TUNING[1], least_squares.TEST[1]))

if __name__ == "__main__":
    sys.exit(run(STUDY))
