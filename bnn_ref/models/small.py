"""Small networks without shortcuts: a perceptron and a convolutional one. First and last layer are real."""

from __future__ import annotations

from typing import Any

from bnn_ref.layers import BatchNorm, Conv2d, Flatten, Linear, MaxPool2d, Sequential
from bnn_ref.models.base import Model
from bnn_ref.models.operands import Operands


class MLP(Model):
    """flatten -> linear, norm -> (binary linear, norm) x (depth - 1) -> linear.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image.
    classes : int
        Length of the output.
    width, depth : int
        Hidden units of each layer, and hidden layers.

    Source: after bnn2016.
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 128,
        depth: int = 3,
    ) -> None:
        h, w, c = input_shape
        self.flatten = Flatten()
        self.stem = Sequential(
            Linear(h * w * c, width, bias=False, rng=operands.rng),
            BatchNorm(width),
        )
        self.hidden = Sequential(
            *(Sequential(operands.linear(width, width), BatchNorm(width)) for _ in range(depth - 1))
        )
        self.head = Linear(width, classes, rng=operands.rng)

    def compute(self, x: Any) -> Any:
        return self.head(self.hidden(self.stem(self.flatten(x))))


class CNN(Model):
    """conv, norm -> (binary conv, pool, norm) x 2 -> binary linear, norm -> linear. Source: after bnn2016.

    Every batch norm feeds a sign (but the last), so that the packed network compares integers only.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image, H and W at least 4.
    classes : int
        Length of the output.
    width : int
        Channels of the first convolution; the second stage has twice as many.
    """

    def __init__(
        self, operands: Operands, input_shape: tuple[int, int, int], classes: int, width: int = 32
    ) -> None:
        h, w, c = input_shape
        if min(h, w) < 4:
            raise ValueError(f"input_shape: required at least 4 x 4 pixels, got {h} x {w}")
        features = 2 * width * (h // 4) * (w // 4)
        self.body = Sequential(
            Conv2d(c, width, 3, padding=1, rng=operands.rng),
            BatchNorm(width),
            operands.conv(width, width, 3, padding=1),
            MaxPool2d(2),
            BatchNorm(width),
            operands.conv(width, 2 * width, 3, padding=1),
            MaxPool2d(2),
            BatchNorm(2 * width),
            Flatten(),
            operands.linear(features, 4 * width),
            BatchNorm(4 * width),
        )
        self.head = Linear(4 * width, classes, rng=operands.rng)

    def compute(self, x: Any) -> Any:
        return self.head(self.body(x))
