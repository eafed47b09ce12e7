"""ResNet for small images, binary: one shortcut per two convolutions, and no shortcut has parameters."""

from __future__ import annotations

from typing import Any

from bnn_ref.checks import require
from bnn_ref.layers import (
    BatchNorm,
    GlobalAvgPool,
    Linear,
    PadShortcut,
    PReLU,
    ReLU,
    Sequential,
)
from bnn_ref.models.base import Model, stem
from bnn_ref.models.operands import Operands
from bnn_ref.models.residual import Change, Residual, changes, doubling


class ResNetBlock(Residual):
    """y = (binary conv 3x3, PReLU, norm) twice + shortcut(x), and nothing after the sum.

    All channels of a PReLU share one slope. The shortcut is the identity; where the shape changes it drops
    pixels and adds channels of zeros, half of them on each side.
    Source: fda2021 (released evaluation code).
    """

    def __init__(self, operands: Operands, in_channels: int, channels: int, stride: int = 1) -> None:
        branch = Sequential(
            operands.conv(in_channels, channels, 3, stride=stride, padding=1),
            PReLU(1),
            BatchNorm(channels),
            operands.conv(channels, channels, 3, padding=1),
            PReLU(1),
            BatchNorm(channels),
        )
        same = Change(in_channels, channels, stride).same
        super().__init__(branch, None if same else PadShortcut(stride, (channels - in_channels) // 2))


class ResNet(Model):
    """conv 3x3, norm -> stages of blocks, halving the size between -> ReLU -> mean -> linear.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image; every size fits, halves are rounded up.
    classes : int
        Length of the output.
    width : int
        Channels of the first stage, an even number; every further stage has twice as many.
    blocks : list of int
        Number of blocks of each stage.

    Source: fda2021. The paper names ResNet-20 and does not describe it; this is the network of the released
    evaluation code, but for the first weights, which are drawn as everywhere here.
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 16,
        blocks: tuple[int, ...] = (3, 3, 3),
    ) -> None:
        require(width % 2 == 0, "width", "an even number: a shortcut adds half of it on each side", width)
        self.stem = stem(operands, input_shape[2], width, 3)
        widths = doubling(width, blocks)
        self.body = Sequential(*(ResNetBlock(operands, *at) for at in changes(width, widths, blocks)))
        self.relu = ReLU()
        self.mean = GlobalAvgPool()
        self.head = Linear(widths[-1], classes, rng=operands.rng)

    def compute(self, x: Any) -> Any:
        return self.head(self.mean(self.relu(self.body(self.stem(x)))))
