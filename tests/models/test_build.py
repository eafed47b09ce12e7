"""Building by name: what every network must do, whichever it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from model_calls import POSE, shallow

import bnn_ref
from bnn_ref import models
from bnn_ref.autodiff import Symbol, Tensor, backward, steps
from bnn_ref.binarizer import Binarizer, Scaled
from bnn_ref.layers import TENSOR_SCALE, HeatmapLoss, SoftmaxCrossEntropy
from bnn_ref.models import TWINS, Model, Spec, build
from bnn_ref.papers import PAPERS

Bits = Callable[[Model], Any]
Smallest = dict[str, dict[str, Any]]
NAMES = models.names()
SMALL: dict[str, dict[str, Any]] = {name: {"input_shape": (8, 8, 1)} for name in NAMES}
SMALL["vgg-small"]["width"] = 16
LARGE = {name: {"width": 4} for name in NAMES if name not in list(SMALL)[:5]}
TRANSFORMERS = [name for name in NAMES if "patch" in models.options(name)]
for name in set(LARGE) - set(POSE):
    SMALL[name] |= {"width": 4, "blocks": (2, 2)}
for name in POSE:
    SMALL[name] = {"input_shape": (32, 32, 1), "joints": 10, "width": 4, **shallow(name)}
    LARGE[name] = SMALL[name] | {"input_shape": (64, 32, 3), "joints": 3}
for name in TRANSFORMERS:
    LARGE[name] = {"width": 4, "heads": 2, "depth": 2, "patch": 4}
    SMALL[name] = {"input_shape": (8, 8, 1), **LARGE[name]}
REALS = [name for name in NAMES if name.startswith(("resnet-18", "resnet-34", "simplebaseline", "hrnet"))]
"""Nothing in them is binary."""


def drawn(name: str, count: int, seed: int = 0) -> Any:
    """Images that the small network takes."""
    shape = (count, *SMALL[name]["input_shape"])
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_every_name_has_a_smallest_size(smallest: Smallest) -> None:
    assert sorted(smallest) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("estimator", ["approxsign", "bnn++", *TWINS])
@pytest.mark.parametrize("size", ["default", "smallest"])
def test_images_become_scores(smallest: Smallest, name: str, estimator: str, size: str) -> None:
    options = smallest[name] if size == "smallest" else LARGE.get(name, {})
    model = build(name, estimator=estimator, classes=3, **options)
    shape = options.get("input_shape", (28, 28, 1))
    assert model.spec.input_shape == shape
    images = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    places = (shape[0] // 4, shape[1] // 4) if name in POSE else ()
    for mode in (True, False):
        scores = model.train(mode)(images)
        assert (scores.shape, scores.dtype) == ((2, *places, 3), np.float32)
        assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_receives_a_gradient(name: str) -> None:
    model = build(name, **SMALL[name])
    scores = model(Tensor(drawn(name, 16)))
    if name in POSE:
        weight = np.ones((16, 10), np.float32)
        backward(HeatmapLoss()(scores, np.ones_like(scores.value), weight))
    else:
        backward(SoftmaxCrossEntropy()(scores, np.random.default_rng(1).integers(0, 10, 16)))
    for key, parameter in model.named_parameters().items():
        assert parameter.grad is not None, key
        assert parameter.grad.dtype == np.float32, key
        assert parameter.grad.any(), key


@pytest.mark.parametrize("name", NAMES)
def test_tape_arrays_and_symbols_walk_the_same_network(name: str) -> None:
    model = build(name, **SMALL[name]).eval()
    images = drawn(name, 3)
    np.testing.assert_array_equal(model(images), model(Tensor(images)).value)
    start = Symbol()
    values: dict[int, Any] = {start.serial: images}
    for step in steps(model.compute(start))[1:]:
        values[step.serial] = step.layer(*(values[x.serial] for x in step.inputs))
    np.testing.assert_array_equal(values[max(values)], model(images))


@pytest.mark.parametrize("name", NAMES)
def test_one_seed_is_one_network(bits: Bits, name: str) -> None:
    np.random.seed(0)  # noqa: NPY002 (the global generator must not matter)
    first = bits(build(name, seed=3, **SMALL[name]))
    np.random.seed(1)  # noqa: NPY002
    assert bits(build(name, seed=3, **SMALL[name])) == first
    other = build(name, seed=4, **SMALL[name]).state_dict()
    for key, value in build(name, seed=3, **SMALL[name]).state_dict().items():
        if key.endswith("latent"):
            assert np.mean(value == other[key]) < 0.01, key  # float32 draws may coincide, a few of many


@pytest.mark.parametrize("name", NAMES)
def test_networks_of_one_seed_start_alike_whatever_the_estimator(bits: Bits, name: str) -> None:
    first = bits(build(name, estimator="approxsign", **SMALL[name]))
    for estimator in ("fda", "bnn++", *TWINS):
        assert bits(build(name, estimator=estimator, **SMALL[name])) == first


@pytest.mark.parametrize("name", NAMES)
def test_the_specification_survives_json_and_rebuilds_the_network(bits: Bits, name: str) -> None:
    own: dict[str, Any] = {"widths": [4, 6], "blocks": [1, 2], "pool": False}
    if name != "bireal-small":
        own = {"width": 6, **({"heads": 3, "patch": 2, "depth": 1} if name in TRANSFORMERS else {})}
        own |= shallow(name) if name in POSE else {}
    shape = [*SMALL[name]["input_shape"][:2], 2]
    model = build(
        name,
        input_shape=shape,
        classes=4,
        estimator="fda",
        parameters={"terms": 7},
        weight_estimator="tanh",
        weight_parameters={"beta": 3.5},
        scale="tensor",
        seed=9,
        **own,
    )
    spec = json.loads(json.dumps({"name": model.spec.name, "options": model.spec.options}))
    again = build(spec["name"], **spec["options"])
    assert again.spec == model.spec == Spec(name, model.spec.options)
    assert bits(again) == bits(model)
    images = np.random.default_rng(0).normal(size=(4, *shape)).astype(np.float32)
    np.testing.assert_array_equal(again(images), model(images))
    binary = [layer for _, layer in again.layers() if isinstance(getattr(layer, "weight", None), Scaled)]
    assert bool(binary) is (name not in REALS)
    for layer in binary:
        assert layer.activation.surrogate.terms == 7
        assert layer.weight.inner.surrogate.beta == 3.5
        assert layer.weight.scale == TENSOR_SCALE


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("name", NAMES)
def test_a_real_twin_binarizes_nothing(name: str, twin: str) -> None:
    scaled = {"scale": "tensor", **SMALL[name]}
    real, binary = (build(name, estimator=estimator, **scaled) for estimator in (twin, "approxsign"))
    assert not any(parameter.latent for parameter in real.parameters())
    assert any(parameter.latent for parameter in binary.parameters()) is (name not in REALS)
    for _, layer in real.layers():
        assert getattr(layer, "weight", None) is None
        assert not isinstance(getattr(layer, "activation", None), Binarizer)
    assert {k: p.value.shape for k, p in real.named_parameters().items()} == {
        k: p.value.shape for k, p in binary.named_parameters().items()
    }
    # with real weights behind it, each layer's products take many values, not odd or even integers only
    last = "final.latent" if name in POSE else "head.latent"
    assert len(np.unique(np.abs(real.state_dict()[last]))) > 2


@pytest.mark.parametrize(
    ("twin", "right", "left"), [("real", 1.0, -1.0), ("real-relu", 3.0, 0.0), ("real-leaky-clip", 1.2, -1.2)]
)
def test_a_twin_puts_its_curve_in_place_of_sign(twin: str, right: float, left: float) -> None:
    curves = [
        layer.activation for _, layer in build("mlp", estimator=twin).layers() if hasattr(layer, "latent")
    ]
    assert [curve is None for curve in curves] == [True, False, False, True]
    for curve in curves[1:-1]:
        np.testing.assert_allclose(curve(np.array([3.0, -3.0])), [right, left], rtol=1e-15)


@pytest.mark.parametrize("twin", TWINS)
def test_a_twin_is_audited_as_a_network(twin: str) -> None:
    model = build("bireal-small", estimator=twin, input_shape=(4, 4, 1), widths=[3, 4], blocks=[1, 1])
    images = np.random.default_rng(0).normal(size=(4, 4, 4, 1))
    report = bnn_ref.audit_model(model, SoftmaxCrossEntropy(), images, np.arange(4))
    assert report.passed, str(report)


def test_a_twin_takes_no_parameters() -> None:
    with pytest.raises(ValueError, match=r"parameters: required none with 'real-leaky-clip', got"):
        build("mlp", estimator="real-leaky-clip", parameters={"leak": 0.2})


@pytest.mark.parametrize("name", NAMES)
def test_state_moves_from_one_network_to_another(bits: Bits, name: str) -> None:
    source, target = build(name, seed=1, **SMALL[name]), build(name, seed=2, **SMALL[name])
    source.train()(drawn(name, 4))
    assert bits(target) != bits(source)
    target.load_state_dict(source.state_dict())
    assert bits(target) == bits(source)
    images = drawn(name, 4, 1)
    np.testing.assert_array_equal(target.eval()(images), source.eval()(images))


@pytest.mark.parametrize("name", NAMES)
def test_the_first_and_the_last_layer_are_real(name: str) -> None:
    products = [layer for _, layer in build(name, **SMALL[name]).layers() if hasattr(layer, "latent")]
    assert [products[0].activation, products[0].weight] == [None, None]
    assert [products[-1].activation, products[-1].weight] == [None, None]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        *((name, shape) for name in NAMES for shape in ((2, 8, 8, 2), (64,))),
        *((name, (2, 8, 8)) for name in NAMES if name != "mlp"),
    ],
)
def test_images_of_another_shape_are_refused(name: str, shape: tuple[int, ...]) -> None:
    """But for the perceptron, which flattens: (2, 8, 8) has its 64 pixels."""
    with pytest.raises(ValueError, match=r"required|must"):
        build(name, **SMALL[name])(np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "resnet-1000",
            {},
            "model: required one of mlp, cnn, bireal-small, resnet-20, vgg-small, .*; got 'resnet-1000'",
        ),
        ("mlp", {"estimator": "tang"}, "estimator: required one of identity-ste, .* got 'tang'"),
        ("mlp", {"weight_estimator": "unreal"}, "estimator: required one of .* got 'unreal'"),
        ("mlp", {"parameters": {"beta": 3}}, "approxsign: required parameters among .* got beta"),
        ("mlp", {"widths": (3,)}, "mlp: required options among width, depth; got widths"),
        ("cnn", {"depth": 3, "a": 1}, "cnn: required options among width; got a, depth"),
        *(
            ("mlp", {"width": bad}, "width: required a whole number >= 1, got")
            for bad in (0, -3, 2.0, "8", None)
        ),
        *(("mlp", {"classes": bad}, "classes: required a whole number >= 1") for bad in (0, -1, 2.5, True)),
        *(
            ("mlp", {"input_shape": bad}, "input_shape: required")
            for bad in ((8, 8), (8, 8, 1, 1), (), (8, 0, 1), (8, 8, -1), (8.0, 8, 1), (True, 8, 1))
        ),
        ("bireal-small", {"pool": 3}, "pool: required True or False, got 3"),
        ("bireal-small", {"widths": 8}, "widths: required a list of whole numbers >= 1, got 8"),
        *(
            ("mlp", {"scale": bad}, "scale: required one of none, channel, tensor, folded, got")
            for bad in ("yes", True, False, None, ["channel"])
        ),
        ("mlp", {"weight_parameters": {"slope": 3}}, "clipped-ste: required parameters among .* got slope"),
        ("mlp", {"weight_parameters": 3}, "weight_parameters: required a dictionary or None, got 3"),
        ("mlp", {"parameters": "zero=1"}, "parameters: required a dictionary or None, got 'zero=1'"),
        ("mlp", {"seed": -1}, "seed: required a whole number >= 0, got -1"),
        ("mlp", {"input_shape": 5}, "input_shape: required a list"),
        ("bireal-small", {"widths": ()}, "widths: required a list of whole numbers >= 1, got"),
        ("bireal-small", {"widths": (8, -8)}, r"widths: required a whole number >= 1, got -8"),
        ("bireal-small", {"blocks": (1, True)}, r"blocks: required a whole number >= 1, got True"),
        ("bireal-small", {"blocks": (1,)}, "blocks: required one number for each of the widths"),
        ("bireal-small", {"input_shape": (8, 6, 1)}, "input_shape: required H and W divisible by 4, got"),
        ("cnn", {"input_shape": (8, 3, 1)}, "input_shape: required at least 4 x 4 pixels, got 8 x 3"),
        ("resnet-20", {"width": 7}, "width: required an even number: .*, got 7"),
        ("resnet-20", {"blocks": ()}, "blocks: required a list of whole numbers >= 1, got"),
        ("bireal-18", {"shortcut": "none"}, "shortcut: required one of bireal, res, plain, got 'none'"),
        ("bireal-18", {"shortcut": 2}, "shortcut: required a word, got 2"),
        ("bireal-20", {"init": "he"}, "init: required one of glorot, released, got 'he'"),
        ("bireal-50", {"init": None}, "init: required a word, got None"),
        *(
            ("bireal-18", {"shortcut": "res", "blocks": blocks}, "blocks: required even numbers")
            for blocks in ((3, 5), (2, 1))
        ),
        *(
            ("vit-tiny", {"input_shape": shape}, "input_shape: required H and W divisible by 4, got")
            for shape in ((28, 30, 1), (30, 28, 1))
        ),
        ("vit-tiny", {"heads": 5}, "heads: required a divisor of 96 channels, got 5"),
        ("vit-tiny", {"ends": "head"}, "ends: required one of real, binary, got 'head'"),
        ("vit-tiny", {"ratio": 0}, "ratio: required a whole number >= 1, got 0"),
        ("cnn", {"estimator": "none"}, "estimator: required a nonlinearity: cnn has no other, got 'none'"),
        ("bireal-34", {"estimator": "none"}, "estimator: required a nonlinearity: bireal-34 has no other"),
        (
            "vit-tiny",
            {"estimator": "none", "parameters": {"zero": 1}},
            "parameters: required none with 'none'",
        ),
        *(
            (name, {"input_shape": (64, 48, 3)}, r"input_shape: required H and W divisible by 32, got \(64")
            for name in POSE
        ),
        ("hrnet-w32", {"input_shape": (8, 4, 3), "modules": (1,)}, "input_shape: .* divisible by 8, got"),
        ("hrnet-w32", {"modules": ()}, "modules: required a list of whole numbers >= 1, got"),
        (
            "simplebaseline-18",
            {"input_shape": (32, 32, 1), "blocks": (2, 2)},
            r"blocks: required four numbers: .*, got \(2, 2\)",
        ),
        *(
            ("sbpn", {"input_shape": (32, 32, 1), key: bad}, f"{key}: required one of {known}, got {bad!r}")
            for key, bad, known in (
                ("trunk", 50, "18, 34"),
                ("head", "conv", "upconv, deconv, real-deconv"),
                ("reduce", "fp", "fp1x1, binary"),
                ("upsample", "cubic", "nearest, bilinear"),
            )
        ),
        *(
            (
                "sbpn",
                {"input_shape": (32, 32, 1), "head": "deconv", key: other},
                "head: required 'upconv' for",
            )
            for key, other in (("reduce", "binary"), ("upsample", "bilinear"))
        ),
        (
            "bhrnet-w48",
            {"input_shape": (32, 32, 1), "precision": "E"},
            "precision: required one of A, B, C, D, got 'E'",
        ),
        (
            "vgg-small",
            {"input_shape": (8, 7, 1)},
            r"input_shape: required at least 8 x 8 pixels, got \(8, 7,",
        ),
    ],
)
def test_a_bad_option_is_named(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(name, **options)


def test_options_lists_names_and_defaults() -> None:
    assert models.options("mlp") == {"width": 128, "depth": 3}
    assert models.options("cnn") == {"width": 32}
    thirty_four = models.options("bireal-34")
    assert thirty_four == {"width": 64, "blocks": (6, 8, 12, 6), "shortcut": "bireal", "init": "glorot"}
    assert models.options("bireal-small") == {"widths": (32, 64), "blocks": (2, 2), "pool": True}
    with pytest.raises(ValueError, match="model: required one of"):
        models.options("resnet-1000")


@pytest.mark.parametrize("name", NAMES)
def test_every_network_says_in_one_sentence_whose_it_is(name: str) -> None:
    said = models.source(name)
    assert said.startswith("ours") or any(key in said for key in PAPERS)
    assert "\n" not in said
    assert not said.endswith(".")


def test_networks_of_which_only_names_are_published() -> None:
    assert models.reconstructed() == ["sbpn", "bhrnet-w32", "bhrnet-w48"]
    with pytest.raises(ValueError, match=r"model: required one of mlp, .*; got 'sbpn-2'"):
        models.source("sbpn-2")
