"""The float32 convolution, forward and both gradients, in turns with torch's in one process, one thread."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bnn_ref.kernels import conv2d, conv2d_input_grad, conv2d_weight_grad
from bnn_ref.parameter import Array
from bnn_ref.timing import Pairing, paired

SHAPES = (
    (64, 32, 64),
    (64, 16, 128),
    (64, 8, 256),
    (128, 32, 16),
    (128, 16, 32),
    (128, 8, 64),
    (64, 28, 32),
    (64, 14, 64),
)
"""Images, side, channels; 3 x 3 filters, as many as channels, padding 1."""

TOLERANCE = 0.1
"""Of sums of up to 131072 products of normal numbers, of which 362 is usual: torch's order and ours."""


def _turned(x: Array) -> Any:
    """(N, H, W, C) as torch's (N, C, H, W) in the same memory: channels last."""
    return importlib.import_module("torch").from_numpy(x).permute(0, 3, 1, 2)


def times(images: int, side: int, channels: int, pairs: int) -> Iterator[tuple[str, Pairing]]:
    """What is computed, and how many times faster than torch's channels_last we compute it."""
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, images, side, side, channels)).astype(np.float32)
    w = rng.normal(size=(3, 3, channels, channels)).astype(np.float32)
    filters = torch.from_numpy(np.ascontiguousarray(w.transpose(3, 0, 1, 2))).permute(0, 3, 1, 2)

    def back(image: bool) -> Callable[[], Array]:
        fixed = ([1, 1], [1, 1], [1, 1], False, [0, 0], 1, [image, not image, False])
        given = (_turned(dy), _turned(x), filters, None, *fixed)

        def run() -> Array:
            dx, dw, _ = torch.ops.aten.convolution_backward(*given)
            found: Array = (dx.permute(0, 2, 3, 1) if image else dw.permute(2, 3, 1, 0)).numpy()
            return found

        return run

    def forward() -> Array:
        found: Array = torch.conv2d(_turned(x), filters, padding=1).permute(0, 2, 3, 1).numpy()
        return found

    yield "forward", paired(lambda: conv2d(x, w, 1, 1), forward, pairs, TOLERANCE)
    ours = lambda: conv2d_input_grad(dy, w, x.shape, 1, 1)  # noqa: E731
    yield "gradient to images", paired(ours, back(True), pairs, TOLERANCE)
    yield (
        "gradient to filters",
        paired(lambda: conv2d_weight_grad(x, dy, 3, 1, 1), back(False), pairs, TOLERANCE),
    )
