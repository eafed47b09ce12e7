"""Adam."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnn_ref.optim.base import Optimizer
from bnn_ref.parameter import Array, Parameter


class Adam(Optimizer):
    """m <- b1 m + (1-b1) g; v <- b2 v + (1-b2) g^2; direction (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps).

    Parameters
    ----------
    parameters, lr, weight_decay, clip
        As in `Optimizer`.
    betas : tuple of float
        b1 and b2, in [0, 1).
    eps : float
        Keeps the division finite.

    Source: adam2015, Algorithm 1.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float = 1e-3,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        clip: float | None = None,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, clip)
        if not all(0 <= b < 1 for b in betas):
            raise ValueError(f"betas: required two numbers in [0, 1), got {betas}")
        self.betas, self.eps = betas, eps
        self._moments: dict[int, tuple[int, Array, Array]] = {}

    def direction(self, index: int, value: Array, grad: Array) -> Array:
        b1, b2 = self.betas
        t, m, v = self._moments.get(index, (0, np.zeros_like(grad), np.zeros_like(grad)))
        t, m, v = t + 1, b1 * m + (1 - b1) * grad, b2 * v + (1 - b2) * grad * grad
        self._moments[index] = (t, m, v)
        return (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + self.eps)
