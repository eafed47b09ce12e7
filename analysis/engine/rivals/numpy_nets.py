"""A convolution with NumPy alone: windows, copied together, times a matrix by BLAS."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from analysis.engine.rivals.reading import Array, folded, read


def run(path: Path, x: Array) -> tuple[Callable[[], Any], Callable[[Any], Array]]:
    """The one real convolution in `path` on images x (N, H, W, C)."""
    (step,), _ = folded(read(path)[0])
    kernel, _, channels, count = step.tensors["weight"].shape
    p, s = step.options["padding"], step.options["stride"]
    matrix = step.tensors["weight"].transpose(2, 0, 1, 3).reshape(-1, count)
    bias = step.tensors["bias"]

    def call() -> Array:
        padded = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(1, 2))[:, ::s, ::s]
        return windows.reshape(*windows.shape[:3], channels * kernel**2) @ matrix + bias

    return call, lambda y: y
