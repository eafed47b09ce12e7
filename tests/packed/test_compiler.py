"""The packed network computes what eval mode computes: every bit, whatever the network."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packed_nets import PACKED, UNPACKED, assert_same_bits, build, chains, inputs, networks, perturb, signs

from bnn_ref import models
from bnn_ref.autodiff import Symbol, steps
from bnn_ref.kernels import naive, unpack_signs
from bnn_ref.layers import Add, BatchNorm, Composite, Conv2d, Layer, Linear, ReLU, Sequential
from bnn_ref.packed import PackedModel, pack
from bnn_ref.packed.plan import Plan
from bnn_ref.packed.product import Product
from bnn_ref.packed.steps import BinaryConv, BinaryLinear, PackSigns, Threshold
from bnn_ref.parameter import Array


@given(st.one_of(networks(), chains()))
def test_random_networks(drawn: tuple[Layer, Array]) -> None:
    model, x = drawn
    expected = model(x)
    packed = pack(model)
    assert_same_bits(packed(x), expected)
    assert_same_bits(packed(x[:1], naive=True), model(x[:1]))


@given(st.one_of(networks(), chains()))
def test_no_step_is_in_vain(drawn: tuple[Layer, Array]) -> None:
    graph = pack(drawn[0]).graph
    read = {value for node in graph.nodes for value in node.inputs} | {graph.output}
    assert read >= set(range(1, len(graph.nodes) + 1))


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize(
    "options",
    [{}, {"scale": "channel"}, {"scale": "tensor"}, {"parameters": {"zero": -1}}, {"estimator": "real"}],
)
@pytest.mark.parametrize("state", ["run", "perturbed"])
def test_models(name: str, options: dict[str, object], state: str) -> None:
    rng = np.random.default_rng(len(name))
    model = build(name, **options)
    if state == "run":  # running statistics of a few batches
        for _ in range(3):
            model.train()(inputs(rng, (4, 28, 28, 1)))
    else:
        perturb(model, rng)
    x = inputs(rng, (20, 28, 28, 1))
    packed = pack(model)
    np.testing.assert_array_equal(packed(x), model.eval()(x))
    np.testing.assert_array_equal(packed(x[:2], naive=True), model(x[:2]))


def by_layer(model: Layer, x: Array) -> dict[str, list[Array]]:
    """Eval mode's inputs of every layer, by its dotted name."""
    names = {id(layer): name for name, layer in model.layers()}
    source = Symbol()
    values, seen = {source.serial: x}, {}
    for symbol in steps(model(source)):
        if symbol.layer is not None:
            seen[names[id(symbol.layer)]] = [values[s.serial] for s in symbol.inputs]
            values[symbol.serial] = symbol.layer.forward(*seen[names[id(symbol.layer)]])[0]
    return seen


@pytest.mark.parametrize("name", UNPACKED)
def test_models_with_a_gate_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"pack: body\.parts\.0\.gate\.sigmoid \(Activation\): required"):
        pack(build(name))


@pytest.mark.parametrize("name", PACKED)
@pytest.mark.parametrize("scale", ["channel", "tensor"])
def test_layer_by_layer(name: str, scale: str) -> None:
    rng = np.random.default_rng(3)
    model = build(name, scale=scale).eval()
    perturb(model, rng)
    x = inputs(rng, (3, 28, 28, 1))
    layers, expected, checked = dict(model.layers()), by_layer(model, x), 0
    graph = pack(model).graph
    for i, values in enumerate(graph.walk(x)):
        step = graph.nodes[i - 1].step if i else None
        if isinstance(step, (BinaryConv, BinaryLinear)):
            node = graph.nodes[i - 1]
            layer = layers[node.layer]
            left = layer.activation.deploy()(expected[node.layer][0])
            words = values[node.inputs[0]]
            np.testing.assert_array_equal(unpack_signs(words, step.weight.channels), left)
            z = layer.multiply(left, layer.deployed_weight()[0])
            np.testing.assert_array_equal(values[i], z)
            assert values[i].dtype == np.int32
            np.testing.assert_array_equal(step((words,), naive), z)
            checked += 1
    binary = [layer for layer in layers.values() if getattr(layer, "weight", None) is not None]
    assert checked == len(binary)
    assert (checked >= 2) is (name not in ("resnet-18", "resnet-34"))


@given(st.sampled_from([-1, 1]), st.sampled_from([-1, 1]), st.integers(0, 2**32 - 1), st.integers(1, 130))
def test_exact_ties(zero: int, gamma: int, seed: int, channels: int) -> None:
    """Batch norm's mean is an integer that occurs: every such place is exactly 0, and sign(0) decides."""
    rng = np.random.default_rng(seed)
    first = Conv2d(channels, 8, 3, padding=1, rng=rng, activation=signs(), weight=signs())
    norm = BatchNorm(8)
    probe = Linear(8, 8, bias=False, rng=rng, activation=signs(zero), weight=signs())
    probe.latent.value = np.eye(8, dtype=np.float32) - np.float32(0.5)
    model = Sequential(first, norm, probe).eval()
    x = inputs(rng, (2, 4, 4, channels))
    z = first(x)
    norm.running_mean = z[0, 1, 1].copy()
    norm.gamma.value = np.full(8, gamma, np.float32)
    tied = norm(z)[0, 1, 1]
    assert (tied == 0).all()
    packed = pack(model)
    assert [type(node.step) for node in packed.graph.nodes].count(Threshold) == 1
    np.testing.assert_array_equal(packed(x), model(x))
    assert (
        packed(x)[0, 1, 1] == probe.multiply(np.full(8, zero, np.float32), np.sign(probe.latent.value))
    ).all()


def test_zero_padding_is_absent() -> None:
    """A window that is mostly padding sums only the taps that are there."""
    conv = Conv2d(70, 1, 3, padding=2, rng=np.random.default_rng(0), activation=signs(), weight=signs())
    conv.latent.value = np.ones((3, 3, 70, 1), np.float32)
    y = pack(conv)(np.ones((1, 2, 2, 70), np.float32))
    taps = np.array([[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]])
    np.testing.assert_array_equal(y[0, :, :, 0], 70 * taps)


def kinds(packed: PackedModel) -> Counter[str]:
    return Counter(node.step.kind for node in packed.graph.nodes)


def test_between_binary_products_there_are_only_integers() -> None:
    """The `cnn`: its first sign is of floats, all others compare an integer with a threshold."""
    packed = pack(models.build("cnn", scale="channel"))
    assert kinds(packed)["pack_signs"] == 1
    assert kinds(packed)["threshold"] == 2
    assert kinds(packed)["affine"] == 2  # stem and last one, before the real head
    after = {value for node in packed.graph.nodes for value in node.inputs if node.step.kind == "max_pool"}
    assert {packed.graph.nodes[value - 1].step.kind for value in after} == {"binary_conv"}


def test_shortcuts_keep_batch_norm_in_floats() -> None:
    packed = pack(models.build("bireal-small"))
    assert kinds(packed)["threshold"] == 0
    assert kinds(packed)["affine"] == kinds(packed)["binary_conv"] + 2


def test_a_resnet_block_has_one_threshold_and_vgg_nothing_else() -> None:
    """Scale, PReLU, norm, hard tanh and sign are one threshold, unless the norm is added to a shortcut."""
    resnet = kinds(pack(models.build("resnet-20", scale="tensor")))
    assert (resnet["threshold"], resnet["binary_conv"], resnet["pad_shortcut"]) == (9, 18, 2)
    assert resnet["prelu"] == resnet["scale"] == 9
    vgg = kinds(pack(build("vgg-small", scale="tensor")))
    assert (vgg["threshold"], vgg["binary_conv"], vgg["max_pool"]) == (4, 5, 3)
    assert (vgg["affine"], vgg["clip"], vgg["scale"]) == (2, 2, 1)  # behind the stem and before the head


@pytest.mark.parametrize("name", ["resnet-20", "vgg-small"])
def test_the_networks_of_cifar_at_their_size(name: str) -> None:
    """Full width, 32 x 32 x 3, one scale a layer, after some batches in training mode: every bit."""
    rng = np.random.default_rng(0)
    model = models.build(name, input_shape=(32, 32, 3), estimator="fda", scale="tensor")
    for _ in range(2):
        model.train()(inputs(rng, (2, 32, 32, 3)))
    x = inputs(rng, (2, 32, 32, 3))
    scores = model.eval()(x)
    assert len(np.unique(scores)) == scores.size
    np.testing.assert_array_equal(pack(model)(x), scores)


def test_a_deep_network_does_not_exhaust_the_stack() -> None:
    rng = np.random.default_rng(0)
    parts: list[Layer] = []
    for _ in range(400):
        parts += [Linear(3, 3, bias=False, rng=rng, activation=signs(), weight=signs()), BatchNorm(3)]
    packed = pack(Sequential(*parts).eval())
    assert kinds(packed) == {"pack_signs": 1, "binary_linear": 400, "threshold": 399, "affine": 1}


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_a_layer_called_twice(seed: int) -> None:
    """Shared weights: two products, one tensor."""
    rng = np.random.default_rng(seed)
    layer = Linear(66, 66, rng=rng, activation=signs(), weight=signs(), scale=None)
    model = Sequential(layer, norm := BatchNorm(66), layer, norm).eval()
    perturb(model, rng)
    x = inputs(rng, (5, 66))
    packed = pack(model)
    np.testing.assert_array_equal(packed(x), model(x))
    weights = [name for name in packed.graph.tensors() if "weight" in name]
    assert weights == ["parts.0.weight"]


def test_signs_of_one_value_are_packed_once() -> None:
    packed = pack(models.build("bireal-small"))
    sources = [node.inputs for node in packed.graph.nodes if isinstance(node.step, PackSigns)]
    assert len(sources) == len(set(sources))


class Fork(Composite):
    """Two layers read one value; their outputs are added."""

    def __init__(self, stem: Layer, left: Layer, right: Layer) -> None:
        self.stem, self.left, self.right, self.add = stem, left, right, Add()

    def compute(self, x: Any) -> Any:
        x = self.stem(x)
        return self.add(self.left(x), self.right(x))


def fork(left: Layer, right: Layer) -> Fork:
    rng = np.random.default_rng(0)
    first = Linear(9, 9, bias=False, rng=rng, activation=signs(), weight=signs())
    model = Fork(Sequential(first, BatchNorm(9)), left, right)
    for _, layer in model.layers():
        if isinstance(layer, BatchNorm):
            layer.running_mean = np.arange(9, dtype=np.float32) - 4
    return model


def binary(zero: int) -> Linear:
    return Linear(9, 9, bias=False, rng=np.random.default_rng(1), activation=signs(zero), weight=signs())


def test_two_readers_with_two_conventions_for_zero() -> None:
    x = inputs(np.random.default_rng(2), (40, 9))
    for model in (fork(binary(1), binary(-1)), Fork(Sequential(), binary(1), binary(-1))):
        left, right = model.eval().left, model.right
        assert not np.array_equal(left(model.stem(x)), right(model.stem(x))), "no tie occurs"
        np.testing.assert_array_equal(pack(model)(x), model(x))
    assert kinds(pack(fork(binary(1), binary(-1))))["threshold"] == 2


@st.composite
def windows_of_two(draw: st.DrawFn) -> tuple[dict[str, int], ...]:
    """3 x 3 windows with an output for each pixel, of any pad."""
    dilations = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    pads = draw(st.tuples(*[st.sampled_from([0, 1, -1])] * 2))
    return tuple(
        {"padding": dilation, "dilation": dilation, "padding_value": pad}
        for dilation, pad in zip(dilations, pads, strict=True)
    )


@given(windows_of_two(), st.sampled_from([1, 31, 32, 33, 70]), st.booleans(), st.booleans())
def test_two_readers_that_pad_differently(
    windows: tuple[dict[str, int], ...], channels: int, threshold: bool, weight: bool
) -> None:
    """Signs have one margin: the other reader has a copy. Real weights read numbers of their own."""
    rng = np.random.default_rng(channels)
    hard = {"rng": rng, "activation": signs(), "weight": signs() if weight else None}
    first = Sequential(Conv2d(3, channels, 1, **hard), BatchNorm(channels))  # type: ignore[arg-type]
    stem = first if threshold else Sequential(Conv2d(3, channels, 1, rng=rng))
    left, right = (Conv2d(channels, 5, 3, **hard, **window) for window in windows)  # type: ignore[arg-type]
    model = Fork(stem, left, right).eval()
    perturb(model, rng)
    x = inputs(rng, (2, 4, 3, 3))
    packed = pack(model)
    assert_same_bits(packed(x), model(x))
    assert_same_bits(packed(x, naive=True), model(x))
    products = [task for task in Plan(packed.graph, x.shape[1:]).tasks.values() if isinstance(task, Product)]
    copies = sum(product.copy is not product.source for product in products)
    assert copies == (weight and left.padding_value != right.padding_value)


def test_a_norm_that_somebody_needs_as_a_number_is_not_folded() -> None:
    """The float is there anyway: a threshold would only take room."""
    packed = pack(fork(binary(1), ReLU()))
    assert kinds(packed)["threshold"] == 0
    assert kinds(packed)["affine"] == 1
    assert kinds(packed)["pack_signs"] == 2
