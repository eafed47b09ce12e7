"""How many values: bounds by hand, the numbers of the specification, and a network that keeps them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest

from analysis import capability
from analysis.ledger.numeric import sums_of_signs, taps_of_map
from analysis.tables import RESULTS, Table, read

Compare = Callable[[Table, Table], None]


@pytest.fixture(scope="module")
def made() -> dict[str, Table]:
    return dict(capability.tables())


@pytest.mark.parametrize("name", ["capability-bounds", "capability-counts"])
def test_what_is_counted_is_reproduced(name: str, made: dict[str, Table], same: Compare) -> None:
    same(made[name], read(RESULTS / f"{name}.csv"))


@pytest.mark.parametrize("taps", range(1, 11))
def test_sums_of_signs_are_all_there_are(taps: int) -> None:
    every = {sum(signs) for signs in itertools.product((-1, 1), repeat=taps)}
    assert sums_of_signs(taps).tolist() == sorted(every)


def test_taps_of_a_padded_map() -> None:
    """A 3x3 kernel sees 9 pixels inside, 6 at an edge, 4 in a corner; on one row or pixel still fewer."""
    assert taps_of_map(4, 5).tolist() == [
        [20, 30, 30, 20], [30, 45, 45, 30], [30, 45, 45, 30], [20, 30, 30, 20],
    ]  # fmt: skip
    assert taps_of_map(1, 2).tolist() == [[2]]


def test_the_bounds_of_a_map() -> None:
    """14 x 14 x 32 behind 288 taps, with exact integers: log2(289^6272) and log2((289^2)^6272)."""
    table = read(RESULTS / "capability-bounds.csv")
    assert table.numbers("values of an entry") == (2, 289, 289, 289**2)
    entries = 14 * 14 * 32
    assert (entries, 3 * 3 * 32 + 1, f"{math.log2(289):.4f}") == (6272, 289, "8.1749")
    for bits, values in zip(table.numbers("bits of the map"), (2, 289, 289, 289**2), strict=True):
        assert bits == pytest.approx(entries * math.log2(values), rel=1e-9)
    assert [f"{bits:,.2f}" for bits in table.numbers("bits of the map")[1::2]] == ["51,273.13", "102,546.27"]
    border = 32 * (144 * math.log2(289) + 48 * math.log2(193) + 4 * math.log2(129))
    assert table.numbers("bits with the border") == pytest.approx((6272, border, border, 2 * border))


def test_what_is_reached() -> None:
    counts = read(RESULTS / "capability-counts.csv")
    assert counts.numbers("values") == (129, 193, 289, 83521, 577)


@pytest.mark.parametrize("where", ["committed", "made"])
def test_measured_values_keep_within_their_bounds(where: str, made: dict[str, Table]) -> None:
    name = "capability-measured"
    table = made[name] if where == "made" else read(RESULTS / f"{name}.csv")
    assert len(table.rows) == capability.BLOCKS * (4 + 3) * 3
    for row in table.records():
        assert (
            int(row["most"])
            <= min(int(row["bound"]), int(row["images"]))
            == min(
                {"A_b": 2, "A_m": int(row["taps"]) + 1, "A_r": int(row["taps"]) + 1}.get(
                    row["tensor"], (int(row["taps"]) + 1) ** 2
                ),
                1797,
            )
        )
        assert 1 <= float(row["median"]) <= int(row["most"])


@pytest.mark.parametrize("where", ["committed", "made"])
def test_the_shortcut_brings_what_norm_and_sign_cannot(where: str, made: dict[str, Table]) -> None:
    name = "capability-measured"
    table = made[name] if where == "made" else read(RESULTS / f"{name}.csv")
    records = table.records()
    rows = {(r["block"], r["place"], r["tensor"]): r for r in records if r["network"] == "bireal"}
    plain = {(r["block"], r["place"], r["tensor"]): r for r in records if r["network"] == "plain"}
    assert {key[2] for key in plain} == {"A_b", "A_m", "A_r"}
    for block, place in itertools.product("123", ("corner", "edge", "interior")):
        conv, norm, after = (rows[block, place, name] for name in ("A_m", "A_r", "A_r + shortcut"))
        assert (conv["most"], conv["median"]) == (norm["most"], norm["median"])  # norm is one-to-one
        without = plain[block, place, "A_r"]
        assert without["most"] == plain[block, place, "A_m"]["most"]
        assert float(after["median"]) > 5 * max(float(norm["median"]), float(without["median"]))
        assert int(after["most"]) > int(norm["bound"])  # more than without the shortcut is possible at all
    for block in "123":
        medians = [float(rows[block, place, "A_m"]["median"]) for place in ("corner", "edge", "interior")]
        assert medians == sorted(medians)


def test_distinct_values_are_counted_an_entry() -> None:
    values = np.array([[1.0, 2.0, 0.0], [1.0, 3.0, -0.0], [1.0, 2.0, 5.0]])
    assert capability.distinct(values).tolist() == [1, 2, 2]
