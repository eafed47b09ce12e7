"""The recipe and the criterion hold each other: what is made decomposes, what is then broken does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import bnn_ref
from bnn_ref import estimators
from bnn_ref.auditing import audit, decompose, synthesize
from bnn_ref.auditing.criterion.synthesis import proximal
from bnn_ref.binarizer import Binarizer, Curve, Piece, ReLU, Sign
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.dorefa import Quantizer, UnitClip
from bnn_ref.estimators.irnet import EDE
from bnn_ref.estimators.proximal import Polyline
from bnn_ref.estimators.quantizers import ProximalQuantizer
from bnn_ref.estimators.ste import HardTanh, Identity, Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.parameter import Array

Function = Callable[[Array], Array]


@dataclass(frozen=True)
class Steps:
    """P on [-3, 3]: straight between `knots`; each piece has two `heights`, and is flat where they agree."""

    knots: tuple[float, ...]
    heights: tuple[float, ...]

    def __call__(self, x: Array) -> Array:
        edges = np.array([-3.0, *self.knots, 3.0])
        i = np.clip(np.searchsorted(edges, x, "right") - 1, 0, len(self.knots))
        low, high = np.array(self.heights[::2])[i], np.array(self.heights[1::2])[i]
        return low + (high - low) * ((x - edges[i]) / (edges[i + 1] - edges[i]))

    def pieces(self) -> list[tuple[float, float, bool]]:
        """(from, to, whether it is flat) of each."""
        edges = [-3.0, *self.knots, 3.0]
        flat = [a == b for a, b in zip(self.heights[::2], self.heights[1::2], strict=True)]
        return list(zip(edges[:-1], edges[1:], flat, strict=True))


@dataclass(frozen=True)
class Bends:
    """T(z) = z + sum of a log(cosh(b (z - c))) / b: smooth, T' from `slope`; rising while sum(a) < 1."""

    terms: tuple[tuple[float, float, float], ...]

    def __call__(self, z: Array) -> Array:
        return z + sum(a / b * np.logaddexp(b * (z - c), -b * (z - c)) for a, b, c in self.terms)

    def slope(self, z: Array) -> Array:
        return np.ones_like(z) + sum(a * np.tanh(b * (z - c)) for a, b, c in self.terms)


@st.composite
def proximal_maps(draw: st.DrawFn) -> Steps:
    n = draw(st.integers(1, 4))
    knots = sorted(draw(st.lists(st.integers(-28, 28), min_size=n, max_size=n, unique=True)))
    rises = draw(st.lists(st.sampled_from([0.0, 0.0, 0.3, 1.0]), min_size=2 * n + 1, max_size=2 * n + 1))
    return Steps(tuple(k / 10 + 0.0317 for k in knots), (-1.0, *np.cumsum([-1.0, *rises])[1:].tolist()))


@st.composite
def transformations(draw: st.DrawFn) -> Bends:
    terms = st.tuples(st.floats(0.05, 0.3), st.floats(0.5, 3), st.floats(-1.5, 1.5))
    signed = draw(st.lists(st.tuples(st.sampled_from([-1, 1]), terms), max_size=3))
    return Bends(tuple((s * a, b, c) for s, (a, b, c) in signed))


@given(outer=transformations(), inner=proximal_maps())
def test_t_of_p_decomposes_and_gives_both_back(outer: Bends, inner: Steps) -> None:
    found = decompose(lambda x: outer(inner(x)), lambda x: outer.slope(inner(x)), window=(-3, 3))
    assert found.holds, found.verdict
    assert (np.diff(found.P) >= 0).all()
    assert found.T is not None
    for a, b, flat in inner.pieces():
        inside = (found.x > a + 1e-6) & (found.x < b - 1e-6)
        difference = found.P[inside] - inner(found.x[inside])
        assert np.ptp(difference) < 1e-9
        assert not flat or np.ptp(found.P[inside]) == 0
        middle = (a + b) / 2
        p = float(np.interp(middle, found.x, found.P))
        assert abs(float(found.T(p)) - float(outer(inner(np.array([middle])))[0])) < 1e-5


def replaced(f: Function, g: Function, a: float, b: float) -> Function:
    """f, and g on [a, b]."""
    return lambda x: np.where((x >= a) & (x <= b), g(x), f(x))


@given(
    outer=transformations(),
    inner=proximal_maps(),
    kind=st.sampled_from(["opposite", "level", "varies", "downhill"]),
    at=st.floats(0.1, 0.6),
    which=st.integers(0, 4),
)
def test_what_violates_the_table_is_caught_with_a_true_witness(
    outer: Bends, inner: Steps, kind: str, at: float, which: int
) -> None:
    """A piece of a good pair is broken somewhere; the witness lies in the broken part, and is one."""

    def f(x: Array) -> Array:
        return outer(inner(x))

    def b(x: Array) -> Array:
        return outer.slope(inner(x))

    wants_flat = kind in ("varies", "downhill")
    chosen = [(p, q) for p, q, flat in inner.pieces() if flat == wants_flat and q - p > 0.3]
    assume(chosen)
    p, q = chosen[which % len(chosen)]
    start, stop = p + at * (q - p), p + (at + 0.3) * (q - p)
    broken: dict[str, tuple[Function, Function]] = {
        "opposite": (f, replaced(b, lambda x: -b(x), start, stop)),
        "level": (f, replaced(b, np.zeros_like, start, stop)),
        "varies": (f, replaced(b, lambda x: b(x) + 0.1 * (x - start), start, stop)),
        "downhill": (replaced(f, lambda x: f(x) - 0.1 * (x - start), start, stop), b),
    }
    forward, backward = broken[kind]
    found = decompose(forward, backward, window=(-3, 3))
    assert found.witness is not None
    assert found.witness.kind == ("opposite" if kind == "downhill" else kind)
    low, high = found.witness.interval
    assert start - found.resolution <= low < high <= stop + found.resolution
    assert high - low > 0.8 * (stop - start)
    x = np.linspace(max(low, start), min(high, stop), 999)
    assert witnessed(found.witness.kind, np.diff(forward(x)), backward(x))


def witnessed(kind: str, steps: Array, b: Array) -> bool:
    """The table's own words, on points of the interval: steps of F, values of B."""
    return {
        "opposite": bool((steps * b[1:] < 0).all()),
        "level": bool((b == 0).all() and (steps != 0).all()),
        "varies": bool((steps == 0).all() and (np.diff(b) != 0).all()),
    }[kind]


@pytest.mark.parametrize(
    ("name", "parameters", "same_as"),
    [
        ("bnn+", {}, ("bnn++", {})),
        ("bnn+", {"beta": 2.0}, ("bnn++", {"beta": 2.0})),
        ("approxsign", {}, ("poly+", {})),
        ("ede", {"t": 0.5, "k": 2.0}, ("ede+", {"t": 0.5, "k": 2.0})),
        ("clipped-ste", {}, ("hard-tanh", {})),
    ],
)
def test_a_heuristic_backward_gets_the_forward_that_belongs_to_it(
    name: str, parameters: dict[str, float], same_as: tuple[str, dict[str, float]]
) -> None:
    repaired, entry = synthesize(name, **parameters), bnn_ref.get(same_as[0], **same_as[1])
    x = np.linspace(-3, 3, 601)
    assert np.array_equal(repaired.forward(x), entry.forward(x))
    assert np.array_equal(repaired.backward(x, np.ones_like(x)), entry.backward(x, np.ones_like(x)))
    assert np.array_equal(repaired.deploy()(x), entry.deploy()(x))


@pytest.mark.parametrize("name", estimators.curves())
def test_every_repaired_entry_decomposes_and_passes_the_audit(name: str) -> None:
    repaired = synthesize(name)
    for subject in (repaired, repaired.at(0.0), repaired.at(0.6)):
        found, report = decompose(subject), audit(subject)
        assert found.holds, found.verdict
        assert report.passed, str(report)


@pytest.mark.parametrize(
    "T", [Tanh(2.0), SwishSign(1.5), EDE(1.0, 1.0), PiecewiseQuadratic(), HardTanh(1.3)], ids=str
)
@pytest.mark.parametrize(
    "P",
    [
        ProximalQuantizer(rho=0.3, vrho=0.2),
        ProximalQuantizer(rho=0.7),
        Polyline(((-2, -0.9), (-1, -0.9), (-1, -0.4), (0, 0), (1, 0.4), (1, 0.9), (2, 0.9)), (0.5, 0.5)),
        Sign(),
        Sign(-1),
        HardTanh(0.8),
        Identity(),
    ],
    ids=str,
)  # fmt: skip
def test_t_and_p_make_a_pair_that_passes_both(T: Curve, P: Curve) -> None:
    made = synthesize(T, P)
    x = np.random.default_rng(0).uniform(-3, 3, 4001)
    assert np.allclose(made.forward(x), T(P(x)), rtol=0, atol=1e-14)
    assert np.allclose(made.backward(x, np.ones_like(x)), T.derivative(P(x)), rtol=0, atol=1e-13)
    found = decompose(made)
    assert found.holds, found.verdict
    steep = np.abs(found.B) > 1e-2
    inside = steep[1:] & steep[:-1] & (np.diff(found.x) > 1e-9)
    assert np.abs(np.diff(found.P) - np.diff(proximal(P)(found.x)))[inside].max(initial=0) < 1e-9
    report = audit(made)
    dead = [check.name for check in report.failures]
    levels = proximal(P).levels
    alive = levels is None or bool((T.derivative(np.array(levels)) > 0).any())
    assert dead == ([] if alive else ["alive and not inverted"])


@pytest.mark.parametrize("zero", [1, -1])
def test_the_tie_of_a_jump_is_kept(zero: int) -> None:
    made = synthesize(Tanh(), Sign(zero))
    assert float(made.forward(np.array(0.0))) == pytest.approx(zero * np.tanh(1.0))
    assert float(made.deploy()(np.array(0.0))) == zero


def test_curves_become_the_proximal_maps_that_they_are() -> None:
    x = np.random.default_rng(0).uniform(-3, 3, 999)
    for curve, levels in ((Sign(-1), (-1, 1)), (HardTanh(0.3), None), (Identity(), None)):
        inner = proximal(curve)
        assert np.allclose(inner(x), curve(x), rtol=0, atol=1e-15)
        assert inner.levels == levels
        assert inner(np.array(0.0)) == curve(np.array(0.0))
        assert len(inner.jumps) == (levels is not None)
    ready = ProximalQuantizer(rho=0.2)
    assert proximal(ready) is ready


def test_the_law_of_an_entry_stays() -> None:
    moved = synthesize("ede", HardTanh()).at(1.0)
    assert "t=10" in str(moved.surrogate)
    assert decompose(moved).holds


@dataclass(frozen=True)
class Falling(Curve):
    """-x."""

    def pieces(self) -> tuple[Piece, ...]:
        return (lambda x: -x,)

    def slope(self, x: Array) -> Array:
        return -np.ones_like(x)


@dataclass(frozen=True)
class StepDown(Curve):
    """x, and 0.5 less from 0 on."""

    kinks = (0.0,)

    def pieces(self) -> tuple[Piece, ...]:
        return (lambda x: x, lambda x: x - 0.5)

    def slope(self, x: Array) -> Array:
        return np.ones_like(x)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("no-such",), {}, "estimator: required one of"),
        ((Tanh(),), {"beta": 2.0}, "parameters: required none without a name"),
        (("bnn+",), {"slope": 2.0}, "required parameters among"),
        (("irnet-weight",), {}, "T: required a curve"),
        ((np.tanh,), {}, "T: required a curve"),
        ((Tanh(), Falling()), {}, "P: required a curve of straight pieces that never falls"),
        ((Tanh(), StepDown()), {}, "P: required a curve of straight pieces that never falls"),
        ((Tanh(), Tanh()), {}, "P: required a curve of straight pieces that never falls"),
        ((Tanh(), Polyline(((0.5, -1.0), (0.5, 1.0)))), {}, "P: required .* symmetric about 0"),
        ((Tanh(), ReLU()), {}, "P: required .* symmetric about 0"),
        ((Tanh(), Quantizer(2)), {}, "P: required .* symmetric about 0"),
        ((Tanh(), np.sign), {}, "P: required a curve of straight pieces that never falls"),
        ((UnitClip(), Sign()), {}, "T: required an odd curve that is not trained"),
        ((estimators.get("dsq", learn=True), Sign()), {}, "T: required an odd curve that is not trained"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(
    arguments: tuple[object, ...], options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        synthesize(*arguments, **options)  # type: ignore[arg-type]


def test_a_pair_may_decompose_and_be_inverted() -> None:
    """Sign-Swish falls at +-1 for beta = 5, where P = sign takes its slope. The audit says what is wrong."""
    made = synthesize(SwishSign(5.0), Sign())
    assert isinstance(made, Binarizer)
    assert decompose(made).holds
    assert [check.name for check in audit(made).failures] == ["alive and not inverted"]
