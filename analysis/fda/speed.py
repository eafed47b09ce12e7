"""What the slope costs: the closed form against the sum of cosines, in NumPy and in torch.

python -m analysis.fda.speed        # ten million elements; with torch where it is installed
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from analysis.tables import Table
from bnn_ref.kernels import fourier_slope, naive
from bnn_ref.kernels.threads import set_threads
from bnn_ref.parameter import Array
from bnn_ref.timing import Pairing, paired

OMEGA = 0.1
SIZE = 10**7
TERMS = (1, 10, 100, 1000)
TOLERANCE = 1e-5
"""Of slopes that reach 1.27, times a normal gradient: the cosine sum rounds by up to 6e-6 at 10 terms."""


def samples(size: int) -> tuple[Array, Array, Array]:
    """x and dy, float32 (size,), normal from seed 0, and a buffer for the result."""
    x, dy = np.random.default_rng(0).normal(size=(2, size)).astype(np.float32)
    return x, dy, np.empty_like(x)


def times(size: int = 10**6, pairs: int = 15, terms: Sequence[int] = range(1, 21)) -> Table:
    """Nanoseconds an element, both ways, for each number of terms: the left axis of Fig. 3."""
    x, dy, out = samples(size)
    rows = []
    for n in terms:
        found = paired(
            lambda: fourier_slope(x, dy, n, OMEGA, out=out),  # noqa: B023 - called at once
            lambda: naive.fourier_slope(x, dy, n, OMEGA),  # noqa: B023
            pairs,
            n * TOLERANCE,
        )
        rows.append([n, 1e9 * found.theirs / size, 1e9 * found.ours / size])
    return Table.of(["terms", "cosine sum", "closed form"], rows)


def against_numpy(size: int, pairs: int, fresh: bool) -> Pairing:
    """Ten terms: the NumPy cosine sum's time over ours, into a buffer or into a fresh array."""
    x, dy, out = samples(size)
    given = None if fresh else out
    return paired(
        lambda: fourier_slope(x, dy, 10, OMEGA, out=given),
        lambda: naive.fourier_slope(x, dy, 10, OMEGA, out=given),
        pairs,
        TOLERANCE,
    )


def cosines(torch: Any, x: Any) -> Any:
    """The slope of ten terms, as it is written in torch."""
    total = torch.zeros_like(x)
    for i in range(10):
        total = total + torch.cos((2 * i + 1) * OMEGA * x)
    return 4 * OMEGA / torch.pi * total


def against_torch(size: int, pairs: int, fresh: bool) -> Pairing:
    """The same against the cosine sum as a torch expression, one thread."""
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(1)
    x, dy, out = samples(size)
    given = None if fresh else out
    tx, tdy, tout = (torch.from_numpy(array) for array in (x, dy, np.empty_like(x)))

    def theirs() -> Array:
        slope = cosines(torch, tx)
        result: Array = (slope * tdy if fresh else torch.mul(slope, tdy, out=tout)).numpy()
        return result

    return paired(lambda: fourier_slope(x, dy, 10, OMEGA, out=given), theirs, pairs, TOLERANCE)


def against_itself(size: int, pairs: int, terms: int) -> Pairing:
    """The time at `terms` over the time at ten terms."""
    x, dy, out = samples(size)
    other = np.empty_like(x)

    def flat(n: int, into: Array) -> Callable[[], Array]:
        def call() -> Array:
            fourier_slope(x, dy, n, OMEGA, out=into)
            return into[:0]  # other terms are another function: there is nothing to compare

        return call

    return paired(flat(10, out), flat(terms, other), pairs)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the ratios; returns 0."""
    parser = argparse.ArgumentParser("python -m analysis.fda.speed", description="What the slope costs.")
    parser.add_argument("--size", type=int, default=SIZE, help="elements, float32")
    parser.add_argument("--pairs", type=int, default=9, help="interleaved pairs")
    options = parser.parse_args(argv)
    size, pairs = options.size, options.pairs
    set_threads(1)
    print(
        f"slope times gradient, {size:,} float32 elements, one thread, medians of {pairs} pairs (quartiles)"
    )
    rivals = {"NumPy's cosine sum": against_numpy}
    if importlib.util.find_spec("torch"):
        rivals["torch's cosine sum"] = against_torch
    for name, rival in rivals.items():
        for fresh, where in ((False, "into a buffer"), (True, "into a fresh array")):
            _tell(f"{name}, 10 terms, {where}", rival(size, pairs, fresh))
    for n in TERMS:
        _tell(f"ours at {n} terms, over ours at 10", against_itself(size, pairs, n))
    return 0


def _tell(what: str, found: Pairing) -> None:
    print(f"{what}: {found.ratio:.2f} ({found.low:.2f} to {found.high:.2f}), ours {1e3 * found.ours:.1f} ms")


if __name__ == "__main__":
    sys.exit(main())
