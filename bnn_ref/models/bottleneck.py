"""Bi-Real networks of 50 and 152 layers: two real streams run side by side through every block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bnn_ref.layers import BatchNorm, Composite, Conv2d, Layer, LeakyClip, MaxPool2d, Sequential
from bnn_ref.models.base import Classifier, stem
from bnn_ref.models.bireal import projection, shrink, unit
from bnn_ref.models.drawing import redraw
from bnn_ref.models.operands import Operands
from bnn_ref.models.residual import Change, Residual, changes, doubling

EXPANSION = 4
"""The wide stream has so many times the channels of the narrow one."""


class Bottleneck(Composite):
    """A narrow stream n (the previous block's 3x3 output) and a wide stream w, each of them real:

        u  = norm(binary conv 1x1(w)) + P1(n)
        n' = norm(binary conv 3x3(u)) + P2(u)
        w' = norm(binary conv 1x1(n')) + P3(w)

    P1 is the identity, or a real 1x1 convolution where the stage changes. P2 is the identity, or average pool
    2x2 where the 3x3 has stride 2. P3 is the identity, or average pool, real 1x1 convolution, norm.

    Parameters
    ----------
    operands : Operands
    change : Change
        Of the wide stream: its channels come in and go out.

    Source: bireal2018 (PyTorch release, 50 layers).
    """

    def __init__(self, operands: Operands, change: Change) -> None:
        narrow = change.channels // EXPANSION
        self.reduce = self._reduce(operands, change.in_channels, narrow)
        middle, pool = unit(operands, Change(narrow, narrow, change.stride)), shrink(change.stride)
        self.middle = Residual(Sequential(*middle), Sequential(*pool) if pool else None)
        expand = unit(operands, Change(narrow, change.channels), 1)
        self.expand = Residual(Sequential(*expand), projection(operands, change))

    def _reduce(self, operands: Operands, wide: int, narrow: int) -> Layer:
        branch = Sequential(*unit(operands, Change(wide, narrow), 1))
        same = wide == narrow * EXPANSION
        return Residual(branch, None if same else Conv2d(wide // EXPANSION, narrow, 1, rng=operands.rng))

    def reduced(self, narrow: Any, wide: Any) -> Any:
        """u."""
        return self.reduce(wide, narrow)

    def streams(self, narrow: Any, wide: Any) -> tuple[Any, Any]:
        """(n', w') of (n, w), each (N, H, W, C)."""
        narrow = self.middle(self.reduced(narrow, wide))
        return narrow, self.expand(narrow, wide)


class FirstBottleneck(Bottleneck):
    """The network's first block: u = norm(real conv 1x1(leaky clip(w))), without shortcut.

    Source: bireal2018 (PyTorch release, 50 layers).
    """

    def _reduce(self, operands: Operands, wide: int, narrow: int) -> Layer:
        conv = Conv2d(wide, narrow, 1, rng=operands.rng)
        return Sequential(LeakyClip(), conv, BatchNorm(narrow))

    def reduced(self, narrow: Any, wide: Any) -> Any:
        return self.reduce(wide)


class TwoStreams(Composite):
    """Bottlenecks one after another: both streams start as x, the wide one is the output."""

    def __init__(self, blocks: Sequence[Bottleneck]) -> None:
        self.parts = list(blocks)

    def compute(self, x: Any) -> Any:
        narrow = wide = x
        for part in self.parts:
            narrow, wide = part.streams(narrow, wide)
        return wide


class DeepBiReal(Classifier):
    """conv 7x7 / 2, norm, max pool -> stages of two-stream bottlenecks -> mean -> linear.

    Parameters
    ----------
    input_shape, classes, init
        As in `BiReal`.
    width : int
        Channels of the stem and of the first stage's narrow stream; the wide stream has four times as many,
        and every further stage twice as many.
    blocks : list of int
        Number of bottlenecks of each stage, three convolutions in each.

    Source: bireal2018 (PyTorch release, 50 layers); with the 152 layers of ResNet-152, of which no code was
    released, ours.
    """

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 64,
        blocks: tuple[int, ...] = (3, 4, 6, 3),
        init: str = "glorot",
    ) -> None:
        widths = doubling(EXPANSION * width, blocks)
        first, *others = changes(width, widths, blocks)
        super().__init__(
            operands,
            stem(operands, input_shape[2], width, 7, MaxPool2d(3, 2, 1), stride=2),
            TwoStreams([FirstBottleneck(operands, first), *(Bottleneck(operands, c) for c in others)]),
            widths[-1],
            classes,
        )
        redraw(self, init, operands.rng)
