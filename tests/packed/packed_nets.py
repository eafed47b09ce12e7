"""Small networks drawn at random, with everything that makes a threshold difficult."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from bnn_ref import estimators, models
from bnn_ref.binarizer import Binarizer, Sign
from bnn_ref.estimators.reactnet import Shift
from bnn_ref.estimators.ste import HardTanh as HardTanhCurve
from bnn_ref.layers import (
    CHANNEL_SCALE,
    TENSOR_SCALE,
    Activation,
    Add,
    AvgPool2d,
    BatchNorm,
    Composite,
    Conv2d,
    Flatten,
    GlobalAvgPool,
    GroupedConv2d,
    HardTanh,
    Layer,
    LayerNorm,
    LeakyClip,
    Linear,
    MaxPool2d,
    OutputScale,
    PadShortcut,
    PReLU,
    Product,
    ReLU,
    RPReLU,
    Sequential,
)
from bnn_ref.parameter import Array

SCALES = st.sampled_from([None, CHANNEL_SCALE, TENSOR_SCALE])
CHANNELS = st.one_of(st.sampled_from([1, 2, 63, 64, 65, 128, 130]), st.integers(1, 130), st.integers(1, 600))


UNPACKED = ["real-to-binary"]
"""A gate takes a sigmoid of real numbers."""

POSE = [name for name in models.names() if "joints" in models.options(name)]
"""They answer with maps and have tests of their own."""

PACKED = [name for name in models.names() if name not in (*UNPACKED, *POSE)]


def build(name: str, **options: Any) -> models.Model:
    """A network of the package for 28 x 28 pixels (pose: 32 x 32), with few layers or channels."""
    smaller = {
        name: {"width": 8, "blocks": (2, 2)} for name in models.names() if "blocks" in models.options(name)
    }
    smaller |= {"bireal-small": {}, "resnet-20": {"blocks": (1, 1, 1)}, "vgg-small": {"width": 16}}
    patches = {"width": 24, "heads": 2, "depth": 2, "patch": 4}
    smaller |= {name: patches for name in models.names() if "patch" in models.options(name)}
    few = {"width": 8, "modules": (1, 1), "depth": 1, "first": 8, "blocks": (1, 1, 1, 1)}
    smaller |= {
        name: {"input_shape": (32, 32, 1)} | {key: few[key] for key in few.keys() & models.options(name)}
        for name in POSE
    }
    return models.build(name, **{"input_shape": (28, 28, 1)} | smaller.get(name, {}) | options)


def signs(zero: int = 1) -> Binarizer:
    """A hard binarizer whose sign(0) is `zero`."""
    return Binarizer(Sign(zero), HardTanhCurve(), Sign(zero))


SHIFTED = estimators.get("rsign")


def assert_same_bits(y: Array, expected: Array) -> None:
    """Equal float32 to the last bit: `assert_array_equal` takes -0.0 for 0.0."""
    np.testing.assert_array_equal(y.view(np.uint32), expected.view(np.uint32), strict=True)


class Shortcut(Composite):
    """y = inner(x) + x."""

    def __init__(self, *inner: Layer) -> None:
        self.inner, self.add = Sequential(*inner), Add()

    def compute(self, x: Any) -> Any:
        return self.add(self.inner(x), x)


def perturb(model: Layer, rng: np.random.Generator) -> None:
    """Draw every parameter and statistic anew: zeros, both signs, and means that tie with integers."""
    for _, layer in model.layers():
        if isinstance(layer, (BatchNorm, LayerNorm)):
            c = layer.channels
            layer.gamma.value = either(rng, rng.choice([-2, -1, 0, 0.5, 1], c), rng.normal(size=c))
            layer.beta.value = either(rng, np.zeros(c), rng.normal(size=c) * 2)
        if isinstance(layer, BatchNorm):
            layer.running_mean = either(rng, rng.integers(-4, 5, c), rng.normal(size=c) * 4)
            layer.running_var = either(rng, rng.choice([0.25, 1, 9], c), rng.uniform(0, 30, c))
        elif isinstance(layer, Activation) and isinstance(layer.curve, Shift):
            (shift,) = layer.parameters()
            c = shift.value.size
            shift.value = either(rng, rng.integers(-4, 5, c), rng.normal(size=c))
        elif isinstance(layer, PReLU):
            c = layer.slope.value.size
            layer.slope.value = either(rng, rng.choice([-0.5, 0, 0.25, 1], c), rng.normal(size=c))
        elif isinstance(layer, OutputScale):
            channel, c = layer.factors()[0], layer.shape[0]
            channel.value = either(rng, rng.choice([-1, 0, 0.5, 1], c), rng.normal(size=c))
        elif isinstance(layer, Product):
            shape = layer.latent.value.shape
            layer.latent.value = either(rng, rng.integers(-2, 3, shape), rng.normal(size=shape))
            for shift in () if layer.activation is None else layer.activation.parameters():
                c = shift.value.size
                shift.value = either(rng, rng.integers(-4, 5, c), rng.normal(size=c) * 4)
            if layer.bias is not None:
                layer.bias.value = either(rng, rng.integers(-2, 3, shape[-1]), rng.normal(size=shape[-1]))


def either(rng: np.random.Generator, round_numbers: Array, others: Array) -> Array:
    """Element by element one of the two, float32."""
    return np.where(rng.random(np.shape(others)) < 0.5, round_numbers, others).astype(np.float32)


def inputs(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """float32 with many zeros of both signs, and small integers."""
    round_numbers = rng.choice(np.array([0.0, -0.0, 1.0, -1.0, 2.0]), shape)
    return either(rng, round_numbers, rng.normal(size=shape))


@st.composite
def products(draw: st.DrawFn, rng: np.random.Generator, c: int, flat: bool, f: int | None = None) -> Layer:
    """A convolution (or linear layer) of c channels: binary mostly, or binary on one side, or real."""
    sign = st.sampled_from([-1, 1]).map(signs)
    kind = draw(st.sampled_from(["binary"] * 4 + ["signed activation", "signed weight", "clipped", "real"]))
    activation = {"signed weight": None, "real": None, "clipped": HardTanhCurve(0.5)}.get(kind, "sign")
    weight = draw(sign) if kind in ("binary", "signed weight", "clipped") else None
    common = {
        "rng": rng,
        "bias": draw(st.booleans()),
        "activation": draw(st.one_of(sign, st.just(SHIFTED))) if activation == "sign" else activation,
        "weight": weight,
        "scale": draw(SCALES) if weight is not None else None,
    }
    f = draw(CHANNELS) if f is None else f
    if flat:
        return Linear(c, f, **common)
    return Conv2d(c, f, **draw(windows(activation == "sign")), **common)


@st.composite
def windows(draw: st.DrawFn, signs: bool) -> dict[str, int]:
    """A kernel with its stride, padding and dilation; between signs the padding may be signs."""
    k, dilation = draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2, 3]))
    padding = draw(st.integers(k // 2, k)) * dilation
    value = draw(st.sampled_from([0, 0, 1, -1])) if signs else 0
    window = {"stride": draw(st.integers(1, 3)), "padding": padding, "dilation": dilation}
    return {"kernel_size": k, "padding_value": value, **window}


@st.composite
def grouped(draw: st.DrawFn) -> tuple[Layer, Array]:
    """A convolution in groups, binary or with binary weights, its norm, and a binary one behind it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    groups, c, f = draw(st.integers(1, 5)), draw(st.integers(1, 70)), draw(st.integers(1, 20))
    hard = signs(draw(st.sampled_from([-1, 1])))
    activation = draw(st.sampled_from([hard, SHIFTED, None]))
    options: dict[str, Any] = {"rng": rng, "activation": activation, "weight": hard, "scale": draw(SCALES)}
    channels = groups * f
    options |= {"groups": groups, "bias": draw(st.booleans())}
    parts = GroupedConv2d(groups * c, channels, **draw(windows(activation is not None)), **options)
    last = Conv2d(channels, 3, 1, rng=rng, activation=hard, weight=hard)
    model = Sequential(parts, BatchNorm(channels), last)
    perturb(model, rng)
    return model.eval(), inputs(rng, (2, draw(st.integers(2, 5)), draw(st.integers(2, 5)), groups * c))


@st.composite
def links(draw: st.DrawFn, c: int, flat: bool) -> list[Layer]:
    """What may stand between two products."""
    more = [] if flat else ["max", "max", "avg"]
    kinds = ["norm"] * 3 + ["prelu", "rprelu", "relu", "hardtanh", "leaky", "sign", "gamma", *more]
    made: dict[str, Any] = {
        "norm": lambda: BatchNorm(c),
        "prelu": lambda: PReLU(draw(st.sampled_from([1, c]))),
        "rprelu": lambda: RPReLU(c),
        "gamma": lambda: OutputScale(c, case=1),
        "relu": ReLU,
        "hardtanh": lambda: HardTanh(draw(st.sampled_from([0.7, 1.0, 3.0]))),
        "sign": lambda: Activation(Sign(draw(st.sampled_from([-1, 1])))),
        "leaky": lambda: LeakyClip(draw(st.sampled_from([0.7, 1.0, 3.0])), draw(st.sampled_from([0.1, 1]))),
        "max": lambda: MaxPool2d(2, draw(st.integers(1, 3)), draw(st.integers(0, 1)), draw(st.booleans())),
        "avg": lambda: AvgPool2d(2, draw(st.integers(1, 2)), draw(st.integers(0, 1)), draw(st.booleans())),
    }
    return [made[kind]() for kind in draw(st.lists(st.sampled_from(kinds), max_size=3))]


@st.composite
def chains(draw: st.DrawFn) -> tuple[Layer, Array]:
    """A network of binary products and batch norms, where nearly every sign can be a threshold."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    c, zero = draw(CHANNELS), draw(st.sampled_from([-1, 1]))
    shape = (2, draw(st.integers(2, 5)), draw(st.integers(2, 5)), c)

    def binary(kind: type[Conv2d] | type[Linear], *sizes: int, **more: int) -> Layer:
        bias, hard = draw(st.booleans()), signs(zero)
        return kind(*sizes, rng=rng, bias=bias, activation=hard, weight=hard, scale=draw(SCALES), **more)

    parts: list[Layer] = []
    after: list[Layer] = []
    for _ in range(draw(st.integers(1, 2))):
        f = draw(CHANNELS)
        parts += after
        parts.append(binary(Conv2d, c, f, **draw(windows(True))))
        pool = [MaxPool2d(2, draw(st.integers(1, 2)), 1)] if draw(st.booleans()) else []
        norm = [BatchNorm(f), *([PReLU(draw(st.sampled_from([1, f])))] if draw(st.booleans()) else [])]
        after = [*pool, *norm] if draw(st.booleans()) else [*norm, *pool]
        c = f
    parts += after if draw(st.booleans()) else []
    features = int(Sequential(*parts, Flatten()).eval()(inputs(rng, shape)).shape[1])
    late = [BatchNorm(features)] if draw(st.booleans()) else []
    parts += [Flatten(), *late, binary(Linear, features, 7), BatchNorm(7), binary(Linear, 7, 3)]
    model = Sequential(*parts)
    perturb(model, rng)
    return model.eval(), inputs(rng, shape)


@st.composite
def networks(draw: st.DrawFn) -> tuple[Layer, Array]:
    """A network in eval mode and an input for it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    c, size = draw(CHANNELS), draw(st.integers(1, 5))
    shape = (draw(st.integers(1, 3)), size, draw(st.integers(1, 5)), c)
    parts: list[Layer] = []
    for _ in range(draw(st.integers(1, 3))):
        layer = draw(products(rng, c, False))
        c = layer.latent.value.shape[-1]
        parts += [layer, *draw(links(c, False))]
        if draw(st.booleans()):
            same = Conv2d(c, c, 3, padding=1, rng=rng, activation=signs(), weight=signs())
            parts.append(Shortcut(same, *(part for part in draw(links(c, True)))))
        if draw(st.booleans()):
            zeros = draw(st.integers(0, 2))
            parts.append(PadShortcut(draw(st.integers(1, 3)), zeros))
            c += 2 * zeros
    parts.append(draw(st.sampled_from([Flatten(), GlobalAvgPool()])))
    model = Sequential(*parts)
    perturb(model, rng)
    try:
        features = model.eval()(inputs(rng, shape)).shape[1]
    except ValueError:  # some window did not fit
        reject()
    head = draw(products(rng, features, True))
    f = head.latent.value.shape[-1]
    tail = [head, *draw(links(f, True)), draw(products(rng, f, True, 3))]
    model = Sequential(*parts, *draw(links(features, True)), *tail)
    perturb(model, rng)
    return model.eval(), inputs(rng, shape)
