"""How near products and fused layers come to the C loop, in turns with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from analysis.engine.layers import SHAPES, Layer
from analysis.engine.yardstick import Products
from analysis.tables import Cell, Table
from bnn_ref.kernels.threads import among
from bnn_ref.parameter import Array
from bnn_ref.timing import Pairing, paired

GEMMS = ((3136, 64, 576), (784, 128, 1152), (196, 256, 2304), (48, 512, 4608))
"""Rows, filters and signs a row: the layers of `SHAPES` as products of matrices."""


def shares(pairs: int) -> Table:
    """Every product and layer as a share of the yardstick, and its products a second."""
    rows: list[list[Cell]] = []
    for m, n, k in GEMMS:
        share = gemm(m, n, k, pairs)
        rows.append(_row(f"product {m} x {n} x {k}", share, m * n * k / share.ours))
    for side, channels in SHAPES:
        rows.append(_row(f"layer {side} x {side} x {channels}", *layer(side, channels, pairs)))
    return Table.of(["what", "share", "low", "high", "GMAC/s", "the loop's GMAC/s"], rows)


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
    with among(1):
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


def _row(what: str, share: Pairing, speed: float) -> list[Cell]:
    numbers = (share.ratio, share.low, share.high, speed / 1e9, speed / 1e9 / share.ratio)
    return [what, *(float(f"{number:.3g}") for number in numbers)]
