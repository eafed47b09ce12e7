"""How finely each weight rule scales its signs, and what of the scale is in its gradient, side by side."""

from __future__ import annotations

import numpy as np
import pytest

from bnn_ref import estimators, models
from bnn_ref.binarizer import Binarizer, Map
from bnn_ref.layers import CHANNEL_SCALE, TENSOR_SCALE, Conv2d
from bnn_ref.parameter import Array

NONE, LAYER, FILTER = "none", "layer", "filter"
ENTRIES = {  # granularity, and the terms of dW: the factors of dy, or "sum", through the scale
    "identity-ste": (NONE, "1"),  # Bop and BNN's port too
    "binaryconnect": (LAYER, "1"),  # the constant H
    "dorefa-weight": (LAYER, "1"),  # cancels
    "lab": (LAYER, "1"),
    "abc-weight": (LAYER, "scale"),
    "bnn-weight": (NONE, "mask"),
    "bireal-weight-paper": (FILTER, "scale mask"),
    "bireal-weight-code": (FILTER, "mask"),
    "bireal-weight-caffe": (FILTER, "1"),
    "xnor-weight": (FILTER, "scale mask + 1/n"),
    "xnor-weight-exact": (FILTER, "scale mask + sum"),
}
RNG = np.random.default_rng(0)


def scale_of(name: str, rule: Map | None = None) -> tuple[Array, Array | None, Conv2d]:
    """Signs and scale of eval mode, of a convolution in float64, and the layer."""
    options = {"bases": 1} if name == "abc-weight" else {}
    weight = estimators.get(name, **options)
    layer = Conv2d(3, 4, 3, rng=np.random.default_rng(1), weight=weight, scale=rule)
    layer.astype(np.float64)
    layer.latent.value = 2 * RNG.normal(size=layer.latent.value.shape)
    return (*layer.deployed_weight(), layer)


@pytest.mark.parametrize(("name", "convention"), ENTRIES.items(), ids=ENTRIES)
def test_conventions_of_the_entries(name: str, convention: tuple[str, str]) -> None:
    granularity, gradient = convention
    signs, scale, layer = scale_of(name)
    assert set(np.unique(signs)) == {-1, 1}
    assert {NONE: scale is None, LAYER: np.shape(scale) == (1,), FILTER: np.shape(scale) == (4,)}[granularity]
    dy = RNG.normal(size=signs.shape)
    w, n = layer.latent.value, signs[..., 0].size
    size = 1.0 if scale is None else scale
    inside = np.abs(w) < 1
    assert 0 < inside.mean() < 1
    terms = {
        "1": dy,
        "scale": size * dy,
        "mask": inside * dy,
        "scale mask": size * inside * dy,
        "1/n": dy / n,
        "sum": signs * np.einsum("ijcf,ijcf->f", signs, dy) / n,
    }
    wanted = sum(terms[term] for term in gradient.split(" + "))
    np.testing.assert_allclose(layer.weight.vjp(w, dy), wanted)


@pytest.mark.parametrize(("rule", "shape"), [(CHANNEL_SCALE, (4,)), (TENSOR_SCALE, (1,))])
def test_a_scale_beside_any_estimator_is_stopped_and_stays_in_the_gradient(rule: Map, shape: object) -> None:
    signs, scale, layer = scale_of("identity-ste", rule)
    dy = RNG.normal(size=signs.shape)
    assert np.shape(scale) == shape
    np.testing.assert_allclose(layer.weight.vjp(layer.latent.value, dy), scale * dy)


@pytest.mark.parametrize(("name", "axes"), [("dorefa-weight", None), ("lab", None), ("ste", (0, 1, 2))])
def test_mean_sizes_are_the_nearest_scales(name: str, axes: tuple[int, ...] | None) -> None:
    """alpha = argmin ||W - a sign(W)||^2, and what is left is ||W||^2 - n alpha^2. LAB's: of constant d."""
    signs, alpha, layer = scale_of(name, CHANNEL_SCALE if axes else None)
    w = layer.latent.value
    assert alpha is not None
    n = w.size // alpha.size
    left = np.square(w - alpha * signs).sum(axis=axes)
    np.testing.assert_allclose(left, np.square(w).sum(axis=axes) - n * np.squeeze(alpha) ** 2)
    for nudge in (0.999, 1.001):
        assert (np.square(w - nudge * alpha * signs).sum(axis=axes) > left).all()


BBC = ["bbc", "bbc-linear", "bbc-argmax", "bbc-argmax-signed"]
OWN = [name for name in estimators.names() if estimators.get(name).scaled]


def test_every_rule_that_multiplies_its_signs_is_known_here() -> None:
    """The rest answer with plain signs, or with values that no scale multiplies."""
    learned = {"rbnn-weight", "irnet-weight", "reste-weight", *BBC}  # below
    apart = {"binaryconnect-stochastic", "abc-activation"}  # by chance; an activation
    assert set(OWN) == {name for name, (size, _) in ENTRIES.items() if size != NONE} | learned | apart


@pytest.mark.parametrize("scale", ["channel", "tensor"])
@pytest.mark.parametrize("name", OWN)
def test_a_rule_with_its_own_scale_takes_no_other(name: str, scale: str) -> None:
    wanted = f"scale: required one of none(, folded)? beside '{name}', which has its own, got '{scale}'"
    with pytest.raises(ValueError, match=wanted):
        models.build("mlp", weight_estimator=name, scale=scale)


def test_the_others_take_one() -> None:
    for name in ("ste", "bnn-weight", "bnn++", "adaste", "fda-noise"):
        assert models.build("mlp", weight_estimator=name, scale="tensor").spec.options["scale"] == "tensor"


def gradients(name: str) -> tuple[Array, Array, Array, Array, Conv2d]:
    """Signs, scale, dy, dW and the layer."""
    signs, scale, layer = scale_of(name)
    assert scale is not None
    assert layer.weight is not None
    dy = RNG.normal(size=signs.shape)
    return signs, scale, dy, layer.weight.vjp(layer.latent.value, dy), layer


def test_irnet_s_scale_is_one_power_of_two_a_filter_and_stopped() -> None:
    """Its exponent by numpy's log2; dW is that of the signs behind Libra, times the scale, and no more."""
    _, scale, dy, dw, layer = gradients("irnet-weight")
    assert scale.shape == (4,)
    w = layer.latent.value.reshape(-1, 4)
    z = (w - w.mean(axis=0)) / w.std(axis=0, ddof=1)
    np.testing.assert_array_equal(np.log2(scale), np.round(np.log2(np.abs(z).mean(axis=0))))
    dz = scale * (1 - np.tanh(z) ** 2) * dy.reshape(-1, 4)
    wanted = (dz - dz.mean(axis=0) - z * (dz * z).sum(axis=0) / (len(z) - 1)) / w.std(axis=0, ddof=1)
    np.testing.assert_allclose(dw.reshape(-1, 4), wanted, rtol=1e-10, atol=1e-13)


def test_rbnn_s_scale_is_learned_one_a_filter() -> None:
    """dalpha_f = sum of dy times the signs of filter f; dW is linear in alpha, which W does not move."""
    signs, scale, dy, dw, layer = gradients("rbnn-weight")
    assert scale.shape == (4,)
    assert layer.weight is not None
    (alpha,) = (p for p in layer.weight.parameters() if p.name == "alpha")
    np.testing.assert_allclose(alpha.grad, np.einsum("ijcf,ijcf->f", signs, dy))
    alpha.value = 2 * alpha.value
    np.testing.assert_allclose(layer.weight.vjp(layer.latent.value, dy), 2 * dw)


def test_reste_s_scale_is_one_a_layer_with_its_gradient() -> None:
    """sum_j G_j sign(w_j) / n of the layer in every entry: what is left beyond the window, where T' is 0."""
    signs, scale, dy, dw, layer = gradients("reste-weight")
    assert scale.shape == (1,)
    beyond = np.abs(layer.latent.value) > 1.5
    assert beyond.sum() > 5
    np.testing.assert_allclose(dw[beyond], (signs * (signs * dy).mean())[beyond])


@pytest.mark.parametrize("name", BBC)
def test_bbc_s_scale_is_that_of_the_centred_filter_and_stopped(name: str) -> None:
    """alpha = mean abs(c); dW is that of the answer to c, by a curve of slope E' at 0, scaled and centred."""
    signs, scale, dy, dw, layer = gradients(name)
    assert layer.weight is not None
    w = layer.latent.value.reshape(-1, 4)
    c = w - w.mean(axis=0)
    np.testing.assert_allclose(scale, np.abs(c).mean(axis=0))
    primitives = (part for part in layer.weight.parts() if isinstance(part, Binarizer))
    core = next(part for part in primitives if part.surrogate.elementwise)
    np.testing.assert_array_equal(signs.reshape(-1, 4), core(c))
    dc = scale * core.surrogate.derivative(c) * dy.reshape(-1, 4)
    np.testing.assert_allclose(dw.reshape(-1, 4), dc - dc.mean(axis=0), rtol=1e-9, atol=1e-12)
