"""`python -m analysis.engine`: how near the packed engine comes to a C loop of vector instructions."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from analysis.engine.layers import SHAPES, Layer
from analysis.engine.yardstick import NoYardstick, Products, compiled, features
from bnn_ref.parameter import Array
from bnn_ref.timing import Pairing, paired

GEMMS = ((3136, 64, 576), (784, 128, 1152), (196, 256, 2304), (48, 512, 4608))
"""Rows, filters and signs a row: the layers of `SHAPES` as products of matrices."""


def gemm(m: int, n: int, k: int, pairs: int) -> Pairing:
    """Our product of matrices against the yardstick, outputs checked equal first."""
    products = Products(m, n, k)
    if not (products.ours() == -2 * products.yardstick()).all():
        raise ValueError(f"product {m} x {n} x {k}: required equal outputs, got different ones")
    return paired(_silent(products.ours), _silent(products.yardstick), pairs)


def layer(side: int, channels: int, pairs: int) -> tuple[Pairing, float]:
    """A fused layer against the yardstick's time for as many products, and its products a second."""
    one = Layer(side, channels)
    matrix = one.yardstick
    found = paired(one.fused, _silent(matrix.yardstick), pairs)
    scale = one.work / (matrix.shape[0] * matrix.shape[1] * matrix.shape[2] * 32)
    share = replace(found, ratio=scale * found.ratio, low=scale * found.low, high=scale * found.high)
    return share, one.work / found.ours


def _silent(call: Callable[[], Array]) -> Callable[[], Array]:
    """The call without its result: the outputs have been compared."""

    def run() -> Array:
        call()
        return np.zeros(0)

    return run


def processor() -> str:
    """Name and vector features of the CPU, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    name = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    wanted = ("avx2", "avx512f", "avx512_vpopcntdq")
    return f"{name or platform.machine()} ({', '.join(w for w in wanted if w in features()) or 'no AVX'})"


def main(argv: Sequence[str] | None = None) -> int:
    """Print the shares; returns 0, or 1 where there is no yardstick here."""
    parser = argparse.ArgumentParser("python -m analysis.engine", description=(__doc__ or "").split(": ")[1])
    parser.add_argument("--pairs", type=int, default=101, help="interleaved pairs")
    pairs = parser.parse_args(argv).pairs
    print(f"{processor()}, one thread, medians of {pairs} pairs (quartiles)")
    try:
        compiled()
    except NoYardstick as reason:
        print(f"no yardstick: {reason}")
        return 1
    for m, n, k in GEMMS:
        share = gemm(m, n, k, pairs)
        _tell(f"product {m} x {n} x {k}", share, m * n * k / share.ours)
    for side, channels in SHAPES:
        _tell(f"layer {side} x {side} x {channels}, signs in and out", *layer(side, channels, pairs))
    return 0


def _tell(what: str, share: Pairing, speed: float) -> None:
    spread = f"({share.low:.2f} to {share.high:.2f})"
    print(f"{what}: {share.ratio:.2f} of the yardstick {spread}, {speed / 1e9:.0f} billion products a second")


if __name__ == "__main__":
    sys.exit(main())
