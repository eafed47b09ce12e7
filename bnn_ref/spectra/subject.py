"""The thing examined: a function T and the slope T' that an estimator uses, whoever wrote them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from bnn_ref import estimators
from bnn_ref.binarizer import Binarizer, Curve
from bnn_ref.parameter import Array

Function: TypeAlias = Callable[[Array], Array]
Examined: TypeAlias = "Subject | Binarizer | Curve | str | tuple[Function, Function] | Function"

# Where a foreign function is probed: off every round number, so that no convention on a kink matters.
_PROBES = 2.0 ** (np.arange(-80, 80) / 8 + 0.0371)


@dataclass(frozen=True)
class Subject:
    """T, T' and what is known of them. Source: ours.

    Attributes
    ----------
    name : str
        For messages and reports.
    value, slope : callable
        T and T': a float64 array of any shape to one of the same shape.
    support : float
        T'(x) = 0 for abs(x) > support; inf where unknown or unbounded.
    kinks : tuple of float
        Where T' is not smooth, ascending.
    odd : bool
        T(-x) = -T(x).
    period : float or None
        T(x + period) = T(x).
    closed : callable or None
        H in closed form.
    curve : Curve or None
        The declaration it came from.
    """

    name: str
    value: Function
    slope: Function
    support: float = math.inf
    kinks: tuple[float, ...] = ()
    odd: bool = True
    period: float | None = None
    closed: Function | None = None
    curve: Curve | None = None

    def within(self, half: float) -> Subject:
        """T on (-half, half) alone: the same where T' lives there, else without its closed form."""
        if self.support <= half:
            return self
        inside = tuple(kink for kink in self.kinks if abs(kink) < half)
        return dataclasses.replace(self, support=half, kinks=inside, period=None, closed=None)


def as_subject(
    subject: Examined,
    *,
    slope: Function | None = None,
    support: float | None = None,
    kinks: Sequence[float] | None = None,
    period: float | None = None,
) -> Subject:
    """What `subject` stands for.

    Parameters
    ----------
    subject : Binarizer, Curve, str, pair (T, T') or callable T
        A binarizer means its surrogate, a name the table's entry, a callable needs `slope`.
    slope : callable, optional
        T', with a callable T only; arrays in, arrays out.
    support, kinks : float, sequence of float, optional
        Hints for functions that declare nothing; both are optional, but a jump of T' left out costs time.
    period : float, optional
        A period on which a foreign T is compared; it counts as T's own where T is found to repeat on it.

    Raises
    ------
    ValueError
        For an unknown name, a surrogate that is no curve, a callable without slope, hints for a curve.
    """
    if isinstance(subject, str):
        subject = estimators.get(subject)
    if not isinstance(subject, Subject | Curve | Binarizer):
        return _foreign(subject, slope, support, kinks, period)
    if slope is not None or support is not None or kinks is not None:
        raise ValueError(
            "slope, support, kinks: required for foreign functions only; this subject declares its own"
        )
    if isinstance(subject, Subject):
        return subject
    if isinstance(subject, Curve):
        return _declared(subject, type(subject).__name__)
    if not isinstance(subject.surrogate, Curve):
        kind = type(subject.surrogate).__name__
        raise ValueError(
            f"{subject.name or 'subject'}: required an element-wise surrogate (a Curve), got {kind}"
        )
    return _declared(subject.surrogate, subject.name or type(subject.surrogate).__name__)


def _declared(curve: Curve, name: str) -> Subject:
    closed = None if curve.gain(np.zeros(1)) is None else curve.gain
    return Subject(
        name,
        curve,
        curve.derivative,
        curve.support,
        curve.kinks,
        curve.odd,
        curve.period,
        closed,  # type: ignore[arg-type]  # just found not to be None
        curve,
    )


def _foreign(
    subject: Any,
    slope: Function | None,
    support: float | None,
    kinks: Sequence[float] | None,
    period: float | None,
) -> Subject:
    value, slope = subject if isinstance(subject, tuple) else (subject, slope)
    if not callable(value) or not callable(slope):
        raise ValueError(f"slope: required the function T' beside a foreign T, got {slope!r}")
    name = getattr(value, "__name__", type(value).__name__)
    value, slope = _shaped(value), _shaped(slope)
    with np.errstate(all="ignore"):
        odd = _agree(value(-_PROBES), -value(_PROBES)) and _agree(slope(-_PROBES), slope(_PROBES))
        repeats = period is not None and _repeats(value, period)
    return Subject(
        name,
        value,
        slope,
        math.inf if support is None else support,
        tuple(sorted(kinks or ())),
        odd,
        period if repeats else None,
    )


def _shaped(f: Function) -> Function:
    """f with float64 answers of the shape of x, also where it answers with booleans or one number."""
    return lambda x: np.broadcast_to(np.asarray(f(x), np.float64), np.shape(x))


def _repeats(value: Function, period: float) -> bool:
    x = period * ((np.arange(192) + 0.37) / 64 - 2)  # across 0: two plateaus do not pass for a repetition
    return _agree(value(x + period), value(x))


def _agree(a: Array, b: Array) -> bool:
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True))
