"""The decomposition criterion: rows B4 and B5 of the properties, staircases, witnesses, P and T themselves.

The pairs are written out here once more, as plain functions that declare nothing: jumps have to be found.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import bnn_ref
from bnn_ref import estimators
from bnn_ref.auditing import Decomposition, decompose
from bnn_ref.auditing.criterion import objection
from bnn_ref.binarizer import Binarizer, Curve, Sign
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.irnet import EDE
from bnn_ref.estimators.ste import HardTanh, Identity, Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.parameter import Array

Function = Callable[[Array], Array]
WINDOWS = [(-3.0, 3.0), (-2.71, 3.3), (-1.3, 5.0), (-8.0, 7.0)]


def sgn(w: Array) -> Array:
    return np.where(w >= 0, 1.0, -1.0)


def one(w: Array) -> Array:
    return np.ones_like(w)


def mask(c: float) -> Function:
    return lambda w: (np.abs(w) <= c).astype(float)


def quadratic(w: Array) -> Array:
    inside = np.clip(w, -1, 1)
    return 2 * inside - inside * np.abs(inside)


def triangle(w: Array) -> Array:
    return np.maximum(2 - 2 * np.abs(w), 0)


def swish(mu: float) -> Function:
    return lambda w: np.tanh(mu * w / 2) + (mu * w / 2) / np.cosh(mu * w / 2) ** 2


def swish_slope(mu: float) -> Function:
    return lambda w: mu * (1 - (mu * w / 2) * np.tanh(mu * w / 2)) / np.cosh(mu * w / 2) ** 2


def ede(t: float) -> Function:
    return lambda w: max(1 / t, 1) * np.tanh(t * w)


def ede_slope(t: float) -> Function:
    return lambda w: max(1 / t, 1) * t / np.cosh(t * w) ** 2


def shifted_l(rho: float, vrho: float) -> Function:
    """L of the PC family for levels -1 and 1."""

    def value(w: Array) -> Array:
        size = np.abs(w)
        slope = (1 - vrho) / (1 - rho) if rho < 1 else 0.0
        return sgn(w) * np.where(size >= 1 - rho, 1.0, vrho + size * slope)

    return value


HOLD: dict[str, tuple[Function, Function]] = {
    "FP": (lambda w: w, one),
    "BC": (sgn, one),
    "PC(0.3, 0)": (shifted_l(0.3, 0.0), one),
    "PC(0, 0.4)": (shifted_l(0.0, 0.4), one),
    "PC(0.25, 0.25)": (shifted_l(0.25, 0.25), one),
    "PC(1, 0)": (shifted_l(1.0, 0.0), one),
    "BNN": (sgn, mask(1.0)),
    "clipped-STE(0.4)": (sgn, mask(0.4)),
    "clipped-STE(1.7)": (sgn, mask(1.7)),
    **{f"BNN++({mu:g})": (swish(mu), swish_slope(mu)) for mu in (1, 5, 20)},
    "Poly+": (quadratic, triangle),
    **{f"EDE+({t:g})": (ede(t), ede_slope(t)) for t in (0.1, 1, 10)},
    "hard-tanh": (lambda w: np.clip(w, -1, 1), mask(1.0)),
}
FAIL: dict[str, tuple[Function, Function, str]] = {
    **{f"BNN+({mu:g})": (sgn, swish_slope(mu), "varies") for mu in (1, 5, 20)},
    "Poly": (sgn, triangle, "varies"),
    **{f"EDE({t:g})": (sgn, ede_slope(t), "varies") for t in (0.1, 1, 10)},
    "(tanh, -tanh')": (np.tanh, lambda w: -1 / np.cosh(w) ** 2, "opposite"),
}


def confirmed(found: Decomposition, forward: Function, backward: Function) -> bool:
    """Whether the witness is one, by 2001 points of its own interval and nothing else of the report.

    (For "varies" the steps of B must shrink where the points come closer: a staircase is no witness.)
    """
    assert found.witness is not None
    x, finer = (np.linspace(*found.witness.interval, n) for n in (2001, 8001))
    steps, b = np.diff(forward(x)), backward(x)
    if found.witness.kind == "opposite":
        return bool((steps * b[1:] <= 0).all() and (steps * b[1:] < 0).any())
    if found.witness.kind == "level":
        return bool((b == 0).all() and forward(x)[0] != forward(x)[-1])
    smooth = np.abs(np.diff(backward(finer))).max() < 0.5 * np.abs(np.diff(b)).max()
    return bool((steps == 0).all() and b[0] != b[-1] and smooth)


def reproduces(found: Decomposition, forward: Function, backward: Function, tolerance: float) -> None:
    """P never falls; T(P) is F and T'(P) is B, on the grid exactly and between its points to `tolerance`."""
    assert found.T is not None
    assert (np.diff(found.P) >= 0).all()
    assert np.array_equal(found.F, forward(found.x))
    assert np.array_equal(found.B, backward(found.x))
    middle, p = (found.x[1:] + found.x[:-1]) / 2, (found.P[1:] + found.P[:-1]) / 2
    inside = (np.diff(found.x) > 1e-6) & (np.diff(found.P) > 0)
    assert np.allclose(found.T(p)[inside], forward(middle)[inside], rtol=0, atol=tolerance)
    assert np.allclose(found.T.derivative()(p)[inside], backward(middle)[inside], rtol=0, atol=tolerance)


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("name", HOLD)
def test_b4_rows_that_hold(name: str, window: tuple[float, float]) -> None:
    found = decompose(*HOLD[name], window=window)
    assert found.holds, found.verdict
    assert found.witness is None
    assert found.resolution == pytest.approx((window[1] - window[0]) / 2048)
    assert (np.diff(found.P) >= 0).all()


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize("name", FAIL)
def test_b4_rows_that_fail(name: str, window: tuple[float, float]) -> None:
    forward, backward, kind = FAIL[name]
    found = decompose(forward, backward, window=window)
    assert not found.holds
    assert found.witness is not None
    assert found.witness.kind == kind
    assert confirmed(found, forward, backward), found.verdict
    assert found.T is None


@pytest.mark.parametrize(
    ("name", "parameters", "moments"),
    [
        ("identity-ste", {}, ()),
        ("clipped-ste", {}, ()),
        ("clipped-ste", {"clip": 0.3}, ()),
        ("clipped-ste", {"clip": 2.5, "inclusive": False}, ()),
        ("bnn++", {}, (0.0, 0.4, 1.0)),
        ("fp", {}, ()),
        ("hard-tanh", {}, ()),
        ("poly+", {}, ()),
        ("ede+", {}, (0.0, 0.5, 1.0)),
        ("proxconnect", {}, (0.0, 0.3, 1.0)),
        ("proxconnect", {"levels": (-1, -0.3, 0.3, 1), "vrho": 0.1}, (0.0, 0.5, 1.0)),
        ("parq", {}, (0.0, 0.5, 1.0)),
        ("tanh-proxconnect", {}, (0.0, 0.4, 1.0)),
        ("bnn++-proxconnect", {"vrho": 0.3}, (0.0, 0.4, 1.0)),
        ("binaryconnect", {}, ()),
        ("dorefa-activation", {"bits": 3}, ()),
        ("abc-activation", {}, ()),
    ],
)
def test_b4_entries_that_hold(name: str, parameters: dict[str, float], moments: tuple[float, ...]) -> None:
    entry = estimators.get(name, **parameters)
    for subject in (entry, *map(entry.at, moments)):
        for window in (None, *WINDOWS):
            assert decompose(subject, window=window).holds


@pytest.mark.parametrize(
    ("name", "moments"),
    [
        ("bnn+", ()),
        ("approxsign", ()),
        ("ede", (0.0, 0.3, 0.7, 1.0)),
        ("rbnn", (0.0, 0.5, 1.0)),
        ("fda-growing", (0.0, 1.0)),
        ("tanh", ()),
        ("dsq", ()),
        ("rsign", ()),
    ],
)
def test_b4_entries_that_fail(name: str, moments: tuple[float, ...]) -> None:
    entry = estimators.get(name)
    for subject in (entry, *map(entry.at, moments)):
        for window in (None, *WINDOWS):
            found = decompose(subject, window=window)
            assert found.witness is not None
            assert found.witness.kind == "varies"


def test_b4_changes_while_an_entry_is_annealed() -> None:
    """ReSTE begins with the root of degree 1, the identity, whose pair is BinaryConnect's."""
    assert decompose(bnn_ref.get("reste").at(0.0)).holds
    assert not decompose(bnn_ref.get("reste").at(0.5)).holds


@pytest.mark.parametrize("name", [name for name in estimators.names() if not objection(estimators.get(name))])
def test_a_declared_entry_and_the_same_as_a_black_box_get_one_answer(name: str) -> None:
    entry = estimators.get(name)
    bound = entry.bind((1,), -1, np.random.default_rng(0))
    assert isinstance(bound, Binarizer)
    found = decompose(
        lambda x: bound.forward(x[:, None])[:, 0],
        lambda x: bound.backward(x[:, None], np.ones((len(x), 1)))[:, 0],
    )
    assert found.holds == decompose(entry).holds, found.verdict


@pytest.mark.parametrize("window", WINDOWS, ids=str)
@pytest.mark.parametrize(
    "curve", [SwishSign(2.0), EDE(2.0, 0.5), Tanh(1.5), PiecewiseQuadratic(), HardTanh()]
)
def test_b5_p_is_the_identity_for_plus_pairs(curve: Curve, window: tuple[float, float]) -> None:
    found = decompose(Binarizer(curve, curve), window=window)
    steep = np.abs(found.B) > 1e-3
    steps = steep[1:] & steep[:-1]
    assert found.holds
    assert np.abs(np.diff(found.P) - np.diff(found.x))[steps].max() < 1e-9
    near = found.x[np.abs(found.x) < 0.99]
    assert np.abs(found.P[np.abs(found.x) < 0.99] - near).max() < 1e-9


@pytest.mark.parametrize(
    "make", [lambda: (np.tanh, lambda z: 1 / np.cosh(z) ** 2), lambda: (swish(2), swish_slope(2))]
)
@pytest.mark.parametrize(("rho", "vrho"), [(0.25, 0.0), (0.5, 0.0), (0.0, 0.0)])
def test_b5_p_is_l_for_t_of_l(make: Callable[[], tuple[Function, Function]], rho: float, vrho: float) -> None:
    transform, slope = make()
    inner = shifted_l(rho, vrho)
    found = decompose(
        lambda w: transform(inner(w)), lambda w: slope(inner(w)), window=(-1.5, 1.5), cells=1536
    )
    assert found.holds
    assert np.abs(found.P - inner(found.x)).max() < 1e-9


def test_b5_p_is_any_smooth_rising_map() -> None:
    """T = tanh behind P(w) = w + w^3/3, whose slope is no constant."""
    found = decompose(
        lambda w: np.tanh(w + w**3 / 3), lambda w: 1 / np.cosh(w + w**3 / 3) ** 2, window=(-1.2, 1.5)
    )
    assert np.abs(found.P - (found.x + found.x**3 / 3)).max() < 1e-9


def test_a_witness_is_as_short_as_its_extremes_allow() -> None:
    """The triangle is 0 from -3 to -1 as well: that part says nothing."""
    found = decompose(sgn, triangle, window=(-3, 3))
    assert found.witness is not None
    assert found.witness.width == pytest.approx(1, abs=2 * found.resolution)


def test_b5_p_is_l_between_its_jumps() -> None:
    """A jump of P may have any height: T is free in the gap."""
    inner = shifted_l(0.25, 0.5)
    found = decompose(
        lambda w: np.tanh(inner(w)), lambda w: 1 / np.cosh(inner(w)) ** 2, window=(-1.5, 1.5), cells=1536
    )
    for side in (found.x < 0, found.x >= 0):
        difference = found.P[side] - inner(found.x[side])
        assert np.ptp(difference) < 1e-9
    assert found.P[found.x >= 0].min() > found.P[found.x < 0].max()


def test_the_worked_cases_get_the_p_that_is_written_beside_them() -> None:
    """BC: P_Q. BNN: sgn inside, w + sgn(w) outside, for which T is smooth. Clip: the identity."""
    bc = decompose("identity-ste")
    assert np.allclose(bc.P, sgn(bc.x))
    assert bc.T is not None
    assert np.allclose(bc.T(np.linspace(-1, 1, 9)), np.linspace(-1, 1, 9))
    bnn = decompose(sgn, mask(1.0))
    assert np.allclose(bnn.P, np.where(np.abs(bnn.x) > 1, bnn.x + sgn(bnn.x), sgn(bnn.x)), atol=1e-9)
    u = np.linspace(0, 1, 33)
    assert bnn.T is not None
    assert np.allclose(bnn.T(1 + u), 1 + u * (1 - u) ** 2, atol=1e-8)
    hard = decompose(Binarizer(HardTanh(), HardTanh()))
    assert np.allclose(hard.P, hard.x)


@pytest.mark.parametrize("name", ["BC", "BNN", "PC(0.25, 0.25)", "BNN++(5)", "Poly+", "EDE+(1)", "hard-tanh"])
def test_t_of_p_is_f_and_its_slope_is_b(name: str) -> None:
    reproduces(decompose(*HOLD[name], window=(-3, 3)), *HOLD[name], 1e-3)
    coarse, fine = (decompose(*HOLD["EDE+(1)"], cells=cells) for cells in (64, 128))
    for found, tolerance in ((coarse, 2e-6), (fine, 2e-7)):
        middle = (found.x[1:] + found.x[:-1]) / 2
        assert found.T is not None
        assert np.abs(found.T(middle) - np.tanh(middle)).max() < tolerance


def test_a_staircase_is_judged_by_the_stated_resolution() -> None:
    """sgn with a bell fails, with a staircase on it holds; one finer than the resolution is the bell."""
    for cells in (256, 1024):
        resolution = decompose(sgn, one, cells=cells).resolution
        for width, holds in ((0.3, False), (0.8, False), (1.5, True), (2.3, True), (9.7, True)):
            for offset in (0.0, 0.123, 0.37):
                tread, start = width * resolution, offset * resolution

                def staircase(w: Array, tread: float = tread, start: float = start) -> Array:
                    return np.asarray(1 / np.cosh(np.floor((w - start) / tread) * tread) ** 2)

                assert decompose(sgn, staircase, cells=cells).holds == holds


@pytest.mark.parametrize(
    ("forward", "backward", "window", "kind"),
    [
        (lambda w: w, np.abs, (-3.0, 3.0), "infinite"),
        (lambda w: w, np.abs, (-2.9, 3.3), "infinite"),
        (lambda w: w, np.abs, (0.1, 3.0), None),
        (lambda w: w, lambda w: w * w, (-2.9, 3.3), "infinite"),
        (lambda w: w, lambda w: np.sqrt(np.abs(w)), (-2.9, 3.3), None),
        (lambda w: np.clip(w, -1, 1), triangle, (-3.0, 3.3), "infinite"),
        (lambda w: np.clip(w, -1, 1), triangle, (-0.9, 0.9), None),
        (lambda w: w, lambda w: w, (-3.0, 3.0), "opposite"),
        (lambda w: w, np.zeros_like, (-3.0, 3.0), "level"),
        (lambda w: w, mask(1.0), (-3.0, 3.0), "level"),
        (lambda w: -sgn(w), one, (-3.0, 3.3), None),  # T may fall in the gap
        (lambda w: sgn(w) + 0.1 * w, one, (-3.0, 3.3), None),
        (lambda w: sgn(w) - 0.1 * w, one, (-3.0, 3.3), "opposite"),
        (lambda w: -w, lambda w: -one(w), (-3.0, 3.3), None),
        (lambda w: w * w, lambda w: 2 * w, (-3.0, 3.3), None),
        (lambda w: w**3, one, (-3.0, 3.3), None),
        (np.sign, one, (-3.0, 3.0), None),  # a single point between jumps binds nothing
        (sgn, lambda w: np.where(w < 0, 0.2, -0.7), (-3.0, 3.3), None),
        (one, lambda w: np.cos(w), (-3.0, 3.3), "varies"),
        (one, np.zeros_like, (-3.0, 3.3), None),
    ],
)  # fmt: skip
def test_the_table_row_by_row(
    forward: Function, backward: Function, window: tuple[float, float], kind: str | None
) -> None:
    found = decompose(forward, backward, window=window)
    assert (found.witness and found.witness.kind) == kind, found.verdict
    if kind in ("opposite", "level", "varies"):
        assert confirmed(found, forward, backward)


def test_an_infinite_p_is_near_the_point_where_b_touches_0() -> None:
    found = decompose(lambda w: w, lambda w: (w - 0.7) ** 2)
    assert found.witness is not None
    a, b = found.witness.interval
    assert a <= 0.7 <= b
    assert b - a <= found.resolution * 1.001


def test_p_is_kept_where_it_exists_when_the_pair_fails() -> None:
    found = decompose(
        lambda w: np.where(w < 0, np.tanh(w), np.tanh(2 * w)),
        lambda w: np.where(w < 0, 1, -1) / np.cosh(w) ** 2,
    )
    left = found.x < 0
    assert np.isnan(found.P[~left][1:]).all()
    assert np.abs(np.diff(found.P[left]) - np.diff(found.x[left])).max() < 1e-9


def test_a_curve_in_the_place_of_b_is_a_surrogate() -> None:
    assert decompose(Sign(), HardTanh()).holds
    assert not decompose(Sign(), Tanh()).holds
    assert decompose(np.tanh, Tanh()).holds
    assert decompose(Sign(), Identity()).x.tolist() == decompose("identity-ste").x.tolist()


def test_the_report_is_plain_data() -> None:
    found = decompose("bnn+").to_dict()
    assert found["holds"] is False
    assert found["resolution"] == 6 / 2048
    assert found["witness"]["kind"] == "varies"
    assert "F is constant" in found["witness"]["reason"]
    assert found["verdict"] == f"fails: {found['witness']['reason']}"
    assert decompose("bnn++").to_dict()["witness"] is None
    assert decompose("bnn++").to_dict()["verdict"] == "holds at resolution 0.0029 on [-3, 3]"


def test_a_declared_binarizer_is_left_as_it_is() -> None:
    learned = bnn_ref.get("dsq", learn=True).bind((1,), -1, np.random.default_rng(0))
    decompose(learned)
    assert all(p.value.dtype == np.float32 and p.grad is None for p in learned.parameters())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("irnet-weight", "reads the whole tensor"),
        ("gradient-clip", "not linear in the incoming one"),
        ("fda-noise", "depends on a whole vector"),
        ("binaryconnect-stochastic", "by chance"),
    ],
)
def test_what_is_no_pair_of_functions_is_refused_with_the_reason(name: str, reason: str) -> None:
    assert reason in objection(bnn_ref.get(name))
    with pytest.raises(ValueError, match=f"F: required a binarizer .*{reason}"):
        decompose(name)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (("no-such",), {}, ValueError, "estimator: required one of"),
        (("bnn+", np.tanh), {}, ValueError, "B: required nothing beside a binarizer"),
        ((np.tanh,), {}, TypeError, "B: required a function of an array, got None"),
        ((3, np.tanh), {}, TypeError, "F: required a function"),
        ((np.tanh, one), {"window": (1, 0)}, ValueError, "window: required two numbers"),
        ((np.tanh, one), {"window": 3}, ValueError, "window: required two numbers"),
        ((np.tanh, one), {"window": (0, np.inf)}, ValueError, "window: required two numbers"),
        ((np.tanh, one), {"cells": 1}, ValueError, "cells: required a whole number >= 2"),
        ((lambda w: w[:3], one), {}, ValueError, "F: required values of the shape of x"),
        ((np.tanh, lambda w: 1j * w), {}, ValueError, "B: required real values"),
        ((np.tanh, lambda w: np.where(w > 1, np.nan, 1)), {}, ValueError, "B: required finite .* at x = 1"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(
    arguments: tuple[object, ...], options: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        decompose(*arguments, **options)  # type: ignore[arg-type]
