"""Adam."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from bnn_ref.kernels.updates import adam
from bnn_ref.optim.base import Optimizer
from bnn_ref.parameter import Array, Parameter


class Adam(Optimizer):
    """m <- b1 m + (1-b1) g; v <- b2 v + (1-b2) g^2; direction (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps).

    Parameters
    ----------
    parameters, lr, weight_decay, clip, glorot
        As in `Optimizer`.
    betas : tuple of float
        b1 and b2, in [0, 1).
    eps : float
        Keeps the division finite; positive.

    Source: adam2015, Algorithm 1.
    """

    slots: ClassVar[tuple[str, ...]] = ("first", "second")
    counters: ClassVar[tuple[str, ...]] = ("steps",)

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        clip: float | None = None,
        glorot: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, clip, glorot)
        if len(betas) != 2 or not all(0 <= b < 1 for b in betas):
            raise ValueError(f"betas: required two numbers in [0, 1), got {betas}")
        if not eps > 0:
            raise ValueError(f"eps: required a number > 0, got {eps}")
        self.betas, self.eps = betas, eps

    def direction(self, index: int, value: Array, grad: Array) -> Array:
        steps, first, second = (f"{index}.{name}" for name in ("steps", "first", "second"))
        t = int(self.memory.get(steps, 0)) + 1
        m, v = (self.memory[name] if t > 1 else np.zeros_like(grad) for name in (first, second))
        found, m, v = adam(grad, m, v, self.betas, t, self.eps)
        self.memory |= {steps: np.array(t), first: m, second: v}
        return found

    def curvature(self, index: int) -> Array | None:
        """sqrt(v) + eps, v not corrected for its start from 0. Source: lab2017 (released code)."""
        second = self.memory.get(f"{index}.second")
        return None if second is None else np.sqrt(second) + self.eps
