"""The estimators as the spectra study sees them: the table's entries at the moments of their schedules."""

from __future__ import annotations

from dataclasses import dataclass

from bnn_ref import estimators
from bnn_ref.binarizer import Binarizer


@dataclass(frozen=True)
class Case:
    """One estimator with its numbers fixed.

    Attributes
    ----------
    key : str
        Column of the wide tables.
    kind : str
        The family it is drawn with.
    note : str
        What fixes its numbers.
    binarizer : Binarizer
    """

    key: str
    kind: str
    note: str
    binarizer: Binarizer

    @classmethod
    def of(
        cls, key: str, kind: str, note: str, /, name: str, at: float | None = None, **values: float | None
    ) -> Case:
        """An entry of the table with `values`, or as annealed `at` a progress."""
        binarizer = estimators.get(name, **values)
        return cls(key, kind, note, binarizer if at is None else binarizer.at(at))


CASES: tuple[Case, ...] = (
    Case.of("identity-ste", "straight through", "default", "identity-ste"),
    Case.of("clipped-ste", "straight through", "default", "clipped-ste"),
    Case.of("approxsign", "triangle", "default", "approxsign"),
    Case.of("rbnn-start", "triangle", "activations, progress 0", "rbnn-activation", at=0.0),
    Case.of("rbnn-end", "triangle", "activations, progress 1", "rbnn-activation", at=1.0),
    Case.of("rbnn-weight-start", "triangle", "weights, progress 0", "rbnn", at=0.0),
    Case.of("tanh-1", "tanh", "default", "tanh"),
    Case.of("tanh-20", "tanh", "as in a figure of fda2021", "tanh", beta=20.0),
    Case.of("dsq", "tanh", "default", "dsq"),
    Case.of("ede-start", "tanh", "progress 0", "ede", at=0.0),
    Case.of("ede-middle", "tanh", "progress 0.5", "ede", at=0.5),
    Case.of("ede-end", "tanh", "progress 1", "ede", at=1.0),
    Case.of("swish-sign-5", "sign-Swish", "default", "swish-sign"),
    Case.of("swish-sign-20", "sign-Swish", "as in a figure of fda2021", "swish-sign", beta=20.0),
    Case.of("bnn++-start", "sign-Swish", "progress 0", "bnn++", at=0.0),
    Case.of("bnn++-end", "sign-Swish", "progress 1", "bnn++", at=1.0),
    Case.of("reste-start", "root", "progress 0", "reste", at=0.0),
    Case.of("reste-end", "root", "progress 1", "reste", at=1.0),
    Case.of("fda-9", "Fourier series", "window 1, omega 0.1", "fda", terms=9),
    Case.of("fda-18", "Fourier series", "window 1, omega 0.1", "fda", terms=18),
    Case.of("fda-20-lines", "Fourier series", "no window, omega 1", "fda", terms=20, omega=1.0, window=None),
)  # fmt: skip
