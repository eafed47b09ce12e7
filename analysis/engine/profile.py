"""Where the time of Bi-Real-18 goes: each task of its plan, timed in its place, call after call."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis.engine import networks
from analysis.tables import Cell, Table
from bnn_ref.kernels.threads import among
from bnn_ref.packed.plan import Plan
from bnn_ref.parameter import Array

COLUMNS = ("layer", "kind", "form", "output", "ms", "low", "high", "share")


def profile(side: int, calls: int, folder: Path) -> Table:
    """A row a task: medians with quartiles of so many calls with one image, and shares of their sum."""
    network, given = networks.case("bireal-18", side, 1, folder)
    plan = network.plans.take(given.x.shape[1:])
    if not np.array_equal(plan(given.x), given.answer):
        raise ValueError("profile: required the network's answer of its plan, got another")
    low, median, high = 1e3 * np.percentile(laps(plan, given.x, calls), [25, 50, 75], axis=0)
    rows: list[list[Cell]] = []
    for number, *times in zip(plan.tasks, median, low, high, median / median.sum(), strict=True):
        rows.append([*_name(plan, number), *(float(f"{value:.3g}") for value in times)])
    return Table.of(COLUMNS, rows)


def laps(plan: Plan, x: Array, calls: int) -> Array:
    """(calls, tasks): seconds of this process in each task, after two calls that do not count."""
    tasks, spent = plan.tasks, []

    def timed(task: Callable[[int], None]) -> Callable[[int], None]:
        def run(count: int) -> None:
            start = time.process_time()
            task(count)
            spent.append(time.process_time() - start)

        return run

    plan.tasks = {number: timed(task) for number, task in tasks.items()}
    with among(1):
        for _ in range(calls + 2):
            plan(x)
    plan.tasks = tasks
    return np.array(spent).reshape(calls + 2, -1)[2:]


def _name(plan: Plan, number: int) -> list[str]:
    """Layer and kind of the node that a task begins with, the operations behind it, what it makes."""
    node, one = plan.graph.nodes[number - 1], plan.fusing.passes.get(number)
    value = number if one is None else one.value
    *sides, channels = plan.samples[value].shape[1:]
    shape = (*sides, plan.channels(value) or channels)
    return [node.layer, node.step.kind, "" if one is None else one.ops, " x ".join(map(str, shape))]
