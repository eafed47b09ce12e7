"""`python -m analysis.training_speed`: training beside torch; without it, threads beside each other only.

Every number is a ratio of neighbouring calls, its median and quartiles; more than 1 is faster. One thread,
but for the table of threads.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from analysis.engine.__main__ import processor, tell
from analysis.study import Study
from analysis.tables import Cell, Table
from analysis.training_speed import convolutions, passes
from analysis.training_speed.networks import CASES
from analysis.training_speed.steps import KEPT, compare, scaled
from bnn_ref.kernels.threads import set_threads

QUESTION = "How fast is a training step beside torch's, and the parts that it is made of?"
SIZE = 10**7
FOUND = ("times as fast", "low", "high")


def machine(_: int) -> Table:
    """The CPU."""
    return Table.of(["what", "value"], [["processor", processor()]])


def steps(pairs: int) -> Table:
    """Whole steps, against both layouts of torch; and against one that keeps freed memory, as ours does."""
    rows: list[list[Cell]] = []
    for name, case in CASES.items():
        for layout in ("channels_last", "nchw", "channels_last" + KEPT):
            found = compare(name, "clipped-ste", layout, pairs)
            numbers = _rounded(found.ratio, found.low, found.high, 1e3 * found.seconds, found.memory)
            rows.append([name, case.batch, layout, *numbers])
    return Table.of(["network", "batch", "torch's layout", *FOUND, "our ms", "memory, ours / torch's"], rows)


def threads(pairs: int) -> Table:
    """Our steps on two threads against the same on one."""
    rows: list[list[Cell]] = []
    for name, case in CASES.items():
        found = scaled(name, "clipped-ste", 2, pairs)
        rows.append([name, case.batch, 2, *_rounded(found.ratio, found.low, found.high)])
    return Table.of(["network", "batch", "threads", *FOUND], rows)


def products(pairs: int) -> Table:
    """Float convolutions and their gradients, with the geometric means of all shapes, of quartiles too."""
    rows: list[list[Cell]] = []
    kinds: dict[str, list[tuple[float, float, float]]] = {}
    for shape in convolutions.SHAPES:
        for kind, found in convolutions.times(*shape, pairs):
            kinds.setdefault(kind, []).append((found.ratio, found.low, found.high))
            rows.append([*shape, kind, *_rounded(*kinds[kind][-1])])
    for kind, numbers in kinds.items():
        rows.append(["", "", "", kind, *_rounded(*np.exp(np.log(numbers).mean(axis=0)))])
    return Table.of(["images", "side", "channels", "product", *FOUND], rows)


def slopes(pairs: int) -> Table:
    """Backward passes of estimators."""
    rows: list[list[Cell]] = []
    for name in passes.ROWS:
        for side in ("torch", "torch" + KEPT):
            found = passes.slope(name, SIZE, side, pairs)
            rows.append([name, SIZE, side, *_rounded(found.ratio, found.low, found.high)])
    return Table.of(["estimator", "elements", "against", *FOUND], rows)


def _rounded(*numbers: float) -> list[float]:
    """To three digits: the rest is the machine's mood."""
    return [float(f"{number:.3g}") for number in numbers]


TABLES: dict[str, Callable[[int], Table]] = {
    "machine": machine,
    "steps": steps,
    "threads": threads,
    "convolutions": products,
    "slopes": slopes,
}
ALONE = ("machine", "threads")
"""What needs no torch."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and save where a folder is given; returns 0."""
    parser = argparse.ArgumentParser("python -m analysis.training_speed", description=QUESTION)
    parser.add_argument("--pairs", type=int, default=15, help="interleaved pairs")
    parser.add_argument("--only", choices=TABLES, help="one of the tables")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="save the tables there")
    options = parser.parse_args(argv)
    set_threads(1)
    study = Study("training_speed", QUESTION, dict, (0,), f"--pairs {options.pairs}")
    for name, measure in TABLES.items():
        if options.only not in (None, name):
            continue
        if name not in ALONE and find_spec("torch") is None:
            print(f"\n{name}\ncannot be measured here: torch is missing")
        else:
            table = measure(options.pairs)
            tell(name, table)
            if options.out is not None:
                study.save({f"training_speed-{name}": table}, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
