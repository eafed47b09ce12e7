"""How large is the area between sign and the functions that a network learns from in its place?"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from analysis.study import Study, run
from analysis.tables import Cell, Table
from bnn_ref.binarizer import Curve, Sign
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.dsq import SoftQuantizer
from bnn_ref.estimators.irnet import EDE
from bnn_ref.estimators.rbnn import Triangle
from bnn_ref.estimators.reste import PowerFunction
from bnn_ref.estimators.ste import HardTanh, Identity
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.spectra import distance_to_sign

X = np.linspace(-2, 2, 401)
CURVES: dict[str, Curve] = {
    "sign": Sign(),
    "clip": HardTanh(),
    "ApproxSign": PiecewiseQuadratic(),
    "identity": Identity(),
    "sign-Swish": SwishSign(5.0),
    "EDE": EDE(1.0, 2.0),
    "RBNN": Triangle(1.0, 2.0),
    "root": PowerFunction(3.0, 1e-6, 1.0),
    "root as coded": PowerFunction(3.0, 0.1, 1.5),
    "DSQ": SoftQuantizer(0.2),
}
"""The three of Bi-Real Net's figure, then others: BNN+ at beta = 5, IR-Net at t = 2, RBNN at t = 2, ReSTE at
p = 3 on [-1, 1] and with the secant and the window of its code, DSQ at alpha = 0.2."""


def functions() -> Table:
    """Each function and its slope over x. The slope of sign is 0 wherever it has one: not at 0."""
    columns, values = ["x"], [X]
    for name, curve in CURVES.items():
        slope = curve.derivative(X)
        columns += [name, f"slope of {name}"]
        values += [curve(X), np.where(X == 0, np.nan, slope) if name == "sign" else slope]
    return Table.of(columns, np.column_stack(values).tolist())


def areas() -> Table:
    """The area between each function and sign on the real line, and of its square; what the slope claims.

    The areas are infinite where a function does not end at -1 and +1.
    """
    found = {name: distance_to_sign(curve) for name, curve in CURVES.items() if name != "sign"}
    rows: list[list[Cell]] = [["sign", 0.0, 0.0, 0.0, "", ""]]
    for name, gap in found.items():
        curve = CURVES[name]
        shape = (_number(curve.peak), _number(curve.area))
        rows.append([name, gap.l1, gap.l1 / found["clip"].l1, gap.l2_squared, *shape])
    columns = ("function", "area to sign", "share of the clip's", "squared", "peak of the slope")
    return Table.of((*columns, "area under the slope"), rows)


def _number(value: float | None) -> Cell:
    return "" if value is None else value


def tables() -> Mapping[str, Table]:
    """Every table of this study by name."""
    return {"areas-functions": functions(), "areas-sign": areas()}


STUDY = Study("areas", "How large is the area between sign and what a network learns from?", tables)

if __name__ == "__main__":
    sys.exit(run(STUDY))
