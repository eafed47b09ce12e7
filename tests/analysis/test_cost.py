"""The cost study: its counts are those of a plain loop over the layers of two networks."""

from __future__ import annotations

import pytest

from analysis import cost
from analysis.tables import RESULTS, Table, read

TABLE = read(RESULTS / "cost.csv")


def test_the_smallest_network_is_reproduced() -> None:
    fresh = Table.of(TABLE.columns, cost.rows("bireal-18"))
    assert fresh.rows == tuple(row for row in TABLE.rows if row[0] == "bireal-18")


@pytest.mark.parametrize(("name", "blocks"), [("bireal-18", (4, 4, 4, 4)), ("bireal-34", (6, 8, 12, 6))])
def test_operations_and_memory_by_a_loop(name: str, blocks: tuple[int, ...]) -> None:
    """The convolutions written out: 3x3 binary ones, a 1x1 real one where the width doubles."""
    bits, binary, outputs, channels, before = 0, 0, 0, 0, 64
    real_weights, real = 147 * 64 + 512_000, 147 * 64 * 112**2 + 512_000
    for stage, count in enumerate(blocks):
        width, side = 64 << stage, 56 >> stage
        for block in range(count):
            source = before if block == 0 else width
            bits, binary = bits + 9 * source * width, binary + 9 * source * width * side**2
            outputs, channels = outputs + width * side**2, channels + width
            if source != width:
                real_weights, real = real_weights + source * width, real + source * width * side**2
        before = width
    rows = {(r["convention"], r["variant"]): r for r in TABLE.records() if r["network"] == name}
    operations = {"real": real + binary, "Bi-Real": real + binary / 64}
    operations["XNOR-Net"] = operations["Bi-Real"] + 2 * outputs
    numbers = real_weights + 3 * 3_840 + 1_000
    memory = {"real": 32 * (numbers + bits), "Bi-Real": 32 * numbers + bits}
    memory["XNOR-Net"] = memory["Bi-Real"] + 32 * channels
    for variant in operations:
        assert float(rows["paper", variant]["operations"]) == operations[variant]
        assert float(rows["library", variant]["operations"]) == operations[variant]
        assert float(rows["paper", variant]["memory in bits"]) == memory[variant]
        assert float(rows["paper", variant]["saving"]) == pytest.approx(memory["real"] / memory[variant])


def test_the_convention_of_the_paper_is_for_two_networks() -> None:
    found = {(row["network"], row["convention"]) for row in TABLE.records()}
    assert found == {
        ("bireal-18", "library"), ("bireal-18", "paper"), ("bireal-34", "library"),
        ("bireal-34", "paper"), ("bireal-50", "library"),
    }  # fmt: skip
