"""What a model is: a composite layer that knows how to be rebuilt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from bnn_ref.layers import BatchNorm, Composite, Conv2d, GlobalAvgPool, Layer, Linear, Sequential
from bnn_ref.models.operands import Operands


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
    """A network from images (N, H, W, C) to class scores (N, classes), or maps; `build` sets its `spec`."""

    spec: Spec
    nonlinear: ClassVar[bool] = False
    """Whether it has nonlinearities of its own, beside those in front of its binary layers."""


def stem(
    operands: Operands,
    images: int,
    channels: int,
    kernel_size: int,
    *behind: Layer,
    stride: int = 1,
    bias: bool = False,
) -> Sequential:
    """A real convolution of images with `images` channels, its norm, and what stands behind them."""
    padding, rng = kernel_size // 2, operands.rng
    conv = Conv2d(images, channels, kernel_size, stride=stride, padding=padding, bias=bias, rng=rng)
    return Sequential(conv, BatchNorm(channels), *behind)


class Classifier(Model):
    """stem -> body -> mean over pixels -> linear head.

    Parameters
    ----------
    operands : Operands
        Its generator draws the head, after all else.
    stem, body : Layer
    channels, classes : int
        What comes into the head and what comes out.
    """

    def __init__(self, operands: Operands, stem: Layer, body: Layer, channels: int, classes: int) -> None:
        self.stem, self.body, self.mean = stem, body, GlobalAvgPool()
        self.head = Linear(channels, classes, rng=operands.rng)

    def compute(self, x: Any) -> Any:
        return self.head(self.mean(self.body(self.stem(x))))
