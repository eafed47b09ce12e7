"""What do Bi-Real networks take in memory and operations, under which convention of counting?

Networks of 18, 34 and 50 layers at 224 x 224 for 1000 classes, each beside its full-precision twin and the
same network with XNOR-Net's scales. Counts, nothing timed.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from analysis.study import Study, run
from analysis.tables import Cell, Table
from bnn_ref import models
from bnn_ref.cost import Cost, cost

NETWORKS = ("bireal-18", "bireal-34", "bireal-50")
CONVENTIONS = ("library", "paper")
SHAPE, CLASSES = (224, 224, 3), 1000


def rows(name: str) -> list[list[Cell]]:
    """Bits and operations of one network, by convention (where it is defined) and variant."""
    model = models.build(name, input_shape=SHAPE, classes=CLASSES)
    found: list[list[Cell]] = []
    for convention in CONVENTIONS:
        try:
            counted = cost(model, (1, *SHAPE), convention)
        except ValueError:  # "paper" is a number for two networks
            continue
        found += _variants(name, convention, counted)
    return found


def _variants(name: str, convention: str, counted: Cost) -> list[list[Cell]]:
    real = counted.full_precision
    variants = {"real": real, "XNOR-Net": counted.xnor, "Bi-Real": counted.total}
    return [
        [
            *(name, convention, variant, counts.memory_bits, counts.ops),
            *(real.memory_bits / counts.memory_bits, real.ops / counts.ops),
        ]
        for variant, counts in variants.items()
    ]


def tables() -> Mapping[str, Table]:
    """The one table of this study by name."""
    columns = ("network", "convention", "variant", "memory in bits", "operations", "saving", "speed-up")
    return {"cost": Table.of(columns, [row for name in NETWORKS for row in rows(name)])}


STUDY = Study("cost", "What do Bi-Real networks take, under which convention of counting?", tables)

if __name__ == "__main__":
    sys.exit(run(STUDY))
