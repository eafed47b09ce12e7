"""The networks of the comparison, ours, and what a step of either library is fed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from bnn_ref import models
from bnn_ref.autodiff import Tensor, backward
from bnn_ref.layers import SoftmaxCrossEntropy
from bnn_ref.optim import SGD
from bnn_ref.parameter import Array

RATE, MOMENTUM = 0.01, 0.9


class Case(NamedTuple):
    """A network by name, its images' size, the batch, its options; how far apart first losses may be."""

    name: str
    shape: tuple[int, int, int]
    batch: int
    options: dict[str, Any]
    tolerance: float = 5e-3


CASES = {
    "resnet-20": Case("resnet-20", (32, 32, 3), 128, {}),
    "vgg-small": Case("vgg-small", (32, 32, 3), 64, {"width": 64}),
    "cnn": Case("cnn", (28, 28, 1), 64, {}),
    "vit-tiny": Case("vit-tiny", (28, 28, 1), 64, {}, 0.1),
}
"""VGG-Small at half its width, 64-64-128-128-256-256. In the transformer's first block already a rounding
turns signs: its loss in float32 is 0.04 of itself from that in float64."""

ESTIMATORS = ("clipped-ste", "approxsign")


def build(case: Case, estimator: str) -> models.Model:
    """The network, its first weights from seed 0."""
    given: dict[str, Any] = {"estimator": estimator, "weight_estimator": "clipped-ste", **case.options}
    return models.build(case.name, input_shape=case.shape, **given)


def batch(case: Case) -> tuple[Array, Array]:
    """Normal images (N, H, W, C) and labels, from seed 0."""
    rng = np.random.default_rng(0)
    images = rng.normal(size=(case.batch, *case.shape)).astype(np.float32)
    return images, rng.integers(0, 10, case.batch)


class Ours:
    """A network of this package; called, it takes a step and returns the loss before it."""

    def __init__(self, case: Case, estimator: str, layout: str = "") -> None:
        self.model = build(case, estimator)
        self.images, self.labels = batch(case)
        self.loss = SoftmaxCrossEntropy()
        self.optimizer = SGD(self.model.parameters(), RATE, momentum=MOMENTUM)

    def __call__(self) -> float:
        loss = self.loss(self.model(Tensor(self.images, wanted=False)), self.labels)
        backward(loss)
        self.optimizer.step()
        self.model.zero_grad()
        return float(loss.value)
