"""What the tests of the studies share: tables compared as a reader would compare them."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from analysis.claims import rule_all
from analysis.ledger.claim import Ruling
from analysis.tables import Table

Compare = Callable[[Table, Table], None]


def _same_cell(a: str, b: str) -> bool:
    try:
        return math.isclose(float(a), float(b), rel_tol=1e-6, abs_tol=1e-9)
    except ValueError:
        return a == b


@pytest.fixture(scope="session")
def same() -> Compare:
    """Assert that two tables say the same: text equal, numbers to six digits."""

    def compare(found: Table, wanted: Table) -> None:
        assert found.columns == wanted.columns
        assert len(found.rows) == len(wanted.rows)
        for row, other in zip(found.rows, wanted.rows, strict=True):
            differ = [pair for pair in zip(row, other, strict=True) if not _same_cell(*pair)]
            assert not differ, f"{row[0]}: {differ}"

    return compare


@pytest.fixture(scope="session")
def rulings() -> dict[str, Ruling]:
    """Every ruling of the ledger, by key; computed once."""
    return {ruling.claim.key: ruling for ruling in rule_all()}
