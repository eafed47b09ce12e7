"""What an optimizer is: parameters, one number (the step size), and a step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bnn_ref.parameter import Array, Parameter


class Optimizer:
    """Base of the optimizers.

    Parameters
    ----------
    parameters : sequence of Parameter
        What is trained; each once.
    lr : float
        Step size.
    weight_decay : float
        lambda: adds lambda * value to the gradient (L2).
    clip : float or None
        After each step, latent weights are clipped to [-clip, clip]. Source: binaryconnect2015.

    Raises
    ------
    ValueError
        For a step size, decay or clip out of range.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float,
        weight_decay: float = 0.0,
        clip: float | None = None,
    ) -> None:
        for name, value, good in (
            ("lr", lr, lr > 0),
            ("weight_decay", weight_decay, weight_decay >= 0),
            ("clip", clip, clip is None or clip > 0),
        ):
            if not good:
                raise ValueError(f"{name}: required a positive number, got {value}")
        self.parameters = list(parameters)
        self.lr, self.weight_decay, self.clip = lr, weight_decay, clip

    def direction(self, index: int, value: Array, grad: Array) -> Array:
        """What is subtracted, times lr, from parameter number `index`."""
        raise TypeError(f"{type(self).__name__} has no direction")

    def step(self) -> None:
        """value <- value - lr * direction, for every parameter that has a gradient; then clip."""
        for index, parameter in enumerate(self.parameters):
            if parameter.grad is None:
                continue
            grad = parameter.grad
            if self.weight_decay:
                grad = grad + self.weight_decay * parameter.value
            parameter.value = parameter.value - self.lr * self.direction(index, parameter.value, grad)
            if self.clip is not None and parameter.latent:
                parameter.value = np.clip(parameter.value, -self.clip, self.clip)
