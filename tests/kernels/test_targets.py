"""The same numbers on lesser CPUs, and without a compiler: each in a process of its own."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

LESSER = ["x86-64", "haswell", "skylake-avx512"] if platform.machine() in ("x86_64", "AMD64") else []
"""No popcount of vectors, short vectors with a popcount of words, long ones without one of vectors."""

WORK = """
import numpy as np
from bnn_ref import kernels, models
from bnn_ref.kernels import conv2d, max_pool2d, naive, sum_pool2d, xnor_conv2d
from bnn_ref.packed import pack

rng = np.random.default_rng(0)
for channels, filters, kernel, stride, padding in [(65, 70, 3, 2, 1), (3, 5, 1, 1, 0), (200, 16, 2, 1, 2)]:
    words = -(-channels // 64)
    a = rng.integers(0, 2**64, (2, 5, 4, words), dtype=np.uint64)
    w = rng.integers(0, 2**64, (filters, kernel, kernel, words), dtype=np.uint64)
    given = (a, w, channels, stride, padding)
    np.testing.assert_array_equal(xnor_conv2d(*given), naive.xnor_conv2d(*given), strict=True)
    x = rng.integers(-8, 9, (2, 5, 4, channels)).astype(np.float32)
    v = rng.integers(-8, 9, (kernel, kernel, channels, filters)).astype(np.float32)
    y = naive.conv2d(x, v, stride, padding)
    np.testing.assert_array_equal(conv2d(x, v, stride, padding), y, strict=True)
    for gradient, given in (("input", (y, v, x.shape)), ("weight", (x, y, kernel))):
        fast, slow = (getattr(module, f"conv2d_{gradient}_grad") for module in (kernels, naive))
        expected = slow(*given, stride, padding)
        np.testing.assert_allclose(fast(*given, stride, padding), expected, rtol=1e-5, atol=1)
    np.testing.assert_array_equal(max_pool2d(x, 2, 2), naive.max_pool2d(x, 2, 2), strict=True)
    np.testing.assert_array_equal(sum_pool2d(x, 2, 2), naive.sum_pool2d(x, 2, 2), strict=True)
model = models.build("bireal-small", input_shape=(8, 8, 1)).eval()
x = rng.normal(size=(3, 8, 8, 1)).astype(np.float32)
np.testing.assert_array_equal(pack(model)(x), model(x))
"""


def run(**changes: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **changes}
    command = [sys.executable, "-W", "error", "-c", WORK]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("cpu", LESSER)
def test_a_lesser_cpu(cpu: str) -> None:
    run(NUMBA_CPU_NAME=cpu, NUMBA_CPU_FEATURES="")


def test_without_the_compiler() -> None:
    run(NUMBA_DISABLE_JIT="1")
