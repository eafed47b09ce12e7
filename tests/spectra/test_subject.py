"""Whatever is examined comes down to T, T' and what is known of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bnn_ref import estimators
from bnn_ref.binarizer import Binarizer, MeanAbs, Sign
from bnn_ref.estimators.ste import HardTanh, Tanh
from bnn_ref.spectra import as_subject


def box(x: Any) -> Any:
    return np.abs(x) <= 1  # booleans, on purpose


def test_a_name_a_binarizer_and_its_curve_are_the_same_subject() -> None:
    binarizer = estimators.get("clipped-ste")
    by_name, by_object, by_curve = (as_subject(s) for s in ("clipped-ste", binarizer, HardTanh()))
    assert by_name.curve == by_object.curve == by_curve.curve == HardTanh()
    assert (by_name.name, by_curve.name) == ("clipped-ste", "HardTanh")
    assert (by_name.support, by_name.kinks, by_name.odd, by_name.period) == (1.0, (-1.0, 1.0), True, None)
    assert by_name.closed is not None
    assert as_subject(by_name) is by_name


def test_a_pair_and_a_slope_keyword_are_the_same_subject() -> None:
    x = np.linspace(-2, 2, 9)
    for subject in (as_subject((np.tanh, box)), as_subject(np.tanh, slope=box)):
        assert subject.name == "tanh"
        np.testing.assert_array_equal(subject.slope(x), [0, 0, 1, 1, 1, 1, 1, 0, 0])
        assert subject.slope(x).dtype == np.float64


def test_foreign_answers_are_broadcast() -> None:
    assert as_subject(lambda x: x, slope=lambda x: 1).slope(np.zeros((2, 3))).shape == (2, 3)


@pytest.mark.parametrize(
    ("value", "slope", "odd"),
    [
        (np.tanh, lambda x: 1 / np.cosh(x) ** 2, True),  # overflows at the probes: no warning may escape
        (np.sin, np.cos, True),
        (np.exp, np.exp, False),
        (lambda x: np.clip(x, 0, 1), lambda x: (x > 0) & (x < 1), False),
        (np.tanh, lambda x: np.where(x > 0, 1, 1.01), False),  # T odd, the slope used is not
    ],
)
def test_oddness_is_measured(value: Any, slope: Any, odd: bool) -> None:
    assert as_subject(value, slope=slope).odd is odd


@pytest.mark.parametrize(
    ("value", "period", "own"),
    [
        (np.sin, 2 * np.pi, 2 * np.pi),
        (np.sin, 4 * np.pi, 4 * np.pi),
        (np.sin, 3.0, None),
        (np.tanh, 20.0, None),
        (np.sign, 20.0, None),  # two plateaus do not repeat
        (lambda x: np.clip(1e5 * x, -1, 1), 20.0, None),
    ],
)
def test_periods_are_measured(value: Any, period: float, own: float | None) -> None:
    assert as_subject(value, slope=np.cos, period=period).period == own


def test_within_drops_what_no_longer_holds() -> None:
    subject = as_subject(HardTanh())
    assert subject.within(1.0) is subject
    part = subject.within(0.5)
    assert (part.support, part.kinks, part.closed) == (0.5, (), None)
    assert as_subject(Tanh()).within(100.0).closed is None


@pytest.mark.parametrize(
    ("subject", "hints", "message"),
    [
        ("no-such", {}, "estimator: required one of"),
        (np.tanh, {}, "slope: required the function T'"),
        (3, {"slope": np.cos}, "slope: required the function T'"),
        ((np.tanh, 3), {}, "slope: required the function T'"),
        ("tanh", {"slope": np.cos}, "declares its own"),
        (HardTanh(), {"kinks": (1.0,)}, "declares its own"),
        (HardTanh(), {"support": 1.0}, "declares its own"),
        (Binarizer(Sign(), MeanAbs(), name="odd-one"), {}, "odd-one: required an element-wise surrogate"),
        (Binarizer(Sign(), MeanAbs()), {}, "got MeanAbs"),
    ],
)
def test_what_cannot_be_examined_is_refused(subject: Any, hints: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_subject(subject, **hints)
