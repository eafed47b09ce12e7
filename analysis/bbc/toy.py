"""A regression with 64 binary weights: does the learned slope find the right branch?

The target is what 64 hidden signs make of normal inputs; the rule under test has one filter of 64 weights.
With batch norm both outputs are normalised over the batch, without gain or shift, so that no gain can turn
an inverted answer round; without it the target has variance 1. Adam moves weights (2.5e-3) and BBC's own
parameters (1e-3), as in the released code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np

from analysis.bbc.learned import slope
from analysis.tables import Cell, Table
from bnn_ref import estimators
from bnn_ref.binarizer import Map
from bnn_ref.layers import BatchNorm, Linear, Sequential
from bnn_ref.optim import Adam
from bnn_ref.parameter import Array
from bnn_ref.train.processes import in_processes

WEIGHTS, BATCH = 64, 64
STEPS, MARKS = 600, 12
Own = Mapping[str, Any]

ARMS: dict[str, tuple[str, Own]] = {
    "linear from +1/2": ("bbc-linear", {"init": "given"}),
    "linear from -1/2": ("bbc-linear", {"init": "given", "w0": -0.5, "w1": -0.5}),
    "linear, default": ("bbc-linear", {}),
    "MLP, default": ("bbc", {}),
    "MLP, positive": ("bbc", {"init": "positive"}),
    "argmax, same": ("bbc-argmax", {}),
    "argmax, signed": ("bbc-argmax-signed", {}),
    "clipped STE": ("bireal-weight-paper", {}),
}
"""Label: (entry of the table, its parameters). "positive" and "signed" are ours; the last is a reference."""


@dataclass(frozen=True)
class Outcome:
    """One run.

    Attributes
    ----------
    slopes : tuple of float
        E'(0) at `MARKS` + 1 moments from the first step to the last; none where nothing is trained.
    recovered : float
        Share of the hidden signs that the weight ends with.
    gap : tuple of float
        Of the argmax arms: w_1 - w_0 before and after; nothing elsewhere.
    """

    slopes: tuple[float, ...]
    recovered: float
    gap: tuple[float, ...] = field(default=())


def outcome(arm: str, norm: bool, seed: int, steps: int = STEPS) -> Outcome:
    """Train one rule; one seed, one run."""
    name, own = ARMS[arm]
    rng = np.random.default_rng(seed)
    hidden = rng.choice([-1.0, 1.0], size=(WEIGHTS, 1))
    unit = Linear(WEIGHTS, 1, rng=rng, bias=False, weight=estimators.get(name, **own))
    unit.astype(np.float64)
    rule = unit.weight
    assert rule is not None
    net = Sequential(unit, BatchNorm(1)).astype(np.float64) if norm else unit
    optimizers = (Adam([unit.latent], 2.5e-3), Adam(rule.parameters(), 1e-3))
    before, slopes = _gap(name, rule), [_slope(rule)]
    for step in range(steps):
        x = rng.normal(size=(BATCH, WEIGHTS))
        y, cache = net.forward(x)
        net.backward((y - _target(x @ hidden, norm)) / BATCH, cache)
        for optimizer in optimizers:
            optimizer.step()
        net.zero_grad()
        if (step + 1) % max(1, steps // MARKS) == 0:
            slopes.append(_slope(rule))
    recovered = float((np.sign(rule(unit.latent.value)) == hidden).mean())
    found = tuple(s for s in slopes if s is not None)
    return Outcome(found, recovered, before + _gap(name, rule))


def _target(z: Array, norm: bool) -> Array:
    return np.asarray((z - z.mean()) / z.std() if norm else z / sqrt(WEIGHTS))


def _slope(rule: Map) -> float | None:
    return slope(rule) if rule.parameters() else None


def _gap(name: str, rule: Map) -> tuple[float, ...]:
    if not name.startswith("bbc-argmax"):
        return ()
    (weights,) = rule.parameters()
    return (float(weights.value[0, 1] - weights.value[0, 0]),)


Outcomes = Mapping[tuple[str, bool], list[Outcome]]


def outcomes(seeds: int, steps: int = STEPS, jobs: int = 2) -> Outcomes:
    """Every arm with and without batch norm, from every seed."""
    asked = [(arm, norm) for arm in ARMS for norm in (True, False)]
    tasks = [(arm, norm, seed, steps) for arm, norm in asked for seed in range(seeds)]
    runs = in_processes(outcome, tasks, jobs)
    return {key: [next(runs) for _ in range(seeds)] for key in asked}


def summary(found: Outcomes) -> Table:
    """One row an arm: how slopes began and ended, and how many of the hidden signs were found."""
    slopes = ("began falling", "ended falling", "kept their sign", "steeper at the end")
    ends = ("share recovered", "runs that found 90 %", "runs that found less than 10 %")
    columns = ("arm", "batch norm", "seeds", *slopes, *ends)
    return Table.of(columns, [_row(arm, norm, runs) for (arm, norm), runs in found.items()])


def _row(arm: str, norm: bool, runs: list[Outcome]) -> list[Cell]:
    pairs = [(run.slopes[0], run.slopes[-1]) for run in runs if run.slopes]
    recovered = np.array([run.recovered for run in runs])
    counts: list[Cell] = [
        sum(first < 0 for first, _ in pairs),
        sum(last < 0 for _, last in pairs),
        sum(first * last > 0 for first, last in pairs),
        sum(first * last > 0 and abs(last) > abs(first) for first, last in pairs),
    ]
    ends: list[Cell] = [int((recovered >= 0.9).sum()), int((recovered < 0.1).sum())]
    own = counts if pairs else [""] * 4
    return [arm, "yes" if norm else "no", len(runs), *own, float(recovered.mean()), *ends]


def trajectories(found: Outcomes, seeds: int = 8) -> Table:
    """E'(0) from the first step to the last, of the first seeds, behind batch norm."""
    rows: list[list[Cell]] = [
        [arm, seed, *run.slopes]
        for (arm, norm), runs in found.items()
        if norm and runs[0].slopes and "argmax" not in arm
        for seed, run in enumerate(runs[:seeds])
    ]
    marks = len(rows[0]) - 2
    return Table.of(("arm", "seed", *(f"at {i}/{marks - 1}" for i in range(marks))), rows)


def frozen(found: Outcomes) -> Table:
    """Variant B: the decision w_1 - w_0 before and after, beside whether it and the slope were upright."""
    rows: list[list[Cell]] = [
        [arm, seed, run.gap[0], run.gap[1], run.slopes[0], run.slopes[-1], run.recovered]
        for (arm, norm), runs in found.items()
        if norm and runs[0].gap
        for seed, run in enumerate(runs)
    ]
    columns = ("arm", "seed", "gap before", "gap after", "slope before", "slope after", "recovered")
    return Table.of(columns, rows)
