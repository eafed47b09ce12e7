"""docs/packed-format.md is true: its reader reads, its table is the instruction set."""

from __future__ import annotations

import base64
import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from packed_nets import perturb, signs

from bnn_ref import models
from bnn_ref.layers import AvgPool2d, Conv2d, Layer, MaxPool2d, Sequential
from bnn_ref.packed import PackedModel, container, load_packed, pack
from bnn_ref.packed.document import restore
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


def from_page(number: int, folder: Path) -> tuple[PackedModel, dict[str, Any]]:
    """A test vector, which is written again byte for byte, and its tensors as they are stored."""
    text = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)[number]
    path, again = folder / "vector.safetensors", folder / "again.safetensors"
    path.write_bytes(base64.b64decode(text))
    packed = load_packed(path)
    packed.save(again)
    assert again.read_bytes() == path.read_bytes()
    return packed, container.read(path)[1]


def test_the_first_vector(tmp_path: Path) -> None:
    packed, arrays = from_page(0, tmp_path)
    y = packed(np.array([[1, -2, -0.0], [-3, 4, 5]], np.float32))
    said = TEXT.split("it answers ")[1].split(".\n")[0]
    assert said == " and ".join(f"({a:g}, {b:g})" for a, b in y)
    assert arrays["parts.0.weight"].tolist() == [0x33]
    np.testing.assert_array_equal(y, packed(np.array([[1, -2, 0], [-3, 4, 5]], np.float32), naive=True))


def test_the_second_vector(tmp_path: Path) -> None:
    """The answer on the page, that of the engine, and that of a loop over the page's bits."""
    packed, arrays = from_page(1, tmp_path)
    page = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)[2]
    said = np.array(page.split(), int).reshape(1, 3, 3, 2)
    x = np.array([[[[1, -2], [-0.5, 3]], [[-0.0, -1], [2, 2]]]], np.float32)
    np.testing.assert_array_equal(packed(x), said)
    assert [node.step.kind for node in packed.graph.nodes] == [
        "pack_signs", "binary_conv", "threshold", "binary_conv",
    ]  # fmt: skip
    first, second = (bytes(arrays[f"parts.{i}.weight"]) for i in (0, 2))
    assert (first, second) == (bytes([0x69, 0x99, 0x51]), bytes([0x1D]))
    signs = [[1 if byte >> bit & 1 else -1 for byte in part for bit in range(8)] for part in (first, second)]
    inside = {(0, 0): (1, -1), (0, 1): (-1, 1), (1, 0): (1, -1), (1, 1): (1, 1)}
    for row, column in np.ndindex(3, 3):
        hidden = []
        for f, (limit, rising) in enumerate([(1, True), (-1, False), (0, True)]):
            taps = [(i, j, c) for i in range(2) for j in range(2) for c in range(2)]
            z = sum(
                inside[place][c] * signs[0][8 * f + 4 * i + 2 * j + c]
                for i, j, c in taps
                if (place := (row + i - 1, column + j - 1)) in inside
            )
            hidden.append(1 if (z >= limit if rising else z <= limit) else -1)
        answer = [sum(h * signs[1][3 * f + c] for c, h in enumerate(hidden)) for f in range(2)]
        assert answer == said[0, row, column].tolist()


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


@pytest.mark.parametrize("more", [{}, {"dilation": 2}, {"pad": -1}, {"dilation": 3, "pad": 1}])
def test_dilation_and_pad_are_written_where_there_are_any(more: dict[str, int], tmp_path: Path) -> None:
    around = {"dilation": more.get("dilation", 1), "padding_value": more.get("pad", 0)}
    pack(Conv2d(2, 2, 3, rng=np.random.default_rng(0), activation=signs(), padding=2, **around)).save(
        tmp_path / "net"
    )
    document, arrays = container.read(tmp_path / "net")
    assert document["nodes"][1]["options"] == {"stride": 1, "padding": 2} | more
    assert restore(document, arrays).nodes[1].step.window == (1, 2, *around.values())  # type: ignore[attr-defined]


def test_an_option_that_has_its_default_is_left_out_and_may_be_missing(tmp_path: Path) -> None:
    """Files of networks whose pools stay inside are as they were before pools could hang over."""
    pools = {"inside": MaxPool2d(2), "over": MaxPool2d(2, ceil=True), "average": AvgPool2d(2, ceil=True)}
    found = {}
    for name, pool in pools.items():
        pack(Sequential(pool)).save(tmp_path / name)
        document, arrays = container.read(tmp_path / name)
        (node,) = document["nodes"]
        found[name] = node["options"]
        restored = restore(document, arrays).nodes[0].step
        assert restored.fields() == {"kernel_size": 2, "stride": 2, "padding": 0, "ceil": name != "inside"}
    assert found["inside"] == {"kernel_size": 2, "stride": 2, "padding": 0}
    assert found["over"] == found["average"] == {**found["inside"], "ceil": True}
    document["nodes"][0]["options"]["ceil"] = 1
    with pytest.raises(ValueError, match=r"avg_pool\): ceil: required another type, got int"):
        restore(document, arrays)
    document["nodes"][0]["options"] = {**found["inside"], "floor": True}
    with pytest.raises(ValueError, match=r"avg_pool\): required \['ceil', 'kernel_size', .* got \['floor', "):
        restore(document, arrays)
