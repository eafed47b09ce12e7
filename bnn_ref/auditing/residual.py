"""The network in which every estimator is audited: residual, binary, with kinks and ties on purpose."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref import estimators
from bnn_ref.auditing.composition import audit_model
from bnn_ref.auditing.report import Report
from bnn_ref.binarizer import Map
from bnn_ref.layers import (
    Add,
    BatchNorm,
    Composite,
    Conv2d,
    GlobalAvgPool,
    Linear,
    MaxPool2d,
    PReLU,
    SoftmaxCrossEntropy,
)
from bnn_ref.parameter import Array


class ResidualNet(Composite):
    """conv, max pool -> conv, norm, PReLU, plus shortcut -> conv/2, norm -> mean -> linear. All convs binary.

    Whole-number images make the first binarizer meet its kinks; sums of signs are whole numbers too, so that
    the max pool meets ties and the second binarizer meets kinks again.
    """

    def __init__(self, activation: Map, weight: Map, rng: np.random.Generator) -> None:
        operands: dict[str, Any] = {"rng": rng, "activation": activation, "weight": weight}
        self.first = Conv2d(3, 4, 3, padding=1, **operands)
        self.pool = MaxPool2d(2)
        self.second = Conv2d(4, 4, 3, padding=1, **operands)
        self.norm = BatchNorm(4)
        self.bend = PReLU(4)
        self.add = Add()
        self.third = Conv2d(4, 6, 3, stride=2, padding=1, **operands)
        self.last_norm = BatchNorm(6)
        self.mean = GlobalAvgPool()
        self.head = Linear(6, 3, rng=rng)

    def compute(self, x: Any) -> Any:
        h = self.pool(self.first(x))
        h = self.add(self.bend(self.norm(self.second(h))), h)
        return self.head(self.mean(self.last_norm(self.third(h))))


def residual_net(estimator: str | Map, seed: int = 0) -> tuple[ResidualNet, Array, Array]:
    """The network with that estimator on activations and weights; images (4, 8, 8, 3) and labels (4,).

    A rule for weights has clipped STE beside it, on the activations.
    """
    rng = np.random.default_rng(seed)
    binarizer = estimators.get(estimator) if isinstance(estimator, str) else estimator
    net = ResidualNet(estimators.get("clipped-ste") if binarizer.reduces else binarizer, binarizer, rng)
    images = rng.integers(-1, 2, (4, 8, 8, 3)).astype(np.float64)
    images[:, :5, :5] = 1.0  # a flat patch: equal windows tie in the pool whatever the estimator
    return net, images, rng.integers(0, 3, 4)


def audit_estimator_in_network(estimator: str | Map, seed: int = 0) -> Report:
    """Level 2 for one estimator: the residual network with cross-entropy, every tensor."""
    net, images, labels = residual_net(estimator, seed)
    name = estimator if isinstance(estimator, str) else getattr(estimator, "name", type(estimator).__name__)
    return audit_model(net, SoftmaxCrossEntropy(), images, labels, seed=seed, name=f"{name} in a network")
