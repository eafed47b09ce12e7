"""`python -m analysis.training_speed`: training beside torch, as tables; needs torch.

Every number is a ratio of neighbouring calls, one thread, its median and quartiles; more than 1 is faster.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence

import numpy as np

from analysis.engine.__main__ import processor
from analysis.training_speed import convolutions, passes
from analysis.training_speed.networks import CASES
from analysis.training_speed.steps import compare

SIZE = 10**7


def steps(pairs: int) -> Iterator[str]:
    """Rows of the table of steps."""
    yield "| step | torch's layout | times faster | memory, ours / torch's |\n|---|---|---|---|"
    for name, case in CASES.items():
        for layout in ("channels_last", "nchw"):
            found = compare(name, "clipped-ste", layout, pairs)
            speed = f"{found.ratio:.2f} ({found.low:.2f} to {found.high:.2f})"
            yield f"| {name}, batch {case.batch} | {layout} | {speed} | {found.memory:.2f} |"


def products(pairs: int) -> Iterator[str]:
    """Rows of the table of convolutions."""
    kinds: dict[str, list[float]] = {}
    yield "| images, side, channels | forward | gradient to images | gradient to filters |\n|---|---|---|---|"
    for shape in convolutions.SHAPES:
        row = []
        for kind, found in convolutions.times(*shape, pairs):
            kinds.setdefault(kind, []).append(found.ratio)
            row.append(f"{found.ratio:.2f} ({found.low:.2f} to {found.high:.2f})")
        yield f"| {', '.join(map(str, shape))} | {' | '.join(row)} |"
    means = (f"{np.exp(np.mean(np.log(ratios))):.2f}" for ratios in kinds.values())
    yield f"| geometric mean | {' | '.join(means)} |"


def slopes(pairs: int) -> Iterator[str]:
    """Rows of the table of estimators."""
    yield "| backward pass, 10^7 elements | times faster |\n|---|---|"
    for name in passes.ROWS:
        found = passes.slope(name, SIZE, pairs)
        yield f"| {name} | {found.ratio:.1f} ({found.low:.1f} to {found.high:.1f}) |"


TABLES = {"steps": steps, "convolutions": products, "slopes": slopes}


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; returns 0."""
    parser = argparse.ArgumentParser(
        "python -m analysis.training_speed", description="Training beside torch."
    )
    parser.add_argument("--pairs", type=int, default=15, help="interleaved pairs")
    parser.add_argument("--only", choices=TABLES, help="one of the tables")
    options = parser.parse_args(argv)
    print(processor())
    for name, table in TABLES.items():
        if options.only in (None, name):
            for row in table(options.pairs):
                print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
