"""The same numbers on lesser CPUs, and without a compiler: each in a process of its own."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest
from llvmlite.binding import get_host_cpu_features

POPCOUNT = False
LESSER: dict[str, str] = {}
"""CPUs whose vectors have no popcount, as far as this one can run their code, and their widest registers."""

if platform.machine() in ("x86_64", "AMD64"):
    have = get_host_cpu_features()
    POPCOUNT = bool(have["avx512vpopcntdq"])
    LESSER = {"x86-64": "xmm"}
    LESSER |= {"haswell": "ymm"} if have["avx2"] else {}
    LESSER |= {"skylake-avx512": "zmm"} if have["avx512f"] else {}

WORK = """
import numpy as np
from bnn_ref import kernels, models
from bnn_ref.kernels import conv2d, linear, max_pool2d, naive, sum_pool2d, threshold_pack, xnor_conv2d
from bnn_ref.packed import pack

rng = np.random.default_rng(0)
for channels, filters, kernel, stride, padding, dilation in [
    (65, 70, 3, 2, 1, 1), (3, 5, 1, 1, 0, 1), (200, 16, 2, 1, 2, 3), (33, 17, 3, 2, 3, 2)
]:
    words = -(-channels // 64)
    a = rng.integers(0, 2**64, (2, 5, 4, words), dtype=np.uint64)
    w = rng.integers(0, 2**64, (filters, kernel, kernel, words), dtype=np.uint64)
    given = (a, w, channels, stride, padding, dilation)
    z = naive.xnor_conv2d(*given)
    np.testing.assert_array_equal(xnor_conv2d(*given), z, strict=True)
    given = (z, rng.integers(-9, 10, filters, dtype=np.int32), rng.random(filters) < 0.5)
    np.testing.assert_array_equal(threshold_pack(*given), naive.threshold_pack(*given), strict=True)
    x = rng.integers(-8, 9, (2, 5, 4, channels)).astype(np.float32)
    v = rng.integers(-8, 9, (kernel, kernel, channels, filters)).astype(np.float32)
    y = naive.conv2d(x, v, stride, padding)
    np.testing.assert_array_equal(conv2d(x, v, stride, padding), y, strict=True)
    np.testing.assert_array_equal(linear(x, v[0, 0]), naive.linear(x, v[0, 0]), strict=True)
    for gradient, given in (("input", (y, v, x.shape)), ("weight", (x, y, kernel))):
        fast, slow = (getattr(module, f"conv2d_{gradient}_grad") for module in (kernels, naive))
        expected = slow(*given, stride, padding)
        np.testing.assert_allclose(fast(*given, stride, padding), expected, rtol=1e-5, atol=1)
    np.testing.assert_array_equal(max_pool2d(x, 2, 2), naive.max_pool2d(x, 2, 2), strict=True)
    np.testing.assert_array_equal(sum_pool2d(x, 2, 2), naive.sum_pool2d(x, 2, 2), strict=True)
for name, options, forms in [
    ("bireal-small", {}, {"affine", "add"}),
    ("vgg-small", {"width": 8, "scale": "channel"}, {"threshold", "max_pool"}),
    ("reactnet-small", {"width": 8, "blocks": (1, 1)}, {"prelu", "bias", "avg_pool"}),
]:
    model = models.build(name, input_shape=(8, 8, 1), **options)
    x = rng.normal(size=(3, 8, 8, 1)).astype(np.float32)
    model.train()(x)
    packed = pack(model.eval())
    assert forms <= {node.step.kind for node in packed.graph.nodes}
    np.testing.assert_array_equal(packed(x), model(x))
"""

CODE = """
import numpy as np
from bnn_ref.kernels import xnor_linear
from bnn_ref.kernels.tiles import convolution

word = np.zeros((1, 1), np.uint64)
assert xnor_linear(word, word, 64) == 64
run = convolution("signs", "i")
print("found" if run.stats.cache_hits else "".join(run.inspect_asm().values()))
"""


def run(code: str, **changes: str) -> str:
    """What `code` prints in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **changes}
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("cpu", [cpu for cpu in LESSER if cpu != "haswell"])
def test_a_lesser_cpu(cpu: str) -> None:
    """But for the one that `make test-lesser` is for."""
    run(WORK, NUMBA_CPU_NAME=cpu, NUMBA_CPU_FEATURES="")


def test_without_the_compiler() -> None:
    run(WORK, NUMBA_DISABLE_JIT="1")


@pytest.mark.skipif(not POPCOUNT, reason="a CPU without a popcount of vectors")
def test_a_cpu_that_counts_bits_in_long_vectors_does(tmp_path: Path) -> None:
    code = run(CODE, NUMBA_CACHE_DIR=str(tmp_path))
    assert re.search(r"vpopcntd\s+[^\n]*%?zmm", code)


@pytest.mark.skipif(not LESSER, reason="the names are those of x86-64")
def test_each_cpu_has_machine_code_of_its_own(tmp_path: Path) -> None:
    """The code that is kept on disk is kept for one CPU: another that comes later has its own compiled."""
    for cpu, widest in LESSER.items():
        given = {"NUMBA_CPU_NAME": cpu, "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
        code = run(CODE, **given)
        assert max(re.findall("[xyz]mm", code)) == widest
        assert "vpopcnt" not in code
    assert run(CODE, **given) == "found\n"
