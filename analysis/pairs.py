"""What do ProxConnect's quantizers, pairs and regularisers look like?"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from analysis.study import Study, run
from analysis.tables import Cell, Table
from bnn_ref import estimators
from bnn_ref.auditing import decompose
from bnn_ref.binarizer import Curve
from bnn_ref.estimators.irnet import EDE
from bnn_ref.estimators.proximal import Polyline, ProximalMap
from bnn_ref.estimators.quantizers import Projection, ProximalQuantizer
from bnn_ref.estimators.regulariser import recovered
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.parameter import Array

TERNARY = (-1.0, 0.0, 1.0)
SHIFTS = ((0.0, 0.0), (0.2, 0.0), (0.0, 0.2), (0.2, 0.2))
WELLS = ((0.3, 0.0), (0.0, 0.3), (0.3, 0.3))
STEEPNESS = (1, 2, 5, 10)
TEMPERATURES = (0.1, 0.3, 1, 3, 10)
GALLERY: dict[str, tuple[str, dict[str, Any]]] = {
    "FP": ("fp", {}),
    "BC": ("bc", {}),
    "PC": ("proxconnect", {"rho": 0.3, "vrho": 0.2}),
    "BNN": ("bnn", {}),
    "clipped STE, c = 0.5": ("clipped-ste", {"clip": 0.5}),
    "BNN+": ("bnn+", {}),
    "BNN++": ("bnn++", {}),
    "Poly": ("poly", {}),
    "Poly+": ("poly+", {}),
    "EDE": ("ede", {"t": 2.0}),
    "EDE+": ("ede+", {"t": 2.0}),
    "hard tanh": ("hard-tanh", {}),
    "tanh ∘ L": ("tanh-proxconnect", {"beta": 2.0, "rho": 0.3, "vrho": 0.2}),
    "SS ∘ L": ("bnn++-proxconnect", {"rho": 0.3, "vrho": 0.2}),
}
"""Each method: its entry in the table of estimators, at which parameters."""

STEP = ((-1, -1), (0, -1), (0, 1), (1, 1))
LINE = Polyline(((0.0, 0.0),), ends=(1.0, 1.0))
L = ProximalQuantizer(rho=0.3, vrho=0.2)
PROXIMAL: tuple[tuple[str, str, ProximalMap], ...] = (
    ("FP, BNN++, Poly+, EDE+, hard tanh", "", LINE),
    ("BC", "", Projection((-1.0, 1.0))),
    ("PC, tanh ∘ L, SS ∘ L", "", L),
    ("BNN", "w outside", Polyline(STEP, ends=(1, 1))),
    ("BNN", "w + sign(w) outside", Polyline(((-1, -2), *STEP, (1, 2)), ends=(1, 1))),
    ("clipped STE, c = 0.5", "", Polyline(((-0.5, -1), (0, -1), (0, 1), (0.5, 1)), ends=(1, 1))),
)
"""The proximal map of each pair that has one; where more than one does, how they differ."""


def along(low: float, high: float, points: int, kinks: Iterable[float]) -> tuple[Array, Array]:
    """A grid with every kink in it twice: where to evaluate, just beside it, and the abscissa to write."""
    inside = np.array([kink for kink in kinks if low < kink < high])
    grid = np.setdiff1d(np.linspace(low, high, points), inside)
    at = np.concatenate([grid, np.nextafter(inside, -np.inf), np.nextafter(inside, np.inf)])
    order = np.argsort(at, kind="stable")
    return at[order], np.concatenate([grid, inside, inside])[order]


def quantizers() -> Table:
    """L on three levels at each pair of shifts, over w; at (0.5, 0) it is the projection."""
    maps: list[tuple[list[Cell], ProximalMap]] = [([0.5, 0.0], Projection(TERNARY))]
    maps += [([rho, vrho], ProximalQuantizer(TERNARY, rho, vrho)) for rho, vrho in SHIFTS]
    rows: list[list[Cell]] = []
    for shifts, curve in maps:
        at, w = along(-1.5, 1.5, 2, curve.kinks)
        rows += [[*shifts, *pair] for pair in zip(w.tolist(), curve(at).tolist(), strict=True)]
    return Table.of(["rho", "vrho", "w", "L"], rows)


def gallery() -> Table:
    """F and B of each method over w, and what the criterion says of the pair."""
    rows: list[list[Cell]] = []
    for method, (name, parameters) in GALLERY.items():
        b = estimators.get(name, **parameters)
        assert isinstance(b.forward, Curve)
        assert isinstance(b.surrogate, Curve)
        at, w = along(-2, 2, 81, {*b.forward.kinks, *b.surrogate.kinks})
        values = (w.tolist(), b(at).tolist(), b.backward(at, np.ones_like(at)).tolist())
        verdict = "holds" if decompose(b).holds else "fails"
        rows += [[method, verdict, *cells] for cells in zip(*values, strict=True)]
    return Table.of(["method", "criterion", "w", "F", "B"], rows)


def proximal() -> Table:
    """P over w of each pair that decomposes."""
    rows: list[list[Cell]] = []
    for pair, choice, curve in PROXIMAL:
        at, w = along(-2, 2, 2, curve.kinks)
        points = zip(w.tolist(), curve(at).tolist(), strict=True)
        rows += [[pair, choice, *point] for point in points]
    return Table.of(["pair", "choice", "w", "P"], rows)


def families(name: str, values: Sequence[float], make: Callable[[float], Curve]) -> Table:
    """A curve and its slope over w, one pair of columns for each value of its parameter."""
    w = np.linspace(-2, 2, 201)
    columns, found = ["w"], [w]
    for value in values:
        curve = make(value)
        columns += [f"{name} = {value:g}", f"slope, {name} = {value:g}"]
        found += [curve(w), curve.derivative(w)]
    return Table.of(columns, np.column_stack(found).tolist())


def _slope(curve: Curve, w: float) -> float:
    return float(curve.derivative(np.array(w)))


def swish_marks() -> Table:
    """Where each sign-Swish peaks and how high; where its slope is least and how low."""
    rows: list[list[Cell]] = []
    for mu in STEEPNESS:
        curve = SwishSign(mu)
        top = float(brentq(partial(_slope, curve), 1 / mu, 3 / mu, xtol=1e-14))
        low = minimize_scalar(
            lambda w, c=curve: float(c.derivative(np.array(w))),
            bounds=(top, 5 / mu),
            options={"xatol": 1e-10},
        )
        rows.append([mu, top, float(curve(np.array(top))), round(float(low.x), 6), float(low.fun)])
    return Table.of(["mu", "peak at", "peak", "least slope at", "least slope"], rows)


def regularisers() -> Table:
    """mu r over z in the binary case; nothing where it is infinite."""
    z = np.linspace(-1.2, 1.2, 241)
    columns, found = ["z"], [z]
    for rho, vrho in WELLS:
        r = recovered(ProximalQuantizer(rho=rho, vrho=vrho))(z.round(10))
        columns.append(f"rho = {rho:g}, vrho = {vrho:g}")
        found.append(np.where(np.isinf(r), np.nan, r))
    return Table.of(columns, np.column_stack(found).tolist())


def tables() -> Mapping[str, Table]:
    """Every table of this study by name."""
    return {
        "pairs-quantizers": quantizers(),
        "pairs-gallery": gallery(),
        "pairs-proximal": proximal(),
        "pairs-swish": families("mu", STEEPNESS, SwishSign),
        "pairs-swish-marks": swish_marks(),
        "pairs-ede": families("t", TEMPERATURES, lambda t: EDE(max(1 / t, 1), t)),
        "pairs-regularisers": regularisers(),
    }


STUDY = Study("pairs", "What do ProxConnect's quantizers, pairs and regularisers look like?", tables)

if __name__ == "__main__":
    sys.exit(run(STUDY))
