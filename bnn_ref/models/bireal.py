"""Bi-Real networks: one shortcut per binary convolution, so that real values flow from end to end."""

from __future__ import annotations

from typing import Any

from bnn_ref.layers import (
    Add,
    AvgPool2d,
    BatchNorm,
    Composite,
    Conv2d,
    GlobalAvgPool,
    Layer,
    Linear,
    MaxPool2d,
    Sequential,
)
from bnn_ref.models.base import Model
from bnn_ref.models.operands import Operands


def projection(operands: Operands, in_channels: int, channels: int, stride: int) -> Sequential | None:
    """The shortcut where the shape changes: average pool, real 1x1 convolution, norm; None where it does not.

    Source: bireal2018; the norm is that of the PyTorch release.
    """
    if stride == 1 and in_channels == channels:
        return None
    project = [Conv2d(in_channels, channels, 1, rng=operands.rng), BatchNorm(channels)]
    return Sequential(*([AvgPool2d(stride, ceil=True)] if stride > 1 else []), *project)


class BiRealBlock(Composite):
    """y = norm(binary conv 3x3(x)) + shortcut(x).

    The shortcut is the identity; where the shape changes it is average pool 2x2, real 1x1 convolution, norm.
    Source: bireal2018; the norm on the shortcut is that of the PyTorch release.
    """

    def __init__(self, operands: Operands, in_channels: int, channels: int, stride: int = 1) -> None:
        self.conv = operands.conv(in_channels, channels, 3, stride=stride, padding=1)
        self.norm = BatchNorm(channels)
        self.add = Add()
        self.shortcut = projection(operands, in_channels, channels, stride)

    def compute(self, x: Any) -> Any:
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return self.add(self.norm(self.conv(x)), shortcut)


class SmallBiReal(Model):
    """conv 3x3, norm, max pool -> stages of Bi-Real blocks, halving the size between -> mean -> linear.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image.
    classes : int
        Length of the output.
    widths, blocks : list of int
        Channels and number of blocks of each stage.
    pool : bool
        Max pool 2x2 after the stem.
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        widths: tuple[int, ...] = (32, 64),
        blocks: tuple[int, ...] = (2, 2),
        pool: bool = True,
    ) -> None:
        if len(widths) != len(blocks) or not widths:
            raise ValueError(f"blocks: required one number for each of the widths {widths}, got {blocks}")
        halvings = len(widths) - 1 + int(pool)
        if any(size % 2**halvings for size in input_shape[:2]):
            raise ValueError(f"input_shape: required H and W divisible by {2**halvings}, got {input_shape}")
        stem: list[Layer] = [Conv2d(input_shape[2], widths[0], 3, padding=1, rng=operands.rng)]
        self.stem = Sequential(*stem, BatchNorm(widths[0]), *([MaxPool2d(2)] if pool else []))
        body, channels = [], widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for i in range(count):
                stride = 2 if stage > 0 and i == 0 else 1
                body.append(BiRealBlock(operands, channels, width, stride))
                channels = width
        self.body = Sequential(*body)
        self.mean = GlobalAvgPool()
        self.head = Linear(channels, classes, rng=operands.rng)

    def compute(self, x: Any) -> Any:
        return self.head(self.mean(self.body(self.stem(x))))
