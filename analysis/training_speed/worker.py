"""`python -m analysis.training_speed.worker SIDE CASE ESTIMATOR`: takes a step for every line that it reads.

CASE is a network, or a number of elements: then it is the backward pass of the estimator alone. It answers
with the seconds, the loss, and the largest resident size so far less that after import and build.
"""

from __future__ import annotations

import importlib
import resource
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from analysis.training_speed.networks import CASES, Ours
from analysis.training_speed.passes import backward
from analysis.training_speed.steps import KEPT
from bnn_ref.kernels.memory import keeping


def resident() -> int:
    """Bytes of memory that this process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def largest() -> int:
    """Bytes of memory that this process held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def stepping(side: str, case: str, estimator: str) -> Any:
    """A callable that takes a step: `side` is "ours", "channels_last" or "nchw"."""
    if case not in CASES:
        return backward(side, estimator, int(case))
    make = Ours if side == "ours" else importlib.import_module("analysis.training_speed.twin").Twin
    return make(CASES[case], estimator, side)


def main(argv: list[str]) -> int:
    """Take steps until the input ends; returns 0."""
    side, *what = argv
    step = stepping(side.removesuffix(KEPT), *what)
    before, keeps = resident(), side == "ours" or side.endswith(KEPT)
    with keeping() if keeps else nullcontext():  # ours, as the trainer does
        for _ in sys.stdin:
            start = time.perf_counter()
            loss = step()
            print(time.perf_counter() - start, loss, largest() - before, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
