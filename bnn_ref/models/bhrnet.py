"""BHRNet, a binary HRNet, as we reconstruct it: only its name and its use are published.

The paper's text was not available to us and no code of the network was found. The residual block is that of
the released code for ImageNet, the topology is HRNet's; what is binary and which shortcuts there are is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bnn_ref.checks import require
from bnn_ref.layers import BatchNorm, Conv2d, GroupMean, Layer, PReLU, Sequential, TileChannels
from bnn_ref.models.bireal import projection, shrink, unit
from bnn_ref.models.hrnet import HighResolution
from bnn_ref.models.operands import Operands
from bnn_ref.models.posenet import PoseNetwork, require_image, residual
from bnn_ref.models.residual import Change, EarlyResidual
from bnn_ref.models.simplebaseline import EXPANSION

PRECISIONS: dict[str, tuple[str, ...]] = {
    "A": (),
    "B": ("stem", "pointwise", "exchange"),
    "C": ("stem", "pointwise", "spatial"),
    "D": ("stem",),
}
"""Which parts are in full precision, beside the first convolution, the last and layer1's projection: the
stem's second convolution, the 1x1 and the 3x3 convolutions of layer1, the 1x1 convolutions of exchanges.

Source: ours."""


def fitted(operands: Operands, change: Change) -> Sequential | None:
    """A shortcut without parameters, where there is one: average pool, then channels repeated or averaged.

    Channels are repeated in tiles and averaged in groups of neighbours. Where neither number divides the
    other, a real 1x1 convolution and norm. None is the identity. Source: ours.
    """
    c, f, stride = change
    if change.same:
        return None
    layers = shrink(stride)
    if f % c == 0:
        layers += [TileChannels(f // c)] if f > c else []
    elif c % f == 0:
        layers += [GroupMean(c // f)]
    else:
        layers += [Conv2d(c, f, 1, rng=operands.rng), BatchNorm(f)]
    return Sequential(*layers)


def bypassed(operands: Operands, change: Change, kernel_size: int, shortcut: Layer | None) -> Sequential:
    """y = PReLU(norm(conv(x)) + shortcut(x)), a slope a channel."""
    branch = Sequential(*unit(operands, change, kernel_size))
    return Sequential(EarlyResidual(branch, shortcut), PReLU(change.channels))


@dataclass(frozen=True)
class BinaryParts:
    """What BHRNet puts in place of HRNet's parts. Source: ours; the block is of bbc2023's released code."""

    operands: Operands
    real: tuple[str, ...]

    def of(self, part: str) -> Operands:
        """How the convolutions of a part treat their operands."""
        if part not in self.real:
            return self.operands
        return replace(self.operands, activation=None, weight=None, scale=None)

    def bend(self, channels: int) -> Layer:
        return PReLU(channels)

    def second(self, channels: int) -> Layer:
        change, operands = Change(channels, channels, 2), self.of("stem")
        return bypassed(operands, change, 3, fitted(operands, change))

    def bottleneck(self, change: Change) -> Layer:
        """Three convolutions, each with its shortcut; these replace the outer one.

        Where the block changes the shape, the last shortcut is a real 1x1 convolution and norm.
        """
        narrow = change.channels // EXPANSION
        reduce, middle, expand = (
            Change(change.in_channels, narrow),
            Change(narrow, narrow),
            Change(narrow, change.channels),
        )
        pointwise, spatial = self.of("pointwise"), self.of("spatial")
        last = (fitted if change.same else projection)(pointwise, expand)
        return Sequential(
            bypassed(pointwise, reduce, 1, fitted(pointwise, reduce)),
            bypassed(spatial, middle, 3, None),
            bypassed(pointwise, expand, 1, last),
        )

    def block(self, channels: int) -> Layer:
        change = Change(channels, channels)
        return Sequential(residual(self.operands, change), residual(self.operands, change))

    def transition(self, change: Change) -> Layer:
        return bypassed(self.operands, change, 3, fitted(self.operands, change))

    def up(self, change: Change) -> list[Layer]:
        return unit(self.of("exchange"), change, 1)

    def down(self, change: Change) -> list[Layer]:
        return unit(self.operands, change)


class BHRNet(PoseNetwork):
    """HRNet with binary convolutions, a shortcut for each outside of exchanges, PReLU in place of ReLU.

    In an exchange the term of the branch itself is the identity, so that no stream of real numbers is cut.

    Parameters
    ----------
    input_shape, classes, width, modules, depth, first, joints
        As in `HRNet`.
    precision : str
        What is binary. "A": all but the first convolution, the last, and the projection of the first
        bottleneck. Real beside those are, with "B", the stem's second convolution and the 1x1 convolutions of
        bottlenecks and exchanges; with "C", that one and all of the bottlenecks; with "D", that one.

    Source: ours, a reconstruction: bbc2023 publishes the name alone. The topology is hrnet2019's,
    the block bbc2023's (released code).
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 32,
        modules: tuple[int, ...] = (1, 4, 3),
        precision: str = "A",
        depth: int = 4,
        first: int = 64,
        joints: int = 17,
    ) -> None:
        require_image(input_shape, len(modules))
        require(precision in PRECISIONS, "precision", f"one of {', '.join(PRECISIONS)}", precision)
        parts = BinaryParts(operands, PRECISIONS[precision])
        body = HighResolution(parts, input_shape[2], first, width, modules, depth)
        super().__init__(operands, body, width, joints)
