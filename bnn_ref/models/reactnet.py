"""ReActNet: a learned shift before every sign, and RPReLU after every sum."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bnn_ref.estimators.reactnet import Shift
from bnn_ref.layers import (
    Activation,
    Add,
    Composite,
    Concat,
    Layer,
    MaxPool2d,
    RPReLU,
    Sequential,
)
from bnn_ref.models.base import Classifier, stem
from bnn_ref.models.bireal import projection, shrink, unit
from bnn_ref.models.operands import Operands
from bnn_ref.models.residual import Change, changes, doubling

Block = Callable[[Operands, int, int, int], Layer]


def _binary(operands: Operands, change: Change, kernel_size: int = 3) -> Sequential:
    return Sequential(*unit(operands, change, kernel_size))


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
        change = Change(in_channels, channels, stride)
        self.branch = _binary(operands, change)
        self.shortcut = projection(operands, change)
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
        self.spatial = _binary(operands, Change(in_channels, in_channels, stride))
        self.pool = Sequential(*shrink(stride))
        self.add, self.bend = Add(), RPReLU(in_channels)
        self.next_shift = _shift(in_channels)
        self.pointwise = [
            _binary(operands, Change(in_channels, in_channels), 1) for _ in range(channels // in_channels)
        ]
        self.adds = [Add() for _ in self.pointwise]
        self.join, self.last_bend = Concat(), RPReLU(channels)

    def compute(self, x: Any) -> Any:
        shortcut = self.pool(x)
        h = self.bend(self.add(self.spatial(self.shift(x)), shortcut))
        moved = self.next_shift(h)
        halves = [add(branch(moved), h) for add, branch in zip(self.adds, self.pointwise, strict=True)]
        return self.last_bend(halves[0] if len(halves) == 1 else self.join(*halves))


def _body(
    operands: Operands, block: Block, channels: int, widths: list[int], blocks: tuple[int, ...]
) -> Sequential:
    """`blocks` of them in each stage, as in Bi-Real Net."""
    return Sequential(*(block(operands, *change) for change in changes(channels, widths, blocks)))


class ReActNet18(Classifier):
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
        first = stem(operands, input_shape[2], width, 7, MaxPool2d(3, 2, 1), stride=2)
        widths = doubling(width, blocks)
        rest = _body(operands, ReActBlock, width, widths, blocks)
        super().__init__(operands, first, rest, widths[-1], classes)


class SmallReActNet(Classifier):
    """conv 3x3, norm -> stages of ReAct blocks -> mean -> linear: the same for small images.

    Parameters
    ----------
    input_shape, classes, width, blocks
        As in `ReActNet18`.

    Source: ours; the block is that of reactnet2020.
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 16,
        blocks: tuple[int, ...] = (2, 2),
    ) -> None:
        first = stem(operands, input_shape[2], width, 3)
        widths = doubling(width, blocks)
        rest = _body(operands, ReActBlock, width, widths, blocks)
        super().__init__(operands, first, rest, widths[-1], classes)


class ReActNetA(Classifier):
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
        first = stem(operands, input_shape[2], width, 3, stride=2)
        widths = doubling(2 * width, blocks)
        rest = _body(operands, ReActMobileBlock, width, widths, blocks)
        super().__init__(operands, first, rest, widths[-1], classes)
