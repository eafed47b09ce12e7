"""The rules for weights of Bi-Real Net and XNOR-Net, filter by filter, and what batch norm makes of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from bnn_ref import estimators, models
from bnn_ref.layers import BatchNorm, Conv2d, Linear, Product, Sequential
from bnn_ref.packed import pack
from bnn_ref.parameter import Array

RULES = [name for name in estimators.names() if name.startswith(("bnn-", "bireal-weight", "xnor-weight"))]
SHAPES = [(5, 4), (3, 3, 2, 4), (1, 1, 7, 3)]


def by_hand(name: str, w: list[float], g: list[float]) -> list[float]:
    """The gradient of one filter, entry by entry, as bireal.md 3.2 lists it."""
    n = len(w)
    alpha = sum(abs(v) for v in w) / n
    along = sum(gi * (1 if wi >= 0 else -1) for wi, gi in zip(w, g, strict=True))
    strict = [1.0 if -1 < v < 1 else 0.0 for v in w]
    closed = [1.0 if -1 <= v <= 1 else 0.0 for v in w]
    rows = zip(w, g, strict, closed, strict=True)
    return {
        "bnn-weight": [gi * s for _, gi, s, _ in rows],
        "bireal-weight-paper": [alpha * gi * s for gi, s in zip(g, strict, strict=True)],
        "bireal-weight-code": [gi * c for gi, c in zip(g, closed, strict=True)],
        "bireal-weight-caffe": list(g),
        "xnor-weight": [gi * (1 / n + alpha * c) for gi, c in zip(g, closed, strict=True)],
        "xnor-weight-exact": [
            alpha * gi * c + (1 if wi >= 0 else -1) * along / n
            for wi, gi, c in zip(w, g, closed, strict=True)
        ],
    }[name]


def drawn(seed: int, shape: tuple[int, ...]) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    w, g = rng.uniform(-1.3, 1.3, shape), rng.normal(size=shape)
    w.flat[:4] = 0.0, 1.0, -1.0, np.nextafter(1.0, 2)
    return w, g


@pytest.mark.parametrize("name", RULES)
@given(seed=st.integers(0, 2**32 - 1), shape=st.sampled_from(SHAPES))
def test_the_gradient_of_every_rule_filter_by_filter(name: str, seed: int, shape: tuple[int, ...]) -> None:
    w, g = drawn(seed, shape)
    dw = estimators.get(name).backward(w, g)
    for f in range(shape[-1]):
        filters = (w[..., f].reshape(-1).tolist(), g[..., f].reshape(-1).tolist())
        np.testing.assert_allclose(dw[..., f].reshape(-1), by_hand(name, *filters), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", RULES)
@given(seed=st.integers(0, 2**32 - 1), shape=st.sampled_from(SHAPES))
def test_forward_and_deployed_are_signs_times_the_mean_magnitude(
    name: str, seed: int, shape: tuple[int, ...]
) -> None:
    w, _ = drawn(seed, shape)
    rule = estimators.get(name)
    for f in range(shape[-1]):
        column = w[..., f]
        alpha = 1.0 if name == "bnn-weight" else math.fsum(map(abs, column.reshape(-1))) / column.size
        signs = np.where(column >= 0, alpha, -alpha)
        np.testing.assert_allclose(rule(w)[..., f], signs, rtol=1e-14)
        np.testing.assert_allclose(rule.deploy()(w)[..., f], signs, rtol=1e-14)


@given(st.integers(0, 2**32 - 1), st.sampled_from(SHAPES))
def test_alpha_is_the_best_scale(seed: int, shape: tuple[int, ...]) -> None:
    """bireal.md 11.6: it minimises ||W - a sign(W)||^2, with ||W||^2 - n alpha^2 left."""
    w, _ = drawn(seed, shape)
    forward = estimators.get("bireal-weight-paper")(w)
    w, forward = w[..., 0].reshape(-1), forward[..., 0].reshape(-1)
    signs = np.where(w >= 0, 1.0, -1.0)
    best = optimize.minimize_scalar(lambda a: float(((w - a * signs) ** 2).sum()), bounds=(0, 2))
    assert abs(forward[0]) == pytest.approx(best.x, abs=1e-5)
    left = float((w**2).sum()) - w.size * float(forward[0]) ** 2
    assert float(((w - forward) ** 2).sum()) == pytest.approx(left, rel=1e-10)


@pytest.mark.parametrize("name", RULES)
def test_beyond_the_mask(name: str) -> None:
    """bireal.md 11.7: no gradient for abs(W) > 1 in the masked rules; the others have one."""
    w, g = np.array([[1.5], [-2.0], [0.3]]), np.array([[1.0], [2.0], [-1.0]])
    dw = estimators.get(name).backward(w, g)[:2]
    masked = name in ("bnn-weight", "bireal-weight-paper", "bireal-weight-code")
    assert (dw == 0).all() == masked
    assert (dw != 0).all() != masked


# What the batch norm behind a weight makes of its rule (bireal.md 3.4)


def gradient(name: str, kind: str, seed: int, eps: float, norm_first: bool = False) -> tuple[Array, Array]:
    """The latent weight, some of it beyond the mask, and its gradient under a smooth loss behind the norm."""
    rng = np.random.default_rng(seed)
    signs, rule = estimators.get("clipped-ste"), estimators.get(name)
    layer: Product
    if kind == "linear":
        layer, x = Linear(9, 4, rng=rng, bias=False, activation=signs, weight=rule), rng.normal(size=(31, 9))
    else:
        layer = Conv2d(3, 4, 3, padding=1, rng=rng, activation=signs, weight=rule)
        x = rng.normal(size=(3, 4, 5, 3))
    norm = BatchNorm(x.shape[-1] if norm_first else 4, eps)
    net = Sequential(norm, layer) if norm_first else Sequential(layer, norm)
    net.astype(np.float64)
    layer.latent.value = rng.uniform(-1.2, 1.2, layer.latent.value.shape)
    norm.gamma.value = rng.uniform(0.5, 2, norm.gamma.value.shape)
    y, cache = net.forward(x)
    net.backward(np.cos(y + rng.normal(size=y.shape)), cache)
    assert layer.latent.grad is not None
    return layer.latent.value, layer.latent.grad


def close(a: Array, b: Array, tolerance: float = 1e-11) -> bool:
    return float(np.abs(a - b).max()) <= tolerance * float(np.abs(b).max())


kinds, seeds = st.sampled_from(["linear", "conv"]), st.integers(0, 2**32 - 1)


@given(kinds, seeds)
def test_the_published_rule_is_the_baseline(kind: str, seed: int) -> None:
    """paper == bnn: alpha cancels against BN's own scale."""
    assert close(gradient("bireal-weight-paper", kind, seed, 0)[1], gradient("bnn-weight", kind, seed, 0)[1])


@given(kinds, seeds)
def test_the_dropped_term_is_zero(kind: str, seed: int) -> None:
    """sum_j G_j sign(W_j) = 0 in each filter, and so the product rule in full is the published one."""
    w, g = gradient("bireal-weight-caffe", kind, seed, 0)
    axes = tuple(range(w.ndim - 1))
    sums = (g * np.where(w >= 0, 1, -1)).sum(axis=axes)
    assert (np.abs(sums) <= 1e-11 * np.abs(g).sum(axis=axes)).all()
    exact = gradient("xnor-weight-exact", kind, seed, 0)[1]
    assert close(exact, gradient("bireal-weight-paper", kind, seed, 0)[1])


@given(kinds, seeds)
def test_the_released_code_is_the_baseline_over_alpha(kind: str, seed: int) -> None:
    """code == bnn / alpha, filter by filter: magnitude enters as a step size."""
    w, code = gradient("bireal-weight-code", kind, seed, 0)
    alpha = np.abs(w).mean(axis=tuple(range(w.ndim - 1)))
    assert close(code * alpha, gradient("bnn-weight", kind, seed, 0)[1])


@given(kinds, seeds)
def test_eps_breaks_the_equalities_and_a_norm_in_front_does_too(kind: str, seed: int) -> None:
    """The witness that the tests above do not pass for another reason."""
    pairs = [("bireal-weight-paper", "bnn-weight"), ("xnor-weight-exact", "bireal-weight-paper")]
    for one, other in pairs:
        assert not close(gradient(one, kind, seed, 0.1)[1], gradient(other, kind, seed, 0.1)[1], 1e-6)
    exact, paper = (gradient(name, kind, seed, 0, norm_first=True)[1] for name in pairs[1])
    assert not close(exact, paper, 1e-3)


@pytest.mark.parametrize("name", [rule for rule in RULES if rule != "bnn-weight"])
def test_a_rule_packs_as_signs_with_one_scale_a_filter(name: str) -> None:
    """The same file as plain signs with the scale of the layer: one number a filter beside the bits."""
    model = models.build("cnn", input_shape=(8, 8, 1), width=4, weight_estimator=name)
    plain = models.build("cnn", input_shape=(8, 8, 1), width=4, scale="channel")
    plain.load_state_dict(model.state_dict())
    x = np.random.default_rng(0).normal(size=(6, 8, 8, 1)).astype(np.float32)
    np.testing.assert_array_equal(pack(model)(x), model.eval()(x))
    np.testing.assert_array_equal(model(x), plain.eval()(x))


def test_a_rule_for_weights_is_refused_for_activations() -> None:
    with pytest.raises(
        ValueError, match=r"estimator: required one of identity-ste, .*, real, .*, got 'xnor-"
    ):
        models.build("mlp", estimator="xnor-weight-exact")
    reading: list[Any] = [name for name in RULES if estimators.get(name).reduces]
    assert set(RULES) - set(reading) == {"bnn-weight"}
    assert not set(reading) & set(estimators.activations())


@pytest.mark.parametrize("scale", ["channel", "tensor"])
def test_a_rule_with_a_magnitude_of_its_own_takes_no_other(scale: str) -> None:
    with pytest.raises(
        ValueError,
        match=f"required one of none, folded beside 'bireal-weight-code', which has its own, got '{scale}'",
    ):
        models.build("mlp", weight_estimator="bireal-weight-code", scale=scale)
    assert models.build("mlp", weight_estimator="bnn-weight", scale=scale).spec.options["scale"] == scale
