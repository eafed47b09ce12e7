"""What speaks against a pair: an interval, the values there, the reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bnn_ref.auditing.criterion.mesh import Mesh
from bnn_ref.parameter import Array

REASONS = {
    "opposite": "F goes from {f} while B, {b}, has the other sign: P would fall",
    "level": "F goes from {f} while B is 0: F cannot move where T is level",
    "varies": "F is constant, so P is flat, and T has one slope there; but B goes from {b}",
    "infinite": "F moves where B touches 0 so fast that the integral of dF/B, which is P, is infinite",
}
"""In words, by kind."""


@dataclass(frozen=True)
class Witness:
    """An interval on which no proximal map P and no T give F = T(P) and B = T'(P).

    Attributes
    ----------
    kind : str
        "opposite" (F' and B differ in sign), "level" (F moves where B is 0), "varies" (B is not constant
        where F is), or "infinite" (P would be).
    interval : (float, float)
        In units of x. F and B are continuous on it, as far as the resolution tells; for "varies" its ends
        are where B is least and largest, as near to each other as that can be.
    forward, backward : (float, float)
        F and B at its ends.
    range_of_b : float
        Largest minus smallest value of B over the interval.
    cells : slice
        The cells of the mesh that it was found on.
    """

    kind: str
    interval: tuple[float, float]
    forward: tuple[float, float]
    backward: tuple[float, float]
    range_of_b: float
    cells: slice

    @classmethod
    def over(cls, mesh: Mesh, cells: slice, kind: str) -> Witness:
        """The witness that neighbouring cells are."""
        x, f, b = (y[cells].reshape(-1) for y in (mesh.x, mesh.forward, mesh.backward))
        ends = _extremes(b) if kind == "varies" else (0, len(x) - 1)
        interval, forward, backward = ((float(y[ends[0]]), float(y[ends[1]])) for y in (x, f, b))
        return cls(kind, interval, forward, backward, float(np.ptp(b)), cells)

    @property
    def width(self) -> float:
        """Of the interval."""
        return self.interval[1] - self.interval[0]

    @property
    def reason(self) -> str:
        """The reason in words."""
        a, b = (0.0 if abs(end) < 1e-6 * self.width else end for end in self.interval)
        f, slope = (f"{y[0] + 0.0:.6g} to {y[1] + 0.0:.6g}" for y in (self.forward, self.backward))
        return f"on [{a:.6g}, {b:.6g}] " + REASONS[self.kind].format(f=f, b=slope)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "kind": self.kind,
            "interval": list(self.interval),
            "forward": list(self.forward),
            "backward": list(self.backward),
            "reason": self.reason,
        }


def _extremes(b: Array) -> tuple[int, int]:
    """Where `b` is least and largest, the first such pair made as short as it can be."""
    i, j = sorted((int(b.argmin()), int(b.argmax())))
    return int(np.flatnonzero(b[:j] == b[i])[-1]) if i < j else i, j
