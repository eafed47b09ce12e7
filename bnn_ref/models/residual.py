"""What residual networks share: a branch beside a shortcut, and which convolutions there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from bnn_ref.layers import Add, Composite, Layer


class Residual(Composite):
    """y = branch(x) + shortcut(s); s is x, or a second input.

    Parameters
    ----------
    branch : Layer
    shortcut : Layer, optional
        None is the identity.
    """

    def __init__(self, branch: Layer, shortcut: Layer | None = None) -> None:
        self.branch, self.shortcut, self.add = branch, shortcut, Add()

    def compute(self, x: Any, source: Any = None) -> Any:
        source = x if source is None else source
        shortcut = (
            source if self.shortcut is None else self.shortcut(source)
        )  # first: packed, the branch adds it
        return self.add(self.branch(x), shortcut)


class Change(NamedTuple):
    """What a convolution (or a run of them) makes of an image: C channels become F, `stride` pixels one."""

    in_channels: int
    channels: int
    stride: int = 1

    @property
    def same(self) -> bool:
        """Whether the shape stays."""
        return self.stride == 1 and self.in_channels == self.channels


def changes(stem: int, widths: Sequence[int], blocks: Sequence[int]) -> Iterator[Change]:
    """The blocks of all stages in order; the first one of every later stage halves the image.

    Parameters
    ----------
    stem : int
        Channels that come in.
    widths, blocks : sequence of int
        Channels and number of blocks of each stage.
    """
    channels = stem
    for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        for i in range(count):
            yield Change(channels, width, 2 if stage > 0 and i == 0 else 1)
            channels = width


def doubling(width: int, blocks: Sequence[int]) -> list[int]:
    """Channels of each stage: `width`, and twice as many in every further one."""
    return [width * 2**stage for stage in range(len(blocks))]
