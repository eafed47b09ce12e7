"""The calculus of maps: values by hand, gradients by complex step of re-centred calls."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bnn_ref import estimators
from bnn_ref.annealing import Geometric, Moment
from bnn_ref.basepoint import record, replay
from bnn_ref.binarizer import Binarizer, Compose, Curve, Detach, Map, MeanAbs, Piece, Scaled, Sign, Sum
from bnn_ref.estimators.bireal import LeakyClip, PiecewiseQuadratic
from bnn_ref.estimators.dsq import SoftQuantizer
from bnn_ref.estimators.ste import HardTanh, Identity, Tanh
from bnn_ref.parameter import Parameter

TINY = float(np.finfo(np.float64).smallest_subnormal)
SPECIAL = [
    0.0,
    -0.0,
    TINY,
    -TINY,
    1.0,
    -1.0,
    float(np.nextafter(1, 2)),
    float(np.nextafter(-1, 0)),
    2.5,
    -2.5,
]
NUMBERS = st.one_of(st.sampled_from(SPECIAL), st.floats(-3, 3))
RNG = np.random.default_rng(0)


def arrays(dtype: Any = np.float64, **limits: int) -> st.SearchStrategy[Any]:
    bits = 8 * np.dtype(dtype).itemsize
    numbers = NUMBERS if bits == 64 else NUMBERS.map(lambda x: float(np.float32(x)))
    return hnp.arrays(
        dtype, hnp.array_shapes(**{"min_dims": 1, "max_dims": 3, "max_side": 3} | limits), elements=numbers
    )


def locked(x: Any) -> Any:
    x = np.array(x)
    x.flags.writeable = False
    return x


# Sign


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("zero", [1, -1])
def test_sign_of_numbers_that_are_not_ordinary(dtype: Any, zero: int) -> None:
    tiny = np.finfo(dtype).smallest_subnormal
    x = np.array([0.0, -0.0, tiny, -tiny, np.inf, -np.inf, 1e30, -1e-30, np.nan, -np.nan], dtype)
    y = Sign(zero)(x)
    assert y.dtype == dtype
    assert y[:8].tolist() == [zero, zero, 1, -1, 1, -1, 1, -1]
    assert np.isnan(y[8:]).all()
    assert not np.signbit(np.abs(y[:8])).any()


@given(
    x=st.one_of(arrays(np.float32, min_dims=0), arrays(np.float64, min_dims=0)), zero=st.sampled_from([-1, 1])
)
def test_sign_is_a_comparison(x: Any, zero: int) -> None:
    y = Sign(zero)(locked(x))
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    assert y.ravel().tolist() == [zero if v == 0 else math.copysign(1, v) for v in x.ravel()]
    derivative = Sign(zero).derivative(x)
    assert derivative.shape == x.shape
    assert not derivative.any()


def test_the_sign_of_a_complex_number_is_that_of_its_real_part() -> None:
    assert Sign()(np.array([-1e-9 + 5j, 0 - 5j, 3 - 1j])).tolist() == [-1, 1, 1]
    assert Sign(-1)(np.array([0 + 5j])).tolist() == [-1]


@pytest.mark.parametrize("x", [[-2, 0, 3], np.array([-2, 0, 3], np.int8), (-2.5, -0.0, 0.5)])
def test_whole_numbers_and_sequences_become_float64(x: Any) -> None:
    for curve in (Sign(), HardTanh(5.0), estimators.get("ste")):
        assert curve(x).dtype == np.float64
    assert Sign()(x).tolist() == [-1, 1, 1]
    assert estimators.get("ste").backward([-2, 0, 1], [3, 4, 5]).tolist() == [0, 4, 5]


@pytest.mark.parametrize(
    "x", [np.array(["a"]), np.array([None]), np.array(["2020"], "M8[Y]"), np.array([b"1"])]
)
@pytest.mark.parametrize("f", [Sign(), HardTanh(), Tanh().derivative, estimators.get("fda")])
def test_what_is_no_number_is_refused(f: Any, x: Any) -> None:
    with pytest.raises(TypeError, match="x: required an array of numbers, got dtype"):
        f(x)


@pytest.mark.parametrize("zero", [0, 2, -2, 0.5, math.nan])
def test_sign_of_zero_is_plus_or_minus_one(zero: Any) -> None:
    with pytest.raises(ValueError, match=r"zero: required -1 or \+1, got"):
        Sign(zero)


# Curves


@dataclass(frozen=True)
class Stairs(Curve):
    """Pieces that do not meet, so that whoever owns a kink can be read off the value there."""

    kinks = (-1.0, 0.0, 2.0)
    owners = ("left", "right", "left")

    def pieces(self) -> tuple[Piece, ...]:
        return (10.0, lambda x: 20 + x, 30.0, lambda x: 40 + x)

    def slope(self, x: Any) -> Any:
        return np.ones_like(x)


def test_the_owner_of_a_kink_answers_there() -> None:
    x = np.array([-np.inf, -1.5, -1.0, -0.5, -TINY, -0.0, 0.0, 1.0, 2.0, np.nextafter(2, 3), 3.0, np.nan])
    y = Stairs()(x)
    assert y[:-1].tolist() == [10, 10, 10, 19.5, 20, 30, 30, 30, 30, 42, 43]
    assert np.isnan(y[-1])
    assert Stairs().on_kinks(x) == 4
    assert Stairs().branch(x).tolist()[:-1] == [0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3]


def test_a_kink_is_found_in_float32_too() -> None:
    """0.1 as float64 lies beside 0.1 as float32; the count uses the array's own precision."""
    curve = HardTanh(0.1)
    assert curve.on_kinks(np.array([0.1, -0.1, 0.2], np.float32)) == 2


def test_recentred_each_element_continues_the_piece_of_its_base_point() -> None:
    with record() as point:
        Stairs()(np.array([-5.0, -0.5, 0.0, 2.0, 5.0]))
    assert point.on_kinks == 2
    with replay(point):
        assert Stairs()(np.array([7.0, 7.0, 7.0, 7.0, -7.0])).tolist() == [10, 27, 30, 30, 33]


@pytest.mark.parametrize("name", list(estimators.curves()))
@given(data=st.data())
def test_estimators_keep_dtype_shape_and_input(name: str, data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from([np.float32, np.float64]))
    x = data.draw(arrays(dtype, min_dims=0, min_side=0))
    b = estimators.get(name).at(data.draw(st.sampled_from([0.0, 0.5, 1.0])))
    kept, x, dy = x.copy(), locked(x), locked(np.full(x.shape, 0.5, dtype))
    for result in (b(x), b.surrogate(x), b.surrogate.derivative(x), b.backward(x, dy), b.deploy()(x)):
        assert np.shape(result) == x.shape
        assert result.dtype == dtype
    np.testing.assert_array_equal(x, kept)
    turned = np.flip(np.asfortranarray(np.stack([x, x])).T)  # negative strides, Fortran order
    for f in (b, b.surrogate, b.surrogate.derivative):
        expected = np.flip(np.stack([f(x), f(x)]).T)  # NumPy's SIMD tanh differs from its scalar one
        np.testing.assert_allclose(f(turned), expected, rtol=8 * np.finfo(dtype).eps, atol=1e-30)


@pytest.mark.parametrize(
    "b",
    [
        estimators.get("tanh", beta=np.float64(2)).surrogate,
        estimators.get("bnn++").at(np.linspace(0, 1, 3)[1]),
    ],
)
def test_float32_stays_float32_whatever_the_type_of_the_hyper_parameters(b: Map) -> None:
    assert b(np.ones(2, np.float32)).dtype == np.float32


def test_what_a_map_does_not_declare_is_named() -> None:
    @dataclass(frozen=True)
    class Bare(Curve):
        pass

    for f, message in (
        (lambda: Map()(np.ones(1)), "Map declares no value"),
        (lambda: Map().vjp(np.ones(1), np.ones(1)), "Map declares no gradient"),
        (lambda: Bare()(np.ones(1)), "Bare declares no pieces"),
        (lambda: Bare().derivative(np.ones(1)), "Bare declares no slope"),
        (lambda: Bare().peak, "Bare claims no peak"),
    ):
        with pytest.raises(TypeError, match=message):
            f()


# The calculus

CURVES = [Identity(), Tanh(1.5), Tanh(0.5), HardTanh(), HardTanh(1.0, inclusive=False), PiecewiseQuadratic()]
CURVES.append(LeakyClip())
SCALES = [rule for part in (MeanAbs(), MeanAbs(per_channel=False)) for rule in (part, Detach(part))]


def grown(rng: np.random.Generator, depth: int) -> Map:
    """A random composition. (Hypothesis's own recursive draws are nine times in ten a `Detach` or a leaf.)"""

    def part() -> Map:
        return grown(rng, depth - 1)

    kind = rng.choice(["compose", "sum", "scaled", "binarizer", "detach"], p=[0.35, 0.2, 0.25, 0.15, 0.05])
    if depth == 0:
        if rng.random() < 0.05:
            return Sign()
        if rng.random() < 0.4:
            return estimators.get(rng.choice(list(estimators.curves()))).at(0.5)
        return CURVES[rng.integers(len(CURVES))]
    if kind == "compose":
        return Compose(tuple(part() for _ in range(rng.integers(1, 4))))
    if kind == "sum":
        return Sum(tuple(part() for _ in range(rng.integers(1, 4))))
    if kind == "scaled":
        return Scaled(SCALES[rng.integers(len(SCALES))] if rng.random() < 0.4 else part(), part())
    return Detach(part()) if kind == "detach" else Binarizer(part(), part())


@example(seed=3733, depth=3)  # a bare sign behind a product that is 0 at the base point, and -1e-60 beside it
@given(seed=st.integers(0, 2**32 - 1), depth=st.integers(1, 3))
def test_the_vjp_of_any_composition_is_the_derivative_of_its_recentred_call(seed: int, depth: int) -> None:
    """At kinks too: the recorded side is the one that owns the kink. The base point's value is exact."""
    rng = np.random.default_rng(seed)
    rule = grown(rng, depth)
    x, dy, v = rng.normal(size=(3, 4, 3))
    x = locked(np.where(rng.random(x.shape) < 0.4, rng.choice(SPECIAL, x.shape), x))
    with record() as point:
        y = rule(x)
    np.testing.assert_array_equal(y, rule(x))
    dx = rule.vjp(x, locked(dy))
    assert dx.shape == x.shape
    with replay(point):
        np.testing.assert_array_equal(rule(x), y)
    with replay(point):
        along = np.sum(dy * rule(x + 1e-30j * v)).imag / 1e-30
    size = 1 + np.sum(np.abs(dx * v)) + np.sum(np.abs(y))
    np.testing.assert_allclose(np.sum(dx * v), along, rtol=1e-9, atol=1e-11 * size)


@given(seed=st.integers(0, 2**32 - 1), depth=st.integers(1, 3))
def test_a_composition_knows_the_shape_of_its_value_and_whether_it_is_signs(seed: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    rule = grown(rng, depth)
    x = rng.normal(size=(4, 3))
    y = rule(x)
    assert rule.output_shape(x) == y.shape
    assert not rule.binary or set(np.unique(y)) <= {-1, 1}


def test_signs_stay_signs_at_the_end_of_a_composition_and_nowhere_else() -> None:
    sign, soft = Sign(), Tanh(0.5)
    binary = [sign, Detach(sign), Compose((soft, sign)), Detach(Compose((soft, Detach(sign))))]
    assert all(rule.binary for rule in (*binary, Binarizer(sign, soft)))
    other = [soft, Detach(soft), Compose((sign, soft)), Scaled(MeanAbs(), sign), Sum((sign, sign))]
    assert not any(rule.binary for rule in (*other, Binarizer(soft, sign)))


@pytest.mark.parametrize("rule", SCALES)
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (1, 4), (3,), ()])
def test_a_scale_knows_its_shape(rule: Map, shape: tuple[int, ...]) -> None:
    x = np.ones(shape)
    assert rule.output_shape(x) == rule(x).shape


def smooth(rng: np.random.Generator, depth: int) -> Map:
    if depth == 0:
        return [Identity(), Tanh(1.5), Tanh(0.5)][rng.integers(3)]
    parts = tuple(smooth(rng, depth - 1) for _ in range(2))
    return [Compose(parts), Sum(parts), Scaled(*parts)][rng.integers(3)]


@given(seed=st.integers(0, 2**32 - 1), depth=st.integers(1, 3))
def test_smooth_compositions_agree_with_differences_of_plain_calls(seed: int, depth: int) -> None:
    """The second opinion: no re-centring, no complex numbers."""
    rng = np.random.default_rng(seed)
    rule = smooth(rng, depth)
    x, dy, v = rng.normal(size=(3, 2, 3))
    step = 1e-5
    along = np.sum(dy * (rule(x + step * v) - rule(x - step * v))) / (2 * step)
    dx = rule.vjp(x, dy)
    size = 1 + np.abs(rule(x)).sum() + np.abs(dx).sum()
    np.testing.assert_allclose(np.sum(dx * v), along, rtol=0, atol=1e-6 * size)


@pytest.mark.parametrize("name", list(estimators.curves()))
@pytest.mark.parametrize("inside", [lambda b: b, lambda b: Scaled(MeanAbs(), Compose((Identity(), b)))])
def test_on_every_kink_the_slope_is_that_of_the_recorded_side(name: str, inside: Any) -> None:
    """Element by element, on each kink, on its neighbours and on both zeros."""
    for progress in (0.0, 0.5, 1.0):
        b = estimators.get(name).at(progress)
        kinks = np.array(b.surrogate.kinks)
        x = np.concatenate([kinks, np.nextafter(kinks, -9), np.nextafter(kinks, 9), [0.0, -0.0, 0.7]])[
            :, None
        ]
        rule = inside(b)
        with record() as point:
            rule(x)
        dx = rule.vjp(x, np.ones_like(x))
        for at in range(len(x)):
            z = x + 0j
            z[at] += 1e-30j
            with replay(point):
                expected = rule(z).sum().imag / 1e-30
            assert dx[at, 0] == pytest.approx(expected, rel=1e-9, abs=1e-11), f"{name} at {x[at, 0]!r}"


def test_values_of_the_calculus_by_hand() -> None:
    x = np.array([-2.0, 0.5])
    half, clip = HardTanh(0.5), HardTanh()
    assert Compose((clip, half))(x).tolist() == [-0.5, 0.5]
    assert Compose((half, Sign(), Identity()))(x).tolist() == [-1, 1]
    assert Sum((Identity(), clip, half))(x).tolist() == [-3.5, 1.5]
    assert Scaled(Identity(), clip)(x).tolist() == [2, 0.25]
    assert Detach(clip)(x).tolist() == [-1, 0.5]
    dy = np.array([3.0, 7.0])
    assert Compose((clip, half)).vjp(x, dy).tolist() == [0, 7]
    assert Sum((Identity(), clip, half)).vjp(x, dy).tolist() == [3, 21]
    assert Scaled(Identity(), clip).vjp(x, dy).tolist() == [-3, 7]
    assert Detach(clip).vjp(x, dy).tolist() == [0, 0]


def test_the_first_map_of_a_composition_is_applied_first() -> None:
    """tanh(clip(3)) is not clip(tanh(3)): 0.76 against 0.995."""
    x = np.array([3.0])
    assert Compose((HardTanh(), Tanh()))(x).item() == pytest.approx(math.tanh(1))
    assert Compose((Tanh(), HardTanh()))(x).item() == pytest.approx(math.tanh(3))
    assert Compose((HardTanh(), Tanh())).vjp(x, np.ones(1)).item() == 0


def test_detach_keeps_the_value_of_its_base_point() -> None:
    rule = Scaled(Detach(Identity()), Identity())
    with record() as point:
        assert rule(np.array([3.0])).tolist() == [9]
    with replay(point):
        assert rule(np.array([5.0])).tolist() == [15]


def test_a_recentred_binarizer_is_F_at_the_base_point_plus_the_change_of_T() -> None:
    """For any displacement, not only a small one."""
    b = Binarizer(Sign(), Tanh())
    x, z = np.array([-0.4, 0.0, 2.0]), np.array([1.0, -3.0, 0.5])
    with record() as point:
        assert b(x).tolist() == [-1, 1, 1]
    with replay(point):
        expected = [f + math.tanh(b) - math.tanh(a) for f, a, b in zip((-1, 1, 1), x, z)]
        np.testing.assert_allclose(b(z), expected, rtol=1e-15)


@pytest.mark.parametrize("shape", [(4,), (3, 2), (2, 2, 3, 2)])
def test_mean_abs_is_a_mean_of_absolute_values_per_output_channel(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).normal(size=shape)
    alpha = MeanAbs()(locked(x))
    assert alpha.shape == (1,) * (len(shape) - 1) + shape[-1:]
    for f in range(shape[-1]):
        values = [abs(float(v)) for v in np.ravel(x[..., f])]
        assert alpha[..., f].item() == pytest.approx(math.fsum(values) / len(values), rel=1e-14)
    assert MeanAbs()(x.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("shape", [(4,), (3, 2), (2, 2, 3, 2)])
def test_mean_abs_of_the_whole_tensor_is_one_number(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).normal(size=shape)
    alpha = MeanAbs(per_channel=False)(locked(x))
    assert alpha.shape == (1,) * len(shape)
    assert alpha.item() == pytest.approx(math.fsum(map(abs, x.ravel().tolist())) / x.size, rel=1e-14)
    slope = MeanAbs(per_channel=False).vjp(x, np.full(alpha.shape, 3.0 * x.size))
    np.testing.assert_allclose(slope, 3 * np.sign(x), rtol=1e-14)


def test_the_slope_of_mean_abs_at_zero_is_that_of_sign() -> None:
    x = np.array([[0.0], [-0.0], [2.0], [-2.0]])
    assert MeanAbs().vjp(x, np.array([[8.0]])).tolist() == [[2], [2], [2], [-2]]
    with record() as point:
        MeanAbs()(x)
    assert point.on_kinks == 2


def test_mean_abs_is_the_least_squares_scale_of_sign() -> None:
    """No other scale brings alpha sign(W) closer to W: a property of the paper, not a formula."""
    w = np.random.default_rng(2).normal(size=(3, 3, 2, 4))
    alpha, signs = MeanAbs()(w), Sign()(w)
    best = ((w - alpha * signs) ** 2).sum(axis=(0, 1, 2))
    alone = MeanAbs(per_channel=False)(w)
    for factor in (0.99, 1.01):
        assert (((w - factor * alpha * signs) ** 2).sum(axis=(0, 1, 2)) > best).all()
        assert ((w - factor * alone * signs) ** 2).sum() > ((w - alone * signs) ** 2).sum()


# Parameters


def quantizer(value: float) -> SoftQuantizer:
    return SoftQuantizer(Parameter(np.array(value), "alpha"), learn=True)


@pytest.mark.parametrize("kind", ["surrogate", "both", "twice", "scale", "sum"])
def test_gradients_of_parameters_go_through_T_only(kind: str) -> None:
    """By complex step of the re-centred call with a complex parameter; F's own use of it does not count."""
    curve = quantizer(0.3)
    soft = Binarizer(curve, curve)
    rule = {
        "surrogate": Binarizer(Sign(), curve),
        "both": soft,
        "twice": Compose((Tanh(), soft, Tanh(), soft)),
        "scale": Scaled(soft, Compose((Tanh(0.5), curve))),
        "sum": Sum((soft, curve, Binarizer(curve, Tanh()))),
    }[kind]
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 3, 2))
    alpha = curve.alpha
    assert rule.parameters() == [alpha]
    with record() as point:
        rule(x)
    rule.vjp(locked(x), locked(dy))
    grad, alpha.value = alpha.grad, alpha.value + 1e-30j
    with replay(point):
        expected = np.sum(dy * rule(x + 0j)).imag / 1e-30
    assert abs(expected) > 1e-3
    np.testing.assert_allclose(grad, expected, rtol=1e-12)


def test_the_gradient_of_alpha_agrees_with_differences() -> None:
    x, dy, step = *np.random.default_rng(1).normal(size=(2, 50)), 1e-6
    curve = quantizer(0.3)
    curve.vjp(x, dy)
    change = np.sum(dy * (SoftQuantizer(0.3 + step)(x) - SoftQuantizer(0.3 - step)(x))) / (2 * step)
    np.testing.assert_allclose(curve.alpha.grad, change, rtol=1e-7)


def test_binding_makes_one_parameter_for_a_map_that_occurs_twice() -> None:
    curve = SoftQuantizer(0.3, learn=True)
    bound = Compose((Binarizer(curve, curve), curve)).bind((4,), -1, RNG)
    (alpha,) = bound.parameters()
    first, last = bound.maps
    assert first.forward is first.surrogate is last
    assert alpha.value.shape == ()
    assert alpha.value == np.float32(0.3)
    assert curve.alpha == 0.3, "the specification stays one"
    equal_twins = Binarizer(SoftQuantizer(0.3, learn=True), SoftQuantizer(0.3, learn=True))
    assert len(equal_twins.bind((4,), -1, RNG).parameters()) == 2, "by identity, not by equality"


def test_what_is_bound_or_learns_nothing_keeps_its_parameters() -> None:
    bound = SoftQuantizer(0.3, learn=True).bind((4,), -1, RNG)
    assert bound.bind((4,), -1, RNG).alpha is bound.alpha
    for rule in (estimators.get("dsq"), Scaled(Detach(MeanAbs()), estimators.get("ste"))):
        assert rule.bind((3, 4), -1, RNG) == rule
        assert rule.parameters() == []


def test_copies_share_parameters_by_reference() -> None:
    curve = quantizer(0.3)
    rule = Binarizer(curve, Compose((Tanh(), curve)), law=Geometric("beta", 1.0, 4.0))
    for copy in (rule.at(0.5), rule.with_values({"beta": 3.0}), rule.bind((2,), -1, RNG)):
        assert copy.parameters() == [curve.alpha]
    assert rule.at(0.5).surrogate.maps[0].beta == 2


def test_sharing_survives_annealing_before_binding() -> None:
    curve = SoftQuantizer(0.3, learn=True)
    rule = Binarizer(curve, curve, law=Geometric("alpha", 0.5, 0.1))
    assert len(rule.at(0.5).bind((4,), -1, RNG).parameters()) == 1


# Annealing and deployment


def test_values_are_set_by_name_wherever_the_field_occurs() -> None:
    rule = Compose(
        (Tanh(1.0), Sum((Tanh(2.0), HardTanh())), Binarizer(Tanh(3.0), estimators.get("swish-sign")))
    )
    moved = rule.with_values({"beta": 9.0, "clip": 0.5})
    assert moved == Compose(
        (
            Tanh(9.0),
            Sum((Tanh(9.0), HardTanh(0.5))),
            Binarizer(Tanh(9.0), estimators.get("swish-sign", beta=9.0)),
        )
    )
    assert rule.maps[0] == Tanh(1.0), "the original stays"
    assert rule.with_values({}) == rule
    assert type(moved.maps[2]) is Binarizer
    with pytest.raises(ValueError, match="beta: required a positive number, got -1"):
        rule.with_values({"beta": -1})


def test_a_law_moves_the_maps_inside_compositions_at_absolute_times() -> None:
    rule = Binarizer(
        Sign(), Compose((HardTanh(), Scaled(Detach(Identity()), Tanh()))), law=Geometric("beta", 1, 16)
    )
    betas = [rule.at(p).surrogate.maps[1].inner.beta for p in (0, 0.25, 0.5, 1)]
    np.testing.assert_allclose(betas, [1, 2, 4, 16])
    assert rule.at(0.75).at(0.25) == rule.at(0.25)
    assert rule.at(Moment(progress=0.5, fraction=0.9)) == rule.at(0.5)
    assert (rule.at(0.5).law, rule.at(0.5).name, rule.at(0.5).forward) == (rule.law, rule.name, Sign())
    x = np.array([0.3])
    slope = rule.at(0.25).backward(x, np.ones(1)).item()
    assert slope == pytest.approx(0.3 * 2 / math.cosh(0.6) ** 2)


def test_a_binarizer_without_a_law_stays_what_it_is() -> None:
    rule = estimators.get("ste")
    assert rule.at(0.3) is rule


@pytest.mark.parametrize("rule", [estimators.get("ste"), estimators.get("ede")])
@pytest.mark.parametrize("progress", [-0.1, 1.1, math.nan])
def test_progress_outside_the_unit_interval_is_refused(rule: Binarizer, progress: float) -> None:
    with pytest.raises(ValueError, match="progress: required a number in"):
        rule.at(progress)


def test_deployment_reaches_every_binarizer_of_a_composition() -> None:
    soft = Binarizer(Tanh(), Tanh(), Sign(-1))
    rule = Compose((Tanh(), Scaled(Detach(soft), Sum((soft, Identity())))))
    hard = Sign(-1)
    assert rule.deploy() == Compose((Tanh(), Scaled(Detach(hard), Sum((hard, Identity())))))
    twice = Binarizer(Tanh(), Tanh(), Compose((HardTanh(), soft)))
    assert twice.deploy() == Compose((HardTanh(), hard))
    assert Tanh().deploy() == Tanh()


@pytest.mark.parametrize("shape", [(2,), (1, 3), (3, 1), (), (3, 2)])
def test_an_incoming_gradient_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"dy: required the shape of x, \(2, 3\), got"):
        estimators.get("ste").backward(np.zeros((2, 3)), np.zeros(shape))


@given(x=arrays(), seed=st.integers(0, 2**32 - 1))
def test_backward_is_linear_in_the_incoming_gradient(x: Any, seed: int) -> None:
    one, two = np.random.default_rng(seed).normal(size=(2, *x.shape))
    for name in estimators.curves():
        b = estimators.get(name)
        if b.surrogate.linear:
            total = b.backward(x, 2 * one - two)
            np.testing.assert_allclose(
                total, 2 * b.backward(x, one) - b.backward(x, two), rtol=1e-9, atol=1e-11
            )


def test_maps_are_values() -> None:
    assert estimators.get("ste") == estimators.get("ste")
    assert len({Tanh(1.0), Tanh(1.0), Tanh(2.0)}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        Tanh().beta = 3  # type: ignore[misc]


# Known bugs


@pytest.mark.parametrize("rule", [Scaled(Tanh(), MeanAbs()), Sum((Tanh(), MeanAbs()))])
def test_a_part_that_is_broadcast_gets_the_sum_of_its_gradients(rule: Map) -> None:
    x, dy, v = np.random.default_rng(0).normal(size=(3, 4, 3))
    step = 1e-6
    along = np.sum(dy * (rule(x + step * v) - rule(x - step * v))) / (2 * step)
    np.testing.assert_allclose(np.sum(rule.vjp(x, dy) * v), along, rtol=1e-6)


def test_maps_in_a_list_are_refused_or_found() -> None:
    try:
        rule = Compose([estimators.get("bnn++")])  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return
    assert rule.deploy()(np.array([0.1])).item() == 1


@pytest.mark.parametrize("rule", [Compose, Sum])
def test_no_maps_at_all(rule: Any) -> None:
    x = np.ones(2)
    try:
        empty = rule(())
    except ValueError as error:
        assert "maps" in str(error)  # noqa: PT017
        return
    assert empty.vjp(x, x).tolist() == (x if rule is Compose else 0 * x).tolist()


def test_a_value_inside_another_composition_is_computed_once() -> None:
    asked = []

    @dataclass(frozen=True)
    class Counted(Map):
        def __call__(self, x: Any) -> Any:
            asked.append(x)
            return 2 * x

        def vjp(self, x: Any, dy: Any) -> Any:
            return 2 * dy

    inner = Compose((Counted(), Tanh()))
    x, dy = RNG.normal(size=5), RNG.normal(size=5)
    got = Compose((inner, Identity())).vjp(x, dy)
    assert len(asked) == 1
    np.testing.assert_array_equal(got, inner.vjp(x, dy))
