"""The spectrum of an estimator: one object that answers every question of this package."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bnn_ref.parameter import Array
from bnn_ref.spectra.energy import EnergyError, energy_error
from bnn_ref.spectra.harmonics import harmonic_errors, sine_coefficients
from bnn_ref.spectra.lines import Line, checked, lines
from bnn_ref.spectra.quadrature import quadrature_gain
from bnn_ref.spectra.subject import Examined, Function, Subject, as_subject

_GRID = np.linspace(0, 32, 129)
_HARMONICS = 40


@dataclass(frozen=True)
class Spectrum:
    """An estimator as a filter through which a network sees sign.

    Attributes
    ----------
    name : str
    period : float
        P of the comparison with the square wave: T's own where it has one, else as asked, else 2 pi.
    lines : tuple of Line
        For a periodic T its harmonics; () for every other.
    subject : Subject
        T and T'.
    """

    name: str
    period: float
    lines: tuple[Line, ...]
    subject: Subject = field(repr=False)

    def gain(self, w: Any) -> Array:
        """H(w) = 1/2 * integral of T'(x) exp(-i w x) dx.

        In closed form where one is declared, else by quadrature. H(0) is half the rise of T: 1 where T runs
        from -1 to +1.

        Parameters
        ----------
        w : float or array of any shape
            Angular frequencies, radians per unit of x.

        Returns
        -------
        array of the shape of `w`
            Real for odd T (T' even), else complex.

        Raises
        ------
        ValueError
            When T' is not integrable: it never falls off (identity STE), or T is periodic and has `lines`.
        """
        w = np.asarray(w, np.float64)
        closed = self.subject.closed
        return np.asarray(quadrature_gain(self.subject, w)[0] if closed is None else closed(w))[()]

    def sine_coefficients(self, count: int) -> Array:
        """b_1 .. b_count on `period`, shape (count,); see `spectra.sine_coefficients`."""
        return sine_coefficients(self.subject, self.period, count)

    def harmonic_errors(self, count: int) -> Array:
        """Delta_1 .. Delta_count on `period`, shape (count,); see `spectra.harmonic_errors`."""
        return harmonic_errors(self.subject, self.period, count)

    def energy_error(self) -> EnergyError:
        """(1/P) * integral of (sign - T)^2 on `period`; see `spectra.energy_error`."""
        return energy_error(self.subject, self.period)

    def to_dict(self) -> dict[str, Any]:
        """The spectrum as JSON holds it.

        `gain` is {"w": [...], "h": [...]}, with "imaginary" for a T that is not odd, or {"refused": why};
        `harmonics` has the coefficients and errors of k = 1 .. 40 on `period`, or {"refused": why}.
        """
        return {
            "name": self.name,
            "closed_form": self.subject.closed is not None,
            "gain": _or_refused(self._grid),
            "lines": [dataclasses.asdict(line) for line in self.lines],
            "period": self.period,
            "harmonics": _or_refused(self._harmonics),
            "energy_error": dataclasses.asdict(self.energy_error()),
        }

    def _grid(self) -> dict[str, list[float]]:
        h = self.gain(_GRID)
        shown = {"w": _GRID.tolist(), "h": h.real.tolist()}
        return shown | {"imaginary": h.imag.tolist()} if np.iscomplexobj(h) else shown

    def _harmonics(self) -> dict[str, list[float]]:
        return {
            "coefficients": self.sine_coefficients(_HARMONICS).tolist(),
            "errors": self.harmonic_errors(_HARMONICS).tolist(),
        }


def _or_refused(make: Any) -> dict[str, Any]:
    try:
        return dict(make())
    except ValueError as reason:
        return {"refused": str(reason)}


def spectrum(
    subject: Examined,
    period: float | None = None,
    *,
    slope: Function | None = None,
    support: float | None = None,
    kinks: Sequence[float] | None = None,
) -> Spectrum:
    """The spectrum of an estimator's slope.

    Parameters
    ----------
    subject : Binarizer, Curve, str, pair (T, T') or callable T
        A binarizer means its surrogate, a string the table's entry.
    period : float, optional
        P on which to compare with the square wave; for a foreign T also tried as its own period.
    slope : callable, optional
        T' for a callable T; array in, array of the same shape out.
    support, kinks : float, sequence of float, optional
        Hints for foreign functions: where T' ends, where it is not smooth.

    Raises
    ------
    ValueError
        For an unknown name, a surrogate that is not element-wise, a callable without slope.

    Source: ours.
    """
    if period is not None:
        checked(period)
    examined = as_subject(subject, slope=slope, support=support, kinks=kinks, period=period)
    own = examined.period if period is None else period
    return Spectrum(examined.name, 2 * np.pi if own is None else own, lines(examined), examined)
