"""How much smaller binary networks are, by which counting rule."""

from __future__ import annotations

from typing import Any

from analysis.tables import Cell, Table
from bnn_ref.cost import cost
from bnn_ref.models import NONE, build

IMAGENET: dict[str, Any] = {"input_shape": (224, 224, 3), "classes": 1000}
CIFAR: dict[str, Any] = {"input_shape": (32, 32, 3), "classes": 10}

NETWORKS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("resnet-20", "convolutions of the blocks", CIFAR),
    ("bireal-18", "3x3 convolutions of the blocks", IMAGENET),
    ("bireal-34", "3x3 convolutions of the blocks", IMAGENET),
    ("deit-tiny", "matrices of the blocks", {**IMAGENET, "estimator": NONE}),
    ("deit-tiny", "these, patch embedding and head", {**IMAGENET, "estimator": NONE, "ends": "binary"}),
    ("deit-small", "matrices of the blocks", {**IMAGENET, "estimator": NONE}),
    ("deit-small", "these, patch embedding and head", {**IMAGENET, "estimator": NONE, "ends": "binary"}),
    ("deit-base", "matrices of the blocks", {**IMAGENET, "estimator": NONE}),
    ("deit-base", "these, patch embedding and head", {**IMAGENET, "estimator": NONE, "ends": "binary"}),
)
"""Model, what of it is binary, build options."""


def table() -> Table:
    """Ratios by two rules: of all numbers that eval mode reads, and of the weights that became binary.

    The first is what a user's file shrinks by, at 32 bits a real number; the second is 32 for every network.
    """
    rows: list[list[Cell]] = []
    for name, binary, options in NETWORKS:
        total = cost(build(name, **options), (1, *options["input_shape"])).total
        whole = 32 * (total.binary_weights + total.real_numbers)
        share = 100 * total.binary_weights / (total.binary_weights + total.real_numbers)
        found = (f"{share:.1f}", f"{whole / 8e6:.2f}", f"{total.memory_bits / 8e6:.2f}")
        rows.append([name, binary, *found, f"{whole / total.memory_bits:.1f}", 32])
    columns = ("network", "binary", "binary numbers in %", "float32 MB", "MB")
    return Table.of((*columns, "ratio of all numbers", "ratio of binarized layers alone"), rows)
