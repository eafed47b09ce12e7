"""Names and axes of the release, written down once more by hand, and there and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bnn_ref.models import Model, build, from_pytorch

SIZE: dict[str, Any] = {"input_shape": (32, 32, 3), "classes": 7, "width": 4, "scale": "channel"}


def shapes(blocks: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Every name of a released network of 4, 8, 16 ... channels, with its shape there."""
    found: dict[str, tuple[int, ...]] = {"conv1.weight": (4, 3, 7, 7)}

    def norm(name: str, channels: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            found[f"{name}.{part}"] = (channels,)

    norm("bn1", 4)
    before = 4
    for stage, count in enumerate(blocks):
        channels = 4 * 2**stage
        for i in range(count):
            block = f"layer{stage + 1}.{i}"
            found[f"{block}.binary_conv.weight"] = (before * channels * 9, 1)
            norm(f"{block}.bn1", channels)
            if before != channels:
                found[f"{block}.downsample.1.weight"] = (channels, before, 1, 1)
                norm(f"{block}.downsample.2", channels)
            before = channels
    found["fc.weight"], found["fc.bias"] = (7, before), (7,)
    return found


def drawn(blocks: tuple[int, ...]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {key: rng.normal(size=shape).astype(np.float32) for key, shape in shapes(blocks).items()}


@pytest.mark.parametrize(("name", "blocks"), [("bireal-18", (4, 4, 4, 4)), ("bireal-34", (6, 8, 12, 6))])
def test_every_tensor_of_the_release_has_its_place(name: str, blocks: tuple[int, ...]) -> None:
    model, state = build(name, **SIZE), drawn(blocks)
    ours = from_pytorch(model, state)
    model.load_state_dict(ours)
    own = model.state_dict()
    assert sorted(own) == sorted(ours)
    numbers = np.sort(np.concatenate([value.ravel() for value in own.values()]))
    theirs = np.sort(np.concatenate([value.ravel() for value in state.values()]))
    np.testing.assert_array_equal(numbers, theirs)  # nothing lost, nothing twice


def test_axes() -> None:
    """Filter f, channel c, row i, column j, wherever they stand."""
    state = drawn((4, 4, 4, 4))
    ours = from_pytorch(build("bireal-18", **SIZE), state)
    stem, whole = ours["stem.parts.0.latent"], state["conv1.weight"]
    first = state["layer2.0.binary_conv.weight"].ravel()
    for f, c, i, j in ((0, 0, 0, 0), (3, 2, 6, 1), (1, 2, 0, 5)):
        assert stem[i, j, c, f] == whole[f, c, i, j]
    for f, c, i, j in ((0, 0, 0, 0), (7, 3, 2, 1), (5, 0, 1, 2)):
        assert ours["body.parts.4.branch.parts.0.latent"][i, j, c, f] == first[36 * f + 9 * c + 3 * i + j]
    assert ours["head.latent"][31, 6] == state["fc.weight"][6, 31]
    for own, name in (("gamma", "weight"), ("beta", "bias"), ("running_mean", "running_mean")):
        key = f"body.parts.15.branch.parts.1.{own}"
        np.testing.assert_array_equal(ours[key], state[f"layer4.3.bn1.{name}"])
        key = f"body.parts.12.shortcut.parts.2.{own}"
        np.testing.assert_array_equal(ours[key], state[f"layer4.0.downsample.2.{name}"])


def test_there_and_back() -> None:
    model: Model = build("bireal-18", seed=3, **SIZE)
    model.train()(np.random.default_rng(1).normal(size=(4, 32, 32, 3)).astype(np.float32))
    own = model.state_dict()
    places = dict(zip(shapes((4, 4, 4, 4)), drawn((4, 4, 4, 4)).values(), strict=True))
    marks = {key: np.full(value.shape, i) for i, (key, value) in enumerate(places.items())}
    keys = {key: list(places)[int(value.flat[0])] for key, value in from_pytorch(model, marks).items()}
    back = {}
    for key, name in keys.items():
        channels_first = own[key].transpose(3, 2, 0, 1) if own[key].ndim == 4 else own[key].T
        back[name] = channels_first.reshape(places[name].shape)
    for key, value in from_pytorch(model, back).items():
        np.testing.assert_array_equal(value, own[key])


def test_other_forms_of_the_same_state() -> None:
    """Weights in four axes, the name of an older file, the prefix of parallel training, counters, doubles."""
    model, state = build("bireal-18", **SIZE), drawn((4, 4, 4, 4))
    expected = from_pytorch(model, state)
    other: dict[str, Any] = {"module.bn1.num_batches_tracked": np.array(7)}
    for key, value in state.items():
        if key.endswith("binary_conv.weight"):
            filters = state[key.replace("binary_conv", "bn1")].size
            other[f"module.{key}s"] = value.astype(np.float64).reshape(filters, -1, 3, 3)
        else:
            other[f"module.{key}"] = value.astype(np.float64)
    again = from_pytorch(model, other)
    for key, value in expected.items():
        assert again[key].dtype == np.float32
        np.testing.assert_array_equal(again[key], value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layer3.0.downsample.2.bias": None}, r"required 'layer3\.0\.downsample\.2\.bias' \(and 0 more\)"),
        ({"layer5.0.bn1.bias": np.zeros(3)}, r"got 'layer5\.0\.bn1\.bias' \(and 0 more\), which the model"),
        (
            {"layer1.0.binary_conv.weight": np.zeros((143, 1))},
            r"state\['layer1\.0\.binary_conv\.weight'\]: required shape \(144, 1\) or \(4, 4, 3, 3\), got",
        ),
        (
            {"conv1.weight": np.zeros((588, 1))},
            r"conv1\.weight.*required shape \(4, 3, 7, 7\), got \(588, 1\)",
        ),
        ({"fc.weight": np.zeros((32, 7))}, r"fc\.weight.*required shape \(7, 32\), got \(32, 7\)"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    state = {key: value for key, value in (drawn((4, 4, 4, 4)) | change).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        from_pytorch(build("bireal-18", **SIZE), state)


@pytest.mark.parametrize(
    ("name", "options", "got"),
    [
        ("bireal-50", {}, "'DeepBiReal'"),
        ("bireal-18-caffe", {}, "'CaffeBiReal'"),
        ("bireal-18", {"shortcut": "res"}, "'blocks of Residual'"),
    ],
)
def test_other_networks_are_refused(name: str, options: dict[str, Any], got: str) -> None:
    with pytest.raises(ValueError, match=f"model: required .* got {got}"):
        from_pytorch(build(name, **SIZE, **options), {})
