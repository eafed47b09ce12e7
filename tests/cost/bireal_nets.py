"""Bi-Real-18 and -34 for ImageNet, twice: as layers, and as arithmetic that knows no layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref import estimators
from bnn_ref.binarizer import Map
from bnn_ref.layers import BatchNorm, Composite, Conv2d, GlobalAvgPool, Layer, Linear, MaxPool2d, Sequential
from bnn_ref.models import BiRealBlock, Operands

DEPTHS = {18: [4, 4, 4, 4], 34: [6, 8, 12, 6]}
CHANNELS, PIXELS = [64, 128, 256, 512], [56, 28, 14, 7]
HARD = estimators.get("clipped-ste")
IMAGE = (1, 224, 224, 3)


class BiReal(Composite):
    """The network, out of the package's block; `binary` False makes its full-precision twin."""

    def __init__(self, blocks: list[int], binary: bool = True, scale: Map | None = None) -> None:
        rng = np.random.default_rng(0)
        operands = Operands(HARD if binary else HARD.surrogate, HARD if binary else None, scale, rng)
        parts: list[Layer] = [
            Conv2d(3, 64, 7, stride=2, padding=3, rng=rng),
            BatchNorm(64),
            MaxPool2d(3, 2, 1),
        ]
        c = 64
        for stage, (width, count) in enumerate(zip(CHANNELS, blocks, strict=True)):
            for i in range(count):
                parts.append(BiRealBlock(operands, c, width, 2 if stage and not i else 1))
                c = width
        self.parts = Sequential(*parts, GlobalAvgPool(), Linear(512, 1000, rng=rng))

    def compute(self, x: Any) -> Any:
        return self.parts(x)


def arithmetic(blocks: list[int]) -> dict[str, int]:
    """Its counts, by loops over stages: 224 x 224 images, 1000 classes."""
    bits = bmac = out_ch = out_el = 0
    real_w, real_mac = 9408 + 512000, 9408 * 112**2 + 512000
    norms, previous = 64, 64
    for c, h, count in zip(CHANNELS, PIXELS, blocks, strict=True):
        for i in range(count):
            source = previous if i == 0 else c
            bits += 9 * source * c
            bmac += 9 * source * c * h * h
            out_ch += c
            out_el += c * h * h
            norms += c
            if source != c:
                real_w += source * c
                real_mac += source * c * h * h
                norms += c
        previous = c
    return {
        "binary_weights": bits,
        "binary_macs": bmac,
        "real_weights": real_w,
        "real_macs": real_mac,
        "binary_channels": out_ch,
        "binary_outputs": out_el,
        "norm": 2 * norms,
        "bias": 1000,
    }
