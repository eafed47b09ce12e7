"""Trained on digits and asked about all 1,797, the packed network answers as eval mode does: every bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bnn_ref import data, models, train
from bnn_ref.packed import pack

NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"width": 64},
    "cnn": {"width": 16},
    "bireal-small": {},
    "resnet-20": {"width": 8, "blocks": (1, 1, 1), "scale": "tensor"},
    "bireal-20": {"width": 8, "blocks": (2, 2, 2)},
    "vgg-small": {"width": 16, "scale": "channel"},
    "reactnet-small": {},
    "vit-tiny": {"width": 24, "heads": 2, "depth": 2, "scale": "channel"},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_scores_and_classes(name: str) -> None:
    digits = data.load("digits")
    model = models.build(name, input_shape=(8, 8, 1), **NETWORKS[name])
    preprocessing = data.Preprocessing.fit(digits)
    train.fit(model, digits, train.Config(epochs=2, batch_size=32, lr=0.01), preprocessing)
    pixels = np.concatenate([digits.train_images, digits.test_images])
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    packed, expected = pack(model, preprocessing), model(preprocessing(pixels))
    np.testing.assert_array_equal(packed(preprocessing(pixels)), expected)
    np.testing.assert_array_equal(packed.predict(pixels), expected.argmax(axis=-1))
    assert (
        expected.argmax(axis=-1) == labels
    ).mean() > 0.5  # it was trained: guessing is right one time in ten
