"""One binary layer as a network runs it, and what other libraries run in its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analysis.engine.rival import Case
from analysis.engine.yardstick import Products
from bnn_ref import estimators
from bnn_ref.layers import BatchNorm, Conv2d, Sequential
from bnn_ref.models.bireal import BiRealBlock
from bnn_ref.models.operands import Operands
from bnn_ref.packed import PackedModel, pack
from bnn_ref.packed.plan import Plan
from bnn_ref.packed.product import Product
from bnn_ref.packed.steps import Affine
from bnn_ref.parameter import Array

SHAPES = ((56, 64), (28, 128), (14, 256), (7, 512))
"""Pixels of a side and channels: the 3 x 3 layers of ResNet-18's stages, 115.6 million products each."""


class Layer:
    """The first of two Bi-Real blocks, its signs being those that the second one reads.

    Parameters
    ----------
    side, channels : int
    images : int

    Raises
    ------
    ValueError
        Where the pass does not leave what the steps of the network compute.
    """

    def __init__(self, side: int, channels: int, images: int = 1) -> None:
        signs = estimators.get("approxsign")
        operands = Operands(signs, estimators.get("clipped-ste"), None, np.random.default_rng(0))
        model = Sequential(*(BiRealBlock(operands, channels, channels) for _ in range(2))).eval()
        self.plan = Plan(pack(model).graph, (side, side, channels), count=1)
        self.number = next(n for n, task in self.plan.tasks.items() if isinstance(task, Product))
        self.run = self.plan.tasks[self.number]
        self.pixels, self.channels, self.images = side * side, channels, images
        self._check(np.random.default_rng(1).normal(size=(1, side, side, channels)).astype(np.float32))

    def _check(self, x: Array) -> None:
        """Run the pass once, on what lies in front of it for `x`."""
        steps: dict[int, Array] = {}
        for values in self.plan.graph.walk(x):
            steps |= values
        self.plan.values[0].write(x)
        for number, task in self.plan.tasks.items():
            if number <= self.number:
                task(1)
        one = self.plan.fusing.passes[self.number]
        for value in (one.value, one.words):
            if value is None or not np.array_equal(self.plan.values[value].read(1), steps[value]):
                raise ValueError(
                    f"layer: required numbers and signs as the steps give, got others in {value}"
                )

    def fused(self) -> Array:
        """One pass an image, which was checked: it adds to what it left the last time, so nothing is said."""
        for _ in range(self.images):
            self.run(1)
        return np.zeros(0)

    @property
    def yardstick(self) -> Products:
        """As many products in a matrix; its rows are a multiple of four."""
        return Products(-(-self.pixels // 4) * 4, self.channels, 9 * self.channels)

    @property
    def work(self) -> int:
        """Products of signs."""
        return self.images * self.pixels * self.channels * 9 * self.channels


class Alone:
    """A binary convolution and its batch norm, floats in and out.

    Parameters
    ----------
    side, channels, images : int
    """

    def __init__(self, side: int, channels: int, images: int = 1) -> None:
        rng = np.random.default_rng(0)
        hard = estimators.get("clipped-ste")
        conv = Conv2d(channels, channels, 3, padding=1, rng=rng, activation=hard, weight=hard, bias=False)
        norm = BatchNorm(channels)
        norm.running_var[:] = 9 * channels
        norm.gamma.value, norm.beta.value = rng.normal(size=(2, channels)).astype(np.float32)
        self.signs = conv.latent.value
        self.packed: PackedModel = pack(Sequential(conv, norm).eval())
        self.x = rng.choice(np.array([-1, 1], np.float32), (images, side, side, channels))

    def __call__(self) -> Array:
        """What it answers to `x`."""
        return self.packed(self.x)

    def case(self, folder: Path) -> Case:
        """The same function of `x` as a float convolution with a bias: signs times the norm's factor."""
        norm = next(node.step for node in self.packed.graph.nodes if isinstance(node.step, Affine))
        channels = self.x.shape[-1]
        conv = Conv2d(channels, channels, 3, padding=1, bias=True, rng=np.random.default_rng(0))
        conv.latent.value = np.where(self.signs >= 0, norm.gain, -norm.gain)
        assert conv.bias is not None
        conv.bias.value = norm.shift
        path = folder / "layer.safetensors"
        pack(Sequential(conv).eval()).save(path)
        return Case(path, self.x, self())
