"""A scale that the batch norm behind absorbs leaves every output as it was; one that is dropped does not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import estimators, models
from bnn_ref.autodiff import Tensor, backward
from bnn_ref.binarizer import Scaled
from bnn_ref.layers import (
    CHANNEL_SCALE,
    TENSOR_SCALE,
    Add,
    BatchNorm,
    Composite,
    Conv2d,
    HardTanh,
    Layer,
    Linear,
    MaxPool2d,
    PReLU,
    Product,
    ReLU,
    Sequential,
)
from bnn_ref.models import drop_scale, fold_scale
from bnn_ref.packed import pack
from bnn_ref.parameter import Array

Bits = Callable[[Layer], Any]
STE = estimators.get("clipped-ste")
NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"width": 12},
    "cnn": {"width": 6},
    "bireal-small": {"widths": [4, 6], "blocks": [1, 2]},
    "resnet-20": {"width": 4, "blocks": [1, 1]},
    "vgg-small": {"width": 16},
}
OWN = [name for name in estimators.names() if isinstance(estimators.get(name).deploy(), Scaled)]
scales = st.sampled_from([CHANNEL_SCALE, TENSOR_SCALE])


def warmed(model: Layer, images: Array) -> Layer:
    """Running statistics, gammas and betas that differ from channel to channel."""
    rng = np.random.default_rng(1)
    for _ in range(20):
        model.train()(images)
    for _, layer in model.layers():
        if isinstance(layer, BatchNorm):
            for parameter in (layer.gamma, layer.beta):
                parameter.value = rng.normal(size=layer.channels).astype(parameter.value.dtype)
    return model.eval()


def scaled(rng: np.random.Generator, scale: Any, bias: bool = False) -> Conv2d:
    return Conv2d(3, 4, 3, padding=1, bias=bias, rng=rng, activation=STE, weight=STE, scale=scale)


@given(
    seed=st.integers(0, 2**32 - 1), scale=scales, eps=st.sampled_from([0.0, 1e-5, 0.1]), bias=st.booleans()
)
def test_folding_leaves_one_block_unchanged(seed: int, scale: Any, eps: float, bias: bool) -> None:
    """y = A z + B by hand, from z = conv(sign x, sign W), and by the folded layers."""
    rng = np.random.default_rng(seed)
    conv, norm = scaled(rng, scale, bias), BatchNorm(4, eps)
    net = Sequential(conv, norm).astype(np.float64).eval()
    conv.latent.value = rng.normal(size=conv.latent.value.shape) * rng.uniform(0.01, 3, 4)
    offset = np.zeros(4)
    if conv.bias is not None:
        conv.bias.value = offset = rng.normal(size=4)
    gamma, beta, mean = norm.gamma.value, norm.beta.value, norm.running_mean = rng.normal(size=(3, 4))
    norm.gamma.value, norm.beta.value, norm.running_var = gamma, beta, rng.uniform(0.01, 4, 4)
    x = rng.normal(size=(2, 5, 5, 3))
    axis = (0, 1, 2) if scale is CHANNEL_SCALE else None
    alpha = np.abs(conv.latent.value).mean(axis=axis)
    bare = Conv2d(3, 4, 3, padding=1, rng=rng)
    bare.latent.value = np.where(conv.latent.value >= 0, 1.0, -1.0)
    z = bare(np.where(x >= 0, 1.0, -1.0))
    std = np.sqrt(norm.running_var + eps)
    wanted = gamma * alpha / std * z + (beta - gamma * (mean - offset) / std)
    folded = fold_scale(net)
    for found in (net(x), folded(x)):
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12 * np.abs(wanted).max())
    assert not np.allclose(drop_scale(net)(x), wanted, rtol=1e-3)
    product, behind = folded.parts[0], folded.parts[1]
    np.testing.assert_array_equal(np.abs(product.deployed_weight()[0]), 1)
    assert product.deployed_weight()[1] is None
    np.testing.assert_allclose(behind.running_mean * alpha, mean, rtol=1e-12)
    np.testing.assert_allclose((behind.running_var + eps) * alpha**2, std**2, rtol=1e-12)


@pytest.mark.parametrize("scale", ["channel", "tensor"])
@pytest.mark.parametrize("name", NETWORKS)
def test_folding_leaves_every_network_unchanged(name: str, scale: str, bits: Bits) -> None:
    images = np.random.default_rng(0).normal(size=(8, 8, 8, 1))
    model = models.build(name, input_shape=(8, 8, 1), scale=scale, **NETWORKS[name]).astype(np.float64)
    warmed(model, images)
    before = bits(model)
    folded, dropped = fold_scale(model), drop_scale(model)
    assert bits(model) == bits(dropped) == before
    wanted = model(images)
    np.testing.assert_allclose(folded(images), wanted, rtol=1e-12, atol=1e-12 * np.abs(wanted).max())
    assert np.abs(dropped(images) - wanted).max() > 1e-3 * np.abs(wanted).max()
    assert folded.spec.options == dropped.spec.options == {**model.spec.options, "scale": "none"}
    again = models.build(name, **folded.spec.options).astype(np.float64)
    again.load_state_dict(folded.state_dict())
    np.testing.assert_array_equal(again.eval()(images), folded(images))


@pytest.mark.parametrize("entry", OWN)
def test_folding_takes_out_the_scale_inside_a_rule(entry: str, bits: Bits) -> None:
    """Every rule of the table that has one: outputs, packed bits, and what its options rebuild."""
    images = np.random.default_rng(0).normal(size=(8, 8, 8, 1))
    options = {"input_shape": (8, 8, 1), "weight_estimator": entry, **NETWORKS["bireal-small"]}
    model = models.build("bireal-small", **options).astype(np.float64)
    for _, layer in model.layers():
        if isinstance(layer, Product) and layer.weight is not None:  # not every scale starts as 1
            layer.latent.value = layer.latent.value * 0.3
            layer.weight.refresh(layer.latent.value, first=True)
    warmed(model, images)
    folded, dropped = fold_scale(model), drop_scale(model)
    wanted = model(images)
    np.testing.assert_allclose(folded(images), wanted, rtol=1e-12, atol=1e-12 * np.abs(wanted).max())
    assert binary(model) == [(True, True)] * 3
    assert binary(folded) == binary(dropped) == [(True, False)] * 3
    assert folded.spec.options == dropped.spec.options == {**model.spec.options, "scale": "folded"}
    again = models.build("bireal-small", **folded.spec.options).astype(np.float64)
    again.load_state_dict(folded.state_dict())
    np.testing.assert_array_equal(again.eval()(images), folded(images))
    assert bits(fold_scale(folded)) == bits(folded)
    assert fold_scale(folded).spec == folded.spec
    packed, single = pack(folded.astype(np.float32)), images.astype(np.float32)
    np.testing.assert_array_equal(packed(single), folded(single))
    assert packed.payload_bytes < pack(model.astype(np.float32)).payload_bytes
    if entry not in ("binaryconnect", "irnet-weight"):  # of scale 1: nothing is lost
        assert np.abs(dropped(images) - wanted).max() > 1e-3 * np.abs(wanted).max()


def binary(model: Layer) -> list[tuple[bool, bool]]:
    """Of every product with a rule for weights: are they signs, and is there a scale?"""
    found = [layer for _, layer in model.layers() if isinstance(layer, Product) and layer.weight is not None]
    return [(bool((np.abs(layer.deployed_weight()[0]) == 1).all()), layer.scaled) for layer in found]


@pytest.mark.parametrize("entry", OWN)
def test_a_rule_without_its_scale_trains_as_signs_do(entry: str) -> None:
    """Forward values are the signs themselves, and the optimizer has no curvature to publish to."""
    folded = models.build("mlp", input_shape=(8, 8, 1), width=5, weight_estimator=entry, scale="folded")
    for _, layer in folded.layers():
        if isinstance(layer, Product) and layer.weight is not None:
            np.testing.assert_array_equal(np.abs(layer.weight(layer.latent.value)), 1)
            assert layer.latent.curvature is None
    model = models.build("mlp", input_shape=(8, 8, 1), width=5, weight_estimator=entry)
    warmed(model, np.random.default_rng(0).normal(size=(8, 8, 8, 1)).astype(np.float32))
    assert [
        layer.latent.curvature for _, layer in fold_scale(model).layers() if hasattr(layer, "latent")
    ] == [None] * 4


def test_the_published_rule_trains_on_as_before() -> None:
    """Behind a norm with eps = 0 its weight gradient is that of plain signs (docs/bireal.md)."""
    images = np.random.default_rng(0).normal(size=(8, 8, 8, 1))
    options = {**NETWORKS["bireal-small"], "weight_estimator": "bireal-weight-paper"}
    model = models.build("bireal-small", input_shape=(8, 8, 1), **options).astype(np.float64)
    warmed(model, images)
    folded = fold_scale(model)
    gradients = []
    for network in (model, folded):
        for _, layer in network.layers():
            if isinstance(layer, BatchNorm):
                layer.eps = 0.0
        backward(network.train()(Tensor(images)), np.ones((8, 10)))
        gradients.append({key: p.grad for key, p in network.named_parameters().items()})
    size = max(np.abs(value).max() for value in gradients[0].values())
    for key, value in gradients[0].items():
        np.testing.assert_allclose(gradients[1][key], value, rtol=1e-9, atol=1e-12 * size)


@pytest.mark.parametrize("name", ["approxsign", "real"])
def test_only_a_rule_with_a_scale_can_be_folded(name: str) -> None:
    with pytest.raises(ValueError, match="scale: required one of none, channel, tensor beside 'clipped-ste'"):
        models.build("mlp", scale="folded")
    assert models.build("mlp", estimator="real", scale="folded").spec.options["scale"] == "folded"
    assert (
        fold_scale(models.build("mlp", estimator=name, input_shape=(8, 8, 1))).spec.options["scale"] == "none"
    )


@pytest.mark.parametrize("scale", ["channel", "tensor"])
@pytest.mark.parametrize("name", NETWORKS)
def test_packed_too(name: str, scale: str) -> None:
    """float32: the folded network packs to its own bits, and its scores are the old ones to rounding."""
    images = np.random.default_rng(0).normal(size=(8, 8, 8, 1)).astype(np.float32)
    model = models.build(name, input_shape=(8, 8, 1), scale=scale, **NETWORKS[name])
    warmed(model, images)
    folded = fold_scale(model)
    packed = pack(folded)(images)
    np.testing.assert_array_equal(packed, folded(images))
    np.testing.assert_allclose(packed, pack(model)(images), rtol=1e-4, atol=1e-5)
    assert {value.dtype.name for value in folded.state_dict().values()} == {"float32"}


def test_without_a_scale_there_is_nothing_to_fold(bits: Bits) -> None:
    for estimator in ("approxsign", "real"):
        model = models.build("mlp", input_shape=(8, 8, 1), estimator=estimator)
        assert bits(fold_scale(model)) == bits(model)


def test_the_annealed_state_and_the_mode_are_kept() -> None:
    model = models.build("mlp", input_shape=(8, 8, 1), estimator="bnn++", scale="channel")
    for _, layer in model.layers():
        if getattr(layer, "activation", None) is not None:
            layer.activation = layer.activation.at(0.7)
    folded = fold_scale(model)
    beta = [
        layer.activation.surrogate.beta for _, layer in folded.layers() if getattr(layer, "activation", 0)
    ]
    assert beta == pytest.approx([2 * 10**0.7] * 2)
    assert folded.training


@pytest.mark.parametrize(
    ("behind", "got"),
    [
        ([HardTanh(), BatchNorm(4)], "got 'HardTanh'"),
        ([], "got 'nothing'"),
        ([PReLU(4), Linear(4, 2, rng=np.random.default_rng(0))], "got 'Linear'"),
    ],
)
def test_a_scale_that_nothing_absorbs_is_refused(behind: list[Layer], got: str) -> None:
    net = Sequential(scaled(np.random.default_rng(0), CHANNEL_SCALE), *behind)
    with pytest.raises(
        ValueError, match=f"required a batch norm alone behind it, to absorb its scale, {got}"
    ):
        fold_scale(net)
    assert isinstance(drop_scale(net).parts[0], Conv2d)


class Forked(Composite):
    """A product read by its norm and by a sum."""

    def __init__(self) -> None:
        self.conv, self.norm, self.add = scaled(np.random.default_rng(0), CHANNEL_SCALE), BatchNorm(4), Add()

    def compute(self, x: Any) -> Any:
        z = self.conv(x)
        return self.add(self.norm(z), z)


class Twice(Composite):
    """A norm that serves two products."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.first, self.second = scaled(rng, CHANNEL_SCALE), scaled(rng, TENSOR_SCALE)
        self.norm, self.add = BatchNorm(4), Add()

    def compute(self, x: Any) -> Any:
        return self.add(self.norm(self.first(x)), self.norm(self.second(x)))


def test_shared_values_and_shared_norms_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"conv: required a batch norm alone behind it, .* got 'BatchNorm, Add'"
    ):
        fold_scale(Forked())
    with pytest.raises(ValueError, match="norm: required a layer that is called once, got '2 calls'"):
        fold_scale(Twice())


def test_a_filter_of_zeros_is_refused() -> None:
    net = Sequential(scaled(np.random.default_rng(0), CHANNEL_SCALE), BatchNorm(4))
    net.parts[0].latent.value[..., 2] = 0
    with pytest.raises(ValueError, match=r"parts.0: required a scale of one number > 0 a channel"):
        fold_scale(net)


def test_a_scale_passes_pooling_and_slopes() -> None:
    rng = np.random.default_rng(0)
    net = Sequential(scaled(rng, CHANNEL_SCALE), PReLU(4), MaxPool2d(2), ReLU(), BatchNorm(4))
    x = rng.normal(size=(2, 4, 4, 3))
    warmed(net.astype(np.float64), x)
    np.testing.assert_allclose(fold_scale(net)(x), net(x), rtol=1e-12, atol=1e-12)
    other = copy.deepcopy(net)
    other.parts[0].weight = other.parts[0].weight.inner
    assert np.abs(other(x) - net(x)).max() > 1e-2
