"""One binary layer as a network runs it: signs in; batch norm, shortcut, signs out, in one pass."""

from __future__ import annotations

import numpy as np

from analysis.engine.yardstick import Products
from bnn_ref import estimators
from bnn_ref.layers import Sequential
from bnn_ref.models.bireal import BiRealBlock
from bnn_ref.models.operands import Operands
from bnn_ref.packed import pack
from bnn_ref.packed.plan import Plan
from bnn_ref.packed.product import Product
from bnn_ref.parameter import Array

SHAPES = ((56, 64), (28, 128), (14, 256), (7, 512))
"""Pixels of a side and channels: the 3 x 3 layers of ResNet-18's stages, 115.6 million products each."""


class Layer:
    """The first of two Bi-Real blocks, its signs being those that the second one reads.

    Parameters
    ----------
    side, channels : int
    """

    def __init__(self, side: int, channels: int) -> None:
        signs = estimators.get("approxsign")
        operands = Operands(signs, estimators.get("clipped-ste"), None, np.random.default_rng(0))
        model = Sequential(*(BiRealBlock(operands, channels, channels) for _ in range(2))).eval()
        self.plan = Plan(pack(model).graph, (side, side, channels), count=1)
        x = np.random.default_rng(1).normal(size=(1, side, side, channels)).astype(np.float32)
        self.plan(x)
        self.run = next(task for task in self.plan.tasks if isinstance(task, Product))
        self.pixels, self.channels = side * side, channels

    def fused(self) -> Array:
        """One pass: nothing to compare, for it adds to what it left the last time."""
        self.run(1)
        return np.zeros(0)

    @property
    def yardstick(self) -> Products:
        """As many products in a matrix; its rows are a multiple of four."""
        return Products(-(-self.pixels // 4) * 4, self.channels, 9 * self.channels)

    @property
    def work(self) -> int:
        """Products of signs."""
        return self.pixels * self.channels * 9 * self.channels
