"""How large is the area between sign and the functions that a network learns from in its place?"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from analysis.ledger.numeric import area_to_sign
from analysis.study import Study, run
from analysis.tables import Cell, Table
from bnn_ref.binarizer import Curve, Sign
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.ste import HardTanh

X = np.linspace(-2, 2, 401)
CURVES: dict[str, Curve] = {"sign": Sign(), "clip": HardTanh(), "ApproxSign": PiecewiseQuadratic()}


def functions() -> Table:
    """Each function and its slope over x. The slope of sign is 0 wherever it has one: not at 0."""
    columns, values = ["x"], [X]
    for name, curve in CURVES.items():
        slope = curve.derivative(X)
        columns += [name, f"slope of {name}"]
        values += [curve(X), np.where(X == 0, np.nan, slope) if name == "sign" else slope]
    return Table.of(columns, np.column_stack(values).tolist())


def areas() -> Table:
    """The area between each function and sign by quadrature, and what it is relative to the clip's."""
    found = {name: area_to_sign(curve) for name, curve in CURVES.items()}
    rows: list[list[Cell]] = [[name, area, area / found["clip"]] for name, area in found.items()]
    return Table.of(["function", "area to sign", "share of the clip's"], rows)


def tables() -> Mapping[str, Table]:
    """Every table of this study by name."""
    return {"areas-functions": functions(), "areas-sign": areas()}


STUDY = Study("areas", "How large is the area between sign and what a network learns from?", tables)

if __name__ == "__main__":
    sys.exit(run(STUDY))
