"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Sequence

from bnn_ref.optim.base import Optimizer
from bnn_ref.parameter import Array, Parameter


class SGD(Optimizer):
    """v <- m v + g; direction v, or g + m v (Nesterov); without momentum, g.

    Parameters
    ----------
    parameters, lr, weight_decay, clip
        As in `Optimizer`.
    momentum : float
        m, in [0, 1).
    nesterov : bool
        Look ahead; needs momentum.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float = 0.1,
        *,
        momentum: float = 0.9,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        clip: float | None = None,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, clip)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum: required a number in [0, 1), got {momentum}")
        if nesterov and momentum == 0:
            raise ValueError("nesterov: required momentum > 0, got 0")
        self.momentum, self.nesterov = momentum, nesterov
        self._velocity: dict[int, Array] = {}

    def direction(self, index: int, value: Array, grad: Array) -> Array:
        if index in self._velocity:
            self._velocity[index] = self.momentum * self._velocity[index] + grad
        else:
            self._velocity[index] = grad.copy()
        velocity = self._velocity[index]
        return grad + self.momentum * velocity if self.nesterov else velocity
