"""ReActNet: a learned shift before every sign, and RPReLU after every sum."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

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
        self.pool = AvgPool2d(stride, ceil=True) if stride > 1 else None
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


def _stages(width: int, blocks: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Channels and stride of every block: `blocks` of them in each stage, the first of a stage with stride 2.

    `width` is that of the first stage, whose stride is 1; every further stage has twice as many.
    """
    for stage, count in enumerate(blocks):
        for i in range(count):
            yield width * 2**stage, 2 if stage and not i else 1


class _Staged(Model):
    """stem -> blocks -> mean -> linear."""

    def __init__(
        self,
        operands: Operands,
        stem: Sequential,
        block: Callable[[Operands, int, int, int], Layer],
        first: int,
        stages: Iterator[tuple[int, int]],
        classes: int,
    ) -> None:
        body, channels = [], first
        for width, stride in stages:
            body.append(block(operands, channels, width, stride))
            channels = width
        self.stem, self.body, self.mean = stem, Sequential(*body), GlobalAvgPool()
        self.head = Linear(channels, classes, rng=operands.rng)

    def compute(self, x: Any) -> Any:
        return self.head(self.mean(self.body(self.stem(x))))


class ReActNet18(_Staged):
    """conv 7x7 / 2, norm, max pool -> stages of ReAct blocks in Bi-Real Net's layout -> mean -> linear.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image; every size fits, halves are rounded up (the release takes even sizes).
    classes : int
        Length of the output.
    width : int
        Channels of stem and first stage; every further stage has twice as many at half the size.
    blocks : list of int
        Number of blocks of each stage.

    Source: reactnet2020 (released code, the ResNet version).
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 64,
        blocks: tuple[int, ...] = (4, 4, 4, 4),
    ) -> None:
        conv = Conv2d(input_shape[2], width, 7, stride=2, padding=3, rng=operands.rng)
        stem = Sequential(conv, BatchNorm(width), MaxPool2d(3, 2, 1))
        super().__init__(operands, stem, ReActBlock, width, _stages(width, blocks), classes)


class SmallReActNet(_Staged):
    """conv 3x3, norm -> stages of ReAct blocks -> mean -> linear: the same for small images.

    Parameters
    ----------
    input_shape, classes, width, blocks
        As in `ReActNet18`.
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 16,
        blocks: tuple[int, ...] = (2, 2),
    ) -> None:
        conv = Conv2d(input_shape[2], width, 3, padding=1, rng=operands.rng)
        stem = Sequential(conv, BatchNorm(width))
        super().__init__(operands, stem, ReActBlock, width, _stages(width, blocks), classes)


class ReActNetA(_Staged):
    """conv 3x3 / 2, norm -> stages of ReAct blocks of the MobileNet kind -> mean -> linear.

    Parameters
    ----------
    input_shape, classes
        As in `ReActNet18`.
    width : int
        Channels of the stem. The first stage has twice as many at the same size, every further stage twice as
        many as the one before at half the size.
    blocks : list of int
        Number of blocks of each stage.

    Source: reactnet2020 (released code).
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 32,
        blocks: tuple[int, ...] = (1, 2, 2, 6, 2),
    ) -> None:
        conv = Conv2d(input_shape[2], width, 3, stride=2, padding=1, rng=operands.rng)
        stem = Sequential(conv, BatchNorm(width))
        super().__init__(operands, stem, ReActMobileBlock, width, _stages(2 * width, blocks), classes)
