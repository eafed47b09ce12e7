"""Which steps of each network NumPy computes, as docs/engine.md has it: it must not grow unseen."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from bnn_ref import models
from bnn_ref.packed import pack
from bnn_ref.packed.plan import Outside, Plan

PAGE = Path(__file__).parents[2] / "docs" / "engine.md"
SECTION = PAGE.read_text(encoding="utf-8").split("## What leaves the engine")[1].split("\n## ")[0]
WRITTEN = re.findall(r"^\| ([a-z0-9-]+) \| (\d+) \| ([^|]+) \|$", SECTION, re.MULTILINE)


def test_every_family_is_on_the_page() -> None:
    families = {name.split("-")[0] for name in models.names()} - {"real", "simplebaseline", "hrnet", "deit"}
    assert families == {name.split("-")[0] for name, _, _ in WRITTEN}


@pytest.mark.parametrize(("name", "tasks", "steps"), WRITTEN, ids=[name for name, *_ in WRITTEN])
def test_what_numpy_computes(name: str, tasks: str, steps: str) -> None:
    shape = (32, 32, 1)
    plan = Plan(pack(models.build(name, input_shape=shape).eval()).graph, shape)
    found = Counter(task.node.step.kind for task in plan.tasks.values() if isinstance(task, Outside))
    assert ", ".join(f"{count} {kind}" for kind, count in sorted(found.items())) == steps.replace("none", "")
    assert len(plan.tasks) == int(tasks)
