"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from bnn_ref.optim.base import Optimizer
from bnn_ref.parameter import Array, Parameter


class SGD(Optimizer):
    """v <- m v + g; direction v, or g + m v (Nesterov); without momentum, g.

    Parameters
    ----------
    parameters, lr, weight_decay, clip, glorot
        As in `Optimizer`.
    momentum : float
        m, in [0, 1).
    nesterov : bool
        Look ahead; needs momentum.
    """

    slots: ClassVar[tuple[str, ...]] = ("velocity",)

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float = 0.1,
        *,
        momentum: float = 0.9,
        nesterov: bool = False,
        weight_decay: float = 0.0,
        clip: float | None = None,
        glorot: bool = False,
    ) -> None:
        super().__init__(parameters, lr, weight_decay, clip, glorot)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum: required a number in [0, 1), got {momentum}")
        if nesterov and momentum == 0:
            raise ValueError("nesterov: required momentum > 0, got 0")
        self.momentum, self.nesterov = momentum, nesterov

    def direction(self, index: int, value: Array, grad: Array) -> Array:
        key = f"{index}.velocity"
        velocity = self.momentum * self.memory[key] + grad if key in self.memory else grad.copy()
        self.memory[key] = velocity
        return grad + self.momentum * velocity if self.nesterov else velocity
