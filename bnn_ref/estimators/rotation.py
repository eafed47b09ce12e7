"""RBNN's weights: rotated towards the corners of the cube, with learned angles and scales."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from math import isqrt

import numpy as np

from bnn_ref.basepoint import decide
from bnn_ref.binarizer import Binarizer, Compose, Map, Scaled, Sign
from bnn_ref.checks import require, require_whole
from bnn_ref.estimators.irnet import LIBRA, LogSpaced
from bnn_ref.estimators.rbnn import Triangle
from bnn_ref.estimators.vectors import channels_of, from_rows, to_rows, vectors_of
from bnn_ref.parameter import Array, Buffer, Parameter, unbroadcast


def corner(left: Array, right: Array, matrices: Array) -> Array:
    """B = sign(R1^T X R2) of each matrix X (F, a, b): the corner of the cube that lies nearest."""
    return Sign()(left.T @ matrices @ right)


def alternate(left: Array, right: Array, matrices: Array) -> tuple[Array, Array]:
    """One round towards larger sum_i tr(B_i^T R1^T X_i R2): B, R1, R2 in turn, each best for the others.

    Parameters
    ----------
    left, right : array
        R1 (a, a) and R2 (b, b), orthogonal.
    matrices : array
        X (F, a, b).

    Source: rbnn2020. U S V^T of sum_i B_i R2^T X_i^T gives R1 = V U^T; of sum_i X_i^T R1 B_i, R2 = U V^T.
    """
    b = corner(left, right, matrices)
    u, _, vt = np.linalg.svd(np.tensordot(b @ right.T, matrices, ((0, 2), (0, 2))))
    left = vt.T @ u.T
    u, _, vt = np.linalg.svd(np.tensordot(matrices, left @ b, ((0, 1), (0, 1))))
    return left, u @ vt


@dataclass(frozen=True)
class Rotation(Map):
    """y = x + abs(sin theta) D, D = R1^T X R2 - X detached: vectors turned, as far as theta says.

    Each vector (a filter of a weight; an activation's channels at a pixel) is taken as a matrix X (a, b), a
    the largest divisor of its length that is not above its root. dx = dy, dtheta = sign(sin) cos sum(dy D):
    at theta = pi/2, where it begins, that is 0 but for rounding.

    Parameters
    ----------
    rounds : int
        Of `alternate`, before each epoch (`refresh`): R1 and R2 follow the weights, not the gradient.
    theta : Parameter or None
        One angle a filter, or one for an activation, made by binding.
    left, right : Buffer or None
        R1 and R2, made by binding.
    rows : int or None
        As in `vectors_of`.

    Source: rbnn2020; released code. That R1 and R2 begin as no rotation is ours.
    """

    rounds: int = 3
    theta: Parameter | None = field(default=None, repr=False)
    left: Buffer | None = field(default=None, repr=False)
    right: Buffer | None = field(default=None, repr=False)
    rows: int | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        require_whole("rounds", self.rounds, 1)

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        if self.theta is not None:
            return self
        rows, length = vectors_of(shape, axis)
        a = next(d for d in range(isqrt(length), 0, -1) if length % d == 0)
        angles = np.full(1 if rows is None else shape[rows], np.pi / 2, np.float32)
        return dataclasses.replace(
            self,
            theta=Parameter(angles, "theta"),
            left=Buffer(np.eye(a, dtype=np.float32), "left"),
            right=Buffer(np.eye(length // a, dtype=np.float32), "right"),
            rows=rows,
        )

    def _state(self, x: Array) -> tuple[Parameter, Buffer, Buffer, Array]:
        """theta, R1, R2, and the matrices X (n, a, b)."""
        if self.theta is None or self.left is None or self.right is None:
            raise ValueError("Rotation: required to be bound to a tensor before it is used (Map.bind)")
        vectors, a, b = to_rows(x, self.rows), len(self.left.value), len(self.right.value)
        require(vectors.shape[1] == a * b, "x", f"vectors of {a * b}, as it was bound to", x.shape)
        return self.theta, self.left, self.right, vectors.reshape(-1, a, b)

    def _turn(self, x: Array) -> tuple[Parameter, Array, Array]:
        """theta, sin theta made positive by a sign that is decided, and D, one row a vector."""
        theta, left, right, matrices = self._state(x)
        turned = decide(lambda: left.value.T @ matrices @ right.value - matrices)
        upward = decide(lambda: Sign()(np.sin(theta.value.real)))
        return theta, upward, turned.reshape(len(turned), -1)

    def __call__(self, x: Array) -> Array:
        theta, upward, turned = self._turn(x)
        return x + from_rows((upward * np.sin(theta.value))[:, None] * turned, x, self.rows)

    def vjp(self, x: Array, dy: Array) -> Array:
        theta, upward, turned = self._turn(x)
        along = (to_rows(dy, self.rows) * turned).sum(axis=1)
        theta.accumulate(upward * np.cos(theta.value) * unbroadcast(along, theta.value.shape))
        return dy

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)

    def _refresh(self, x: Array, first: bool, seen: set[int]) -> None:
        _, left, right, matrices = self._state(x)
        for _ in range(0 if first else self.rounds):
            left.value, right.value = alternate(left.value, right.value, matrices)


@dataclass(frozen=True)
class LearnedScale(Map):
    """y = alpha, one number per channel, trained; whatever x is. It begins as mean abs(x) of each filter.

    Parameters
    ----------
    alpha : Parameter or None
        (F,), made by binding.

    Source: rbnn2020, released code.
    """

    alpha: Parameter | None = field(default=None, repr=False)

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        if self.alpha is not None:
            return self
        return dataclasses.replace(
            self, alpha=Parameter(np.ones(channels_of(shape, axis), np.float32), "alpha")
        )

    def _parameter(self) -> Parameter:
        if self.alpha is None:
            raise ValueError("LearnedScale: required to be bound to a tensor before it is used (Map.bind)")
        return self.alpha

    def __call__(self, x: Array) -> Array:
        return self._parameter().value

    def vjp(self, x: Array, dy: Array) -> Array:
        """dalpha = dy, which the product has summed over its axes; nothing to x."""
        self._parameter().accumulate(dy)
        return np.zeros_like(x)

    def _refresh(self, x: Array, first: bool, seen: set[int]) -> None:
        if first:
            alpha = self._parameter()
            alpha.value = np.abs(x).mean(axis=tuple(range(x.ndim - 1))).astype(alpha.value.dtype)


def rotated(k: float = 1.0, t: float = 1.0, rounds: int = 3, zero: int = 1) -> Binarizer:
    """alpha sign(z), z the standardised weight turned by R1 and R2; alpha and the angles are learned.

    T(x) = alpha k (sqrt2 t z - sign(z) t^2 z^2 / 2) where abs(z) < sqrt2 / t: the triangle and its law.

    Parameters
    ----------
    k : float
        Height of the step.
    t : float
        Steepness, in units of 1/z.
    rounds : int
        How often R1 and R2 are improved before each epoch.

    Source: rbnn2020; released code.
    """
    scale, turn = LearnedScale(), Rotation(rounds)
    rule = Scaled(scale, Compose((*LIBRA, turn, Binarizer(Sign(zero), Triangle(k, t), Sign(zero)))))
    return Binarizer(rule, rule, Scaled(scale, Compose((*LIBRA, turn, Sign(zero)))), LogSpaced(t_min=0.01))
