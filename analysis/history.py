"""`make bench`: our own speed from version to version, by pytest-benchmark, which keeps it in `.benchmarks`.

Times drift by half here from minute to minute. So every case carries what the machine gave meanwhile: the
time of one product of float matrices (BLAS), measured before and after, and the case's best as a multiple.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.engine import networks
from analysis.engine.layers import SHAPES, Layer
from analysis.engine.shares import GEMMS
from analysis.engine.yardstick import Products
from analysis.training_speed import convolutions, passes
from analysis.training_speed.networks import CASES, ESTIMATORS, Ours
from bnn_ref.kernels import conv2d, conv2d_input_grad, conv2d_weight_grad
from bnn_ref.kernels.threads import among

Call = Callable[[], object]
Made = Callable[[Path], Call]

SIZE = 10**6
"""Elements of a backward pass."""


def _product(m: int, n: int, k: int, _: Path) -> Call:
    return Products(m, n, k).ours


def _layer(side: int, channels: int, _: Path) -> Call:
    return Layer(side, channels).fused


def _network(images: int, folder: Path) -> Call:
    network, given = networks.case("bireal-18", networks.SIDE, images, folder)
    return partial(network, given.x)


def _convolution(which: str, images: int, side: int, channels: int, _: Path) -> Call:
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, images, side, side, channels)).astype(np.float32)
    w = rng.normal(size=(3, 3, channels, channels)).astype(np.float32)
    calls: dict[str, Call] = {
        "forward": partial(conv2d, x, w, 1, 1),
        "gradient to images": partial(conv2d_input_grad, dy, w, x.shape, 1, 1),
        "gradient to filters": partial(conv2d_weight_grad, x, dy, 3, 1, 1),
    }
    return calls[which]


def _slope(name: str, _: Path) -> Call:
    return passes.ours(name, SIZE)


def _step(name: str, _: Path) -> Call:
    return Ours(CASES[name], ESTIMATORS[0])


def _cases() -> dict[str, Made]:
    """What is timed, each made when its turn comes: products, layers, networks, gradients, training steps."""
    found: dict[str, Made] = {}
    found |= {"binary product {} x {} x {}".format(*size): partial(_product, *size) for size in GEMMS}
    found |= {"fused layer {0} x {0} x {1}".format(*size): partial(_layer, *size) for size in SHAPES}
    found |= {f"Bi-Real-18, images {images}": partial(_network, images) for images in (1, 8)}
    for which in ("forward", "gradient to images", "gradient to filters"):
        for size in (convolutions.SHAPES[1], convolutions.SHAPES[3]):
            found[f"float {which}, {size}"] = partial(_convolution, which, *size)
    slopes = dict.fromkeys(row.split(",")[0] for row in passes.ROWS)
    found |= {f"backward pass, {name}": partial(_slope, name) for name in slopes}
    return found | {f"step of {name}": partial(_step, name) for name in CASES}


MADE = _cases()


@pytest.fixture(scope="module")
def machine() -> Callable[[], float]:
    """Seconds that a float product of 512 x 512 matrices takes now: the best of seven."""
    a = np.ones((512, 512), np.float32)

    def measure() -> float:
        found = []
        for _ in range(7):
            start = time.perf_counter()
            a @ a
            found.append(time.perf_counter() - start)
        return min(found)

    return measure


@pytest.mark.parametrize("name", MADE)
def test_speed(name: str, benchmark: Any, machine: Callable[[], float], tmp_path: Path) -> None:
    """One thread; three calls before any counts."""
    call = MADE[name](tmp_path)
    with among(1):
        for _ in range(3):
            call()
        before = machine()
        benchmark(call)
    product = (before + machine()) / 2
    benchmark.extra_info |= {"product ms": 1e3 * product, "products": benchmark.stats.stats.min / product}
