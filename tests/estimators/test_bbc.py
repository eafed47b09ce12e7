"""BBC's binarizers: rows 1 to 14 of the list of properties (bbc.md 8), and the golden values."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import integrate, optimize

from bnn_ref import cost, estimators, models, pack
from bnn_ref.auditing import audit, audit_model
from bnn_ref.autodiff import Tensor, backward
from bnn_ref.binarizer import Binarizer
from bnn_ref.estimators.classifier import BLOCK, Classifier
from bnn_ref.estimators.irnet import Centre
from bnn_ref.estimators.lines import ClippedLines
from bnn_ref.layers import BatchNorm, Conv2d, Sequential, SoftmaxCrossEntropy
from bnn_ref.optim import SGD, Adam, Optimizer
from bnn_ref.parameter import Array, Parameter

U, V = np.array([1.0, -0.5]), np.array([[0.8, -0.6], [0.4, 0.2]])
"""Of the table of 1.3; V has one row a logit."""
WEIGHTS = ["bbc", "bbc-linear", "bbc-argmax", "bbc-argmax-signed"]
SHAPE = (3, 3, 2, 4)
SEEDS = st.integers(0, 2**32 - 1)


def core(name: str, seed: int = 0, **own: Any) -> Binarizer:
    """What `name` does to each centred weight, bound and in float64."""
    rule = estimators.get(name, **own).bind(SHAPE, -1, np.random.default_rng(seed))
    (found,) = {
        id(p): p for p in rule.parts() if isinstance(p, Binarizer) and p.surrogate.elementwise
    }.values()
    for parameter in found.parameters():
        parameter.value = parameter.value.astype(np.float64)
    return found


def printed(u: Array = U, v: Array = V, **own: Any) -> tuple[Binarizer, Parameter, Parameter]:
    """BBC's core with the MLP f_k(x) = sum_j v_kj act(u_j x), and its two parameters (1, h), (h, 2)."""
    b = core("bbc", hidden=len(u), **own)
    first, second = b.parameters()
    first.value, second.value = u[None], np.ascontiguousarray(v.T)
    return b, first, second


def naive(x: float, u: Array, v: Array) -> float:
    """S(x), number by number."""
    total = 0.0
    for row in v:
        f = sum(vk * math.tanh(uk * x) for uk, vk in zip(u, row, strict=True))
        total += max(-1.0, min(1.0, f))
    return total


def gradients(b: Binarizer, x: Any, g: Any = 1.0) -> tuple[Array, list[Array]]:
    """dx and the gradients of the parameters, with `g` coming in."""
    for parameter in b.parameters():
        parameter.zero_grad()
    at = np.asarray(x, np.float64)
    dx = b.backward(at, np.broadcast_to(np.asarray(g, np.float64), at.shape).copy())
    return dx, [np.zeros(p.value.shape) if p.grad is None else p.grad for p in b.parameters()]


# rows 1 to 7: element by element


@given(seed=SEEDS, x=st.floats(-4, 4))
def test_row_1_odd_logits_make_an_even_slope_and_an_odd_answer(seed: int, x: float) -> None:
    b = core("bbc", seed, hidden=7)
    one, other = gradients(b, [x])[0], gradients(b, [-x])[0]
    np.testing.assert_array_equal(one, other)
    if x:
        assert b(np.array([-x])) == -b(np.array([x])) == -math.copysign(1, x)


@given(seed=SEEDS, x=st.floats(-3, 3))
def test_row_2_the_backward_is_the_derivative_of_s(seed: int, x: float) -> None:
    rng = np.random.default_rng(seed)
    u, v = rng.uniform(-2, 2, 5), rng.uniform(-1, 1, (2, 5))
    b, *_ = printed(u, v)
    logits = [sum(row * np.tanh(u * x)) for row in v]
    dx, (du, dv) = gradients(b, [x])
    h = 1e-6
    if min(abs(abs(f) - 1) for f in logits) < 1e-4:
        return
    np.testing.assert_allclose(dx, (naive(x + h, u, v) - naive(x - h, u, v)) / (2 * h), rtol=1e-7, atol=1e-8)
    for i in range(5):
        step = h * np.eye(5)[i]
        slope = (naive(x, u + step, v) - naive(x, u - step, v)) / (2 * h)
        np.testing.assert_allclose(du[0, i], slope, rtol=1e-7, atol=1e-8)
        for k in range(2):
            up, down = v.copy(), v.copy()
            up[k, i] += h
            down[k, i] -= h
            slope = (naive(x, u, up) - naive(x, u, down)) / (2 * h)
            np.testing.assert_allclose(dv[i, k], slope, rtol=1e-7, atol=1e-8)


def logits_at(x: float, weights: list[Array], act: Callable[[float], float]) -> tuple[list[float], float]:
    """All logits, and how near anything comes to a kink of the activation or of the gate."""
    values, near = [x], 1.0
    for depth, w in enumerate(weights):
        sums = [sum(w[i, j] * value for i, value in enumerate(values)) for j in range(w.shape[1])]
        last = depth == len(weights) - 1
        near = min([near, *(abs(abs(total) - 1) if last else abs(total) for total in sums)])
        values = sums if last else [act(total) for total in sums]
    return values, near


@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("activation", ["tanh", "relu", "identity"])
@given(seed=SEEDS, x=st.floats(-3, 3))
def test_row_2_at_every_depth_and_activation(depth: int, activation: str, seed: int, x: float) -> None:
    act = {"tanh": math.tanh, "relu": lambda t: max(t, 0.0), "identity": lambda t: t}[activation]
    b = core("bbc", seed, depth=depth, hidden=3, activation=activation)
    weights, h = [2 * p.value for p in b.parameters()], 1e-6
    for parameter, value in zip(b.parameters(), weights, strict=True):
        parameter.value = value
    if logits_at(x, weights, act)[1] < 1e-4:
        return

    def s(x: float) -> float:
        return sum(min(max(f, -1.0), 1.0) for f in logits_at(x, weights, act)[0])

    dx, grads = gradients(b, [x])
    np.testing.assert_allclose(dx, (s(x + h) - s(x - h)) / (2 * h), rtol=1e-7, atol=1e-8)
    for w, dw in zip(weights, grads, strict=True):
        for at in np.ndindex(w.shape):
            kept, ends = w[at], []
            for step in (h, -h):
                w[at] = kept + step
                ends.append(s(x))
            w[at] = kept
            np.testing.assert_allclose(dw[at], (ends[0] - ends[1]) / (2 * h), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(("x", "slope"), [(0.3, 1.29373100), (-0.3, 1.29373100), (2.0, -0.01373710)])
def test_row_3_the_table_of_slopes(x: float, slope: float) -> None:
    b, *_ = printed()
    np.testing.assert_allclose(gradients(b, [x])[0], slope, rtol=0, atol=1e-8)
    np.testing.assert_allclose(b.surrogate.derivative(np.array([x])), slope, rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("x", "slopes", "gates"),
    [
        (0.3, (1.02545954, 0.26827146), [True, True]),
        (-0.3, (1.02545954, 0.26827146), [True, True]),
        (2.0, (0.18251296, -0.01373710), [False, True]),
    ],
)
def test_row_3_the_slope_of_each_logit_and_its_gate(
    x: float, slopes: tuple[float, float], gates: list[bool]
) -> None:
    """A shut gate lets nothing through to the weights of its logit."""
    b, *_ = printed()
    classifier = next(part for part in b.surrogate.parts() if isinstance(part, Classifier))
    found = [classifier.vjp(np.array([x]), np.eye(2)[[k]])[0] for k in (0, 1)]
    np.testing.assert_allclose(found, slopes, rtol=0, atol=1e-8)
    _, (_, dv) = gradients(b, [x])
    assert dv.any(axis=0).tolist() == gates


def test_row_3_the_logits_and_gradients_beside_it() -> None:
    b, *_ = printed()
    classifier = next(part for part in b.surrogate.parts() if isinstance(part, Classifier))
    wanted = [[0.32238111, 0.08674804], [-0.32238111, -0.08674804], [1.22817856, 0.23329220]]
    np.testing.assert_allclose(classifier(np.array([0.3, -0.3, 2.0])), wanted, rtol=0, atol=1e-8)
    _, (du, dv) = gradients(b, [0.3])
    np.testing.assert_allclose(du, [[0.32944931, -0.11733999]], rtol=0, atol=1e-8)
    np.testing.assert_allclose(dv.T, [[0.29131261, -0.14888503]] * 2, rtol=0, atol=1e-8)


def test_row_3_the_worked_example_of_the_linear_case() -> None:
    b = core("bbc-linear", init="given")
    dx, own = gradients(b, [-2.5, -1.9, 0, 1, 2.1])
    np.testing.assert_array_equal(dx, [0, 1, 1, 1, 0])
    np.testing.assert_allclose(own, [-0.9, -0.9], rtol=0, atol=1e-8)


def test_row_4_two_halves_clip_at_2_and_one_line_is_the_clipped_ste() -> None:
    x = np.array([-2.0, np.nextafter(-2.0, 0), -1.0, 0.0, 0.5, 1.0, 1.5, np.nextafter(2.0, 0), 2.0, 9.0])
    halves = core("bbc-linear", init="given")
    np.testing.assert_array_equal(gradients(halves, x)[0], [0, 1, 1, 1, 1, 1, 1, 1, 0, 0])
    one = core("bbc-linear", init="given", w0=1.0, w1=0.0)
    strict = np.where(np.abs(x) == 1, 0, estimators.get("clipped-ste").backward(x, np.ones_like(x)))
    np.testing.assert_array_equal(gradients(one, x)[0], strict)


@given(seed=SEEDS, x=st.floats(-5, 5))
def test_row_5_a_network_of_identities_is_linear(seed: int, x: float) -> None:
    rng = np.random.default_rng(seed)
    u, v = rng.uniform(-1, 1, 4), rng.uniform(-1, 1, (2, 4))
    deep, *_ = printed(u, v, activation="identity")
    flat = core("bbc-linear")
    w = v @ u
    for parameter, value in zip(flat.parameters(), w, strict=True):
        parameter.value = np.asarray(value)
    if min(abs(abs(w * x) - 1)) < 1e-9:
        return
    (dx, (du, dv)), (wanted, dw) = gradients(deep, [x], 1.7), gradients(flat, [x], 1.7)
    np.testing.assert_allclose(dx, wanted, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(dv.T, np.outer(dw, u), rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(du[0], np.array(dw) @ v, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("height", [0.4, 1.0, 1.0001, 3.0])
def test_row_6_a_monotone_logit_has_the_area_2_or_twice_its_supremum(height: float) -> None:
    u, row = np.array([0.7, 2.0]), height * np.array([0.25, 0.75])
    b, *_ = printed(u, np.array([row, [0.0, 0.0]]))
    edges = [0.0, 30.0]
    if height > 1:
        at = optimize.brentq(lambda x: row @ np.tanh(u * x) - 1, 0, 30, xtol=1e-14)
        edges = [0.0, at * (1 - 1e-12), at * (1 + 1e-12), 30.0]
    slope = lambda x: float(b.surrogate.derivative(np.array(x)))  # noqa: E731
    area = 2 * sum(integrate.quad(slope, low, high, limit=200)[0] for low, high in pairwise(edges))
    assert area == pytest.approx(min(2.0, 2 * height), abs=1e-6)


OPTIMIZERS = [lambda p: SGD(p, 0.1, momentum=0.9), lambda p: Adam(p, 1e-2)]


@pytest.mark.parametrize("make", OPTIMIZERS)
@pytest.mark.parametrize(("name", "frozen"), [("bbc-argmax", True), ("bbc-argmax-signed", False)])
def test_row_7_one_gradient_for_both_logits_never_moves_the_decision(
    make: Any, name: str, frozen: bool
) -> None:
    b = core(name, 3)
    (weights,) = b.parameters()
    optimizer: Optimizer = make([weights])
    before, rng = weights.value.copy(), np.random.default_rng(0)
    for _ in range(30):
        x, g = rng.normal(size=(2, 50))
        weights.grad = gradients(b, x, g + x)[1][0]
        optimizer.step()
    gap = np.diff(weights.value - before)
    assert np.abs(weights.value - before).min() > 0.05, "both logits were trained"
    assert (np.abs(gap).max() < 1e-12) == frozen


def test_row_7_the_decision_and_its_gradient() -> None:
    x, g = np.array([-1.5, -0.0, 0.0, 2.0]), np.array([1.0, -2.0, 3.0, 0.5])
    for w in ([0.3, 0.8], [0.8, 0.3], [-0.3, -0.8]):
        b = core("bbc-argmax")
        (weights,) = b.parameters()
        weights.value = np.array([w])
        first = [-1 if w[0] * t >= w[1] * t else 1 for t in x]
        np.testing.assert_array_equal(b(x), first)
        assert list(b(x)[1:3]) == [-1, -1], "a tie goes to the first logit"
        dx, (dw,) = gradients(b, x, g)
        np.testing.assert_allclose(dx, 2 * g * sum(w), rtol=1e-12)
        np.testing.assert_allclose(dw, [[2 * g @ x] * 2], rtol=1e-12)
        weights.value = -weights.value
        np.testing.assert_array_equal(np.abs(gradients(b, x, g)[0]), np.abs(dx))


def test_row_7_the_signed_split_sends_the_gradient_up_one_logit_and_down_the_other() -> None:
    x, g = np.array([-1.5, 0.25, 2.0]), np.array([1.0, -2.0, 0.5])
    b = core("bbc-argmax-signed")
    (weights,) = b.parameters()
    weights.value = np.array([[0.3, 0.8]])
    dx, (dw,) = gradients(b, x, g)
    np.testing.assert_allclose(dx, 2 * g * (0.8 - 0.3), rtol=1e-12)
    np.testing.assert_allclose(dw, [[-2 * g @ x, 2 * g @ x]], rtol=1e-12)


# rows 8 to 11: weights


@pytest.mark.parametrize("name", WEIGHTS)
@given(seed=SEEDS)
def test_row_8_only_what_is_off_the_mean_counts(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rule = estimators.get(name).bind(SHAPE, -1, rng)
    assert isinstance(rule, Binarizer)
    w, g = rng.normal(size=(2, *SHAPE)).round(3) * 0.5
    dw = rule.backward(w, g)
    np.testing.assert_allclose(dw.mean(axis=(0, 1, 2)), 0, atol=1e-12)
    moved = w + 4.0 * np.arange(4)  # one constant a channel
    if np.abs(Centre()(w)).min() < 1e-9:
        return
    np.testing.assert_allclose(rule(moved), rule(w), rtol=1e-9)
    np.testing.assert_allclose(rule.backward(moved, g), dw, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", WEIGHTS)
def test_row_9_a_factor_of_a_channel_is_lost_behind_a_batch_norm(name: str) -> None:
    rng = np.random.default_rng(5)
    conv = Conv2d(2, 4, 3, rng=rng, weight=estimators.get(name))
    net = Sequential(conv, BatchNorm(4, eps=0.0)).astype(np.float64)
    x, c = rng.normal(size=(5, 6, 6, 2)), np.array([0.1, 1.0, 3.0, 50.0])
    y, before = net(x), conv.weight(conv.latent.value)
    conv.latent.value = conv.latent.value * c
    np.testing.assert_allclose(conv.weight(conv.latent.value), c * before, rtol=1e-12)
    np.testing.assert_allclose(net(x), y, rtol=1e-9, atol=1e-12)


def test_row_10_behind_a_batch_norm_the_gradient_is_orthogonal_to_the_signs() -> None:
    rng = np.random.default_rng(6)
    conv = Conv2d(2, 4, 3, rng=rng, weight=estimators.get("bbc"))
    net = Sequential(conv, BatchNorm(4, eps=0.0)).astype(np.float64)
    seen: list[Array] = []
    conv.weight = Spy(conv.weight, seen)
    y, cache = net.forward(rng.normal(size=(5, 6, 6, 2)))
    net.backward(rng.normal(size=y.shape), cache)
    (g,) = seen
    signs = np.sign(Centre()(conv.latent.value))
    sizes = (np.abs(g * signs)).sum(axis=(0, 1, 2))
    np.testing.assert_allclose((g * signs).sum(axis=(0, 1, 2)) / sizes, 0, atol=1e-12)


class Spy:
    """A rule that shows the gradient which comes to it."""

    def __init__(self, rule: Any, seen: list[Array]) -> None:
        self.rule, self.seen = rule, seen

    def __call__(self, x: Array) -> Array:
        return np.asarray(self.rule(x))

    def vjp(self, x: Array, dy: Array) -> Array:
        self.seen.append(dy)
        return np.asarray(self.rule.vjp(x, dy))


@given(seed=SEEDS)
def test_row_11_the_scale_is_that_of_least_squares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rule = estimators.get("bbc").bind(SHAPE, -1, rng)
    w = rng.normal(size=SHAPE)
    c, found = Centre()(w), rule(w)
    for o in range(4):
        signs = np.sign(found[..., o])
        alpha, *_ = np.linalg.lstsq(signs.reshape(-1, 1), c[..., o].ravel(), rcond=None)
        np.testing.assert_allclose(np.abs(found[..., o]), alpha[0], rtol=1e-12)


# rows 12 to 14: networks


def network(weight: str = "bbc", width: int = 6, **own: Any) -> models.Model:
    return models.build("cnn", input_shape=(8, 8, 1), width=width, weight_estimator=weight, **own)


def images(n: int = 6) -> NDArray[np.float32]:
    return np.random.default_rng(9).normal(size=(n, 8, 8, 1)).astype(np.float32)


@pytest.mark.parametrize(
    ("weight", "estimator"),
    [*((name, "approxsign") for name in WEIGHTS), ("bbc", "bbc-activation"), ("bbc", "bbc-affine")],
)
def test_row_12_packed_bits_answer_as_eval_mode_does(weight: str, estimator: str) -> None:
    model = network(weight, estimator=estimator)
    rng = np.random.default_rng(1)
    for name, parameter in model.named_parameters().items():
        if name.endswith(("gain", "shift")):
            parameter.value = rng.normal(size=parameter.value.shape).astype(np.float32)
    model.train()
    model(images(40))  # running statistics
    trained = model(images(40))
    model.eval()
    np.testing.assert_array_equal(pack(model)(images()), model(images()))
    assert trained.shape == (40, 10)


def test_row_12_what_training_answers_is_what_is_deployed() -> None:
    for name, layer in network().layers():
        if isinstance(layer, Conv2d) and layer.weight is not None:
            trained = layer.weight(layer.latent.value)
            np.testing.assert_array_equal(trained, layer.weight.deploy()(layer.latent.value), err_msg=name)


@pytest.mark.parametrize("width", [4, 9])
def test_row_13_300_parameters_that_are_gone_when_packed(width: int) -> None:
    model, other = network(width=width), network("bireal-weight-paper", width=width)
    own = [p for p in model.parameters() if p.name in ("w0", "w1")]
    assert [p.value.shape for p in own] == [(1, 100), (100, 2)]
    counts = [sum(p.value.size for p in m.parameters()) for m in (model, other)]
    assert counts[0] - counts[1] == 300
    assert pack(model).payload_bytes == pack(other).payload_bytes
    assert cost(model, (1, 8, 8, 1)).to_dict()["total"] == cost(other, (1, 8, 8, 1)).to_dict()["total"]
    before = model.eval()(images())
    for parameter in own:
        parameter.value = parameter.value * np.nan
    np.testing.assert_array_equal(model(images()), before)
    np.testing.assert_array_equal(pack(model)(images()), before)


def step(model: models.Model) -> dict[str, Array]:
    """The gradients of one step, by name."""
    loss = SoftmaxCrossEntropy()(model.train()(Tensor(images().astype(np.float64))), np.arange(6))
    backward(loss)
    return {name: p.grad for name, p in model.named_parameters().items() if p.grad is not None}


def test_row_14_the_gradient_of_one_mlp_is_the_sum_over_its_layers() -> None:
    one = network().astype(np.float64)
    many = network(weight_parameters={"shared": False}).astype(np.float64)
    shared = {
        name.rpartition(".")[2]: p.value for name, p in one.named_parameters().items() if "weight.w" in name
    }
    for name, parameter in many.named_parameters().items():
        key = name.rpartition(".")[2]
        parameter.value = shared[key] if "weight.w" in name else one.named_parameters()[name].value
    found, parts = step(one), step(many)
    for key in ("w0", "w1"):
        total = [grad for name, grad in parts.items() if name.endswith(f"weight.{key}")]
        assert len(total) == 3
        (whole,) = (grad for name, grad in found.items() if name.endswith(f"weight.{key}"))
        np.testing.assert_allclose(whole, sum(total), rtol=1e-9, atol=1e-15)


# one for a network


@pytest.mark.parametrize("weight", WEIGHTS)
def test_a_network_has_one_and_its_state_names_it_once(weight: str) -> None:
    model = network(weight, estimator="bbc-activation")
    held = [
        layer.weight for _, layer in model.layers() if isinstance(layer, Conv2d) and layer.weight is not None
    ]
    assert len({tuple(map(id, rule.parameters())) for rule in held}) == 1
    names = [name for name in model.state_dict() if ".w0" in name]
    assert len(names) == 2, "one of the weights, one of the activations"
    other = network(weight, estimator="bbc-activation", seed=1)
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(other.eval()(images()), model.eval()(images()))
    assert len({id(p) for p in model.parameters()} & {id(p) for p in other.parameters()}) == 0


def test_two_networks_of_one_specification_share_nothing() -> None:
    rule = estimators.get("bbc")
    rng = np.random.default_rng(0)
    pooled = [rule.pooled(rng) for _ in range(2)]
    assert rule.parameters() == []
    assert not {id(p) for p in pooled[0].parameters()} & {id(p) for p in pooled[1].parameters()}
    bound = [pooled[0].bind((3, 3, 2, n), -1, rng) for n in (2, 5)]
    assert bound[0].parameters() == bound[1].parameters() == pooled[0].parameters()


def test_a_copied_network_still_has_one() -> None:
    copied = copy.deepcopy(network())
    assert len([p for p in copied.parameters() if p.name == "w0"]) == 1


@pytest.mark.parametrize("weight", ["bbc", "bbc-linear"])
def test_a_whole_network_passes_by_complex_step(weight: str) -> None:
    model = network(weight, estimator="bbc-affine", width=3)
    report = audit_model(model, SoftmaxCrossEntropy(), images(4).astype(np.float64), np.arange(4))
    assert report.passed, str(report)
    assert sum("weight.w0" in check.name for check in report.checks) == 1


# how it begins


def test_the_slope_at_the_start_is_as_often_negative_as_positive() -> None:
    """bbc.md 1.9: mean 0 and standard deviation sqrt(2)/3 for the MLP; ours, not the paper's."""
    rng, zero = np.random.default_rng(0), np.zeros(())
    rule = estimators.get("bbc").surrogate
    slopes = []
    for _ in range(1000):
        bound = rule.bind((), -1, rng)
        inner = next(p for p in bound.parts() if isinstance(p, Binarizer))
        slopes.append(float(inner.surrogate.derivative(zero)))
    assert np.std(slopes) == pytest.approx(math.sqrt(2) / 3, abs=4 * 0.4714 / math.sqrt(2 * 1000))
    assert np.mean(np.array(slopes) < 0) == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(1000))


@pytest.mark.parametrize("activation", ["tanh", "identity", "relu"])
@pytest.mark.parametrize("depth", [2, 3])
@given(seed=SEEDS)
def test_positive_turns_signs_and_nothing_else(activation: str, depth: int, seed: int) -> None:
    own = {"depth": depth, "hidden": 5, "activation": activation}
    drawn, turned = core("bbc", seed, **own), core("bbc", seed, init="positive", **own)
    for one, other in zip(drawn.parameters(), turned.parameters(), strict=True):
        np.testing.assert_array_equal(np.abs(one.value), np.abs(other.value))
    product = turned.parameters()[0].value
    for parameter in turned.parameters()[1:]:
        product = product @ parameter.value
    assert (product > 0).all()
    if activation != "relu":
        np.testing.assert_allclose(turned.surrogate.derivative(np.zeros(1)), product.sum(), rtol=1e-9)


def test_positive_lines_rise() -> None:
    for seed in range(20):
        drawn, turned = core("bbc-linear", seed), core("bbc-linear", seed, init="positive")
        assert [abs(p.value) for p in drawn.parameters()] == [p.value for p in turned.parameters()]
        assert turned.surrogate.oriented
        assert not drawn.surrogate.oriented


def test_an_audit_says_which_way_up_only_where_that_is_claimed() -> None:
    names = {name: [check.name for check in audit(name).checks] for name in ("bbc", "bbc-affine")}
    assert "weight: alive, either way up" in names["bbc"]
    assert "weight: alive and not inverted" in names["bbc-affine"]
    falling = audit(estimators.get("bbc-linear", init="given", w0=-0.5, w1=-0.5))
    assert "weight: alive and not inverted" in [check.name for check in falling.failures]


@pytest.mark.parametrize(
    ("w0", "w1"), [(0.4, 1.3), (-0.4, 1.3), (1.3, -0.4), (-2.0, -0.1), (0.7, 0.0), (0, 0)]
)
def test_claims_of_lines_of_any_slope(w0: float, w1: float) -> None:
    """Against quadrature and a grid, through the audit of a curve; the spectrum against the integral."""
    curve = ClippedLines(w0, w1)
    if w0 or w1:
        assert not [c.name for c in audit(Binarizer(estimators.get("tanh").forward, curve)).failures
                    if not c.name.startswith("alive")]  # fmt: skip
        w = np.array([0.0, 0.3, 2.0, 7.1])
        reach, size = curve.support, 400_000
        x = (np.arange(size) + 0.5) * (2 * reach / size) - reach
        wanted = [float((curve.derivative(x) * np.cos(a * x)).sum()) * reach / size for a in w]
        np.testing.assert_allclose(curve.gain(w), wanted, atol=1e-4)
    else:
        assert (curve.kinks, curve.peak, curve.support, curve.area, curve.monotone) == ((), 0, 0, 0, True)


@pytest.mark.parametrize("size", [0, 1, BLOCK, BLOCK + 1, 2 * BLOCK + 3])
def test_blocks_do_not_show(size: int) -> None:
    b, *_ = printed()
    x, g = np.random.default_rng(0).normal(size=(2, size))
    dx, (du, dv) = gradients(b, x, g)
    assert dx.shape == b.surrogate(x).shape == (size,)
    few = slice(max(0, size - 5), size)
    np.testing.assert_allclose(dx[few], gradients(b, x[few], g[few])[0], rtol=1e-12)
    halves = [gradients(b, x[part], g[part])[1] for part in (slice(0, size // 2), slice(size // 2, size))]
    np.testing.assert_allclose(du, halves[0][0] + halves[1][0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(dv, halves[0][1] + halves[1][1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("bbc", {"depth": 1}, "depth: required a whole number >= 2"),
        ("bbc-argmax", {"depth": 0}, "depth: required a whole number >= 1"),
        ("bbc", {"hidden": 0}, "hidden: required a whole number >= 1"),
        ("bbc", {"activation": "gelu"}, "activation: required one of tanh, relu, identity"),
        ("bbc", {"init": "given"}, "init: required one of default, positive"),
        ("bbc-linear", {"init": "half"}, "init: required one of default, positive, given"),
        ("bbc-linear", {"w1": math.inf}, "w1: required a finite number"),
        ("bbc-activation", {"shared": 1}, "shared: required True or False"),
        ("bbc-affine", {"gain": "steep"}, "gain: required a finite number"),
    ],
)
def test_refusals(name: str, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimators.get(name, **wrong)


def test_an_unbound_classifier_says_so() -> None:
    with pytest.raises(ValueError, match="Classifier: required to be bound"):
        Classifier()(np.zeros(3))
