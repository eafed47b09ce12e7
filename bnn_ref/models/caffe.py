"""Bi-Real networks as the Caffe release writes them: a bias in every convolution, no norm on a shortcut."""

from __future__ import annotations

from bnn_ref.layers import Conv2d, Layer, MaxPool2d, Sequential
from bnn_ref.models.base import Classifier, stem
from bnn_ref.models.bireal import shrink, unit
from bnn_ref.models.operands import Operands
from bnn_ref.models.residual import Change, Residual, changes, doubling


class CaffeBlock(Residual):
    """y = norm(binary conv 3x3(x) + bias) + shortcut(x), and nothing after the sum.

    The shortcut is the identity; where the shape changes it is average pool 2x2 and real 1x1 convolution with
    bias, without norm. Source: bireal2018 (Caffe release).
    """

    def __init__(self, operands: Operands, change: Change) -> None:
        branch = Sequential(*unit(operands, change, bias=True))
        super().__init__(branch, None if change.same else self._projection(operands, change))

    @staticmethod
    def _projection(operands: Operands, change: Change) -> Layer:
        conv = Conv2d(change.in_channels, change.channels, 1, bias=True, rng=operands.rng)
        return Sequential(*shrink(change.stride), conv)


class CaffeBiReal(Classifier):
    """conv 7x7 / 2, norm, max pool -> stages of blocks, halving the size between -> mean -> linear.

    Unlike `BiReal`: every convolution has a bias, a shortcut has no norm, and the max pool has no padding but
    windows that may hang over the end. There sign(0) is -1 for an activation and +1 for a weight: build with
    `parameters={"zero": -1}` for the same ties.

    Parameters
    ----------
    input_shape, classes, width, blocks
        As in `BiReal`.

    Source: bireal2018 (Caffe release).
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 64,
        blocks: tuple[int, ...] = (4, 4, 4, 4),
    ) -> None:
        widths = doubling(width, blocks)
        super().__init__(
            operands,
            stem(operands, input_shape[2], width, 7, MaxPool2d(3, 2, ceil=True), stride=2, bias=True),
            Sequential(*(CaffeBlock(operands, change) for change in changes(width, widths, blocks))),
            widths[-1],
            classes,
        )
