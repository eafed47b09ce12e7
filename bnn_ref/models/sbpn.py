"""SBPN, a binary SimpleBaseline, as we reconstruct it: only its name and its use are published.

The paper's text was not available to us and no code of the network was found. The residual block and the
trunk are those of the released code for ImageNet; head, reduction and upsampling are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bnn_ref.checks import require
from bnn_ref.layers import (
    BatchNorm,
    BilinearUpsample,
    Conv2d,
    GroupMean,
    Layer,
    MaxPool2d,
    NearestUpsample,
    PReLU,
    Sequential,
)
from bnn_ref.models.base import stem
from bnn_ref.models.bireal import unit
from bnn_ref.models.operands import Operands
from bnn_ref.models.posenet import PoseNetwork, deconvolutions, require_image, residual
from bnn_ref.models.residual import Change, EarlyResidual, changes, doubling
from bnn_ref.models.simplebaseline import real_head

TRUNKS = {18: (4, 4, 4, 4), 34: (6, 8, 12, 6)}
"""Binary convolutions of each stage, by the layers of the ResNet they stand in for."""

UPSAMPLES: dict[str, Callable[[], Layer]] = {"nearest": NearestUpsample, "bilinear": BilinearUpsample}


def real_reduction(operands: Operands, channels: int, width: int) -> Layer:
    """A real 1x1 convolution and norm. Source: ours."""
    return Sequential(Conv2d(channels, width, 1, rng=operands.rng), BatchNorm(width))


def binary_reduction(operands: Operands, channels: int, width: int) -> Layer:
    """y = PReLU(norm(binary conv 1x1(x)) + means of neighbouring channels of x). Source: ours."""
    branch = Sequential(*unit(operands, Change(channels, width), 1))
    return Sequential(EarlyResidual(branch, GroupMean(channels // width)), PReLU(width))


REDUCTIONS = {"fp1x1": real_reduction, "binary": binary_reduction}


USUAL = {"reduce": "fp1x1", "upsample": "nearest"}
"""What the head "upconv" is made of by default; others have no such parts."""


def upsampling_head(operands: Operands, channels: int, width: int, reduce: str, upsample: str) -> Sequential:
    """Reduction to `width` channels, then three times: twice the size, a residual block. Source: ours."""
    require(reduce in REDUCTIONS, "reduce", f"one of {', '.join(REDUCTIONS)}", reduce)
    require(upsample in UPSAMPLES, "upsample", f"one of {', '.join(UPSAMPLES)}", upsample)
    parts = [REDUCTIONS[reduce](operands, channels, width)]
    for _ in range(3):
        parts += [UPSAMPLES[upsample](), residual(operands, Change(width, width))]
    return Sequential(*parts)


def binary_deconvolutions(operands: Operands, channels: int, width: int) -> Sequential:
    """Three binary transposed convolutions 4x4 / 2, each with norm and PReLU, without shortcuts.

    Source: ours, after simplebaseline2018.
    """
    return deconvolutions(operands.transposed, channels, width, partial(PReLU, width))


HEADS: dict[str, Callable[..., Sequential]] = {
    "upconv": upsampling_head,
    "deconv": binary_deconvolutions,
    "real-deconv": real_head,
}
"""What makes maps of the trunk's output; the last is SimpleBaseline's."""


class SBPN(PoseNetwork):
    """conv 7x7 / 2, norm, PReLU, max pool -> stages of binary residual blocks -> head -> real 1x1 -> maps.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image, H and W divisible by 32.
    classes : int
        Not used: there are as many maps as `joints`.
    trunk : int
        18 or 34: sixteen binary convolutions, or thirty-two, each with its shortcut.
    head : str
        "upconv": reduction, then three times upsampling and a residual block. "deconv": three binary
        transposed convolutions. "real-deconv": SimpleBaseline's head, in full precision.
    reduce : str
        Of "upconv": the reduction is a real 1x1 convolution ("fp1x1"), or a "binary" one with a shortcut.
    upsample : str
        Of "upconv": "nearest" or "bilinear".
    width : int
        Channels of stem and first stage; every further stage has twice as many, the head four times as many.
    joints : int
        Length of the output's last axis.

    Source: ours, a reconstruction: bbc2023 publishes the name alone. The block and the trunk are
    bbc2023's (released code).
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        trunk: int = 18,
        head: str = "upconv",
        reduce: str = "fp1x1",
        upsample: str = "nearest",
        width: int = 64,
        joints: int = 17,
    ) -> None:
        require_image(input_shape)
        require(trunk in TRUNKS, "trunk", f"one of {', '.join(map(str, TRUNKS))}", trunk)
        require(head in HEADS, "head", f"one of {', '.join(HEADS)}", head)
        chosen = {"reduce": reduce, "upsample": upsample}
        fits = head == "upconv" or chosen == USUAL
        require(fits, "head", "'upconv' for a choice of reduce and upsample", head)
        blocks = TRUNKS[trunk]
        widths = doubling(width, blocks)
        body = Sequential(
            stem(operands, input_shape[2], width, 7, PReLU(width), MaxPool2d(3, 2, 1), stride=2),
            *(residual(operands, change) for change in changes(width, widths, blocks)),
            HEADS[head](operands, widths[-1], 4 * width, **(chosen if head == "upconv" else {})),
        )
        super().__init__(operands, body, 4 * width, joints)
