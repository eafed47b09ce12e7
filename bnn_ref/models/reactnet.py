"""ReActNet: a learned shift before every sign, and RPReLU after every sum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bnn_ref.checks import require
from bnn_ref.estimators.reactnet import Shift
from bnn_ref.layers import (
    Activation,
    Add,
    AvgPool2d,
    BatchNorm,
    Composite,
    Concat,
    Conv2d,
    GlobalAvgPool,
    Layer,
    Linear,
    MaxPool2d,
    RPReLU,
    Sequential,
)
from bnn_ref.models.base import Model
from bnn_ref.models.bireal import projection
from bnn_ref.models.operands import Operands


def _binary(
    operands: Operands, in_channels: int, channels: int, kernel_size: int, stride: int = 1
) -> Sequential:
    """Binary convolution that keeps the size but for its stride, and its norm."""
    conv = operands.conv(in_channels, channels, kernel_size, stride=stride, padding=kernel_size // 2)
    return Sequential(conv, BatchNorm(channels))


def _shift(channels: int) -> Activation:
    """With the estimator's sign behind it: RSign."""
    return Activation(Shift(), shape=(channels,))


class ReActBlock(Composite):
    """y = rprelu(norm(binary conv 3x3(x + b)) + shortcut(x)): with ApproxSign this is RSign, b = -a.

    The shortcut is the identity; where the shape changes it is average pool 2x2, real 1x1 convolution, norm.
    Source: reactnet2020 (released code, the ResNet version).
    """

    def __init__(self, operands: Operands, in_channels: int, channels: int, stride: int = 1) -> None:
        self.shift = _shift(in_channels)
        self.branch = _binary(operands, in_channels, channels, 3, stride)
        self.shortcut = projection(operands, in_channels, channels, stride)
        self.add, self.bend = Add(), RPReLU(channels)

    def compute(self, x: Any) -> Any:
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return self.bend(self.add(self.branch(self.shift(x)), shortcut))


class ReActMobileBlock(Composite):
    """Binary conv 3x3, then 1x1, each between shift and RPReLU and each with a shortcut; no real convolution.

    h = rprelu(norm(conv 3x3(x + b)) + x), x average-pooled 2x2 in the sum where the stride is 2;
    y = rprelu of norm(conv 1x1(h + c)) + h, where the width doubles of two of these side by side.
    Source: reactnet2020 (released code, the MobileNet version).
    """

    def __init__(self, operands: Operands, in_channels: int, channels: int, stride: int = 1) -> None:
        self.shift = _shift(in_channels)
        self.spatial = _binary(operands, in_channels, in_channels, 3, stride)
        self.pool = AvgPool2d(stride) if stride > 1 else None
        self.add, self.bend = Add(), RPReLU(in_channels)
        self.next_shift = _shift(in_channels)
        self.pointwise = [
            _binary(operands, in_channels, in_channels, 1) for _ in range(channels // in_channels)
        ]
        self.adds = [Add() for _ in self.pointwise]
        self.join, self.last_bend = Concat(), RPReLU(channels)

    def compute(self, x: Any) -> Any:
        shortcut = x if self.pool is None else self.pool(x)
        h = self.bend(self.add(self.spatial(self.shift(x)), shortcut))
        moved = self.next_shift(h)
        halves = [add(branch(moved), h) for add, branch in zip(self.adds, self.pointwise, strict=True)]
        return self.last_bend(halves[0] if len(halves) == 1 else self.join(*halves))


def _halved(input_shape: tuple[int, int, int], halvings: int) -> None:
    good = not any(size % 2**halvings for size in input_shape[:2])
    require(good, "input_shape", f"H and W divisible by {2**halvings}", input_shape)


class ReActResNet(Model):
    """Stem -> stages of ReAct blocks in Bi-Real Net's layout, halving the size between -> mean -> linear.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image.
    classes : int
        Length of the output.
    widths, blocks : list of int
        Channels and number of blocks of each stage.
    large : bool
        The stem for large images, conv 7x7 of stride 2, norm, max pool 3x3 of stride 2; else conv 3x3, norm.

    Source: reactnet2020 (released code, the ResNet version); the small stem is ours.
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        widths: tuple[int, ...] = (64, 128, 256, 512),
        blocks: tuple[int, ...] = (4, 4, 4, 4),
        large: bool = True,
    ) -> None:
        require(len(widths) == len(blocks), "blocks", f"one number for each of the widths {widths}", blocks)
        _halved(input_shape, len(widths) - 1 + 2 * large)
        size, stride = (7, 2) if large else (3, 1)
        stem = Conv2d(input_shape[2], widths[0], size, stride=stride, padding=size // 2, rng=operands.rng)
        pool = [MaxPool2d(3, 2, 1)] if large else []
        self.stem = Sequential(stem, BatchNorm(widths[0]), *pool)
        body, channels = [], widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for i in range(count):
                body.append(ReActBlock(operands, channels, width, 2 if stage and not i else 1))
                channels = width
        self.body = Sequential(*body)
        self.mean, self.head = GlobalAvgPool(), Linear(channels, classes, rng=operands.rng)

    def compute(self, x: Any) -> Any:
        return self.head(self.mean(self.body(self.stem(x))))


class SmallReActNet(ReActResNet):
    """`ReActResNet` for small images: conv 3x3, norm -> two stages of two ReAct blocks -> mean -> linear.

    Parameters
    ----------
    input_shape, classes, widths, blocks, large
        As in `ReActResNet`.
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        widths: tuple[int, ...] = (16, 32),
        blocks: tuple[int, ...] = (2, 2),
        large: bool = False,
    ) -> None:
        super().__init__(operands, input_shape, classes, widths, blocks, large)


class ReActNetA(Model):
    """conv 3x3 of stride 2, norm -> thirteen ReAct blocks of the MobileNet kind -> mean -> linear.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image.
    classes : int
        Length of the output.
    width : int
        Channels of the stem, w.
    body : list of int
        Channels of each block in units of w: as many as the block before has, or twice as many; where they
        double but for the first block, the size is halved.

    Source: reactnet2020 (released code): w = 32.
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 32,
        body: tuple[int, ...] = (2, 4, 4, 8, 8, 16, 16, 16, 16, 16, 16, 32, 32),
    ) -> None:
        steps = [after / before for before, after in zip((1, *body), body, strict=False)]
        good = all(step in (1, 2) for step in steps)
        require(good, "body", "numbers that stay or double, from 1 on", body)
        _halved(input_shape, 1 + steps[1:].count(2))
        stem = Conv2d(input_shape[2], width, 3, stride=2, padding=1, rng=operands.rng)
        self.stem = Sequential(stem, BatchNorm(width))
        self.body = Sequential(*self._blocks(operands, width, body))
        self.mean, self.head = GlobalAvgPool(), Linear(width * body[-1], classes, rng=operands.rng)

    @staticmethod
    def _blocks(operands: Operands, width: int, body: Sequence[int]) -> list[Layer]:
        blocks: list[Layer] = []
        before = 1
        for i, after in enumerate(body):
            stride = 2 if i and after > before else 1
            blocks.append(ReActMobileBlock(operands, width * before, width * after, stride))
            before = after
        return blocks

    def compute(self, x: Any) -> Any:
        return self.head(self.mean(self.body(self.stem(x))))
