"""docs/packed-format.md is true: its reader reads, its table is the instruction set."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packed_nets import perturb

from bnn_ref import models
from bnn_ref.layers import Layer
from bnn_ref.packed import container, pack
from bnn_ref.packed.steps import KINDS

TEXT = (Path(__file__).parents[2] / "docs" / "packed-format.md").read_text()


@pytest.fixture
def model() -> Layer:
    model = models.build("cnn", input_shape=(8, 8, 1), width=5)
    perturb(model, np.random.default_rng(0))
    return model


def test_the_reader_reads_without_bnn_ref(model: Any, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= 20
    assert "bnn_ref" not in code
    scope: dict[str, Any] = {}
    exec(code, scope)
    path = tmp_path / "net.safetensors"
    pack(model).save(path)
    graph, weight = scope["read"](path, "body.parts.2.weight")
    signs = np.where(model.body.parts[2].latent.value >= 0, 1, -1)
    np.testing.assert_array_equal(weight, signs.transpose(3, 0, 1, 2))
    assert graph["nodes"][0]["kind"] == "real_conv"
    _, stem = scope["read"](path, "body.parts.0.weight")
    np.testing.assert_array_equal(stem, model.body.parts[0].latent.value)
    _, thresholds = scope["read"](path, "body.parts.4.threshold")
    assert thresholds.dtype == np.int32


def test_the_table_is_the_instruction_set() -> None:
    table = TEXT.split("## Steps")[1].split("## What")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", table, re.MULTILINE)
    assert {kind for kind, _ in rows} == set(KINDS)
    for kind, fields in rows:
        for field in dataclasses.fields(KINDS[kind]):  # type: ignore[arg-type]
            assert field.name in fields, f"{kind}: {field.name} is not in the table"


def test_format_and_version_are_those_of_the_code() -> None:
    assert f"| `format` | `{container.FORMAT}` |" in TEXT
    assert f"| `version` | `{container.VERSION}`." in TEXT
    assert f"version {container.VERSION}\n" in TEXT
