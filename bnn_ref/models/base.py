"""What a model is: a composite layer that knows how to be rebuilt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from bnn_ref.layers import Composite, GlobalAvgPool, Layer, Linear


@dataclass(frozen=True)
class Spec:
    """What rebuilds a model: its name and options, all plain values that JSON can hold."""

    name: str
    options: dict[str, Any]

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(H, W, C) of an image."""
        h, w, c = self.options["input_shape"]
        return h, w, c


class Model(Composite):
    """A network from images (N, H, W, C) to class scores (N, classes); `build` fills in its `spec`."""

    spec: Spec
    nonlinear: ClassVar[bool] = False
    """Whether it has nonlinearities of its own, beside those in front of its binary layers."""


class Classifier(Model):
    """stem -> body -> mean over pixels -> linear head."""

    def __init__(self, stem: Layer, body: Layer, head: Linear) -> None:
        self.stem, self.body, self.mean, self.head = stem, body, GlobalAvgPool(), head

    def compute(self, x: Any) -> Any:
        return self.head(self.mean(self.body(self.stem(x))))
