"""HRNet: branches of several resolutions side by side, which exchange what they know after every module."""

from __future__ import annotations

from collections.abc import Sequence as Series
from dataclasses import dataclass
from typing import Any, Protocol

from bnn_ref.layers import Add, BatchNorm, Composite, Conv2d, Layer, NearestUpsample, ReLU, Sequential
from bnn_ref.models.base import stem
from bnn_ref.models.operands import Operands
from bnn_ref.models.posenet import PoseNetwork, require_image
from bnn_ref.models.reals import BasicBlock
from bnn_ref.models.residual import Change
from bnn_ref.models.simplebaseline import EXPANSION, BottleneckBlock


class Parts(Protocol):
    """What the network is made of; C, F and the stride are those of a `Change`."""

    @property
    def operands(self) -> Operands:
        """How convolutions treat their operands, and the generator that draws them."""

    def bend(self, channels: int) -> Layer:
        """The nonlinearity."""

    def second(self, channels: int) -> Layer:
        """The second convolution of the stem, 3x3 / 2, with what is behind it."""

    def bottleneck(self, change: Change) -> Layer:
        """A block of layer1."""

    def block(self, channels: int) -> Layer:
        """A block of a branch: two convolutions 3x3."""

    def transition(self, change: Change) -> Layer:
        """A convolution 3x3 that begins a branch, with what is behind it."""

    def up(self, change: Change) -> list[Layer]:
        """1x1 convolution and norm, of a lower resolution's exchange."""

    def down(self, change: Change) -> list[Layer]:
        """3x3 convolution and norm, of a higher resolution's exchange."""


@dataclass(frozen=True)
class RealParts:
    """Full precision, as released."""

    operands: Operands

    def bend(self, channels: int) -> Layer:
        return ReLU()

    def second(self, channels: int) -> Layer:
        return self.transition(Change(channels, channels, 2))

    def bottleneck(self, change: Change) -> Layer:
        return BottleneckBlock(self.operands, change)

    def block(self, channels: int) -> Layer:
        return BasicBlock(self.operands, Change(channels, channels))

    def transition(self, change: Change) -> Layer:
        return Sequential(*self.down(change), ReLU())

    def up(self, change: Change) -> list[Layer]:
        c, f, _ = change
        return [Conv2d(c, f, 1, rng=self.operands.rng), BatchNorm(f)]

    def down(self, change: Change) -> list[Layer]:
        c, f, stride = change
        return [Conv2d(c, f, 3, stride=stride, padding=1, rng=self.operands.rng), BatchNorm(f)]


class Exchange(Composite):
    """One output of a module: bend(sum over j of T_j(x_j)), x_j the branches (N, H_j, W_j, C_j).

    Parameters
    ----------
    paths : sequence of Layer or None
        T_j; None is the identity.
    bend : Layer
    """

    def __init__(self, paths: Series[Layer | None], bend: Layer) -> None:
        self.paths, self.adds, self.bend = list(paths), [Add() for _ in paths[1:]], bend

    def compute(self, *xs: Any) -> Any:
        total = None
        for x, path, add in zip(xs, self.paths, [None, *self.adds], strict=True):
            part = x if path is None else path(x)
            total = part if add is None else add(total, part)
        return self.bend(total)


def path(parts: Parts, widths: Series[int], source: int, target: int) -> Layer | None:
    """T from branch `source` to branch `target`: up by 1x1 and nearest pixels, down by 3x3 / 2 each time."""
    c, f = widths[source], widths[target]
    if source == target:
        return None
    if source > target:
        return Sequential(*parts.up(Change(c, f)), NearestUpsample(2 ** (source - target)))
    layers: list[Layer] = []
    for _ in range(target - source - 1):
        layers += [*parts.down(Change(c, c, 2)), parts.bend(c)]
    return Sequential(*layers, *parts.down(Change(c, f, 2)))


class Module(Layer):
    """Blocks on every branch, then exchange.

    Parameters
    ----------
    parts : Parts
    widths : sequence of int
        Channels of each branch; branch i has half the size of branch i - 1.
    depth : int
        Of each branch.
    outputs : int
        The first so many branches go on.
    """

    def __init__(self, parts: Parts, widths: Series[int], depth: int, outputs: int) -> None:
        self.branches = [Sequential(*(parts.block(c) for _ in range(depth))) for c in widths]
        sources = range(len(widths))
        self.exchanges = [
            Exchange([path(parts, widths, source, target) for source in sources], parts.bend(widths[target]))
            for target in range(outputs)
        ]

    def streams(self, xs: Series[Any]) -> list[Any]:
        """The branches behind the module, of those before it."""
        xs = [branch(x) for branch, x in zip(self.branches, xs, strict=True)]
        return [exchange(*xs) for exchange in self.exchanges]


class HighResolution(Composite):
    """stem / 4 -> layer1 -> stages of modules, each with a branch more -> the highest resolution.

    Parameters
    ----------
    parts : Parts
    images : int
        Channels of an image.
    first : int
        Channels of the stem; layer1 ends with four times as many.
    width : int
        Channels of the first branch; branch i has 2^i times as many.
    modules : sequence of int
        Number of modules of each stage; the first stage has two branches.
    depth : int
        Of each branch of a module.

    Source: hrnet2019 (released code).
    """

    def __init__(
        self, parts: Parts, images: int, first: int, width: int, modules: Series[int], depth: int
    ) -> None:
        wide = EXPANSION * first
        widths = [width * 2**i for i in range(len(modules) + 1)]
        begin = stem(parts.operands, images, first, 3, parts.bend(first), stride=2)
        layer1 = [parts.bottleneck(Change(c, wide)) for c in (first, wide, wide, wide)]
        self.stem = Sequential(*begin.parts, parts.second(first), *layer1)
        self.transitions = [
            parts.transition(Change(wide, width)),
            parts.transition(Change(wide, widths[1], 2)),
        ]
        self.transitions += [parts.transition(Change(c, 2 * c, 2)) for c in widths[1:-1]]
        self.stages = [
            [
                Module(parts, widths[: stage + 2], depth, self._outputs(modules, stage, i))
                for i in range(count)
            ]
            for stage, count in enumerate(modules)
        ]

    @staticmethod
    def _outputs(modules: Series[int], stage: int, module: int) -> int:
        last = stage + 1 == len(modules) and module + 1 == modules[stage]
        return 1 if last else stage + 2

    def compute(self, x: Any) -> Any:
        x = self.stem(x)
        xs = [transition(x) for transition in self.transitions[:2]]
        for i, stage in enumerate(self.stages):
            if i:
                xs.append(self.transitions[i + 1](xs[-1]))
            for module in stage:
                xs = module.streams(xs)
        return xs[0]


class HRNet(PoseNetwork):
    """Two convolutions 3x3 / 2 -> four bottlenecks -> modules of two, three, four branches -> maps.

    Nothing in it is binary: whatever estimator it is built with, it is the same.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image, H and W divisible by 32.
    classes : int
        Not used: there are as many maps as `joints`.
    width : int
        Channels of the highest resolution's branch; each lower one has twice as many.
    modules : list of int
        Number of modules of the stages with two, three and four branches.
    depth : int
        Blocks of each branch of a module, two convolutions in each.
    first : int
        Channels of the stem; the bottlenecks have four times as many at their end.
    joints : int
        Length of the output's last axis.

    Source: hrnet2019 (with the first weights drawn as everywhere here, but for the last convolution's).
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 32,
        modules: tuple[int, ...] = (1, 4, 3),
        depth: int = 4,
        first: int = 64,
        joints: int = 17,
    ) -> None:
        require_image(input_shape, len(modules))
        body = HighResolution(RealParts(operands), input_shape[2], first, width, modules, depth)
        super().__init__(operands, body, width, joints)
