"""What pose networks share: one heat map a joint, at a quarter of the image's size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bnn_ref.checks import require
from bnn_ref.layers import BatchNorm, Conv2d, ConvTranspose2d, Layer, PReLU, Sequential
from bnn_ref.models.base import Model
from bnn_ref.models.bireal import BiRealBlock
from bnn_ref.models.operands import Operands
from bnn_ref.models.residual import Change


class PoseNetwork(Model):
    """body -> real 1x1 convolution with bias: images (N, H, W, C) to heat maps (N, H/4, W/4, joints).

    Parameters
    ----------
    operands : Operands
        Its generator draws the last convolution, after all else, from N(0, 0.001^2) with bias 0.
    body : Layer
        To (N, H/4, W/4, channels).
    channels, joints : int
        What comes into the last convolution and what comes out.

    Source: simplebaseline2018, hrnet2019 (released code).
    """

    def __init__(self, operands: Operands, body: Layer, channels: int, joints: int) -> None:
        self.body = body
        self.final = Conv2d(channels, joints, 1, bias=True, rng=operands.rng)
        draw_small(self.final, operands.rng)

    def compute(self, x: Any) -> Any:
        return self.final(self.body(x))


def draw_small(layer: Conv2d | ConvTranspose2d, rng: np.random.Generator) -> None:
    """Draw the weights of `layer` from N(0, 0.001^2). Source: simplebaseline2018 (released code)."""
    layer.latent.value = rng.normal(scale=1e-3, size=layer.latent.value.shape).astype(np.float32)


def require_image(input_shape: tuple[int, int, int], halvings: int = 3) -> None:
    """ValueError unless an image (H, W, C) at a quarter of its size can be halved so often without rest."""
    stride = 4 * 2**halvings
    fits = all(size % stride == 0 for size in input_shape[:2])
    require(fits, "input_shape", f"H and W divisible by {stride}", input_shape)


def residual(operands: Operands, change: Change) -> Sequential:
    """y = PReLU(norm(binary conv 3x3(x)) + shortcut(x)), a slope a channel.

    The shortcut is the identity; where the shape changes it is average pool 2x2, real 1x1 convolution, norm.
    Source: bbc2023 (released code), without its rule for weights, which is the estimator's part.
    """
    return Sequential(BiRealBlock(operands, *change), PReLU(change.channels))


def deconvolutions(
    make: Callable[..., ConvTranspose2d], channels: int, width: int, bend: Callable[[], Layer]
) -> Sequential:
    """Three transposed convolutions 4x4 / 2 with `width` channels, each with its norm and nonlinearity."""
    parts: list[Layer] = []
    for c in (channels, width, width):
        parts += [make(c, width, 4, stride=2, padding=1), BatchNorm(width), bend()]
    return Sequential(*parts)
