"""The numbers themselves: what one layer, or a whole network, costs for one image."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True)
class Counts:
    """What one layer, or the whole network, costs for one image.

    Attributes
    ----------
    real_weights, binary_weights : int
        Of convolutions and linear layers; binary ones take 1 bit.
    bias, norm, slope, scale, other : int
        Real numbers beside them: biases and learned shifts, gamma and beta of norms, slopes of PReLU,
        scales of binary weights and of outputs, and whatever else eval mode reads (parameters of other
        layers, and of activations there).
    trained_scale : int
        Of `scale`, those that are trained; the others follow from the weights.
    running : int
        Running means and variances, which come with gamma and beta of batch norm: eval mode makes two
        numbers of the four.
    real_macs, binary_macs : int
        Multiplications with addition, each counted once, taps on padding included; binary where both
        operands are signs. The products of attention, queries with keys and scores with values, are real
        ones.
    binary_channels, binary_outputs : int
        Output channels, and output elements, of the products whose operands are both signs.
    memory_bits : int
        What the convention of the report makes of them.
    packed_bytes : int or None
        Of tensors in the packed file; None where the network cannot be packed.

    Source: after bireal2018, whose counting rules its follow-up reactnet2020 keeps.
    """

    real_weights: int = 0
    binary_weights: int = 0
    bias: int = 0
    norm: int = 0
    slope: int = 0
    scale: int = 0
    trained_scale: int = 0
    other: int = 0
    running: int = 0
    real_macs: int = 0
    binary_macs: int = 0
    binary_channels: int = 0
    binary_outputs: int = 0
    memory_bits: int = 0
    packed_bytes: int | None = 0

    @property
    def ops(self) -> float:
        """real_macs + binary_macs / 64: as many signs meet in one instruction."""
        return self.real_macs + self.binary_macs / 64

    @property
    def macs(self) -> int:
        """All of them."""
        return self.real_macs + self.binary_macs

    @property
    def real_numbers(self) -> int:
        """Everything that is no binary weight."""
        return self.real_weights + self.bias + self.norm + self.slope + self.scale + self.other

    @property
    def parameters(self) -> int:
        """Trained numbers that eval mode reads: all but the scales that follow from the weights."""
        return self.binary_weights + self.trained_numbers

    @property
    def trained_numbers(self) -> int:
        """Those of `real_numbers` that are trained."""
        return self.real_numbers - self.scale + self.trained_scale

    def full_precision(self) -> Counts:
        """The network's twin with real operands; it has no scales, and memory is still to be counted."""
        return replace(
            self,
            real_weights=self.real_weights + self.binary_weights,
            real_macs=self.macs,
            **dict.fromkeys(("binary_weights", "binary_macs", "binary_channels", "binary_outputs"), 0),
            scale=0,
            trained_scale=0,
            memory_bits=0,
            packed_bytes=None,
        )

    def __add__(self, other: Counts) -> Counts:
        sums: dict[str, Any] = {}
        for field in fields(self):
            a, b = getattr(self, field.name), getattr(other, field.name)
            sums[field.name] = None if a is None or b is None else a + b
        return Counts(**sums)

    def to_dict(self) -> dict[str, Any]:
        """Every count by name."""
        return {**asdict(self), "ops": self.ops}
