"""Large networks on pictures, behind statistics of pictures: pass by pass, and whole.

One flipped sign grows: equality to the last bit of every score is possible only where no sign differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bnn_ref import data, models, pack, train
from bnn_ref.packed.graph import Graph
from bnn_ref.packed.plan import Plan
from bnn_ref.parameter import Array
from bnn_ref.pose.figures import generate

SIDE, IMAGES = 224, 3
NETWORKS: dict[str, dict[str, Any]] = {
    **{name: {"classes": 1000} for name in ("bireal-18", "bireal-34", "bireal-50", "reactnet-a")},
    "sbpn": {},
    "bhrnet-w32": {"width": 8},
}


def left_by(plan: Plan, number: int) -> list[int]:
    """The values that a task leaves in memory."""
    one = plan.fusing.passes.get(number)
    if one is None:
        return [number]
    return [one.value] * one.keeps + [value for value in [one.words] if value is not None]


def check_passes(graph: Graph, x: Array) -> None:
    """Every task of a plan leaves what the steps compute, from the same inputs."""
    steps: dict[int, Array] = {}
    for values in graph.walk(x):
        steps |= values
    plan = Plan(graph, x.shape[1:], len(x))

    def checked(number: int, task: Callable[[int], None]) -> Callable[[int], None]:
        def run(count: int) -> None:
            task(count)
            for value in left_by(plan, number):
                np.testing.assert_array_equal(plan.values[value].read(count), steps[value])

        return run

    plan.tasks = {number: checked(number, task) for number, task in plan.tasks.items()}
    np.testing.assert_array_equal(plan(x), steps[graph.output])


@pytest.mark.parametrize("name", NETWORKS)
def test_equal_to_eval_mode(name: str) -> None:
    pixels, _ = generate(IMAGES, 1, (SIDE, SIDE))
    mean, std = (tuple(f(pixels / 255, axis=(0, 1, 2)).tolist()) for f in (np.mean, np.std))
    preprocessing = data.Preprocessing(255, mean, std, pixels.shape[1:])
    model = models.build(name, input_shape=pixels.shape[1:], **NETWORKS[name])
    train.reestimate_norms(model, pixels, preprocessing)
    x = preprocessing(pixels)
    packed, expected = pack(model), model.eval()(x)
    np.testing.assert_array_equal(packed(x), expected)
    assert len(np.unique(expected)) > 0.5 * expected.size
    check_passes(packed.graph, x[:1])
