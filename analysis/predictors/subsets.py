"""The same ranks without some estimators: what does a correlation hang on?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis.predictors.measures import MEASURES
from analysis.predictors.probe import OPERANDS
from analysis.predictors.ranking import cells, rank
from analysis.tables import Cell, Table

Record = Mapping[str, str]
FEWEST = 5
"""Estimators that can be ranked."""


def subsets(found: Table) -> Table:
    """Spearman's rho of each measure, of the means in the table by estimator, with some estimators left out.

    Two that are the same run twice count once: weights stay within the window of the clipped STE, where it is
    the identity. Then BBC's are left out too, whose measures lie far from all others.
    """
    rows: list[list[Cell]] = []
    for operand in OPERANDS:
        own = [row for row in found.records() if row["operand"] == operand and row["mean"]]
        once = distinct(own)
        others = [row for row in once if not row["estimator"].startswith("BBC")]
        for kept in (once, others):
            left_out = ", ".join(row["estimator"] for row in own if row not in kept)
            if left_out and len(kept) >= FEWEST:
                rows += [_row(operand, left_out, name, kept) for name in MEASURES]
    return Table.of(("operand", "left out", "measure", "estimators", "rho", "low", "high", "p"), rows)


def distinct(rows: Sequence[Record]) -> list[Record]:
    """The first of each group of rows that differ in nothing but the estimator's name."""
    found: dict[tuple[str, ...], Record] = {}
    for row in rows:
        found.setdefault(tuple(text for key, text in row.items() if key != "estimator"), row)
    return list(found.values())


def _row(operand: str, left_out: str, measure: str, kept: Sequence[Record]) -> list[Cell]:
    values, accuracies = ([float(row[key]) for row in kept] for key in (measure, "mean"))
    return [operand, left_out, measure, len(kept), *cells(rank(values, accuracies))]
