"""What cannot be packed exactly is refused, with the name of layer or tensor and the reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from packed_nets import signs

from bnn_ref import estimators
from bnn_ref.binarizer import Binarizer, Compose, Map, MeanAbs, Scaled, Sign
from bnn_ref.estimators.ste import HardTanh as HardTanhCurve
from bnn_ref.estimators.ste import Tanh
from bnn_ref.layers import (
    TENSOR_SCALE,
    Activation,
    Add,
    BatchNorm,
    Composite,
    Conv2d,
    Layer,
    Linear,
    PReLU,
    Sequential,
)
from bnn_ref.packed import pack, translate
from bnn_ref.packed.steps import BinaryLinear, RealLinear, SignWeightLinear

RNG = np.random.default_rng(0)


def linear(activation: Map | None = None, weight: Map | None = None, **more: Any) -> Linear:
    return Linear(4, 3, rng=RNG, activation=activation, weight=weight, **more)


def refused(layer: Layer, *words: str) -> None:
    with pytest.raises(ValueError, match="pack: ") as caught:
        pack(Sequential(layer))
    for word in words:
        assert word in str(caught.value)


SOFT = Binarizer(Tanh(), Tanh(), Tanh())


def test_soft_deployed_activation() -> None:
    refused(linear(SOFT, signs()), "parts.0 (Linear)", "sign, clip or ReLU", "got Tanh")


def test_composed_activation() -> None:
    refused(linear(Compose((Tanh(), Sign())), signs()), "parts.0 (Linear)", "got Tanh")
    layer = linear(Compose((HardTanhCurve(), Sign())), signs())
    x = RNG.normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_array_equal(pack(layer)(x), layer.eval()(x))


def test_soft_deployed_weight() -> None:
    refused(linear(signs(), SOFT), "parts.0 (Linear)", "weights deployed as signs", "a deployed weight of")


def test_weight_with_two_scales() -> None:
    refused(linear(signs(), Scaled(MeanAbs(), signs()), scale=MeanAbs()), "at most one scale")


def test_one_scale_for_all_channels_is_one_number() -> None:
    layer = linear(signs(), signs(), scale=TENSOR_SCALE, bias=False)
    (scale,) = translate.product("layer", layer).after
    assert scale.tensors()["factor"].shape == (1,)
    x = RNG.normal(size=(5, 4)).astype(np.float32)
    np.testing.assert_array_equal(pack(layer)(x), layer.eval()(x))


def test_rounding_activation_layer() -> None:
    refused(Activation(Tanh()), "parts.0 (Activation)", "got Tanh")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("weight", [None, signs()])
def test_latent_that_is_not_finite(bad: float, weight: Map | None) -> None:
    layer = linear(signs(), weight)
    layer.latent.value[2, 1] = bad
    refused(layer, "parts.0.latent", str(bad), "(2, 1)")


@pytest.mark.parametrize("key", ["gamma", "beta", "running_mean", "running_var"])
def test_norm_that_is_not_finite(key: str) -> None:
    layer = BatchNorm(3)
    held = getattr(layer, key)
    (held if isinstance(held, np.ndarray) else held.value)[1] = np.nan
    refused(layer, f"parts.0.{key}", "nan", "(1,)")


def test_negative_variance() -> None:
    layer = BatchNorm(3)
    layer.running_var[0] = -1
    refused(layer, "parts.0 (gain)", "nan")


def test_bias_and_slope() -> None:
    layer, prelu = linear(), PReLU(3)
    assert layer.bias is not None
    layer.bias.value[0] = prelu.slope.value[2] = np.nan
    refused(layer, "parts.0.bias")
    refused(prelu, "parts.0.slope")


def test_double_precision() -> None:
    refused(linear(signs(), signs()).astype(np.float64), "parts.0.latent", "float32", "float64")


class Wave(Layer):
    """A layer that nobody knows."""


class Faster(Conv2d):
    """A subclass may compute anything."""


@pytest.mark.parametrize("layer", [Wave(), Faster(1, 1, 1, rng=RNG)])
def test_unknown_layer(layer: Layer) -> None:
    refused(layer, f"parts.0 ({type(layer).__name__})", "required one of Conv2d, Linear")


class Raw(Composite):
    def compute(self, x: Any) -> Any:
        return x + 1


class Twice(Composite):
    def compute(self, x: Any) -> Any:
        return x, x


@pytest.mark.parametrize(("model", "reason"), [(Raw(), "only calls layers"), (Twice(), "one output")])
def test_models_that_are_more_than_layers(model: Layer, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        pack(model)


class Shifted(Composite):
    def __init__(self) -> None:
        self.add = Add()

    def compute(self, x: Any) -> Any:
        return self.add(x, np.ones(3, np.float32))


def test_constants_between_layers() -> None:
    with pytest.raises(
        ValueError, match=r"pack: add \(Add\): required inputs that layers computed, got ndarray"
    ):
        pack(Shifted())


def test_fan_in_past_float(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translate, "LARGEST_FAN_IN", 3)
    refused(linear(signs(), signs()), "fan-in of at most 3", "got 4")
    monkeypatch.setattr(translate, "LARGEST_FAN_IN", 4)
    pack(linear(signs(), signs()))


def test_a_single_layer_is_called_model() -> None:
    assert {node.layer for node in pack(linear(signs(), signs())).graph.nodes} == {"model"}


@pytest.mark.parametrize(
    ("activation", "weight", "kind"),
    [
        (signs(), signs(), BinaryLinear),
        (None, signs(), SignWeightLinear),
        (HardTanhCurve(), signs(), SignWeightLinear),
        (signs(), None, RealLinear),
        (None, None, RealLinear),
    ],
)
def test_which_product(activation: Map | None, weight: Map | None, kind: type) -> None:
    assert type(translate.product("layer", linear(activation, weight)).product) is kind


DEPLOYED = {name: estimators.get(name).deployed for name in estimators.names()}


@pytest.mark.parametrize("name", [name for name, rule in DEPLOYED.items() if rule.levels == (-1, 1)])
def test_what_deploys_as_signs_is_packed(name: str) -> None:
    """On both sides, but for the scale of a weight, which activations cannot have."""
    rule = estimators.get(name)
    layer = linear(rule if isinstance(rule.deployed, Sign) else signs(), rule, bias=False)
    x = RNG.normal(size=(5, 4)).astype(np.float32)
    assert pack(layer).payload_bytes < layer.latent.value.nbytes
    np.testing.assert_array_equal(pack(layer)(x), layer.eval()(x))


@pytest.mark.parametrize("name", [name for name, rule in DEPLOYED.items() if rule.levels != (-1, 1)])
def test_what_does_not_is_refused_on_either_side(name: str) -> None:
    rule = estimators.get(name)
    kind = type(rule.deploy()).__name__
    with pytest.raises(ValueError, match=rf"required weights deployed as signs, .*\({kind}\)"):
        pack(linear(signs(), rule))
    if isinstance(rule.deploy(), HardTanhCurve):  # a clip has a packed form, in front of a product
        assert pack(linear(rule, signs())).payload_bytes > 0
        return
    with pytest.raises(ValueError, match=rf"required an activation that eval mode computes as .*{kind}"):
        pack(linear(rule, signs()))


def test_weights_of_zero_follow_their_sign() -> None:
    layer = linear(signs(), signs(-1), bias=False)
    layer.latent.value[:] = 0
    np.testing.assert_array_equal(pack(layer)(np.ones((1, 4), np.float32)), np.full((1, 3), -4))


@pytest.mark.parametrize(
    "weight",
    [
        Scaled(MeanAbs(), signs()),
        Binarizer(Sign(), HardTanhCurve(), Scaled(MeanAbs(), Sign())),
        Compose((HardTanhCurve(), signs())),
    ],
)
def test_weights_that_are_signs_in_other_words(weight: Map) -> None:
    layer = linear(signs(), weight)
    x = RNG.normal(size=(5, 4)).astype(np.float32)
    assert isinstance(translate.product("layer", layer).product, BinaryLinear)
    np.testing.assert_array_equal(pack(layer)(x), layer.eval()(x))
