"""FDA-BNN's noise module: every gradient by complex step, the printed equations, binding, fading, leaving."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import bnn_ref
from bnn_ref import estimators
from bnn_ref.annealing import Moment
from bnn_ref.basepoint import record, replay
from bnn_ref.binarizer import Binarizer, Curve, Faded, Map, ReLU, Sum
from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.estimators.noise import SHORTCUTS, NoiseModule, Sine, noisy
from bnn_ref.parameter import Array, Parameter

STEP = 1e-30
SHAPES = {
    "activation": ((5,), (2, 3, 4, 5)),
    "vectors": ((7,), (6, 7)),
    "filters": ((3, 3, 2, 4), (3, 3, 2, 4)),
    "linear weight": ((6, 4), (6, 4)),
    "one channel": ((1,), (9, 1)),
}


def bound(binarizer: Binarizer, shape: tuple[int, ...], seed: int = 0) -> Binarizer:
    """Bound and in float64, with weights of an ordinary size."""
    made = binarizer.bind(shape, -1, np.random.default_rng(seed))
    assert isinstance(made, Binarizer)
    for parameter in made.parameters():
        parameter.value = parameter.value.astype(np.float64)
    return made


def along(rule: Map, x: Array, dy: Array, moved: Array | Parameter, direction: Array) -> float:
    """Derivative of sum(dy * T(x)) along `direction`, T on the pieces of its base point."""
    with record() as point:
        rule(x)
    base = moved.value if isinstance(moved, Parameter) else moved
    shifted = base + 1j * STEP * direction
    try:
        if isinstance(moved, Parameter):
            moved.value = shifted
        with replay(point):
            y = rule(x + 0j if isinstance(moved, Parameter) else shifted)
    finally:
        if isinstance(moved, Parameter):
            moved.value = base
    return float((dy * y).imag.sum() / STEP)


@given(
    kind=st.sampled_from(list(SHAPES)),
    seed=st.integers(0, 2**32 - 1),
    terms=st.integers(1, 30),
    omega=st.floats(0.02, 2),
    window=st.sampled_from([None, 1.0, 0.4]),
    strength=st.one_of(st.just(0.0), st.floats(1e-6, 2)),
    hidden=st.sampled_from([None, 1, 3]),
    shortcut=st.sampled_from(list(SHORTCUTS)),
    amplitude=st.floats(-1, 1),
)
def test_the_whole_backward_is_the_derivative_of_the_surrogate_forward(
    kind: str, seed: int, terms: int, omega: float, window: float | None, strength: float,
    hidden: int | None, shortcut: str, amplitude: float,
) -> None:  # fmt: skip
    """z = series(t) + alpha e(t): to t, to W1 and to W2."""
    make = noisy(estimators.growing)
    parameters: dict[str, Any] = {"start": terms, "stop": terms, "omega": omega, "window": window}
    parameters |= {"strength": strength, "hidden": hidden, "shortcut": shortcut, "amplitude": amplitude}
    shape, tensor = SHAPES[kind]
    b = bound(make(**parameters), shape, seed)
    rng = np.random.default_rng(seed)
    x, dy, v = rng.normal(size=(3, *tensor))
    x.flat[:3] = 0.0, 1.0, -0.4
    dx = b.backward(x, dy)
    size = float(np.abs(dx * v).sum()) + 1e-300
    assert abs(along(b.surrogate, x, dy, x, v) - float((dx * v).sum())) <= 1e-10 * size
    assert len(b.parameters()) == 2
    for parameter in b.parameters():
        if strength == 0:
            assert parameter.grad is None
            continue
        assert parameter.grad is not None
        v = rng.normal(size=parameter.value.shape)
        size = float(np.abs(parameter.grad * v).sum()) + 1e-300
        wanted = along(b.surrogate, x, dy, parameter, v)
        assert abs(wanted - float((parameter.grad * v).sum())) <= 1e-10 * size


@given(st.sampled_from(["fda-noise", "dsq-noise", "swish-sign-noise"]), st.integers(0, 2**32 - 1))
def test_loops_over_vectors_by_hand(name: str, seed: int) -> None:
    """F(t) + alpha (sum_j relu(sum_i t_i W1_ij) W2_jk + 0.1 sin t_k), scalar by scalar, for filters."""
    b, plain = bound(estimators.get(name, hidden=2), (2, 2, 3, 4), seed), name.removesuffix("-noise")
    x = np.random.default_rng(seed).normal(size=(2, 2, 3, 4))
    first, second = (p.value for p in b.parameters())
    y = b.forward(x)
    for f in range(4):
        t = [float(v) for v in x[..., f].reshape(-1)]
        h = [max(0.0, sum(t[i] * first[i, j] for i in range(12))) for j in range(2)]
        e = [sum(h[j] * second[j, k] for j in range(2)) + 0.1 * np.sin(t[k]) for k in range(12)]
        hard = estimators.get(plain).forward(np.array(t))
        np.testing.assert_allclose(y[..., f].reshape(-1), hard + 0.1 * np.array(e), rtol=1e-12)


@pytest.mark.parametrize(
    ("shape", "d", "m"),
    [
        ((16,), 16, 1), ((64,), 64, 1), ((127,), 127, 1), ((128,), 128, 2), ((512,), 512, 8),
        ((3, 3, 16, 16), 144, 2), ((3, 3, 32, 32), 288, 4), ((3, 3, 64, 64), 576, 9), ((8192, 10), 8192, 128),
    ],
)  # fmt: skip
def test_the_width_is_rounded_down_and_at_least_one(shape: tuple[int, ...], d: int, m: int) -> None:
    """The widths of ResNet-20's layers among them; 2 d m weights in all."""
    b = estimators.get("fda-noise").bind(shape, -1, np.random.default_rng(0))
    first, second = b.parameters()
    assert (first.value.shape, second.value.shape) == ((d, m), (m, d))
    assert first.value.dtype == second.value.dtype == np.float32
    assert {first.name, second.name} == {"first", "second"}


def test_first_values_are_uniform_within_the_square_root_of_the_fan_in() -> None:
    first, second = (
        estimators.get("fda-noise", hidden=40).bind((900,), -1, np.random.default_rng(3)).parameters()
    )
    for weight, fan_in in ((first.value, 900), (second.value, 40)):
        scaled = weight.astype(np.float64) * np.sqrt(fan_in)
        assert 0.999 < np.abs(scaled).max() <= 1 + 1e-6
        assert abs(scaled.mean()) < 0.02
        assert abs(scaled.var() - 1 / 3) < 0.01  # of a uniform law on (-1, 1)


def test_forward_and_surrogate_share_one_module_and_tensors_do_not() -> None:
    spec, rng = estimators.get("fda-noise"), np.random.default_rng(0)
    one, other = (spec.bind((8,), -1, rng) for _ in range(2))
    assert len(one.parameters()) == 2
    assert not {id(p) for p in one.parameters()} & {id(p) for p in other.parameters()}
    assert one.bind((8,), -1, rng).parameters() == one.parameters(), "bound once, bound for good"
    annealed = one.at(0.5)  # type: ignore[attr-defined]
    assert annealed.parameters() == one.parameters()


def relu_part(t: Array, w1: Array, w2: Array, g: Array) -> tuple[Array, Array, Array]:
    """Eq. 15-17 as printed, their module terms: to t, W1 and W2, for rows t (n, d)."""
    h = t @ w1
    gate = (g @ w2.T) * (h >= 0)
    return gate @ w1.T, t.T @ gate, np.maximum(h, 0).T @ g


def test_the_printed_equations_are_an_entry_of_their_own() -> None:
    """Eq. 15-17 miss the factor alpha; the entry follows them to the letter, at any alpha."""
    for progress in (0.0, 0.7, 1.0):
        b = bound(estimators.get("fda-eq15", terms=3, hidden=2), (5,)).at(progress)
        t, g = np.random.default_rng(1).normal(size=(2, 6, 5))
        t[0] = 0.0  # h = 0: the printed indicator is 1 there
        w1, w2 = (p.value for p in b.parameters())
        dt, dw1, dw2 = relu_part(t, w1, w2, g)
        cosines = sum(np.cos((2 * i + 1) * 0.1 * t) for i in range(3)) * 0.4 / np.pi
        dx = b.backward(t, g)
        np.testing.assert_allclose(dx, g * cosines + dt + g * 0.1 * np.cos(t), rtol=1e-12)
        for parameter, wanted in zip(b.parameters(), (dw1, dw2), strict=True):
            np.testing.assert_allclose(parameter.grad, wanted, rtol=1e-12)
            parameter.zero_grad()
    assert b.forward(np.zeros((1, 5))).tolist() == [[-1.0] * 5], "Eq. 1: sign(0) = -1"


def test_the_corrected_gradient_is_the_printed_one_with_alpha_in_the_module_terms() -> None:
    alpha = 0.06
    b = bound(estimators.get("fda-noise", start=3, stop=3, window=None, hidden=2, strength=alpha), (5,))
    t, g = np.random.default_rng(1).normal(size=(2, 6, 5))
    w1, w2 = (p.value for p in b.parameters())
    dt, dw1, dw2 = relu_part(t, w1, w2, g)
    cosines = sum(np.cos((2 * i + 1) * 0.1 * t) for i in range(3)) * 0.4 / np.pi
    np.testing.assert_allclose(b.backward(t, g), g * cosines + alpha * (dt + g * 0.1 * np.cos(t)), rtol=1e-12)
    for parameter, wanted in zip(b.parameters(), (dw1, dw2), strict=True):
        np.testing.assert_allclose(parameter.grad, alpha * wanted, rtol=1e-12)


def test_relu_is_flat_at_0_but_in_the_printed_equations() -> None:
    t, g = np.zeros((1, 3)), np.ones((1, 3))
    for name, flat in (("fda-noise", True), ("fda-eq15", False)):
        b = bound(estimators.get(name, hidden=2), (3,))
        b.backward(t, g)
        first, second = b.parameters()
        module = b.backward(t, g) - estimators.get("fda", terms=9 if flat else 10).backward(t, g)
        shortcut = 0.1 * (0.1 if flat else 1.0)
        assert np.allclose(module, shortcut, rtol=0, atol=1e-12) == flat
        assert not second.grad.any(), "relu(0) = 0"  # type: ignore[union-attr]
        assert not first.grad.any(), "t = 0"  # type: ignore[union-attr]


@given(st.integers(0, 2**32 - 1), st.sampled_from(["fda", "dsq", "swish-sign"]))
def test_at_strength_0_what_is_left_is_the_estimator_itself(seed: int, name: str) -> None:
    """fda.md 2.6 (i), (j): the same gradient, and forward values of exactly -1 and +1."""
    alone = estimators.get(name, **({"terms": 18} if name == "fda" else {}))
    b = bound(estimators.get(f"{name}-noise"), (4,), seed).at(1.0)
    x, dy = np.random.default_rng(seed).normal(size=(2, 5, 4))
    np.testing.assert_array_equal(b(x), alone(x))
    assert set(np.unique(b(x))) <= {-1.0, 1.0}
    np.testing.assert_array_equal(b.backward(x, dy), alone.backward(x, dy))
    assert all(p.grad is None for p in b.parameters()), "it does not even run"


def strengths(name: str, epochs: int) -> list[float]:
    b = estimators.get(name)
    found = []
    for epoch in range(epochs):
        (faded,) = {p for p in b.at(Moment.of_epoch(epoch, epochs)).forward.parts() if isinstance(p, Faded)}
        found.append(faded.strength)
    return found


def counts(name: str, epochs: int) -> list[int]:
    b = estimators.get(name)
    found = []
    for epoch in range(epochs):
        parts = b.at(Moment.of_epoch(epoch, epochs)).surrogate.parts()
        found += [p.terms for p in parts if isinstance(p, FourierSeries)]
    return found


def test_alpha_fades_to_0() -> None:
    """Released law: 0.0999985 in the first of 400 epochs, 0.05 half way, exactly 0 in the last."""
    released = strengths("fda-noise-released", 400)
    assert f"{released[0]:.7f}" == "0.0999985"
    assert released[199] == pytest.approx(0.05, abs=1e-12)
    assert released[-1] == 0
    ours = strengths("fda-noise", 5)
    assert ours[0] == 0.1
    assert ours[2] == pytest.approx(0.05)
    assert ours[-1] == 0
    for law in (released, ours, strengths("dsq-noise", 7), strengths("fda-eq15", 7)):
        assert (np.diff(law) < 0).all()
    assert strengths("fda-noise", 1) == [0.0]


def test_the_number_of_terms_grows() -> None:
    """Ours reaches 18 in the last epoch, in equal steps; the released law has n = 9..17, N = n + 1."""
    assert counts("fda-growing", 10) == counts("fda-noise", 10) == list(range(9, 19))
    assert counts("fda-noise-released", 400)[0] == 10
    assert set(counts("fda-noise-released", 400)) == set(range(10, 19))
    assert set(counts("fda-noise-released", 9)) == set(range(10, 19))
    assert counts("fda-growing", 1) == [18]
    assert counts("fda-noise-released", 1) == [10]
    parts = estimators.get("fda-noise-released").at(1.0).surrogate.parts()
    at_the_end = [part.terms for part in parts if isinstance(part, FourierSeries)]
    assert at_the_end == [18], "a bare progress is no way past the last epoch's 18"


@given(st.integers(1, 40), st.integers(0, 40), st.integers(2, 500))
@example(1, 22, 23)  # epoch 15: 22 * (15 / 22) is one rounding below 15
def test_growth_is_a_staircase_from_start_to_stop(start: int, rise: int, epochs: int) -> None:
    law = estimators.get("fda-growing", start=start, stop=start + rise).law
    assert law is not None
    found = [law(Moment.of_epoch(e, epochs))["terms"] for e in range(epochs)]
    assert found == [start + rise * e // (epochs - 1) for e in range(epochs)]  # in whole numbers


def test_shortcuts() -> None:
    """eta is 0, a t or a sin t; its slope a cos t at 0 is a."""
    x = np.array([[-2.0, 0.0, 0.5]])
    values = {"none": 0 * x, "line": 0.3 * x, "sine": 0.3 * np.array([[-0.9092974268, 0.0, 0.4794255386]])}
    for shortcut, wanted in values.items():
        module = NoiseModule(SHORTCUTS[shortcut], amplitude=0.3).bind((3,), -1, np.random.default_rng(0))
        for parameter in module.parameters():
            parameter.value = 0.0 * parameter.value
        np.testing.assert_allclose(module(x), wanted, atol=1e-10)
    assert Sine().derivative(np.zeros(1)).tolist() == [1.0]


def test_a_module_that_is_not_bound_or_does_not_fit_says_so() -> None:
    with pytest.raises(ValueError, match="NoiseModule: required to be bound to a tensor"):
        NoiseModule()(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"shape: required the channels \(C,\) or the whole shape"):
        NoiseModule().bind((), -1, np.random.default_rng(0))
    module = NoiseModule().bind((3,), -1, np.random.default_rng(0))
    for x in (np.zeros((2, 4)), np.zeros(())):
        with pytest.raises(ValueError, match="x: required vectors of 3, as the module was bound to"):
            module(x)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"shortcut": "square"}, "shortcut: required one of sine, line, none, got 'square'"),
        ({"shortcut": None}, "shortcut: required one of"),
        ({"amplitude": np.nan}, "amplitude: required a finite number"),
        ({"ratio": 0}, "ratio: required a whole number >= 1"),
        ({"hidden": 0}, "hidden: required a whole number >= 1"),
        ({"strength": -0.1}, "strength: required a number >= 0"),
        ({"start": 0}, "start: required a whole number >= 1"),
        ({"start": 9, "stop": 8}, "stop: required a whole number >= 9"),
    ],
)
def test_wrong_parameters_are_named(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimators.get("fda-noise", **parameters)


def test_it_goes_with_any_estimator() -> None:
    """A sum: nothing of the module knows the estimator beside it. Every curve of the table takes it."""
    for name in estimators.curves():
        b = bound(noisy(estimators.TABLE[name].make)(), (4,))
        x, dy = np.random.default_rng(0).normal(size=(2, 5, 4))
        surrogate = b.surrogate
        assert isinstance(surrogate, Sum)
        assert isinstance(surrogate.maps[0], Curve)
        left = b.backward(x, dy) - surrogate.maps[1].vjp(x, dy)
        np.testing.assert_allclose(left, surrogate.maps[0].derivative(x) * dy, rtol=1e-9, atol=1e-12)
        assert b.deploy() == estimators.get(name).deployed


def test_relu_says_which_slope_it_has_at_0() -> None:
    x = np.array([-1.0, -0.0, 0.0, 2.0])
    assert ReLU().derivative(x).tolist() == [0, 0, 0, 1]
    assert ReLU(at_zero=1).derivative(x).tolist() == [0, 1, 1, 1]
    assert ReLU(1)(x).tolist() == ReLU(0)(x).tolist() == [0, 0, 0, 2]
    with pytest.raises(ValueError, match="at_zero: required 0 or 1, got 2"):
        ReLU(2)


@pytest.mark.parametrize("name", [n for n in estimators.names() if "noise" in n or n == "fda-eq15"])
@pytest.mark.parametrize("parameter", ["strength", "amplitude"])
def test_float32_stays_float32_whatever_the_type_of_a_number(name: str, parameter: str) -> None:
    rule = estimators.get(name, **{parameter: np.float64(0.2)}).bind((3,), -1, np.random.default_rng(0))
    x = np.ones((2, 3), np.float32)
    assert rule(x).dtype == rule.vjp(x, x).dtype == np.float32
    assert rule.at(0.3)(x).dtype == np.float32  # type: ignore[attr-defined]


def test_empty_tensors_and_audits_at_a_base_point() -> None:
    rule = estimators.get("fda-noise")
    empty = rule.bind((3, 3, 2, 4), -1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="x: required vectors of 18"):
        empty(np.zeros((3, 3, 0, 4)))
    none = rule.bind((3,), -1, np.random.default_rng(0))(np.zeros((0, 3)))
    assert none.shape == (0, 3)
    x = np.random.default_rng(0).normal(size=(4, 3))
    for subject in (rule, NoiseModule(), estimators.get("xnor-weight-exact")):
        assert bnn_ref.audit(subject, x).passed
