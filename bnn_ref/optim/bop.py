"""Bop: no latent weights, only signs that flip when the gradient has asked for it long enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from bnn_ref.binarizer import Sign
from bnn_ref.optim.adam import Adam
from bnn_ref.parameter import Array, Parameter


class Bop(Adam):
    """m <- (1 - gamma) m + gamma g; w flips where w m > threshold. Parameters that are not latent: Adam.

    A latent parameter is read as its signs, and is -1 or +1 from its first step on; behind `identity-ste`
    it is used as it is then. The flip is w <- sign(-s w) with s in {-1, 0, 1} the sign of w m - threshold, so
    that w becomes +1 whatever it was where w m equals the threshold (released code). Weight decay, clip and
    Glorot's bound do not touch binary weights.

    Parameters
    ----------
    parameters, lr, betas, eps, weight_decay, clip, glorot
        As in `Adam`.
    gamma : float
        Weight of the newest gradient in m, in (0, 1].
    threshold : float
        tau, at least 0, in units of the gradient.

    Source: bop2019, released code (gamma = 1e-4 and tau = 1e-8: its ImageNet and CIFAR-10 settings).
    """

    rates: ClassVar[tuple[str, ...]] = ("lr", "gamma")

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float = 1e-3,
        *,
        gamma: float = 1e-4,
        threshold: float = 1e-8,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        clip: float | None = None,
        glorot: bool = False,
    ) -> None:
        super().__init__(
            parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay, clip=clip, glorot=glorot
        )
        if not 0 < gamma <= 1:
            raise ValueError(f"gamma: required a number in (0, 1], got {gamma}")
        if not threshold >= 0:
            raise ValueError(f"threshold: required a number >= 0, got {threshold}")
        self.gamma, self.threshold = gamma, threshold

    def kept(self, parameter: Parameter) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return (("momentum",), ()) if parameter.latent else super().kept(parameter)

    def moved(self, index: int, parameter: Parameter, grad: Array) -> Array:
        """The flipped signs, or Adam's step."""
        if not parameter.latent:
            return super().moved(index, parameter, grad)
        key, w = f"{index}.momentum", Sign()(parameter.value)
        m = (1 - self.gamma) * self.memory.get(key, np.zeros_like(grad)) + self.gamma * grad
        self.memory[key] = m
        return Sign()(-np.sign(w * m - self.threshold) * w)
