"""The one format of a result: comma-separated text under a header of comments."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path
from typing import TypeAlias

from bnn_ref.files import replacing

Cell: TypeAlias = "str | int | float"

RESULTS = Path(__file__).parent / "results"
"""Where the committed results are."""


@dataclass(frozen=True)
class Table:
    """Rows of cells under named columns.

    Attributes
    ----------
    columns : tuple of str
    rows : tuple of tuple of str
        Text, as in the file; `cell` makes it.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> Table:
        """A table of text and numbers; ValueError for a row of another length than `columns`."""
        for row in rows:
            if len(row) != len(columns):
                raise ValueError(f"row: required {len(columns)} cells, got {len(row)}: {row}")
        return cls(tuple(columns), tuple(tuple(map(cell, row)) for row in rows))

    def column(self, name: str) -> tuple[str, ...]:
        """One column as text; ValueError when there is none of that name."""
        if name not in self.columns:
            raise ValueError(f"column: required one of {', '.join(self.columns)}; got {name!r}")
        return tuple(row[self.columns.index(name)] for row in self.rows)

    def numbers(self, name: str) -> tuple[float, ...]:
        """One column as numbers; an empty cell is NaN."""
        return tuple(float(text) if text else math.nan for text in self.column(name))

    def records(self) -> list[dict[str, str]]:
        """One dictionary a row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def cell(value: Cell) -> str:
    """A value as text: numbers to ten digits, less what is rounding (below 1e-12), NaN as nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(int(value))
    if math.isnan(value):
        return ""
    return f"{round(value, 12) + 0.0:.10g}"


def write(path: Path, table: Table, header: Sequence[str]) -> None:
    """Write `table` under the comment lines of `header`, complete or not at all."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        file.writelines(f"# {line}\n" for line in header)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(table.rows)


def read(path: Path) -> Table:
    """The table in a file that `write` made."""
    with path.open(newline="", encoding="utf-8") as file:
        # the header alone is comment: a cell may begin with the same sign
        rows = list(csv.reader(dropwhile(lambda line: line.startswith("#"), file)))
    return Table(tuple(rows[0]), tuple(map(tuple, rows[1:])))


def load(name: str, study: str, folder: Path = RESULTS) -> Table:
    """The table `name` of a study.

    Raises
    ------
    FileNotFoundError
        When it is not there; the message names the command that makes it.
    """
    path = folder / f"{name}.csv"
    if not path.is_file():
        where = "" if folder == RESULTS else f" --out {folder}"
        raise FileNotFoundError(f"{path.name} is missing; make it with: python -m analysis.{study}{where}")
    return read(path)
