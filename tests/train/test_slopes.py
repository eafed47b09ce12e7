"""T'(0) of trained surrogates: from the printed formulas, and written down epoch by epoch."""

from __future__ import annotations

import numpy as np
import pytest

from bnn_ref import models
from bnn_ref.data import Dataset
from bnn_ref.parameter import Parameter
from bnn_ref.train import Config, History, fit, trained_slopes


def build(**options: object) -> models.Model:
    return models.build("mlp", input_shape=(8, 8, 1), width=12, **options)  # type: ignore[arg-type]


def named(model: models.Model, name: str) -> list[Parameter]:
    return [p for p in model.parameters() if p.name == name]


def test_of_one_mlp_for_all_it_is_one_product() -> None:
    model = build(weight_estimator="bbc")
    (first,), (second,) = named(model, "w0"), named(model, "w1")
    found = trained_slopes(model)
    assert list(found.values()) == pytest.approx([float((first.value @ second.value).sum())], rel=1e-5)
    (key,) = found
    assert key.endswith(".weight")


def test_of_layers_with_their_own_it_is_one_each() -> None:
    model = build(estimator="bbc-activation", parameters={"shared": False}, weight_estimator="bbc-linear")
    sums = [float(a.value + b.value) for a, b in zip(named(model, "w0"), named(model, "w1"), strict=True)]
    found = trained_slopes(model)
    assert sorted(found.values()) == pytest.approx(sorted(sums), rel=1e-6)
    assert [key.rpartition(".")[2] for key in found].count("weight") == 1
    assert len(found) == 3


def test_of_dsq_it_is_the_slope_of_its_tanh() -> None:
    model = build(estimator="dsq", parameters={"learn": True, "alpha": 0.3})
    wanted = np.log(2 / 0.3 - 1) / 2 / (1 - 0.3)
    assert list(trained_slopes(model).values()) == pytest.approx([wanted] * 2, rel=1e-6)


@pytest.mark.parametrize("estimator", ["approxsign", "fda-noise", "rsign", "bbc-affine", "gradient-clip"])
def test_where_nothing_of_one_number_is_trained_there_is_none(estimator: str) -> None:
    assert trained_slopes(build(estimator=estimator)) == {}


def test_every_epoch_writes_it_down(few: Dataset) -> None:
    model = build(weight_estimator="bbc", weight_parameters={"init": "positive"})
    before = trained_slopes(model)
    history = fit(model, few, Config(epochs=2, batch_size=43, estimator_lr=1e-2))
    assert history[0].slopes_before == before
    assert history[1].slopes_before == history[0].slopes
    assert history[1].slopes == trained_slopes(model)
    values = [next(iter(slopes.values())) for slopes in (before, history[0].slopes, history[1].slopes)]
    assert len(set(values)) == 3
    assert History.from_dict(history.to_dict()) == history
