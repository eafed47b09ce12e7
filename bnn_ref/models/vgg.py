"""VGG-Small: six convolutions in a row, the first and the linear layer real."""

from __future__ import annotations

from typing import Any

from bnn_ref.checks import require
from bnn_ref.layers import BatchNorm, Conv2d, Flatten, HardTanh, Layer, Linear, MaxPool2d, Sequential
from bnn_ref.models.base import Model
from bnn_ref.models.operands import Operands


class VGG(Model):
    """(conv, conv, pool) x 3 -> linear; each conv is 3x3, with norm and hard tanh behind it.

    Max pool comes between its convolution and the norm.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image, H and W at least 8; a pool drops an odd last row or column.
    classes : int
        Length of the output.
    width : int
        Channels of the first two convolutions; after each pool there are twice as many.

    Source: irnet2020 (released code). fda2021 names VGG-Small and does not describe it.
    """

    def __init__(
        self, operands: Operands, input_shape: tuple[int, int, int], classes: int, width: int = 128
    ) -> None:
        h, w, c = input_shape
        require(min(h, w) >= 8, "input_shape", "at least 8 x 8 pixels", input_shape)
        body = _unit(Conv2d(c, width, 3, padding=1, rng=operands.rng))
        body += _unit(operands.conv(width, width, 3, padding=1), pool=True)
        for channels in (width, 2 * width):
            body += _unit(operands.conv(channels, 2 * channels, 3, padding=1))
            body += _unit(operands.conv(2 * channels, 2 * channels, 3, padding=1), pool=True)
        self.body = Sequential(*body, Flatten())
        self.head = Linear(4 * width * (h // 8) * (w // 8), classes, rng=operands.rng)

    def compute(self, x: Any) -> Any:
        return self.head(self.body(x))


def _unit(conv: Conv2d, pool: bool = False) -> list[Layer]:
    """A convolution and what follows it."""
    return [conv, *([MaxPool2d(2)] if pool else []), BatchNorm(conv.latent.value.shape[-1]), HardTanh()]
