"""The regulariser behind a proximal map, by exact integration, and its Moreau envelope.

With phi(w) the integral of P and phi* its conjugate, P = P_r^mu has mu r(z) = phi*(z) - z^2 / 2 on the values
of P, and infinity elsewhere. A conjugate's derivative is the inverse function, whose graph is that of P with
its axes exchanged: both are integrals of straight lines.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref.binarizer import as_inexact
from bnn_ref.checks import require, require_positive
from bnn_ref.estimators.proximal import ProximalMap
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class Regulariser:
    """r with P = argmin_z (z - w)^2 / (2 mu) + r(z), its least value 0.

    Parameters
    ----------
    proximal : ProximalMap
        P.
    mu : float
        The proximal strength: P is the map of r at mu, as well as of mu r at 1.

    Source: ours; that r is convex exactly where P is non-expansive, too.
    """

    proximal: ProximalMap
    mu: float = 1.0

    def __post_init__(self) -> None:
        require(isinstance(self.proximal, ProximalMap), "proximal", "a proximal map", self.proximal)
        require_positive("mu", self.mu)
        steepest = max(self.proximal.ends)
        require(steepest <= 1, "proximal", "end slopes of at most 1, or r has no least value", self.proximal)

    def __call__(self, z: Array) -> Array:
        """r(z), infinity off the values of P; same shape and dtype as `z`."""
        z = as_inexact(z)
        finite = np.any([(low <= z) & (z <= high) for low, high in self.proximal.image], axis=0)
        return np.where(finite, (self._unshifted(z) - self._least) / self.mu, np.inf).astype(z.dtype)

    def envelope(self, w: Array) -> Array:
        """M(w) = min_z (w - z)^2 / (2 mu) + r(z) = (w^2 / 2 - phi(w)) / mu + constant; same shape, dtype."""
        w = as_inexact(w)
        return ((w.astype(np.float64) ** 2 / 2 - self._phi(w) - self._least) / self.mu).astype(w.dtype)

    @property
    def convex(self) -> bool:
        """Whether r is convex."""
        return self.proximal.nonexpansive

    def _phi(self, w: Array) -> Array:
        return _integral(np.array(self.proximal.vertices), self.proximal.ends, w)

    def _unshifted(self, z: Array) -> Array:
        """phi*(z) - z^2 / 2, phi being 0 at the first vertex (w, y), where phi* is w y."""
        points = np.array(self.proximal.vertices)[:, ::-1]
        inverse = tuple(1 / slope if slope else 0.0 for slope in self.proximal.ends)
        z = z.astype(np.float64)
        return points[0].prod() + _integral(points, inverse, z) - z**2 / 2

    @property
    def _least(self) -> float:
        """The least value: at a corner, or where P(w) = w."""
        fixed = [(y - slope * w) / (1 - slope) for w, y, slope in self.proximal.lines if slope != 1]
        inside = [z for z in fixed if np.isclose(self.proximal(np.array(z)), z, rtol=1e-12, atol=1e-12)]
        candidates = np.array([*inside, *(y for _, y in self.proximal.vertices)])
        return float(self._unshifted(candidates).min())


def _integral(points: Array, ends: tuple[float, ...], t: Array) -> Array:
    """The integral, from the first point on, of the polyline through `points` (x, y) at t."""
    x, y = points.T
    width, rise = np.diff(x), np.diff(y)
    slopes = np.array([ends[0], *np.divide(rise, width, out=np.zeros_like(rise), where=width > 0), ends[1]])
    until = np.concatenate([[0.0, 0.0], np.cumsum(width * (y[:-1] + y[1:]) / 2)])
    i = np.searchsorted(x, t, "right")
    start = np.maximum(i - 1, 0)
    d = t - x[start]
    return np.asarray(until[i] + d * (y[start] + slopes[i] * d / 2))


def recovered(proximal: ProximalMap, mu: float = 1.0) -> Regulariser:
    """The regulariser r whose proximal map at `mu` is `proximal`. Source: ours."""
    return Regulariser(proximal, mu)
