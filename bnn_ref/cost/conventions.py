"""What is counted as memory: every real number of the deployed network, or what others print.

A binary weight takes 1 bit and a real number 32 in all of them; they differ in which real numbers count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bnn_ref.cost.counts import Counts


@dataclass(frozen=True)
class Convention:
    """A rule for memory.

    Attributes
    ----------
    name, about : str
        What it is called, and which real numbers count.
    numbers : callable
        Counts of a layer -> how many.
    whole : callable
        Counts of the network -> how many more, that belong to no layer. ValueError for a network for which
        the convention is not defined.
    """

    name: str
    about: str
    numbers: Callable[[Counts], int]
    whole: Callable[[Counts], int] = lambda total: 0

    def bits(self, counts: Counts) -> int:
        """Memory of a layer."""
        return counts.binary_weights + 32 * self.numbers(counts)


REAL_WEIGHTS = 693_440
"""Of stem, three shortcuts and classifier: in Bi-Real-18 and -34 alike."""

BINARY_WEIGHTS = {10_985_472: "18", 21_086_208: "34"}
"""Of the 3x3 convolutions behind the stem, and the layers of the network that has so many."""

BESIDE_WEIGHTS = 3 * 3_840 + 1_000
"""Real numbers beside the weights, the same for 18 and 34 layers: 705,960 with the weights.

Source: ours, an inference. The memory figures of bireal2018, as far as we know them, need 705,711 to 705,979
in both networks, although the deeper one has nearly twice the channels: no rule that counts by layer fits
both. This number is three for each of the 3,840 output channels of the 1-bit convolutions of the *18-layer*
network, and the classifier's bias.
"""


def _beside_weights(total: Counts) -> int:
    """The constant, for the networks that have the convolutions of ResNet-18 or -34, binary or all real."""
    binary = total.binary_weights or total.real_weights - REAL_WEIGHTS
    if binary not in BINARY_WEIGHTS or total.real_weights + total.binary_weights != binary + REAL_WEIGHTS:
        wanted = "the weights of Bi-Real-18 or -34 for 1000 classes, or of their full-precision twins"
        got = f"{total.real_weights:,} real and {total.binary_weights:,} binary ones"
        raise ValueError(
            f"convention: 'paper' is one number for two networks, not a rule; required {wanted}, got {got}"
        )
    return BESIDE_WEIGHTS


CONVENTIONS = {
    rule.name: rule
    for rule in (
        Convention("library", "every real number that eval mode reads", lambda c: c.real_numbers),
        Convention(
            "larq",
            "trained numbers, and the running mean and variance of batch norm (4 a channel)",
            lambda c: c.trained_numbers + c.running,
        ),
        Convention(
            "paper",
            f"real weights, and {BESIDE_WEIGHTS:,} other real numbers at any depth (inferred)",
            lambda c: c.real_weights,
            _beside_weights,
        ),
    )
}
"""By name. Sources: library is ours; larq follows Larq's `summary`; of paper see `BESIDE_WEIGHTS`."""
