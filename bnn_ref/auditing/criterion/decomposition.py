"""What the criterion says of a pair: holds or a witness, and P and T where they exist."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.interpolate import PPoly

from bnn_ref.auditing.criterion.witness import Witness
from bnn_ref.parameter import Array


@dataclass(frozen=True)
class Decomposition:
    """Whether F = T(P) and B = T'(P) for a proximal map P, as far as a resolution tells.

    Attributes
    ----------
    witness : Witness or None
        The widest interval found on which no P and T do it.
    resolution : float
        Width of a cell, in units of x. In functions given from outside, five or more jumps in a row, each
        less than this from the next, are taken for a smooth change: a staircase finer than this cannot be
        told from a slope. A jump is a step between points a quarter of this apart, of which a thousandth or
        more is left when the distance is halved 30 times; a smaller one is smooth.
    window : (float, float)
        The interval of x that was searched; nothing is said of the rest.
    x : array (n,)
        Ends of the cells, ascending; at a jump or kink one point on either side of it.
    P : array (n,)
        P there, never falling: up to a constant, to its jumps' heights, and to its values where F' = B = 0,
        which are free (slope 1 is taken). NaN where a witness lies; either side of it with its own constant.
    F, B : array (n,)
        F = T(P) and B = T'(P) there.
    """

    witness: Witness | None
    resolution: float
    window: tuple[float, float]
    x: Array
    P: Array
    F: Array
    B: Array

    @property
    def holds(self) -> bool:
        """No witness against the pair at this resolution."""
        return self.witness is None

    @property
    def verdict(self) -> str:
        """One line."""
        a, b = self.window
        where = f"at resolution {self.resolution:.2g} on [{a:g}, {b:g}]"
        return f"holds {where}" if self.witness is None else f"fails: {self.witness.reason}"

    @cached_property
    def T(self) -> PPoly | None:
        """T as a piecewise cubic, `T(z)`, with T' as `T.derivative()`; None where the pair fails.

        Between two points of the range of P, and across its gaps, where T is free, it is the cubic that takes
        F and B at both ends (Hermite); outside, the straight line on.
        """
        if not self.holds:
            return None
        rises = np.flatnonzero(np.diff(self.P) > 0)
        z, f, b = (np.append(y[rises], y[-1]) for y in (self.P, self.F, self.B))
        after_f, after_b = self.F[rises + 1], self.B[rises + 1]
        width = np.diff(z)
        chord = (after_f - f[:-1]) / width
        cubic = [(b[:-1] + after_b - 2 * chord) / width**2, (3 * chord - 2 * b[:-1] - after_b) / width]
        inner = np.stack([np.append(cubic[0], 0), np.append(cubic[1], 0), b, f])
        left = np.array([[0], [0], [self.B[0]], [self.F[0] - self.B[0]]])
        return PPoly(np.concatenate([left, inner], axis=1), np.concatenate([[z[0] - 1], z, [z[-1] + 1]]))

    def to_dict(self) -> dict[str, Any]:
        """Plain data: the verdict without the arrays."""
        return {
            "holds": self.holds,
            "verdict": self.verdict,
            "resolution": self.resolution,
            "window": list(self.window),
            "witness": None if self.witness is None else self.witness.to_dict(),
        }
