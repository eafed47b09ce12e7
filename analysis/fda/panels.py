"""FDA-BNN's first figure: sign beside three functions that learn for it, and their spectra.

The paper gives no parameters with it. These reproduce what is seen there: omega = 1, a transform over one
period of 2 pi, 20 sine terms, beta = 20.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis.tables import Table
from bnn_ref import spectra
from bnn_ref.binarizer import Curve, Sign
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.estimators.ste import Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.parameter import Array

OMEGA, TERMS, BETA = 1.0, 20, 20.0
PERIOD = 2 * np.pi / OMEGA
CURVES: Mapping[str, Curve] = {
    "sign": Sign(zero=-1),
    "series": FourierSeries(TERMS, omega=OMEGA, window=None),
    "tanh": Tanh(BETA),
    "swish-sign": SwishSign(BETA),
}
X = np.linspace(-2, 2, 401)
HARMONICS = 99
SAMPLES = 2**16
"""Samples alias: with so many, each harmonic shown is off by less than 1e-7."""


def functions() -> Table:
    """The four functions on [-2, 2], a column each."""
    values = [curve(X) for curve in CURVES.values()]
    return Table.of(["x", *CURVES], np.column_stack([X, *values]).tolist())


def magnitudes(curve: Curve) -> Array:
    """2/M abs(DFT) of an odd curve at k = 0 .. 99, shape (100,): the height of each harmonic."""
    heights = np.abs(spectra.dft(curve, PERIOD, SAMPLES))[:HARMONICS]
    return np.concatenate([[0.0], heights])  # odd: no mean


def dft() -> Table:
    """The magnitudes of all four, and how far from sign's those of the other three are."""
    heights = {name: magnitudes(curve) for name, curve in CURVES.items()}
    off = {f"{name} off": np.abs(found - heights["sign"]) for name, found in heights.items()}
    del off["sign off"]
    columns = np.column_stack([*heights.values(), *off.values()]).tolist()
    return Table.of(["k", *heights, *off], [[k, *values] for k, values in enumerate(columns)])
