"""The format of results: text that a second reading does not change, files complete or not there."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from analysis.tables import RESULTS, Table, cell, load, read, write

TABLE = Table.of(["name", "value"], [["a, b", 1], ["# c", 0.1], ['d "e"', math.nan]])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write(path, TABLE, ["question: why?", "seeds: none"])
    assert read(path) == TABLE
    assert path.read_text().splitlines()[:2] == ["# question: why?", "# seeds: none"]
    assert path.read_bytes().count(b"\r") == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (3, "3"),
        (1 / 3, "0.3333333333"),
        (-3e-17, "0"),
        (-0.0, "0"),
        (math.inf, "inf"),
        (math.nan, ""),
        (1e20, "1e+20"),
    ],
)
def test_cells(value: str | float, text: str) -> None:
    assert cell(value) == text


def test_columns_by_name() -> None:
    assert TABLE.column("name")[0] == "a, b"
    assert TABLE.numbers("value")[:2] == (1.0, 0.1)
    assert math.isnan(TABLE.numbers("value")[2])
    assert TABLE.records()[0] == {"name": "a, b", "value": "1"}
    with pytest.raises(ValueError, match="required one of name, value; got 'other'"):
        TABLE.column("other")
    with pytest.raises(ValueError, match="required 2 cells, got 1"):
        Table.of(["a", "b"], [["alone"]])


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write(path, TABLE, ["first"])
    before = path.read_bytes()
    broken = Table(("name",), (("\udc80",),))  # a lone surrogate: UTF-8 cannot hold it
    with pytest.raises(UnicodeEncodeError):
        write(path, broken, ["second"])
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["t.csv"]


def test_a_missing_result_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"spectra-gain.csv is missing.*python -m analysis.spectra --out"
    ):
        load("spectra-gain", "spectra", tmp_path)
    with pytest.raises(
        FileNotFoundError, match=r"nothing.csv is missing; make it with: python -m analysis.spectra$"
    ):
        load("nothing", "spectra", RESULTS)
