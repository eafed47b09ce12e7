"""Real-to-Binary: a half block whose output a gate weighs, channel by channel, by what the input was."""

from __future__ import annotations

from typing import Any

from bnn_ref.layers import Add, BatchNorm, Composite, Gate, PReLU
from bnn_ref.models.bireal import projection
from bnn_ref.models.operands import Operands
from bnn_ref.models.residual import Change


class RealToBinaryBlock(Composite):
    """y = prelu(gate(z, binary conv 3x3(z))) + shortcut(x), z = norm(x): the norm stands before the sign.

    The shortcut is the identity; where the shape changes it is average pool, real 1x1 convolution, norm. It
    trains and is audited; it cannot be packed, for its gate takes a sigmoid of real numbers.

    Source: after realtobinary2020 and the third-party code that its authors point to; the shortcut that
    changes the shape is bireal2018's.
    """

    def __init__(self, operands: Operands, in_channels: int, channels: int, stride: int = 1) -> None:
        self.norm = BatchNorm(in_channels)
        self.conv = operands.conv(in_channels, channels, 3, stride=stride, padding=1)
        self.gate = Gate(in_channels, channels, rng=operands.rng)
        self.bend, self.add = PReLU(channels), Add()
        self.shortcut = projection(operands, Change(in_channels, channels, stride))

    def compute(self, x: Any) -> Any:
        z = self.norm(x)
        shortcut = x if self.shortcut is None else self.shortcut(x)
        return self.add(self.bend(self.gate(z, self.conv(z))), shortcut)
