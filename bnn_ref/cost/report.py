"""The report: what a network costs, layer by layer and altogether, beside its full-precision twin."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rich.console import Group

from bnn_ref.cost import table
from bnn_ref.cost.conventions import Convention
from bnn_ref.cost.counts import Counts


@dataclass(frozen=True)
class LayerCost:
    """What one layer costs.

    Attributes
    ----------
    name, type : str
        Dotted name, and class.
    input_bits : int or None
        What an element of the left operand of a product takes in eval mode: 1 or 32. None elsewhere.
    output_shape : tuple of int
        Of one image, (H, W, C) or (..., C), at the layer's first call.
    counts : Counts
    """

    name: str
    type: str
    input_bits: int | None
    output_shape: tuple[int, ...]
    counts: Counts

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        known = {"name": self.name, "type": self.type, "input_bits": self.input_bits}
        return {**known, "output_shape": list(self.output_shape), **self.counts.to_dict()}


@dataclass(frozen=True)
class Cost:
    """What a network costs for one image; `print` shows two tables, of the layers and of the totals.

    Attributes
    ----------
    layers : tuple of LayerCost
        In the order of the computation.
    convention : Convention
        What memory means here.
    whole : int
        Real numbers that the convention counts for the network and for none of its layers.
    unpacked : str or None
        Why there are no packed bytes, where there are none.
    """

    layers: tuple[LayerCost, ...]
    convention: Convention
    whole: int = 0
    unpacked: str | None = None

    @property
    def total(self) -> Counts:
        """The sum over layers, and what belongs to none."""
        return sum((row.counts for row in self.layers), start=Counts(memory_bits=32 * self.whole))

    @property
    def full_precision(self) -> Counts:
        """The twin with real operands, under the same convention; it has no packed bytes."""
        return self._priced(self.total.full_precision(), 0)

    @property
    def xnor(self) -> Counts:
        """The same network scaled as XNOR-Net does it, under the same convention.

        One real number a binary channel in place of the network's own scales, and two real multiplications
        a binary output (by the scales of weight and activations; finding the latter is not counted).

        Source: ours, inferred from the operations that reactnet2020 (README) gives for xnornet2016.
        """
        own = self.total
        macs = own.real_macs + 2 * own.binary_outputs
        return self._priced(replace(own, scale=0, trained_scale=0, real_macs=macs), own.binary_channels)

    def _priced(self, counts: Counts, scale: int) -> Counts:
        bits = self.convention.bits(counts) + 32 * (self.whole + scale)
        return replace(counts, scale=scale, memory_bits=bits, packed_bytes=None)

    @property
    def memory_saving(self) -> float:
        """Memory of the full-precision twin over the network's."""
        return self.full_precision.memory_bits / self.total.memory_bits if self.total.memory_bits else 1.0

    @property
    def speedup(self) -> float:
        """Operations of the full-precision twin over the network's: a count, nothing that was timed."""
        return self.full_precision.ops / self.total.ops if self.total.ops else 1.0

    def to_dict(self) -> dict[str, Any]:
        """Plain values: `total`, `layers` and the rest by name."""
        return {
            "convention": self.convention.name,
            "total": self.total.to_dict(),
            "full_precision": self.full_precision.to_dict(),
            "xnor": self.xnor.to_dict(),
            "parameters": self.total.parameters,
            "memory_saving": self.memory_saving,
            "speedup": self.speedup,
            "unpacked": self.unpacked,
            "layers": [row.to_dict() for row in self.layers],
        }

    def __rich__(self) -> Group:
        return table.both(self)

    def __str__(self) -> str:
        return table.text(self)

    def to_markdown(self) -> str:
        """The two tables, and the notes below them, in Markdown."""
        return table.markdown(self)
