"""LAB, loss-aware binarization: a scale that weighs each weight by the curvature of the loss in it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bnn_ref.binarizer import Binarizer, Map, Scaled, Sign
from bnn_ref.estimators.ste import Identity
from bnn_ref.parameter import Array, Curvature


@dataclass(frozen=True)
class CurvatureScale(Map):
    """alpha = sum(d abs(x)) / sum(d), shape (1, ..., 1): it minimises sum(d (x - alpha sign(x))^2).

    Parameters
    ----------
    curvature : Curvature or None
        d, of the shape of x: ones at first (alpha is mean abs(x) then), later what the optimizer publishes,
        sqrt(v) + eps with Adam's second moment v. Binding makes it.

    Source: lab2017, released code.
    """

    curvature: Curvature | None = None
    whole = True

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        return replace(self, curvature=Curvature(np.ones(shape, np.float32), "curvature"))

    def __call__(self, x: Array) -> Array:
        weights = np.ones_like(x) if self.curvature is None else self.curvature.value
        total = (weights * np.abs(x)).sum() / np.broadcast_to(weights, x.shape).sum()
        return np.asarray(total, x.dtype).reshape((1,) * x.ndim)


def loss_aware(*, zero: int = 1) -> Binarizer:
    """F(x) = alpha sign(x), alpha weighed by curvature, one a layer; T(x) = x.

    The gradient to the binary weight is applied to the real one; alpha is not differentiated. The optimizer
    must be one that publishes a curvature (Adam), and clips the real weights to [-1, 1].

    Source: lab2017, released code.
    """
    binary = Scaled(CurvatureScale(), Sign(zero))
    return Binarizer(binary, Identity(), binary)
