"""What holds for every layer, and for the tree of layers that a model is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest

from bnn_ref import autodiff, estimators, layers
from bnn_ref.annealing import Moment
from bnn_ref.autodiff import Tensor
from bnn_ref.basepoint import record, replay
from bnn_ref.binarizer import Binarizer, Compose, Map, Sign
from bnn_ref.estimators.dsq import SoftQuantizer
from bnn_ref.estimators.irnet import EDE
from bnn_ref.layers import (
    CHANNEL_SCALE,
    GELU,
    TENSOR_SCALE,
    Activation,
    Add,
    Attention,
    AttentionLoss,
    AvgPool2d,
    BatchNorm,
    BilinearUpsample,
    ChannelMeanAbs,
    ClassToken,
    Composite,
    Concat,
    Conv2d,
    ConvTranspose2d,
    DistributionLoss,
    FirstToken,
    Flatten,
    Gate,
    GlobalAvgPool,
    GroupedConv2d,
    GroupMean,
    HardTanh,
    HeatmapLoss,
    InputScale,
    LatentPenalty,
    Layer,
    LayerNorm,
    LeakyClip,
    Linear,
    MaxPool2d,
    MeanSquaredError,
    MultiHeadAttention,
    Multiply,
    NearestUpsample,
    OutputScale,
    PadShortcut,
    PatchEmbedding,
    Position,
    PReLU,
    ReLU,
    RPReLU,
    Sequential,
    SoftmaxCrossEntropy,
    SquaredHinge,
    TakeChannels,
    TileChannels,
    Tokens,
    XnorConv2d,
)


@dataclass(frozen=True)
class Case:
    """How a layer is made, the shapes of its inputs, and the classes of its labels (0: it takes none)."""

    make: Callable[[np.random.Generator], Layer]
    shapes: tuple[tuple[int, ...], ...]
    classes: int = 0

    def layer(self, dtype: Any) -> Layer:
        return self.make(np.random.default_rng(0)).astype(dtype)

    def inputs(self, dtype: Any, seed: int = 1) -> list[Any]:
        rng = np.random.default_rng(seed)
        xs = [rng.normal(size=shape).astype(dtype) for shape in self.shapes]
        if np.dtype(dtype).kind == "c":
            xs = [x + 0.1j * rng.normal(size=x.shape) for x in xs]
        return [*xs, rng.integers(0, self.classes, len(xs[0]))] if self.classes else xs


STE = estimators.get("ste")
XNOR: dict[str, Any] = {"activation": STE, "weight": STE, "scale": CHANNEL_SCALE}
LEARNED = Binarizer(Sign(), SoftQuantizer(0.3, learn=True))
IMAGE = (2, 4, 5, 3)


class Residual(Composite):
    """relu(norm(conv(x)) + x), whose inner tape reuses x."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.conv = Conv2d(3, 3, 3, padding=1, rng=rng, activation=STE, weight=STE, scale=CHANNEL_SCALE)
        self.norm, self.add, self.last = BatchNorm(3), Add(), [PReLU(3)]

    def compute(self, x: Any) -> Any:
        return self.last[0](self.add(self.norm(self.conv(x)), x))


CASES = {
    "penalty-r1": Case(lambda rng: LatentPenalty(1, 0.5, 0.4), ((3, 3, 2, 4),)),
    "penalty-r2": Case(lambda rng: LatentPenalty(2, 0.5, 0.4), ((3, 3, 2, 4),)),
    "linear": Case(lambda rng: Linear(3, 3, rng=rng), ((4, 3),)),
    "binary-linear": Case(
        lambda rng: Linear(3, 2, rng=rng, activation=STE, weight=STE, scale=CHANNEL_SCALE), ((4, 3),)
    ),
    "learned-linear": Case(lambda rng: Linear(3, 3, rng=rng, activation=LEARNED, weight=LEARNED), ((4, 3),)),
    "conv": Case(lambda rng: Conv2d(3, 2, 2, stride=2, padding=1, bias=True, rng=rng), (IMAGE,)),
    "binary-conv": Case(
        lambda rng: Conv2d(3, 3, 3, padding=1, rng=rng, activation=STE, weight=STE, scale=CHANNEL_SCALE),
        (IMAGE,),
    ),
    "one-scale-conv": Case(
        lambda rng: Conv2d(3, 2, 2, rng=rng, activation=STE, weight=STE, scale=TENSOR_SCALE), (IMAGE,)
    ),
    "transposed": Case(
        lambda rng: ConvTranspose2d(3, 2, 4, stride=2, padding=1, bias=True, rng=rng), (IMAGE,)
    ),
    "binary-transposed": Case(
        lambda rng: ConvTranspose2d(3, 2, 3, stride=2, padding=1, rng=rng, **XNOR), (IMAGE,)
    ),
    "nearest": Case(lambda rng: NearestUpsample(), (IMAGE,)),
    "bilinear": Case(lambda rng: BilinearUpsample(3), (IMAGE,)),
    "tiled": Case(lambda rng: TileChannels(2), (IMAGE,)),
    "group-mean": Case(lambda rng: GroupMean(3), (IMAGE,)),
    "norm": Case(lambda rng: BatchNorm(3), (IMAGE,)),
    "norm-rows": Case(lambda rng: BatchNorm(3), ((5, 3),)),
    "norm-eval": Case(lambda rng: BatchNorm(3).eval(), (IMAGE,)),
    "prelu": Case(lambda rng: PReLU(3), (IMAGE,)),
    "relu": Case(lambda rng: ReLU(), (IMAGE,)),
    "hard-tanh": Case(lambda rng: HardTanh(), (IMAGE,)),
    "leaky-clip": Case(lambda rng: LeakyClip(), (IMAGE,)),
    "binarizer": Case(lambda rng: Activation(STE), (IMAGE,)),
    "max": Case(lambda rng: MaxPool2d(2, 1), (IMAGE,)),
    "average": Case(lambda rng: AvgPool2d(3, 2, 1), (IMAGE,)),
    "max-over": Case(lambda rng: MaxPool2d(3, 2, ceil=True), (IMAGE,)),
    "average-over": Case(lambda rng: AvgPool2d(2, ceil=True), (IMAGE,)),
    "global": Case(lambda rng: GlobalAvgPool(), (IMAGE,)),
    "flatten": Case(lambda rng: Flatten(), (IMAGE,)),
    "add": Case(lambda rng: Add(), ((2, 3), (2, 3))),
    "concat": Case(lambda rng: Concat(), ((2, 4, 5, 3), (2, 4, 5, 2))),
    "rprelu": Case(lambda rng: RPReLU(3), (IMAGE,)),
    "rsign": Case(lambda rng: Activation(estimators.get("rsign"), shape=(3,)), (IMAGE,)),
    "pixel-factor": Case(lambda rng: Multiply(), (IMAGE, (2, 4, 5, 1))),
    "channel-factor": Case(lambda rng: Multiply(), (IMAGE, (2, 3))),
    "mean-abs": Case(lambda rng: ChannelMeanAbs(), (IMAGE,)),
    "input-scale": Case(lambda rng: InputScale(3, 2, 1), (IMAGE,)),
    "xnor": Case(lambda rng: XnorConv2d(Conv2d(3, 2, 3, padding=1, rng=rng, **XNOR)), (IMAGE,)),
    **{
        f"output-scale-{case}": Case(lambda rng, case=case: OutputScale(3, (4, 5), case), (IMAGE,))
        for case in (1, 2, 3, 4)
    },
    "gate": Case(lambda rng: Gate(3, 2, 2, rng=rng), (IMAGE, (2, 3, 4, 2))),
    "irnet-conv": Case(lambda rng: Conv2d(3, 3, 3, rng=rng, weight=estimators.get("irnet-weight")), (IMAGE,)),
    "rbnn-conv": Case(lambda rng: Conv2d(3, 3, 3, rng=rng, weight=estimators.get("rbnn-weight")), (IMAGE,)),
    "layer-norm": Case(lambda rng: LayerNorm(3), (IMAGE,)),
    "gelu": Case(lambda rng: GELU(), (IMAGE,)),
    "scores": Case(lambda rng: Attention(2), ((2, 3, 6), (2, 4, 6), (2, 4, 6))),
    "self-attention": Case(
        lambda rng: MultiHeadAttention(6, 3, lambda c, f: Linear(c, f, rng=rng, **XNOR)), ((2, 4, 6),)
    ),
    "tokens": Case(lambda rng: Tokens(), (IMAGE,)),
    "class-token": Case(lambda rng: ClassToken(3, rng=rng), ((2, 4, 3),)),
    "position": Case(lambda rng: Position(4, 3, rng=rng), ((2, 4, 3),)),
    "first-token": Case(lambda rng: FirstToken(), ((2, 4, 3),)),
    "patches": Case(
        lambda rng: PatchEmbedding(Conv2d(3, 5, 2, stride=2, bias=True, rng=rng), (4, 6), rng=rng),
        ((2, 4, 6, 3),),
    ),
    "distribution": Case(lambda rng: DistributionLoss(), ((4, 3), (4, 3))),
    "attention": Case(lambda rng: AttentionLoss(), (IMAGE, (2, 4, 5, 2))),
    "take-channels": Case(lambda rng: TakeChannels(1, 3), (IMAGE,)),
    "grouped-conv": Case(
        lambda rng: GroupedConv2d(4, 6, 3, 2, stride=2, padding=1, bias=True, rng=rng, **XNOR),
        ((2, 4, 5, 4),),
    ),
    "pad-shortcut": Case(lambda rng: PadShortcut(2, 1), (IMAGE,)),
    "entropy": Case(lambda rng: SoftmaxCrossEntropy(), ((4, 3),), 3),
    "hinge": Case(lambda rng: SquaredHinge(), ((4, 3),), 3),
    "square": Case(lambda rng: MeanSquaredError(), ((4, 3), (4, 3))),
    "heat-maps": Case(lambda rng: HeatmapLoss(), (IMAGE, IMAGE, (2, 3))),
    "sequential": Case(lambda rng: Sequential(BatchNorm(3), ReLU(), MaxPool2d(2)), (IMAGE,)),
    "composite": Case(Residual, (IMAGE,)),
}
SQUARE = [
    "linear",
    "learned-linear",
    "binary-conv",
    "norm",
    "norm-eval",
    "prelu",
    "relu",
    "binarizer",
    "composite",
]
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def tupled(grads: Any) -> tuple[Any, ...]:
    return grads if isinstance(grads, tuple) else (grads,)


def gradients(layer: Layer) -> dict[str, Any]:
    return {name: p.grad for name, p in layer.named_parameters().items()}


def test_every_public_layer_has_a_case() -> None:
    public = {held for held in vars(layers).values() if isinstance(held, type) and issubclass(held, Layer)}
    bases = {Layer, Composite, layers.Product}
    made = {type(case.make(np.random.default_rng(0))) for case in CASES.values()}
    assert public - bases <= made


@EVERY
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_the_dtype_is_kept_forward_and_backward(case: Case, dtype: Any) -> None:
    layer, xs = case.layer(dtype), case.inputs(dtype)
    y, cache = layer.forward(*xs)
    assert isinstance(y, np.ndarray)
    assert y.dtype == dtype
    for x, dx in zip(xs, tupled(layer.backward(np.ones_like(y), cache)), strict=True):
        if x.dtype.kind in "iu":
            assert dx is None, "labels have no gradient"
            continue
        assert dx.shape == x.shape
        assert dx.dtype == x.dtype
    for parameter in layer.parameters():
        assert parameter.grad is None or parameter.grad.dtype == dtype
    assert all(value.dtype == dtype for value in layer.state_dict().values())


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if not case.classes])
def test_the_output_shape_is_the_output_s_shape(name: str) -> None:
    case = CASES[name]
    y, _ = case.layer(np.float32).forward(*case.inputs(np.float32))
    layer = case.layer(np.float32)
    before = layer.state_dict()
    assert layer.output_shape(*(shape[1:] for shape in case.shapes)) == y.shape[1:]
    assert all(np.array_equal(value, before[key]) for key, value in layer.state_dict().items())


@pytest.mark.parametrize(
    ("layer", "shapes", "reason"),
    [
        (Linear(3, 2, rng=np.random.default_rng(0)), [(2,)], "3 channels"),
        (Conv2d(3, 2, 1, rng=np.random.default_rng(0)), [(4, 4, 2)], "3 channels"),
        (Conv2d(3, 2, 1, rng=np.random.default_rng(0)), [(4, 3)], "H, W, C"),
        (Conv2d(3, 2, 5, rng=np.random.default_rng(0)), [(4, 4, 3)], "size 4"),
        (ConvTranspose2d(3, 2, 2, rng=np.random.default_rng(0)), [(4, 4, 2)], "3 channels"),
        (ConvTranspose2d(3, 2, 2, rng=np.random.default_rng(0)), [(4, 3)], "H, W, C"),
        (ConvTranspose2d(3, 2, 2, padding=1, rng=np.random.default_rng(0)), [(1, 1, 3)], "padding 1"),
        (NearestUpsample(), [(4, 3)], "H, W, C"),
        (GroupMean(2), [(4, 4, 3)], "divisible by 2"),
        (BatchNorm(3), [(4, 4, 2)], "3 channels"),
        (PReLU(3), [(4, 4, 2)], "3 channels"),
        (MaxPool2d(2), [(4, 3)], "H, W, C"),
        (GlobalAvgPool(), [(3,)], "H, W, C"),
        (Add(), [(4, 3), (4, 2)], "one shape"),
        (Concat(), [(4, 3), (5, 3)], "channels only"),
        (LayerNorm(3), [(4, 2)], "3 channels"),
        (Attention(2), [(4, 6), (4, 6), (5, 6)], r"\(T, D\), \(S, D\)"),
        (Attention(2), [(4, 6), (5, 4), (5, 4)], r"\(T, D\), \(S, D\)"),
        (Attention(2), [(4, 5), (4, 5), (4, 5)], "divisible by 2"),
        (Tokens(), [(3,)], r"\(\.\.\., C\)"),
        (ClassToken(3, rng=np.random.default_rng(0)), [(4, 2)], r"\(T, 3\)"),
        (Position(4, 3, rng=np.random.default_rng(0)), [(3, 3)], r"\(4, 3\)"),
        (FirstToken(), [(3,)], r"\(T, C\)"),
        (Multiply(), [(4, 5, 3), (4, 1)], "H, W, 1"),
        (ChannelMeanAbs(), [(4, 3)], "H, W, C"),
        (OutputScale(3, (4, 5)), [(5, 4, 3)], "4, 5, 3"),
    ],
)
def test_shapes_that_a_layer_cannot_take(layer: Layer, shapes: list[Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        layer.output_shape(*shapes)


def test_the_shape_of_a_layer_without_a_rule_is_found_in_eval_mode_and_leaves_no_trace() -> None:
    class Own(Layer):
        def __init__(self) -> None:
            self.norm = BatchNorm(2)
            self.frozen = BatchNorm(2).eval()

        def forward(self, x: Any, **named: Any) -> Any:
            assert not self.training
            return self.frozen(self.norm(x))[:, ::2], None

    layer = Own()
    before = layer.state_dict()
    assert layer.output_shape((5, 4, 2)) == (3, 4, 2)
    assert (layer.training, layer.norm.training, layer.frozen.training) == (True, True, False)
    assert all(np.array_equal(value, before[key]) for key, value in layer.state_dict().items())
    with pytest.raises(ValueError, match="2 channels"):
        layer.output_shape((5, 4, 3))
    assert (layer.training, layer.norm.training, layer.frozen.training) == (True, True, False)


@EVERY
def test_nothing_that_comes_in_is_written_to(case: Case, read_only: Callable[[Any], Any]) -> None:
    layer = case.layer(np.float64)
    for parameter in layer.parameters():
        parameter.value = read_only(parameter.value)
    xs = [read_only(x) for x in case.inputs(np.float64)]
    y, cache = layer.forward(*xs)
    dy = read_only(np.random.default_rng(2).normal(size=y.shape))
    y.flags.writeable = False
    first, again = (tupled(layer.backward(dy, cache)) for _ in range(2))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    for one, two in zip(xs, case.inputs(np.float64), strict=True):
        np.testing.assert_array_equal(one, two)


@EVERY
def test_strides_do_not_matter(case: Case) -> None:
    """Fortran order, every second of a larger array, read backwards; and a broadcast gradient."""
    layer, xs = case.layer(np.float64), case.inputs(np.float64)
    y, cache = layer.forward(*xs)
    expected = tupled(layer.backward(np.full(y.shape, 0.5), cache))
    for form in (np.asfortranarray, lambda x: np.repeat(x, 2, axis=0)[::2], lambda x: x[::-1].copy()[::-1]):
        layer = case.layer(np.float64)
        other, cache = layer.forward(*(form(x) for x in xs))
        np.testing.assert_allclose(other, y, rtol=1e-14, atol=1e-15)
        dy = np.broadcast_to(np.float64(0.5), y.shape)
        for one, two in zip(tupled(layer.backward(dy, cache)), expected, strict=True):
            if two is not None:
                np.testing.assert_allclose(one, two, rtol=1e-12, atol=1e-14)


@EVERY
def test_backward_is_the_derivative_of_the_recorded_forward(case: Case) -> None:
    """Along one random direction a tensor: inputs and parameters, with the decisions of the base point."""
    layer, xs = case.layer(np.float64), case.inputs(np.float64)
    with record() as point:
        y, cache = layer.forward(*xs)
    np.testing.assert_array_equal(y, case.layer(np.float64).forward(*xs)[0])
    rng = np.random.default_rng(3)
    dy = rng.normal(size=y.shape)
    dxs = tupled(layer.backward(dy, cache))

    def along(move: Callable[[Layer, list[Any]], None]) -> float:
        twin, moved = case.layer(np.complex128), list(xs)
        move(twin, moved)
        with replay(point):
            return np.sum(dy * twin.forward(*moved)[0]).imag / 1e-30

    for i, (x, dx) in enumerate(zip(xs, dxs, strict=True)):
        if x.dtype.kind == "f":
            v = rng.normal(size=x.shape)

            def move_input(twin: Layer, moved: list[Any], i: int = i, v: Any = v) -> None:
                moved[:] = [z + 0j if z.dtype.kind == "f" else z for z in moved]
                moved[i] = moved[i] + 1e-30j * v

            np.testing.assert_allclose(np.sum(dx * v), along(move_input), rtol=1e-11, atol=1e-12)
    for name, parameter in layer.named_parameters().items():
        if parameter.grad is not None:
            v = rng.normal(size=parameter.value.shape)

            def move_parameter(twin: Layer, moved: list[Any], name: str = name, v: Any = v) -> None:
                moved[:] = [z + 0j if z.dtype.kind == "f" else z for z in moved]
                held = twin.named_parameters()[name]
                held.value = held.value + 1e-30j * v

            np.testing.assert_allclose(
                np.sum(parameter.grad * v), along(move_parameter), rtol=1e-11, atol=1e-12, err_msg=name
            )


@EVERY
def test_every_call_has_its_own_cache(case: Case) -> None:
    """Two forwards, then the backwards in the wrong order: each gives what it gives alone."""
    first, second = case.inputs(np.float64), case.inputs(np.float64, seed=9)
    alone = []
    for xs in (first, second):
        layer = case.layer(np.float64)
        y, cache = layer.forward(*xs)
        alone.append((tupled(layer.backward(np.ones_like(y), cache)), gradients(layer)))
    layer = case.layer(np.float64)
    y, cache = layer.forward(*first)
    other, other_cache = layer.forward(*second)
    for (expected, _), dy, at in ((alone[0], y, cache), (alone[1], other, other_cache)):
        for dx, wanted in zip(tupled(layer.backward(np.ones_like(dy), at)), expected, strict=True):
            np.testing.assert_array_equal(dx, wanted)
    for name, grad in gradients(layer).items():
        if grad is not None:
            np.testing.assert_allclose(grad, alone[0][1][name] + alone[1][1][name], rtol=1e-13, atol=1e-15)


@EVERY
def test_a_layer_called_twice_in_one_graph_adds_up(case: Case) -> None:
    """layer(x) + layer(x): twice the value, twice the gradient; x is reused, so are the parameters."""
    once, xs = case.layer(np.float64), case.inputs(np.float64)
    y, cache = once.forward(*xs)
    dy = np.random.default_rng(4).normal(size=y.shape)
    expected = tupled(once.backward(dy, cache))
    twice, tensors = case.layer(np.float64), [Tensor(x) if x.dtype.kind == "f" else x for x in xs]
    output = Add()(twice(*tensors), twice(*tensors))
    np.testing.assert_array_equal(output.value, y + y)
    autodiff.backward(output, dy)
    for tensor, dx in zip(tensors, expected, strict=True):
        if isinstance(tensor, Tensor):
            np.testing.assert_allclose(tensor.grad, 2 * dx, rtol=1e-14)
    for name, grad in gradients(twice).items():
        if grad is not None:
            np.testing.assert_allclose(grad, 2 * gradients(once)[name], rtol=1e-14)


@pytest.mark.parametrize("name", SQUARE)
def test_the_gradient_of_f_of_f_and_of_f_plus_x(name: str) -> None:
    layer, xs = CASES[name].layer(np.float64), CASES[name].inputs(np.float64)
    y, cache = layer.forward(*xs)
    dy = np.random.default_rng(5).normal(size=y.shape)
    dx = layer.backward(dy, cache)
    x = Tensor(xs[0])
    autodiff.backward(Add()(layer(x), x), dy)
    np.testing.assert_allclose(x.grad, dx + dy, rtol=1e-14, atol=1e-15)
    _, outer = layer.forward(y)
    _, inner = layer.forward(xs[0])
    expected = layer.backward(layer.backward(dy, outer), inner)
    x = Tensor(xs[0])
    autodiff.backward(layer(layer(x)), dy)
    np.testing.assert_allclose(x.grad, expected, rtol=1e-14, atol=1e-15)


@EVERY
def test_arrays_are_just_computed_and_tensors_recorded(case: Case, monkeypatch: Any) -> None:
    layer, xs = case.layer(np.float64), case.inputs(np.float64)
    output = layer(Tensor(xs[0]), *xs[1:])
    assert isinstance(output, Tensor)
    assert output.call.layer is layer
    assert output.call.inputs[0].value is xs[0]
    monkeypatch.setattr(autodiff, "call", lambda *_: pytest.fail("recorded"))
    monkeypatch.setattr(layers.base, "Tensor", type("Never", (), {}))
    y = layer(*xs)
    assert isinstance(y, np.ndarray)
    np.testing.assert_array_equal(y, output.value)


# The tree


def tree() -> Sequential:
    rng = np.random.default_rng(0)
    return Sequential(
        Conv2d(2, 3, 1, rng=rng, activation=LEARNED, weight=STE),
        Sequential(BatchNorm(3), PReLU(3)),
        Flatten(),
        Linear(3, 2, rng=rng),
    )


NAMES = [
    "parts.0.latent",
    "parts.0.activation.alpha",
    "parts.1.parts.0.gamma",
    "parts.1.parts.0.beta",
    "parts.1.parts.1.slope",
    "parts.3.latent",
    "parts.3.bias",
]
BUFFERS = ["parts.1.parts.0.running_mean", "parts.1.parts.0.running_var"]


def test_names_are_dotted_paths() -> None:
    model = tree()
    assert list(model.named_parameters()) == NAMES
    assert list(model.named_buffers()) == BUFFERS
    assert list(model.state_dict()) == NAMES + BUFFERS
    assert [p.value.shape for p in model.parameters()] == [(1, 1, 2, 3), (), (3,), (3,), (3,), (3, 2), (2,)]
    assert [name for name, _ in model.layers()] == [
        "",
        "parts.0",
        "parts.1",
        "parts.1.parts.0",
        "parts.1.parts.1",
        "parts.2",
        "parts.3",
    ]


def test_shared_parameters_have_one_name() -> None:
    rng = np.random.default_rng(0)
    first, second = Linear(2, 2, rng=rng), Linear(2, 2, rng=rng)
    second.latent = first.latent
    model = Sequential(first, second, first)
    assert list(model.named_parameters()) == ["parts.0.latent", "parts.0.bias", "parts.1.bias"]
    model.astype(np.float64)
    autodiff.backward(model(Tensor(np.ones((1, 2)))), np.ones((1, 2)))
    w = first.latent.value
    numeric = np.empty((2, 2))
    for at in np.ndindex(2, 2):
        move = np.zeros((2, 2), complex)
        move[at] = 1e-30j
        numeric[at] = (np.ones(2) @ np.linalg.matrix_power(w + move, 3)).sum().imag / 1e-30
    np.testing.assert_allclose(first.latent.grad, numeric, rtol=1e-13)


def test_state_goes_round() -> None:
    model, other = tree(), tree()
    rng = np.random.default_rng(1)
    state = {name: rng.random(value.shape).astype(np.float32) for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    other.load_state_dict(model.state_dict())
    assert list(other.state_dict()) == list(state)
    for name, value in other.state_dict().items():
        np.testing.assert_array_equal(value, state[name])


def test_state_is_a_copy_both_ways() -> None:
    model = tree()
    for value in model.state_dict().values():
        value[...] = 99
    assert not any(np.any(value == 99) for value in model.state_dict().values())
    state = model.state_dict()
    model.load_state_dict(state)
    before = model.state_dict()
    for value in state.values():
        value[...] = 99
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_loading_keeps_the_models_dtype_and_its_parameters_identities() -> None:
    model = tree()
    held = model.parameters()
    model.load_state_dict({k: v.astype(np.float64) for k, v in model.state_dict().items()})
    assert all(value.dtype == np.float32 for value in model.state_dict().values())
    assert all(now is then for now, then in zip(model.parameters(), held, strict=True))


def without(state: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in state.items() if key != name}


LAST = BUFFERS[-1]
BROKEN = {
    "missing": (partial(without, name=LAST), f"required '{LAST}' \\(and 0 more\\), which is missing"),
    "all-missing": (lambda s: {}, r"\(and 8 more\), which is missing"),
    "unknown": (
        lambda s: s | {"head.bias": s[LAST]},
        r"got 'head.bias' \(and 0 more\), which the model lacks",
    ),
    "shape": (lambda s: s | {LAST: np.zeros(4)}, r"required shape \(3,\), got \(4,\)"),
    "transposed": (lambda s: s | {"parts.3.latent": s["parts.3.latent"].T}, r"shape \(3, 2\), got \(2, 3\)"),
}


@pytest.mark.parametrize(("spoil", "message"), BROKEN.values(), ids=BROKEN.keys())
def test_a_state_that_does_not_fit_changes_nothing(spoil: Any, message: str) -> None:
    model = tree()
    before = model.state_dict()
    with pytest.raises(ValueError, match=message):
        model.load_state_dict(spoil({name: value + 1 for name, value in before.items()}))
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("bad", [np.full(3, "x"), np.full(3, 1j)])
def test_a_state_that_cannot_be_converted_changes_nothing(bad: Any) -> None:
    model = tree()
    before = model.state_dict()
    with pytest.raises((ValueError, TypeError, Warning)):
        model.load_state_dict({name: value + 1 for name, value in before.items()} | {LAST: bad})
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_astype_converts_everything_and_forgets_gradients(dtype: Any) -> None:
    model = tree()
    before = model.state_dict()
    for parameter in model.parameters():
        parameter.accumulate(np.ones_like(parameter.value))
    assert model.astype(dtype) is model
    for name, value in model.state_dict().items():
        assert value.dtype == dtype
        np.testing.assert_array_equal(value, before[name])
    assert all(parameter.grad is None for parameter in model.parameters())


def test_astype_refuses_what_holds_no_fractions() -> None:
    with pytest.raises((TypeError, ValueError)):
        tree().astype(np.int64)


def test_zero_grad_reaches_every_parameter() -> None:
    model = tree()
    for parameter in model.parameters():
        parameter.accumulate(np.ones_like(parameter.value))
    model.zero_grad()
    assert [parameter.grad for parameter in model.parameters()] == [None] * len(NAMES)


def test_train_and_eval_reach_every_layer() -> None:
    model = tree()
    assert all(layer.training for _, layer in model.layers())
    assert model.eval() is model
    assert not any(layer.training for _, layer in model.layers())
    assert model.train() is model
    assert all(layer.training for _, layer in model.layers())
    assert Layer.training, "the class keeps its default"


def test_anneal_moves_every_binarizer_wherever_it_hangs() -> None:
    rng = np.random.default_rng(0)
    ede, soft = estimators.get("ede"), estimators.get("bnn++")
    model = Sequential(
        Linear(2, 2, rng=rng, activation=ede, weight=soft, scale=CHANNEL_SCALE),
        Sequential(Linear(2, 2, rng=rng, activation=Compose((ede, STE)), weight=STE)),
        Activation(soft),
    )
    first, second, third = model.parts[0], model.parts[1].parts[0], model.parts[2]

    def values() -> tuple[float, ...]:
        return (
            first.activation.surrogate.t,
            first.weight.inner.surrogate.beta,
            second.activation.maps[0].surrogate.t,
            third.curve.forward.beta,
        )

    assert values() == (1.0, 5.0, 1.0, 5.0)
    model.anneal(Moment.of_epoch(2, 5))
    assert values() == pytest.approx((10 ** (2 * 0.4 - 1), 20**0.5 * 2**0.5, 10 ** (2 * 0.4 - 1), 40**0.5))
    model.anneal(Moment.of_epoch(0, 5))
    assert values() == pytest.approx((0.1, 2.0, 0.1, 2.0))
    assert second.weight.surrogate == STE.surrogate
    assert ede.surrogate == EDE(), "the table's own entry stays"


def test_anneal_keeps_learned_parameters() -> None:
    model = tree()
    alpha = model.named_parameters()["parts.0.activation.alpha"]
    model.parts[0].activation = Compose((estimators.get("ede"), model.parts[0].activation))
    model.anneal(Moment.at(0.5))
    assert [p for p in model.parameters() if p is alpha] == [alpha]


def test_what_a_layer_lacks_is_named() -> None:
    class Half(Layer):
        pass

    with pytest.raises(TypeError, match="Half has no forward"):
        Half()(np.ones(1))
    with pytest.raises(TypeError, match="Half has no backward"):
        Half().backward(np.ones(1), None)
    with pytest.raises(TypeError, match="no compute"):
        Composite()(np.ones(1))


# Composites


def test_a_composite_equals_its_parts_flat() -> None:
    """Its own tape inside a tape gives bit for bit what the same calls give without it."""
    rng = np.random.default_rng(6)
    nested = Residual(np.random.default_rng(0)).astype(np.float64)
    flat = Residual(np.random.default_rng(0)).astype(np.float64)
    x, dy = rng.normal(size=IMAGE), rng.normal(size=IMAGE)
    one, two = Tensor(x), Tensor(x)
    autodiff.backward(nested(one), dy)
    autodiff.backward(flat.compute(two), dy)
    np.testing.assert_array_equal(one.grad, two.grad)
    for name, grad in gradients(nested).items():
        np.testing.assert_array_equal(grad, gradients(flat)[name])


class Fork(Composite):
    """The second input is not used."""

    def compute(self, a: Any, b: Any) -> Any:
        return a


def test_an_input_without_influence_has_gradient_zero() -> None:
    a, b = Tensor(np.ones(2)), Tensor(np.ones((3, 1)))
    output = Fork()(a, b)
    autodiff.backward(output, np.array([5.0, 7.0]))
    assert a.grad.tolist() == [5, 7]
    assert b.grad.tolist() == [[0], [0], [0]]


def test_an_empty_sequence_is_the_identity() -> None:
    x, dy = np.array([1.0, 2]), np.array([3.0, 4])
    y, cache = Sequential().forward(x)
    assert y is x
    assert Sequential().backward(dy, cache).tolist() == [3, 4]


# What a layer finds of itself


@pytest.mark.parametrize("hold", [lambda part: (part,), lambda part: {"a": part}, lambda part: [[part]]])
def test_child_layers_are_found_or_refused(hold: Any) -> None:
    class Holder(Composite):
        def __init__(self) -> None:
            self.parts = hold(Linear(1, 1, rng=np.random.default_rng(0)))

    assert len(Holder().parameters()) == 2


@pytest.mark.parametrize(
    "rule",
    [
        Compose((SoftQuantizer(0.2, learn=True), SoftQuantizer(0.3, learn=True))),
        Binarizer(SoftQuantizer(0.2, learn=True), SoftQuantizer(0.3, learn=True)),
    ],
)
def test_every_parameter_of_a_map_is_trained_and_saved(rule: Map) -> None:
    layer = Linear(2, 2, rng=np.random.default_rng(0), activation=rule)
    assert len(layer.activation.parameters()) == 2
    assert len(layer.parameters()) == 4


def test_shared_buffers_have_one_name() -> None:
    norm = BatchNorm(2)
    assert len(Sequential(norm, norm).state_dict()) == 4


def test_an_activation_layer_learns_what_its_curve_says_it_learns() -> None:
    assert len(Activation(SoftQuantizer(learn=True)).parameters()) == 1


def test_annealing_does_not_take_a_learned_parameter_away() -> None:
    @dataclass(frozen=True)
    class Law:
        def __call__(self, moment: Moment) -> dict[str, float]:
            return {"alpha": 0.1}

    rule = Binarizer(Sign(), SoftQuantizer(0.3, learn=True), law=Law())
    layer = Linear(2, 2, rng=np.random.default_rng(0), activation=rule)
    layer.anneal(Moment.at(0.5))
    assert len(layer.parameters()) == 3
