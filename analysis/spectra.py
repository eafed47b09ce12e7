"""What does each estimator see of sign: which frequencies, how far away, with how much error?"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from analysis.cases import CASES, Case
from analysis.study import Study, run
from analysis.tables import Cell, Table
from bnn_ref.binarizer import Curve
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.parameter import Array
from bnn_ref.spectra import distance_to_sign, energy_error, gibbs, harmonic_errors, spectrum

PERIOD = 2 * np.pi
FREQUENCIES = np.linspace(0, 32, 129)
HARMONICS = 99
LOW = 39
"""The highest harmonic that 20 sines carry."""
TERMS = (1, 2, 3, 5, 9, 10, 15, 18, 19, 20, 21, 50, 100)


def gains() -> Table:
    """H(w), a column a case; empty where there is none."""
    columns = [_gain(case) for case in CASES]
    rows = np.column_stack([FREQUENCIES, *columns]).tolist()
    return Table.of(["w", *(case.key for case in CASES)], rows)


def _gain(case: Case) -> Array:
    found = spectrum(case.binarizer)
    if found.lines:  # a line spectrum: no density to tabulate
        return np.full(FREQUENCIES.shape, np.nan)
    try:
        return found.gain(FREQUENCIES)
    except ValueError:  # T' never falls off; `cases` says so in words
        return np.full(FREQUENCIES.shape, np.nan)


def harmonics() -> Table:
    """Delta_k = b_k(square wave) - b_k(T) on the period 2 pi, a column a case."""
    errors = [harmonic_errors(case.binarizer, PERIOD, HARMONICS) for case in CASES]
    rows = [[k + 1, *values] for k, values in enumerate(np.column_stack(errors).tolist())]
    return Table.of(["k", *(case.key for case in CASES)], rows)


COLUMNS = (
    "case", "kind", "estimator", "values", "note", "spectrum", "H(0)", "energy error on 2 pi", "method",
    "share of it at k <= 39", "L1 on R", "L2^2 on R", "L1 within 1", "L2^2 within 1",
)  # fmt: skip


def cases() -> Table:
    """One line a case: where its numbers come from, and how far it is from sign."""
    return Table.of(COLUMNS, [_case(case) for case in CASES])


def _case(case: Case) -> list[Cell]:
    curve = case.binarizer.surrogate
    assert isinstance(curve, Curve)
    energy = energy_error(curve, PERIOD)
    low = float((harmonic_errors(curve, PERIOD, LOW) ** 2).sum() / 2)
    wide, narrow = distance_to_sign(curve), distance_to_sign(curve, 1.0)
    return [
        *(case.key, case.kind, case.binarizer.name, _values(curve), case.note, *_kind(case)),
        *(energy.value, energy.method, low / energy.value),
        *(wide.l1, wide.l2_squared, narrow.l1, narrow.l2_squared),
    ]


def _values(curve: Curve) -> str:
    """The fields of a curve: "k = 1, t = 10"."""
    return "; ".join(f"{name} = {value:.6g}" for name, value in vars(curve).items() if _is_number(value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _kind(case: Case) -> tuple[Cell, Cell]:
    """What spectrum it has, and H(0), half the rise of T."""
    found = spectrum(case.binarizer)
    if found.lines:
        return f"{len(found.lines)} lines", np.nan
    try:
        return ("closed form" if found.subject.closed else "quadrature"), float(found.gain(0.0))
    except ValueError:
        return "none: T' never falls off", np.nan


def overshoots() -> Table:
    """Gibbs's overshoot and the mean square error of the series, by number of terms."""
    rows: list[list[Cell]] = []
    for terms in TERMS:
        found = gibbs(terms)
        error = energy_error(FourierSeries(terms, omega=1.0, window=None), PERIOD).value
        least = np.nan if found.first_minimum is None else found.first_minimum
        rows.append([terms, found.location, found.peak, found.overshoot / 2, least, error, 1 - error])
    columns = ["terms", "omega t of the peak", "peak", "overshoot of the jump", "first minimum"]
    return Table.of([*columns, "energy error", "energy captured"], rows)


def tables() -> Mapping[str, Table]:
    """Every table of this study by name."""
    return {
        "spectra-cases": cases(),
        "spectra-gain": gains(),
        "spectra-harmonics": harmonics(),
        "spectra-gibbs": overshoots(),
    }


STUDY = Study("spectra", "What does each estimator see of sign, and how far from it is it?", tables)

if __name__ == "__main__":
    sys.exit(run(STUDY))
