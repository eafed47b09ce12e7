"""Functions with jumps: a table holds a jump as two rows of one abscissa, a picture leaves it open."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analysis.tables import Table
from bnn_ref.parameter import Array

CLOSE = 1e-8
"""Values this near to each other are one value."""


def jumps(x: Array, y: Array) -> Array:
    """The places i at which y jumps between rows i and i + 1."""
    return np.flatnonzero((np.diff(x) == 0) & (np.abs(np.diff(y)) > CLOSE))


def opened(x: Array, y: Array) -> tuple[Array, Array]:
    """x and y with a gap (NaN) at every jump, so that no line is drawn across it."""
    at = jumps(x, y) + 1
    return np.insert(x, at, np.nan), np.insert(y, at, np.nan)


def grouped(table: Table, *keys: str) -> Iterator[tuple[tuple[str, ...], Table]]:
    """The rows of `table` by the text in the columns `keys`, in their order."""
    wanted = dict.fromkeys(zip(*(table.column(key) for key in keys), strict=True))
    places = [table.columns.index(key) for key in keys]
    for group in wanted:
        rows = tuple(row for row in table.rows if tuple(row[i] for i in places) == group)
        yield group, Table(table.columns, rows)
