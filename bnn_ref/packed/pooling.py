"""Pools of a plan, from buffer to buffer."""

from __future__ import annotations

import numpy as np

from bnn_ref.kernels.pool import Window, pooling
from bnn_ref.kernels.tiles import LANES
from bnn_ref.layers import AvgPool2d
from bnn_ref.packed.steps import AvgPool, GlobalMean, MaxPool, Step
from bnn_ref.packed.storage import Bits, Storage, sides
from bnn_ref.parameter import Array


def pools(step: Step, source: Storage, target: Storage) -> bool:
    """Whether `Pool` can do `step`: numbers that lie in whole vectors, in the same rows on both sides."""
    taken = isinstance(step, (MaxPool, AvgPool, GlobalMean)) and not isinstance(source, Bits)
    cells, other = source.cells.shape[-1], target.cells.shape[-1]
    same = cells == other and cells % LANES == 0 and source.cells.dtype == target.cells.dtype
    return taken and same and (isinstance(step, MaxPool) or source.cells.dtype == np.float32)


class Pool:
    """Called with a number of images, it pools that many.

    Parameters
    ----------
    step : MaxPool, AvgPool or GlobalMean
    source, target : Storage
        As `pools` demands.
    """

    def __init__(self, step: Step, source: Storage, target: Storage) -> None:
        height, width = sides(source.shape)
        sizes = (max(height, width), 1, 0)
        self.divisor: Array | int | None = None if isinstance(step, MaxPool) else height * width
        if isinstance(step, (MaxPool, AvgPool)):
            sizes = (step.kernel_size, step.stride, step.padding)
        if isinstance(step, AvgPool):
            self.divisor = AvgPool2d(*sizes, step.ceil).cells((1, *source.shape)).astype(np.float32)
        margins = (source.margin, target.margin)
        self.window = Window(*sizes, height, width, *margins)
        self.run = pooling("largest" if isinstance(step, MaxPool) else "total")
        self.source, self.target = source, target

    def __call__(self, count: int) -> None:
        cells = self.source.cells[:count]
        self.run(cells, self.window, cells.shape[-1] // LANES, self.target.cells[:count])
        if self.divisor is not None:
            inner = self.target.inner[:count]
            np.divide(inner, self.divisor, out=inner)
