"""A model file holds the whole trained model; whatever else lies at that path is refused with a reason."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref import models
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.layers import Layer
from bnn_ref.train import Config, History, TrainedModel, fit, load_model, save_model

CONFIG = Config(epochs=3, batch_size=43, lr=0.02)
Build = Callable[..., models.Model]
Bits = Callable[[Layer], Any]


def trained(data: Dataset, model: models.Model) -> TrainedModel:
    preprocessing = Preprocessing.fit(data)
    history = fit(model, data, CONFIG, preprocessing)
    return TrainedModel(model, preprocessing, data.classes, history, CONFIG)


def save(path: Path, one: TrainedModel) -> None:
    save_model(path, one.model, one.preprocessing, one.classes, one.history, one.config)


@pytest.fixture(scope="module")
def one(few: Dataset, tiny: Build) -> TrainedModel:
    return trained(few, tiny("bnn++"))


@pytest.fixture(scope="module")
def content(one: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("content") / "model.safetensors"
    save(path, one)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mlp", {"estimator": "ede", "width": 12}),
        ("mlp", {"estimator": "real", "width": 12}),
        ("cnn", {"estimator": "bnn++", "width": 4, "scale": "channel"}),
        (
            "cnn",
            {"width": 4, "weight_estimator": "bnn++", "weight_parameters": {"beta": 3}, "scale": "tensor"},
        ),
        ("resnet-20", {"estimator": "fda", "width": 4, "blocks": (1, 1), "scale": "tensor"}),
        ("vgg-small", {"estimator": "fda", "width": 4}),
        ("mlp", {"estimator": "dsq", "parameters": {"learn": True, "alpha": 0.3}, "width": 12}),
        ("bireal-small", {"estimator": "rbnn", "widths": (4, 8), "blocks": (1, 1), "pool": False}),
    ],
)
def test_everything_comes_back(
    few: Dataset, bits: Bits, tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    model = models.build(name, input_shape=few.shape, seed=5, **options)
    before = trained(few, model)
    save(tmp_path / "model", before)
    after = load_model(tmp_path / "model")
    assert bits(after.model) == bits(model)
    assert after.model.spec == model.spec
    for field in ("preprocessing", "classes", "history", "config"):
        assert getattr(after, field) == getattr(before, field)
    images = after.preprocessing(few.test_images)
    np.testing.assert_array_equal(after.model(images), model(images))
    # in training mode the annealed parameters would show
    np.testing.assert_array_equal(after.model.train()(images), model.train()(images))
    model.eval()


@pytest.mark.parametrize("anneal", ["epoch", "step"])
def test_it_comes_back_annealed_to_where_training_ended(
    few: Dataset, tiny: Build, tmp_path: Path, anneal: str
) -> None:
    """w-shape reads the sum of step sizes, bnn++ the progress: 20 is its steepness in the end."""
    config = replace(CONFIG, anneal=anneal)
    model = tiny("bnn++", weight_estimator="w-shape", weight_parameters={"rate": 0.5})
    preprocessing = Preprocessing.fit(few)
    history = fit(model, few, config, preprocessing)
    save(tmp_path / "net", TrainedModel(model, preprocessing, few.classes, history, config))
    loaded = load_model(tmp_path / "net").model
    for mode in (True, False):
        x = preprocessing(few.test_images)
        np.testing.assert_array_equal(loaded.train(mode)(x), model.train(mode)(x))
    layer = next(part for _, part in loaded.layers() if getattr(part, "activation", None) is not None)
    assert layer.activation.forward.beta == pytest.approx(20)
    sums = {"epoch": history[-1].lr_sum, "step": history[-1].end_lr_sum}
    assert layer.weight.forward.strength == pytest.approx(0.5 * (1 + sums[anneal]))
    assert sums["step"] > sums["epoch"] > 0
    assert history[-1].end_step == 3 * history[1].step


def test_laws_read_after_each_step_move_within_an_epoch(few: Dataset, tiny: Build) -> None:
    results = [
        fit(tiny("bnn++"), few, replace(CONFIG, epochs=1, anneal=anneal)) for anneal in ("epoch", "step")
    ]
    assert results[0] != results[1]


def test_the_dtype_comes_back(one: TrainedModel, tiny: Build, tmp_path: Path) -> None:
    double = tiny("bnn++")
    double.load_state_dict(one.model.state_dict())
    double.astype(np.float64)
    double.head.latent.value += 1e-12
    save(tmp_path / "model", replace(one, model=double))
    again = load_model(tmp_path / "model").model.state_dict()
    np.testing.assert_array_equal(again["head.latent"], double.head.latent.value)


def test_memory_layout_does_not_matter(one: TrainedModel, tiny: Build, tmp_path: Path) -> None:
    model = tiny("bnn++")
    model.load_state_dict(one.model.state_dict())
    model.head.latent.value = np.asfortranarray(model.head.latent.value)
    save(tmp_path / "model", replace(one, model=model))
    again = load_model(tmp_path / "model").model.state_dict()
    np.testing.assert_array_equal(again["head.latent"], model.head.latent.value)


def test_an_untrained_model_can_be_kept(one: TrainedModel, tiny: Build, bits: Bits, tmp_path: Path) -> None:
    save(tmp_path / "model", replace(one, model=tiny(), history=History()))
    assert bits(load_model(tmp_path / "model").model) == bits(tiny())


def test_the_header_is_plain_json(content: bytes) -> None:
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    assert (metadata["format"], metadata["version"]) == ("bnn_ref model", "1")
    inner = json.loads(metadata["content"])
    assert inner["model"]["name"] == "mlp"
    assert sorted(inner) == [
        "before",
        "bnn_ref",
        "classes",
        "config",
        "data",
        "history",
        "model",
        "preprocessing",
    ]


@given(st.data())
def test_a_part_of_a_file_is_refused(
    content: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "part.safetensors"
    path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(ValueError, match=r"part\.safetensors: required a complete bnn_ref model file, got "):
        load_model(path)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """The block may succeed, or raise a ValueError that names the file."""
    try:
        yield
    except ValueError as error:
        if str(path) not in str(error):
            raise AssertionError(f"required {path} in the message, got {error}") from error


@given(st.data())
def test_a_damaged_header_never_gives_another_error(
    content: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.safetensors"
    header = 8 + int.from_bytes(content[:8], "little")
    at, byte = data.draw(st.integers(0, header - 1)), data.draw(st.integers(0, 127))
    path.write_bytes(content[:at] + bytes([byte]) + content[at + 1 :])
    with naming(path):
        load_model(path)


def changed(content: bytes, edit: Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], Any]) -> bytes:
    """The file after `edit(metadata, content, tensors)`."""
    length = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    inner, tensors = json.loads(metadata["content"]), safetensors.numpy.load(content)
    edit(metadata, inner, tensors)
    return safetensors.numpy.save(tensors, metadata | {"content": json.dumps(inner)})


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (lambda m, c, t: m.update(version="2"), "version: required '1', got '2'"),
        (lambda m, c, t: m.update(format="bnn_ref checkpoint"), "format: required 'bnn_ref model'"),
        (lambda m, c, t: m.pop("format"), "format: required 'bnn_ref model', got None"),
        (lambda m, c, t: c.pop("config"), "KeyError: 'config'"),
        (lambda m, c, t: c.update(model=[]), "TypeError"),
        (lambda m, c, t: c.update(preprocessing=[]), "constants: required the keys"),
        (lambda m, c, t: c["model"].update(name="resnet-1000"), "model: required one of mlp"),
        (lambda m, c, t: c["model"]["options"].update(depth=4), "state: required 'hidden.parts.2"),
        (
            lambda m, c, t: c["model"]["options"].update(input_shape=[8, 8, 2]),
            "preprocessing: required shape",
        ),
        (lambda m, c, t: c["config"].update(lr=-1), "lr: required a finite number > 0, got -1"),
        (lambda m, c, t: c["config"].update(epochs=2), "history: required at most 2 epochs, got 3"),
        (lambda m, c, t: c["history"]["epochs"].pop(0), "history: required epochs 0, 1, 2"),
        (lambda m, c, t: c["classes"].pop(), "classes: required 10 names, got 9"),
        (lambda m, c, t: t.pop("head.latent"), "state: required 'head.latent'"),
        (lambda m, c, t: t.update(more=t["head.latent"]), "state: got 'more'"),
        (lambda m, c, t: t.update({"head.bias": t["head.bias"][1:]}), "required shape (10,), got (9,)"),
        (lambda m, c, t: t.update({"head.bias": t["head.bias"].astype("i4")}), "head.bias: required one of"),
        (lambda m, c, t: t.update({"head.bias": t["head.bias"].astype("f8")}), "weights: required one dtype"),
    ],
)
def test_a_wrong_content_is_named(content: bytes, tmp_path: Path, edit: Any, reason: str) -> None:
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(changed(content, edit))
    with pytest.raises(ValueError, match=r"wrong\.safetensors: required a complete bnn_ref model") as error:
        load_model(path)
    assert reason in str(error.value)


class Bomb:
    def __reduce__(self) -> Any:
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize(
    "foreign", [b"", b"P5 8 8 255 " * 9, pickle.dumps(Bomb()), safetensors.numpy.save({})]
)
def test_a_foreign_file_is_refused_and_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, foreign: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("foreign").write_bytes(foreign)
    with pytest.raises(ValueError, match="foreign: required a complete bnn_ref model file"):
        load_model("foreign")
    assert os.listdir() == ["foreign"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone: required a bnn_ref model file, got none"):
        load_model(tmp_path / "gone")
    with pytest.raises(FileNotFoundError, match="got a folder"):
        load_model(tmp_path)


def test_what_makes_no_model_file_is_refused_and_leaves_none(
    one: TrainedModel, tiny: Build, tmp_path: Path
) -> None:
    without = tiny()
    del without.spec
    complex_valued = tiny()
    complex_valued.astype(np.complex128)
    wrong = [
        (replace(one, model=without), "model: required one made by models.build, got MLP"),
        (replace(one, model=complex_valued), "required one of float32, float64, int64, got complex128"),
        (replace(one, classes=("a", "b")), "classes: required 10 names, got 2"),
        (replace(one, config=Config(epochs=1)), "history: required at most 1 epochs, got 3"),
        (replace(one, preprocessing=Preprocessing(16, (0.0,), (1.0,), (4, 4, 1))), "preprocessing: required"),
    ]
    for bad, message in wrong:
        with pytest.raises(ValueError, match=message):
            save(tmp_path / "model", bad)
    with pytest.raises(FileNotFoundError, match="required an existing folder"):
        save(tmp_path / "nowhere" / "model", one)
    assert os.listdir(tmp_path) == []
