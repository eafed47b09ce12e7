"""SimpleBaseline, full precision: a residual trunk, three transposed convolutions, one map a joint."""

from __future__ import annotations

from functools import partial

from bnn_ref.checks import require
from bnn_ref.layers import BatchNorm, Conv2d, ConvTranspose2d, MaxPool2d, ReLU, Sequential
from bnn_ref.models.base import stem
from bnn_ref.models.operands import Operands
from bnn_ref.models.posenet import PoseNetwork, deconvolutions, draw_small, require_image
from bnn_ref.models.reals import BasicBlock
from bnn_ref.models.residual import Change, Residual, changes, doubling

EXPANSION = 4
"""A bottleneck's last convolution has so many times the channels of its others."""


class BottleneckBlock(Sequential):
    """y = ReLU(branch(x) + shortcut(x)), the branch 1x1, 3x3 (with the stride), 1x1, each with its norm.

    ReLU stands between. The shortcut is the identity; where the shape changes, a 1x1 convolution and norm.
    Source: resnet2016, with the stride of simplebaseline2018 (released code).
    """

    def __init__(self, operands: Operands, change: Change) -> None:
        (c, f, stride), rng = change, operands.rng
        narrow = f // EXPANSION
        branch = Sequential(
            *(Conv2d(c, narrow, 1, rng=rng), BatchNorm(narrow), ReLU()),
            *(Conv2d(narrow, narrow, 3, stride=stride, padding=1, rng=rng), BatchNorm(narrow), ReLU()),
            *(Conv2d(narrow, f, 1, rng=rng), BatchNorm(f)),
        )
        super().__init__(Residual(branch, BasicBlock.shortcut(operands, change)), ReLU())


def real_head(operands: Operands, channels: int, width: int) -> Sequential:
    """Three transposed convolutions 4x4 / 2 with `width` channels, each with norm and ReLU.

    Weights from N(0, 0.001^2). Source: simplebaseline2018 (released code).
    """
    head = deconvolutions(partial(ConvTranspose2d, rng=operands.rng), channels, width, ReLU)
    for _, layer in head.layers():
        if isinstance(layer, ConvTranspose2d):
            draw_small(layer, operands.rng)
    return head


class SimpleBaseline(PoseNetwork):
    """conv 7x7 / 2, norm, ReLU, max pool -> ResNet's stages -> three transposed convolutions -> maps.

    Nothing in it is binary: whatever estimator it is built with, it is the same.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image, H and W divisible by 32.
    classes : int
        Not used: there are as many maps as `joints`.
    width : int
        Channels of stem and first stage (its narrow ones, in a bottleneck); every further stage has twice as
        many. The head has four times as many.
    blocks : list of int
        Number of blocks of each of the four stages.
    bottleneck : bool
        Blocks of three convolutions with four times the channels at their end, in place of two.
    joints : int
        Length of the output's last axis.

    Source: simplebaseline2018 (with the trunk's first weights drawn as everywhere here).
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 64,
        blocks: tuple[int, ...] = (2, 2, 2, 2),
        bottleneck: bool = False,
        joints: int = 17,
    ) -> None:
        require_image(input_shape)
        require(len(blocks) == 4, "blocks", "four numbers: the head undoes three halvings", blocks)
        block, wide = (BottleneckBlock, EXPANSION * width) if bottleneck else (BasicBlock, width)
        widths = doubling(wide, blocks)
        body = Sequential(
            stem(operands, input_shape[2], width, 7, ReLU(), MaxPool2d(3, 2, 1), stride=2),
            *(block(operands, change) for change in changes(width, widths, blocks)),
            real_head(operands, widths[-1], 4 * width),
        )
        super().__init__(operands, body, 4 * width, joints)
