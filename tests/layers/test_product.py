"""Binarized products: which function answers, which one learns, what is deployed.

The oracle knows three things only: loops over the two operands, the *values* F and T of the binarizers, and
the complex step. No slope, no vjp and no backward of the library takes part in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators
from bnn_ref.binarizer import Binarizer, Compose, Detach, Map, MeanAbs, Scaled, Sign, Sum
from bnn_ref.estimators.dsq import SoftQuantizer
from bnn_ref.estimators.ste import HardTanh, Identity, Tanh
from bnn_ref.kernels import signs
from bnn_ref.kernels.tiles import INTERPRETED
from bnn_ref.layers import CHANNEL_SCALE, TENSOR_SCALE, Conv2d, Linear

NAMES = st.sampled_from(list(estimators.curves()))
SIGNS = st.sampled_from([n for n in estimators.curves() if estimators.get(n).deployed.levels == (-1, 1)])
HARD = st.sampled_from([n for n in estimators.curves() if estimators.get(n).binary])
SCALES: dict[str, Map | None] = {"none": None, "channel": CHANNEL_SCALE, "tensor": TENSOR_SCALE}
STEP = 1e-30


def slope(surrogate: Map, x: Any) -> Any:
    """T'(x) out of T's values."""
    return surrogate(x + 1j * STEP).imag / STEP


def unscaled(rule: Any) -> Any:
    """The bound binarizer behind the layer's scale."""
    return rule.inner if isinstance(rule, Scaled) else rule


def dot(x: Any, w: Any) -> Any:
    y = np.zeros((len(x), w.shape[1]), np.result_type(x, w))
    for n, f, c in product(*map(range, (len(x), w.shape[1], len(w)))):
        y[n, f] += x[n, c] * w[c, f]
    return y


def convolve(x: Any, w: Any) -> Any:
    """K = 2, stride 1, padding 1."""
    n, height, width, channels = x.shape
    y = np.zeros((n, height + 1, width + 1, w.shape[3]), np.result_type(x, w))
    for i, j, ky, kx in product(range(height), range(width), (0, 1), (0, 1)):
        for c in range(channels):
            y[:, i + 1 - ky, j + 1 - kx] += x[:, i, j, c, None] * w[ky, kx, c]
    return y


def make(kind: str, rng: np.random.Generator, **options: Any) -> tuple[Any, Callable[[Any, Any], Any], Any]:
    """A layer of random float64 parameters, the loops that define it, and an input."""
    if kind == "linear":
        layer, loops, x = Linear(3, 2, rng=rng, **options), dot, rng.normal(size=(4, 3))
    else:
        layer = Conv2d(3, 2, 2, padding=1, rng=rng, **options)
        loops, x = convolve, rng.normal(size=(2, 2, 3, 3))
    layer.astype(np.float64)
    for parameter in layer.parameters():
        parameter.value = rng.normal(size=parameter.value.shape)
    return layer, loops, x


def channel_means(w: Any) -> Any:
    """mean abs(W) per output channel, one number at a time."""
    columns = w.reshape(-1, w.shape[-1]).T
    return np.array([sum(abs(v) for v in column) / len(column) for column in columns])


def means(scale: str, w: Any) -> Any:
    """What multiplies each channel; all have one size: the mean of their means is that of the tensor."""
    alpha = channel_means(w)
    return {"none": np.ones_like(alpha), "channel": alpha, "tensor": np.full_like(alpha, alpha.mean())}[scale]


def check(
    derivative: Any,
    seed: int,
    kind: str,
    activation: str | None,
    weight: str | None,
    scale: str = "channel",
    bias: bool = True,
    progress: float = 0.5,
    training: bool = True,
) -> None:
    """Forward, and every entry of every gradient, of one layer."""
    a, b = (None if name is None else estimators.get(name).at(progress) for name in (activation, weight))
    scale = "none" if b is None else scale
    options = {"bias": bias, "activation": a, "weight": b, "scale": SCALES[scale]}
    layer, loops, x = make(kind, np.random.default_rng(seed), **options)
    layer.train(training)
    w = layer.latent.value
    alpha = means(scale, w)
    shift = layer.bias.value if bias else np.zeros(2)

    def answer(rule: Binarizer | None, z: Any) -> Any:
        return z if rule is None else (rule.forward if training else rule.deployed)(z)

    left, right = answer(a, x), answer(b, w) * alpha
    y, cache = layer.forward(x)
    np.testing.assert_allclose(y, loops(left, right) + shift, rtol=1e-11, atol=1e-12)
    dy = np.random.default_rng(seed + 1).normal(size=y.shape)
    dx = layer.backward(dy, cache)
    dleft = derivative(lambda z: loops(z, right), left, dy)
    dright = derivative(lambda z: loops(left, z), right, dy)
    through = 1 if a is None else slope(layer.activation.surrogate, x)
    np.testing.assert_allclose(dx, dleft * through, rtol=1e-9, atol=1e-11)
    through = 1 if b is None else slope(unscaled(layer.weight).surrogate, w)
    np.testing.assert_allclose(layer.latent.grad, alpha * dright * through, rtol=1e-9, atol=1e-11)
    if bias:
        np.testing.assert_allclose(layer.bias.grad, [dy[..., f].sum() for f in range(2)], rtol=1e-12)


@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["linear", "conv"]),
    activation=st.one_of(st.none(), NAMES),
    weight=st.one_of(st.none(), NAMES),
    scale=st.sampled_from(list(SCALES)),
    bias=st.booleans(),
    progress=st.sampled_from([0.0, 0.3, 1.0]),
    training=st.booleans(),
)
def test_any_pair_of_estimators(derivative: Any, **drawn: Any) -> None:
    check(derivative, **drawn)


@pytest.mark.parametrize("name", list(estimators.curves()))
@pytest.mark.parametrize("training", [True, False])
def test_every_estimator_on_both_sides(derivative: Any, name: str, training: bool) -> None:
    check(derivative, 0, "conv", name, name, training=training)
    check(derivative, 1, "linear", name, name, scale="none", training=training)
    check(derivative, 2, "conv", name, name, scale="tensor", training=training)


@given(
    seed=st.integers(0, 2**32 - 1),
    activation=HARD,
    weight=HARD,
    scale=st.sampled_from(list(SCALES)),
    looks_up=st.booleans(),
)
def test_gradients_by_bits_are_those_of_a_complex_step(
    derivative: Any, seed: int, activation: str, weight: str, scale: str, looks_up: bool
) -> None:
    """float32, at one base point: forward exact, gradients as near as float32 is."""
    a, b = (estimators.get(name).at(0.5) for name in (activation, weight))
    rng = np.random.default_rng(seed)
    layer, loops, x = make("conv", rng, activation=a, weight=b, scale=SCALES[scale])
    layer.astype(np.float32)
    narrow = x.astype(np.float32)
    x, w = narrow.astype(np.float64), layer.latent.value.astype(np.float64)
    alpha = means(scale, w)
    with patch.object(signs, "LOOKS_UP", looks_up and not INTERPRETED):
        y, cache = layer.forward(narrow)
        dy = rng.normal(size=y.shape).astype(np.float32)
        dx = layer.backward(dy, cache)
    assert INTERPRETED or isinstance(cache[1], signs.SignImages)
    left, right = a.forward(x), b.forward(w) * alpha
    near(y, loops(left, right), 1e-6)
    near(dx, derivative(lambda z: loops(z, right), left, dy) * slope(layer.activation.surrogate, x))
    dright = derivative(lambda z: loops(left, z), right, dy)
    near(layer.latent.grad, alpha * dright * slope(unscaled(layer.weight).surrogate, w))


def near(found: Any, expected: Any, share: float = 1e-5) -> None:
    """Within a share of the largest entry."""
    assert abs(found - expected).max() <= share * abs(expected).max() + 1e-7


def test_a_scale_that_is_not_detached_has_a_gradient_of_its_own() -> None:
    """y = alpha(W) sign(W): the exact rule of XNOR-Net adds (sum of dB sign(W)) sign(W) / n."""
    rng = np.random.default_rng(0)
    plain, _, x = make("linear", rng, bias=False, weight=estimators.get("ste"), scale=CHANNEL_SCALE)
    exact, _, _ = make("linear", rng, bias=False, weight=estimators.get("ste"), scale=MeanAbs())
    exact.latent.value = w = plain.latent.value
    y, cache = plain.forward(x)
    y_exact, cache_exact = exact.forward(x)
    np.testing.assert_array_equal(y, y_exact)
    dy = rng.normal(size=y.shape)
    plain.backward(dy, cache)
    exact.backward(dy, cache_exact)
    dright, signs = x.T @ dy, np.where(w < 0, -1, 1)
    extra = np.array([[signs[c, f] * sum(dright[:, f] * signs[:, f]) / 3 for f in (0, 1)] for c in range(3)])
    np.testing.assert_allclose(exact.latent.grad - plain.latent.grad, extra, rtol=1e-12)


@given(
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["linear", "conv"]),
    name=SIGNS,
    size=st.sampled_from([(CHANNEL_SCALE, 2), (TENSOR_SCALE, 1)]),
)
def test_deployed_products_of_signs_are_integers_before_the_scale(
    seed: int, kind: str, name: str, size: tuple[Map, int]
) -> None:
    rng = np.random.default_rng(seed)
    rule = estimators.get(name)
    layer, loops, x = make(kind, rng, bias=True, activation=rule, weight=rule, scale=size[0])
    layer.astype(np.float32).eval()
    x32 = x.astype(np.float32)
    signs, scale = layer.deployed_weight()
    assert set(np.unique(signs)) <= {-1, 1}
    assert scale.shape == (size[1],)
    integers = loops(np.where(x32 < 0, -1, 1), np.where(layer.latent.value < 0, -1, 1))
    assert integers.dtype.kind == "i"
    expected = integers.astype(np.float32) * scale + layer.bias.value
    np.testing.assert_array_equal(layer(x32), expected)


def test_training_answers_F_and_eval_the_deployed_map() -> None:
    """bnn++ trains with soft values: the two modes must differ, or one of them is the wrong one."""
    rule = Binarizer(Tanh(0.5), Tanh(0.5), Sign())
    layer, _, _ = make("linear", np.random.default_rng(0), bias=False, activation=rule, weight=rule)
    x = np.array([[0.1, -0.2, 0.0]])
    w = layer.latent.value
    np.testing.assert_allclose(layer(x), dot(np.tanh(x / 2), np.tanh(w / 2)), rtol=1e-14)
    assert layer.eval()(x).tolist() == dot(np.array([[1, -1, 1]]), np.where(w < 0, -1, 1)).tolist()


def test_the_value_of_sign_at_zero_reaches_the_product() -> None:
    for zero in (-1, 1):
        rule = estimators.get("ste", zero=zero)
        layer, _, _ = make("linear", np.random.default_rng(0), bias=False, activation=rule, weight=rule)
        layer.latent.value = np.ones((3, 2))
        for mode in (True, False):
            assert layer.train(mode)(np.array([[0.0, -0.0, 0.0]])).tolist() == [[3 * zero, 3 * zero]]


def test_gradients_on_the_clip_itself_pass_and_beyond_it_stop() -> None:
    rule = estimators.get("ste")
    layer, _, _ = make("linear", np.random.default_rng(0), bias=False, activation=rule, weight=rule)
    layer.latent.value = np.array([[1.0, -1.0], [np.nextafter(1, 2), -1.5], [0.0, -0.0]])
    x = np.array([[1.0, -1.0, np.nextafter(-1, -2)]])
    y, cache = layer.forward(x)
    assert y.tolist() == [[1.0 - 1 - 1, -1.0 + 1 - 1]]
    dx = layer.backward(np.array([[2.0, 5.0]]), cache)
    assert dx.tolist() == [[2.0 - 5, 2.0 - 5, 0.0]]
    assert layer.latent.grad.tolist() == [[2.0, 5.0], [0.0, 0.0], [-2.0, -5.0]]


def test_a_learned_surrogate_learns_through_the_layer(derivative: Any) -> None:
    """F = T = one quantizer: one alpha a tensor, its gradient that of the loops."""
    curve = SoftQuantizer(0.3, learn=True)
    rule = Binarizer(curve, curve)
    layer, loops, x = make("conv", np.random.default_rng(1), bias=False, activation=rule, weight=rule)
    named = layer.named_parameters()
    assert sorted(named) == ["activation.alpha", "latent", "weight.alpha"]
    assert named["activation.alpha"] is not named["weight.alpha"]
    for name, value in (("activation.alpha", 0.4), ("weight.alpha", 0.15)):
        named[name].value = np.array(value)
    w = layer.latent.value

    def soft(alpha: Any, z: Any) -> Any:
        inner = np.tanh(0.5 * np.log(2 / alpha - 1) * z) / (1 - alpha)
        return np.where(np.abs(z) <= 1, inner, np.sign(z))

    y, cache = layer.forward(x)
    np.testing.assert_allclose(y, loops(soft(0.4, x), soft(0.15, w)), rtol=1e-12, atol=1e-13)
    dy = np.random.default_rng(2).normal(size=y.shape)
    layer.backward(dy, cache)
    expected = derivative(lambda a: loops(soft(a, x), soft(0.15, w)), np.array(0.4), dy)
    np.testing.assert_allclose(named["activation.alpha"].grad, expected, rtol=1e-10)
    expected = derivative(lambda a: loops(soft(0.4, x), soft(a, w)), np.array(0.15), dy)
    np.testing.assert_allclose(named["weight.alpha"].grad, expected, rtol=1e-10)


def test_specifications_are_bound_afresh_by_every_layer_and_bound_maps_are_shared() -> None:
    spec = Binarizer(Sign(), SoftQuantizer(0.3, learn=True))
    rng = np.random.default_rng(0)
    first, second = (Linear(2, 2, rng=rng, activation=spec) for _ in range(2))
    assert first.activation.parameters()[0] is not second.activation.parameters()[0]
    third = Linear(2, 2, rng=rng, activation=first.activation)
    assert third.activation.parameters()[0] is first.activation.parameters()[0]
    assert spec.parameters() == []


def test_a_weight_rule_may_be_any_composition() -> None:
    """Centred, then sign: the mean is subtracted before the sign and in the gradient too."""
    rule = Compose((Sum((Identity(), Scaled(Detach(MeanAbs()), HardTanh()))), estimators.get("identity-ste")))
    layer, _, x = make("linear", np.random.default_rng(3), bias=False, weight=rule)
    w = layer.latent.value
    y, cache = layer.forward(x)
    centred = w + channel_means(w) * np.clip(w, -1, 1)
    np.testing.assert_allclose(y, dot(x, np.where(centred < 0, -1, 1)), rtol=1e-13)
    dy = np.ones_like(y)
    layer.backward(dy, cache)
    inside = np.where(np.abs(w) <= 1, 1 + channel_means(w), 1)
    np.testing.assert_allclose(layer.latent.grad, inside * (x.T @ dy), rtol=1e-13)
    assert layer.eval()(x).tolist() == y.tolist()


def test_latent_marks_the_weights_behind_binary_ones() -> None:
    rng = np.random.default_rng(0)
    assert Linear(2, 2, rng=rng, weight=estimators.get("ste")).latent.latent
    assert not Linear(2, 2, rng=rng, activation=estimators.get("ste")).latent.latent


@pytest.mark.parametrize("layer", [lambda **o: Linear(2, 2, **o), lambda **o: Conv2d(2, 2, 1, **o)])
def test_a_scale_needs_a_weight_binarizer(layer: Any) -> None:
    with pytest.raises(ValueError, match="scale: required a weight binarizer to scale, got weight=None"):
        layer(rng=np.random.default_rng(0), scale=CHANNEL_SCALE)


@pytest.mark.parametrize("scale", [CHANNEL_SCALE, TENSOR_SCALE])
def test_the_scale_follows_the_latent_weight(scale: Map) -> None:
    """Recomputed at every call, not kept from the first one."""
    rule = estimators.get("ste")
    layer, _, x = make("linear", np.random.default_rng(0), bias=False, weight=rule, scale=scale)
    for mode in (True, False):
        layer.train(mode)
        before = layer(x)
        layer.latent.value = layer.latent.value * 3
        np.testing.assert_allclose(layer(x), 3 * before, rtol=1e-13)


def test_the_cache_is_all_that_backward_knows() -> None:
    layer, _, x = make("linear", np.random.default_rng(0), bias=False, weight=estimators.get("ste"))
    layer.latent.value = np.full((3, 2), 0.5)
    y, cache = layer.forward(x)
    layer.latent.value = np.full((3, 2), 5.0)
    layer.backward(np.ones_like(y), cache)
    assert layer.latent.grad.all()


@dataclass(frozen=True)
class Rows(Map):
    """One number an input channel: (C, 1)."""

    def __call__(self, x: Any) -> Any:
        return x.mean(axis=-1, keepdims=True)


@pytest.mark.parametrize("scale", [Compose((Tanh(),)), Rows()])
def test_a_scale_of_many_numbers_stays_in_the_weight(scale: Map) -> None:
    """It is as large as the weight itself, or has one number an input channel, of which there are F too."""
    layer = Linear(3, 3, rng=np.random.default_rng(0), weight=estimators.get("ste"), scale=scale)
    x = np.ones((2, 3), np.float32)
    np.testing.assert_allclose(layer(x), layer.eval()(x), rtol=1e-6)
