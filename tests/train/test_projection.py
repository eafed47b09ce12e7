"""What deployment changes: the gap against a loop over layers, statistics against all images at once."""

from __future__ import annotations

import numpy as np
import pytest

from bnn_ref import models
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.layers import BatchNorm, Product
from bnn_ref.train import Config, evaluate, fit, quantization_gap, reestimate_norms


def network(few: Dataset, **options: str) -> models.Model:
    chosen = {"weight_estimator": "projected", "estimator": "bnn++"} | options
    return models.build("cnn", input_shape=few.shape, width=6, **chosen)


@pytest.mark.parametrize(("weight", "levels"), [("projected", False), ("bnn++", False), ("projected", True)])
def test_the_gap_is_that_between_the_weights_of_both_modes(few: Dataset, weight: str, levels: bool) -> None:
    options = {"weight_parameters": {"levels": [-1, -0.25, 0.25, 1]}} if levels else {}
    model = models.build("cnn", input_shape=few.shape, width=6, weight_estimator=weight, **options)
    found = quantization_gap(model)
    binary = {
        name: part for name, part in model.layers() if isinstance(part, Product) and part.weight is not None
    }
    assert set(found) == set(binary)
    assert len(binary) == 3
    for name, part in binary.items():
        forward = part.weight(part.latent.value).ravel().tolist()
        deployed = part.deployed_weight()[0].ravel().tolist()
        off = [abs(f - d) for f, d in zip(forward, deployed, strict=True)]
        assert found[name] == pytest.approx([max(off), sum(off) / len(off)], rel=1e-6)


def test_signs_have_no_gap(few: Dataset) -> None:
    assert quantization_gap(models.build("cnn", input_shape=few.shape, width=6)) == {}
    assert quantization_gap(network(few, estimator="real")) == {}


def test_statistics_are_those_of_deployed_activations_over_all_images(few: Dataset) -> None:
    model, preprocessing = network(few), Preprocessing.fit(few)
    latents = [p.value for p in model.parameters()]
    reestimate_norms(model, few.train_images, preprocessing, batch=len(few.train_images))
    model.eval()
    x = preprocessing(few.train_images)
    for part in model.body.parts:
        if isinstance(part, BatchNorm):
            flat = x.reshape(-1, x.shape[-1]).astype(np.float64)
            np.testing.assert_allclose(part.running_mean, flat.mean(axis=0), rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(part.running_var, flat.var(axis=0, ddof=1), rtol=1e-4)
            gain, shift = part.affine()
            x = x * gain + shift
        else:
            x = part(x)
    for before, parameter in zip(latents, model.parameters(), strict=True):
        assert parameter.value is before


def test_batches_are_weighed_by_their_size_and_one_image_is_left_out(few: Dataset) -> None:
    """The input of the first batch norm is the same whatever the others do: its mean is that of all seen."""
    model, preprocessing = network(few), Preprocessing.fit(few)
    images = few.train_images[:121]
    reestimate_norms(model, images, preprocessing, batch=50)  # 50, 50, 21
    first, norm = model.body.parts[:2]
    y = first(preprocessing(images))
    np.testing.assert_allclose(norm.running_mean, y.mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-5)
    reestimate_norms(model, images, preprocessing, batch=60)  # 60, 60, and one that is left out
    np.testing.assert_allclose(norm.running_mean, y[:120].mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-5)
    assert norm.momentum == 0.1
    assert model.training
    assert norm.training


@pytest.mark.parametrize(("count", "batch", "name"), [(1, 8, "images"), (9, 1, "batch")])
def test_too_few_images_are_refused(few: Dataset, count: int, batch: int, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: required at least 2 "):
        reestimate_norms(network(few), few.train_images[:count], Preprocessing.fit(few), batch)


def test_real_weights_need_it_when_they_are_projected(digits: Dataset) -> None:
    """Trained without P, tested behind the projection: with statistics of real weights it is a guess."""
    some = digits.take(600, 300)
    accuracy = {}
    for again in (False, True):
        model = network(some, estimator="clip-activation")
        config = Config(epochs=3, batch_size=50, lr=0.01, reestimate_norms=again)
        history = fit(model, some, config)
        accuracy[again] = history[-1].test_accuracy
        found = evaluate(model, some.test_images, some.test_labels, Preprocessing.fit(some))
        assert found.accuracy == accuracy[again]
    assert accuracy[True] > accuracy[False] + 0.1
