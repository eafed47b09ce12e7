"""Random binary least-squares problems whose best signs are known, and who finds them.

l(w) = mean (A w - b)^2 / 2 over w in {-1, 1}^8, A and b normal. All problems are trained at once: every
method works element by element, so that they are rows of one weight.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import sqrt

import numpy as np

from analysis.tables import Cell, Table
from bnn_ref import estimators
from bnn_ref.annealing import Geometric, Law, Linear, Moment
from bnn_ref.binarizer import Binarizer, Sign
from bnn_ref.optim import PROXIMAL, SGD, Cosine, Optimizer
from bnn_ref.parameter import Array, Parameter

DIMENSIONS, ROWS, STEPS = 8, 12, 400
RATES = tuple(10.0 ** np.arange(-2.5, 1.01, 0.5))
"""The step sizes that each method is given to choose from: its whole tuning budget."""
TUNING, TEST = (200, 1), (400, 2)
"""How many problems to choose the step size on, and to report on; the seeds of both."""


@dataclass(frozen=True, eq=False)
class Problems:
    """`count` problems: a (P, 12, 8), b (P, 12), and weights (P, 8) to start from, uniform up to 0.1."""

    count: int
    seed: int

    @cached_property
    def drawn(self) -> tuple[Array, Array, Array]:
        """a, b and the start."""
        rng = np.random.default_rng(self.seed)
        a, b = rng.normal(size=(self.count, ROWS, DIMENSIONS)), 3 * rng.normal(size=(self.count, ROWS))
        return a, b, rng.uniform(-0.1, 0.1, (self.count, DIMENSIONS))

    def residual(self, w: Array) -> Array:
        """A w - b, (P, 12)."""
        a, b, _ = self.drawn
        return np.einsum("pmd,pd->pm", a, w) - b

    def loss(self, w: Array) -> Array:
        """l, (P,)."""
        return np.asarray((self.residual(w) ** 2).mean(axis=1) / 2)

    def gradient(self, w: Array) -> Array:
        """dl/dw, (P, 8)."""
        return np.einsum("pmd,pm->pd", self.drawn[0], self.residual(w)) / ROWS

    @cached_property
    def least(self) -> Array:
        """The least loss over all 256 sign vectors, (P,)."""
        everywhere = [
            self.loss(np.tile(s, (self.count, 1))) for s in itertools.product((-1.0, 1.0), repeat=8)
        ]
        return np.min(everywhere, axis=0)


@dataclass(frozen=True)
class Method:
    """A pair in the layer behind plain SGD, or a P in a proximal optimizer around it.

    Attributes
    ----------
    pair : Binarizer
    optimizer : str or None
        A key of `PROXIMAL`; None for the pair in the layer.
    """

    pair: Binarizer
    optimizer: str | None = None

    def start(self, weight: Parameter) -> tuple[Binarizer, Optimizer]:
        """The layer's map and the optimizer; w* is clipped to [-1, 1] after each step."""
        if self.optimizer is None:
            return self.pair, SGD([weight], 1.0, momentum=0.0, clip=1.0)
        make, rule = PROXIMAL[self.optimizer], partial(SGD, momentum=0.0)
        return estimators.get("projected"), make([weight], 1.0, proximal=self.pair, rule=rule, clip=1.0)


def _moved(name: str, law: Law) -> Binarizer:
    return replace(estimators.get(name), law=law)


@dataclass(frozen=True)
class _Early:
    """`law`, at its end when a tenth of training is over."""

    law: Law

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        return self.law(Moment.at(min(10 * moment.progress, 1.0)))


METHODS: dict[str, Method] = {
    "PT": Method(estimators.get("identity-ste"), "post-training"),
    "BC": Method(estimators.get("identity-ste"), "prox-connect"),
    "BNN": Method(estimators.get("clipped-ste")),
    "BNN+": Method(_moved("swish-sign", Geometric("beta", 2.0, 20.0))),
    "BNN++": Method(estimators.get("bnn++")),
    "Poly+": Method(estimators.get("poly+")),
    "EDE+": Method(estimators.get("ede+")),
    "PC, rho slow": Method(estimators.get("proxconnect"), "prox-connect"),
    "PC, rho fast": Method(_moved("proxconnect", _Early(Linear("rho", 0.0, 1.0))), "prox-connect"),
    "PQ": Method(estimators.get("proxquant", rate=10.0), "prox-quant"),
    "rPC": Method(estimators.get("proxconnect"), "reverse-prox-connect"),
}
"""PQ's regulariser grows to 10 times the distance to +-1: it ends there. Laws end after the last step."""


def solve(method: Method, problems: Problems, lr: float) -> Array:
    """The signs that the method ends with, (P, 8); its step size falls from `lr` by cosine."""
    weight = Parameter(problems.drawn[2], "w", latent=True)
    pair, optimizer = method.start(weight)
    lr_sum, schedule = 0.0, Cosine()
    for step in range(STEPS + 1):
        moment = Moment.of_step(step, STEPS, 1, lr_sum, lr * schedule(max(step - 1, 0) / STEPS))
        pair = pair.at(moment)
        optimizer.anneal(moment)
        if step < STEPS:
            weight.grad = pair.backward(weight.value, problems.gradient(pair(weight.value)))
            optimizer.lr = lr * schedule(step / STEPS)
            optimizer.step()
            lr_sum += optimizer.lr
    return Sign()(weight.value)


def solved(method: Method, problems: Problems, lr: float) -> tuple[int, float]:
    """How many problems end at their least loss, and the mean loss above it."""
    excess = problems.loss(solve(method, problems, lr)) - problems.least
    return int((excess < 1e-9).sum()), float(excess.mean())


def wilson(hits: int, of: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a share. Source: Wilson, Probable inference, 1927."""
    share, spread = hits / of, z * z / of
    middle, half = share + spread / 2, z * sqrt(share * (1 - share) / of + spread / (4 * of))
    return (middle - half) / (1 + spread), (middle + half) / (1 + spread)


def table(tuning: tuple[int, int] = TUNING, test: tuple[int, int] = TEST) -> Table:
    """Each method at the step size that solved most tuning problems (the least of equals), on others."""
    choose, report = Problems(*tuning), Problems(*test)
    rows: list[list[Cell]] = []
    for name, method in METHODS.items():
        found = {lr: solved(method, choose, lr)[0] for lr in RATES}
        lr = max(RATES, key=lambda rate: (found[rate], -rate))
        hits, excess = solved(method, report, lr)
        low, high = wilson(hits, report.count)
        row = [f"{value:.4g}" for value in (hits / report.count, low, high, excess)]
        rows.append([name, len(RATES), choose.count, f"{lr:.3g}", report.count, *row])
    columns = ("method", "step sizes tried", "on problems", "step size", "problems")
    return Table.of((*columns, "share solved", "low", "high", "mean loss above the least"), rows)
