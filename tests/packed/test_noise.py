"""The noise module trains with a network and is gone from what is packed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bnn_ref import cost, data, models, pack, train
from bnn_ref.data import Preprocessing
from bnn_ref.layers import Product, deployed_state

OPTIONS: dict[str, Any] = {"input_shape": (8, 8, 1), "width": 4, "blocks": (1, 1, 1), "scale": "tensor"}


def build(estimator: str, **more: Any) -> models.Model:
    return models.build("resnet-20", estimator=estimator, weight_estimator=estimator, **OPTIONS, **more)


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits").take(128, 60)


@pytest.fixture(scope="module")
def trained(digits: data.Dataset) -> models.Model:
    """Two epochs: alpha is 0.1 in the first and 0 in the second."""
    model = build("fda-noise")
    train.fit(model, digits, train.Config(epochs=2, batch_size=32, optimizer="sgd", lr=0.05, clip=None))
    return model


def without(state: dict[str, Any]) -> dict[str, Any]:
    noise = ("activation.first", "activation.second", "weight.first", "weight.second")
    return {key: value for key, value in state.items() if not key.endswith(noise)}


def test_the_packed_file_is_that_of_the_same_weights_without_the_module(
    trained: models.Model, digits: data.Dataset, tmp_path: Path
) -> None:
    plain = build("fda-growing")
    plain.load_state_dict(without(trained.state_dict()))
    preprocessing = Preprocessing.fit(digits)
    files = []
    for name, model in (("noisy", trained), ("plain", plain)):
        pack(model, preprocessing).save(tmp_path / name)
        files.append((tmp_path / name).read_bytes())
    assert files[0] == files[1]
    assert b"first" not in files[0]
    x = preprocessing(digits.test_images)
    np.testing.assert_array_equal(pack(trained)(x), trained.eval()(x))


def test_at_alpha_0_training_answers_as_without_the_module(
    trained: models.Model, digits: data.Dataset
) -> None:
    plain = build("fda-growing")
    plain.load_state_dict(without(trained.state_dict()))
    x = Preprocessing.fit(digits)(digits.test_images)
    # training multiplies plain signs as bits, and sums of soft values as floats: roundings differ
    np.testing.assert_allclose(trained.train()(x), plain.train()(x), rtol=1e-3, atol=1e-5)
    trained.eval()


def test_one_module_a_binary_tensor_from_the_start_and_all_of_them_are_trained(trained: models.Model) -> None:
    fresh = build("fda-noise")
    binary = [
        name for name, layer in fresh.layers() if isinstance(layer, Product) and layer.weight is not None
    ]
    parts = {f"{part}.{which}" for part in ("activation", "weight") for which in ("first", "second")}
    own = {key: value for key, value in fresh.state_dict().items() if key not in without(fresh.state_dict())}
    assert set(own) == {f"{name}.{part}" for name in binary for part in parts}
    assert len({id(p) for p in fresh.parameters()}) == len(fresh.named_parameters())
    moved = trained.state_dict()
    assert all((moved[key] != value).any() for key, value in own.items())


def test_it_costs_nothing_at_inference(trained: models.Model) -> None:
    with_module = cost(trained, (1, 8, 8, 1)).total
    assert with_module == cost(build("fda-growing"), (1, 8, 8, 1)).total
    assert set(deployed_state(trained)) == set(build("fda-growing").state_dict())


def test_a_model_file_keeps_it(trained: models.Model, digits: data.Dataset, tmp_path: Path) -> None:
    model = build("fda-noise", parameters={"shortcut": "line"}, weight_parameters={"hidden": 3})
    config = train.Config(epochs=2, batch_size=32)
    preprocessing = Preprocessing.fit(digits)
    history = train.fit(model, digits, config, preprocessing)
    path = tmp_path / "net.safetensors"
    train.save_model(path, model, preprocessing, digits.classes, history, config)
    loaded = train.load_model(path).model
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(loaded.state_dict()[key], value)
    x = preprocessing(digits.test_images)
    np.testing.assert_array_equal(loaded.train()(x), model.train()(x))
