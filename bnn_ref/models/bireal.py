"""Bi-Real networks: one shortcut per binary convolution, so that real values flow from end to end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from bnn_ref.checks import require
from bnn_ref.layers import (
    AvgPool2d,
    BatchNorm,
    Conv2d,
    Layer,
    MaxPool2d,
    Sequential,
)
from bnn_ref.models.base import Classifier, stem
from bnn_ref.models.drawing import redraw
from bnn_ref.models.operands import Operands
from bnn_ref.models.residual import Change, Residual, changes, doubling


def unit(operands: Operands, change: Change, kernel_size: int = 3, bias: bool = False) -> list[Layer]:
    """A binary convolution that keeps the size but for its stride, and its norm."""
    window = {"stride": change.stride, "padding": kernel_size // 2}
    conv = operands.conv(change.in_channels, change.channels, kernel_size, bias=bias, **window)
    return [conv, BatchNorm(change.channels)]


def shrink(stride: int) -> list[Layer]:
    """Average pool, where the stride is not 1; of an odd last row or column, the mean of what is there."""
    return [AvgPool2d(stride, ceil=True)] if stride > 1 else []


def projection(operands: Operands, change: Change) -> Sequential | None:
    """The shortcut: the identity, or average pool, real 1x1 convolution, norm.

    Source: bireal2018; the norm is that of the PyTorch release.
    """
    if change.same:
        return None
    conv = Conv2d(change.in_channels, change.channels, 1, rng=operands.rng)
    return Sequential(*shrink(change.stride), conv, BatchNorm(change.channels))


class BiRealBlock(Residual):
    """y = norm(binary conv 3x3(x)) + shortcut(x), and nothing after the sum.

    The shortcut is the identity; where the shape changes it is average pool 2x2, real 1x1 convolution, norm.
    Source: bireal2018; the norm on the shortcut is that of the PyTorch release.
    """

    branch: Sequential
    shortcut: Sequential | None

    def __init__(self, operands: Operands, in_channels: int, channels: int, stride: int = 1) -> None:
        change = Change(in_channels, channels, stride)
        super().__init__(Sequential(*unit(operands, change)), projection(operands, change))


def one_each(operands: Operands, convolutions: Iterable[Change]) -> list[Layer]:
    """Bi-Real: one shortcut a convolution."""
    return [BiRealBlock(operands, *change) for change in convolutions]


def one_for_two(operands: Operands, convolutions: Iterable[Change]) -> list[Layer]:
    """Res: one shortcut for two convolutions."""
    every = list(convolutions)
    blocks: list[Layer] = []
    for first, second in zip(every[::2], every[1::2], strict=True):
        branch = Sequential(*unit(operands, first), *unit(operands, second))
        whole = Change(first.in_channels, second.channels, first.stride * second.stride)
        blocks.append(Residual(branch, projection(operands, whole)))
    return blocks


def no_shortcuts(operands: Operands, convolutions: Iterable[Change]) -> list[Layer]:
    """Plain: convolutions and norms in a row."""
    return [Sequential(*unit(operands, change)) for change in convolutions]


SHORTCUTS: dict[str, Callable[[Operands, Iterable[Change]], list[Layer]]] = {
    "bireal": one_each,
    "res": one_for_two,
    "plain": no_shortcuts,
}
"""The arms of the ablation: the same binary convolutions. Source: after bireal2018, whose ablation we know by
recall."""


def body(
    operands: Operands, channels: int, widths: Sequence[int], blocks: Sequence[int], shortcut: str
) -> Sequential:
    """The binary convolutions of all stages, `blocks` of them in each, with their shortcuts."""
    require(shortcut in SHORTCUTS, "shortcut", f"one of {', '.join(SHORTCUTS)}", shortcut)
    even = shortcut != "res" or not any(count % 2 for count in blocks)
    require(even, "blocks", "even numbers of convolutions: a shortcut takes two", blocks)
    return Sequential(*SHORTCUTS[shortcut](operands, changes(channels, widths, blocks)))


class BiReal(Classifier):
    """conv 7x7 / 2, norm, max pool -> stages of Bi-Real blocks, halving the size between -> mean -> linear.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image; every size fits. Where an odd size is halved, the last window of the average
        pool is narrower: an extension of ours, the release takes even sizes only.
    classes : int
        Length of the output.
    width : int
        Channels of the stem and the first stage; every further stage has twice as many.
    blocks : list of int
        Number of binary convolutions of each stage.
    shortcut : str
        "bireal": one shortcut a convolution; "res": one for two; "plain": none. The arms of the ablation.
    init : str
        How the first weights are drawn: "glorot" or "released", as in `redraw`.

    Source: bireal2018 (PyTorch release).
    """

    stem: Sequential
    body: Sequential

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 64,
        blocks: tuple[int, ...] = (4, 4, 4, 4),
        shortcut: str = "bireal",
        init: str = "glorot",
    ) -> None:
        widths = doubling(width, blocks)
        super().__init__(
            operands,
            stem(operands, input_shape[2], width, 7, MaxPool2d(3, 2, 1), stride=2),
            body(operands, width, widths, blocks, shortcut),
            widths[-1],
            classes,
        )
        redraw(self, init, operands.rng)


class SmallBiReal(Classifier):
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

    Source: ours; the block is that of bireal2018.
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
        super().__init__(
            operands,
            stem(operands, input_shape[2], widths[0], 3, *([MaxPool2d(2)] if pool else [])),
            body(operands, widths[0], widths, blocks, "bireal"),
            widths[-1],
            classes,
        )


class BiReal20(Classifier):
    """conv 3x3, norm -> three stages of six Bi-Real blocks -> mean -> linear: ResNet-20 in Bi-Real's layout.

    Parameters
    ----------
    input_shape, classes, blocks, shortcut, init
        As in `BiReal`.
    width : int
        Channels of the first stage; every further stage has twice as many.

    Source: ours; the block is that of bireal2018.
    """

    stem: Sequential
    body: Sequential

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 16,
        blocks: tuple[int, ...] = (6, 6, 6),
        shortcut: str = "bireal",
        init: str = "glorot",
    ) -> None:
        widths = doubling(width, blocks)
        super().__init__(
            operands,
            stem(operands, input_shape[2], width, 3),
            body(operands, width, widths, blocks, shortcut),
            widths[-1],
            classes,
        )
        redraw(self, init, operands.rng)
