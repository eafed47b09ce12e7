"""The yardstick: a C loop of vector instructions, compiled when asked for, and our product beside it."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from bnn_ref.kernels.layout import NONE, Geometry, aligned, lay_filters
from bnn_ref.kernels.tiles import Work, convolution
from bnn_ref.parameter import Array

SOURCE = Path(__file__).with_name("yardstick.c")
FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")


class NoYardstick(RuntimeError):
    """There is no C compiler here, or no vector popcount."""


@cache
def compiled() -> Callable[..., None]:
    """The C function `product`.

    Raises
    ------
    NoYardstick
        Where it cannot be compiled for this CPU; says why.
    """
    if (compiler := shutil.which("gcc") or shutil.which("cc")) is None:
        raise NoYardstick("no C compiler: required gcc or cc on the path")
    if "avx512_vpopcntdq" not in features():
        raise NoYardstick("this CPU has no vector popcount (avx512_vpopcntdq)")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "yardstick.so"
        done = subprocess.run(
            [compiler, *FLAGS, str(SOURCE), "-o", str(library)], capture_output=True, text=True
        )
        if done.returncode:
            raise NoYardstick(done.stderr)
        function = ctypes.CDLL(str(library)).product
    function.argtypes = [*[ctypes.c_void_p] * 3, *[ctypes.c_long] * 3]
    function.restype = None
    found: Callable[..., None] = function
    return found


def features() -> set[str]:
    """What the CPU says it can do; empty where the system does not tell."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((set(line.split(":")[1].split()) for line in lines if line.startswith("flags")), set())


class Products:
    """a (M, K) with w (N, K), signs: the same product by the yardstick and by our tiles.

    Parameters
    ----------
    m, n, k : int
        M a multiple of 4, N of 64, K of 32.
    """

    def __init__(self, m: int, n: int, k: int) -> None:
        rng, words = np.random.default_rng(0), k // 32
        self.shape, self.a = (m, n, words), aligned((m, words), np.uint32)
        self.a[:] = rng.integers(0, 2**32, (m, words), dtype=np.uint32)
        w = rng.integers(0, 2**32, (n, words), dtype=np.uint32)
        self.w, self.c = lay_filters(w), aligned((m, n), np.int32)
        self.z, geometry = aligned((m, n), np.int32), Geometry(1, m, words, 1)
        fields = NONE | {"start": np.zeros((1, n), np.int32), "z": self.z}
        image = self.a.reshape(1, m * words)
        self.work = Work(image, self.w, geometry.runs, words, geometry.places(pitch=n), **fields)
        self.run = convolution("signs", "i")

    def yardstick(self) -> Array:
        """How many bits differ, by the C loop."""
        compiled()(self.a.ctypes.data, self.w.ctypes.data, self.c.ctypes.data, *self.shape)
        return self.c

    def ours(self) -> Array:
        """How many bits differ, times -2."""
        self.run(self.work, self.shape[1], 0, 1)
        return self.z
