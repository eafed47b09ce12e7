"""Without a claim an audit answers what an operation is: a name, dead, inverted, scaled, or no match."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref import estimators
from bnn_ref.auditing.operation import Operation
from bnn_ref.binarizer import Curve
from bnn_ref.parameter import Array

CLOSE = 1e-6
"""Largest relative distance, over the grid, at which two slopes are the same."""


@dataclass(frozen=True)
class Identity:
    """What an operation's backward is.

    Attributes
    ----------
    kind : str
        "identified", "scaled", "inverted", "dead" or "no match".
    names : tuple of str
        Table entries (at their default parameters) with this slope, or the nearest one; only those with the
        operation's forward too, where there are any.
    scale : float
        Factor between the operation's slope and theirs.
    distance : float
        Relative distance that remains after scaling.
    kinks : tuple of float
        Points where the operation differs although it agrees everywhere around them.
    """

    kind: str
    names: tuple[str, ...] = ()
    scale: float = 0.0
    distance: float = np.inf
    kinks: tuple[float, ...] = ()

    def __str__(self) -> str:
        which = " = ".join(self.names)
        text = {
            "dead": "dead: the backward is 0 everywhere",
            "identified": f"identified as {which}",
            "scaled": f"{which} scaled by {self.scale:.6g}",
            "inverted": f"{which} inverted (scaled by {self.scale:.6g})",
            "no match": f"no match; nearest is {which} at relative distance {self.distance:.2g}",
        }[self.kind]
        differs = ", ".join(f"{kink:g}" for kink in self.kinks)
        return f"{text}, but another value on the kinks {differs}" if differs else text


def identify(operation: Operation) -> Identity:
    """The table's best match for the slope of `operation`, at default parameters.

    Parameters
    ----------
    operation : Operation
        Its backward is probed with ones on 8,001 points of [-4, 4] and on the kinks of the table.
    """
    x = np.arange(-4000, 4001) / 1000
    slope = np.asarray(operation.slope(x), np.float64)
    if not slope.any():
        return Identity("dead")
    matches = [(name, *_fit(x, slope, curve)) for name, curve in estimators.curves().items()]
    nearest, scale, distance = min(matches, key=lambda match: match[2])
    if not distance <= CLOSE:
        return Identity("no match", (nearest,), scale, distance)
    alike = [name for name, c, d in matches if d <= CLOSE and abs(c - scale) <= CLOSE * abs(scale)]
    odd = {name: _odd_kinks(operation, estimators.curves()[name], scale) for name in alike}
    exact = tuple(name for name in alike if not odd[name])
    names = exact or tuple(alike)
    names = tuple(name for name in names if _answers_alike(operation, name, x)) or names
    kind = "inverted" if scale < 0 else "identified" if abs(scale - 1) <= CLOSE else "scaled"
    return Identity(kind, names, scale, distance, () if exact else odd[nearest])


def _answers_alike(operation: Operation, name: str, x: Array) -> bool:
    """Whether the operation's forward is the entry's, off 0."""
    x = x[x != 0]
    got, wanted = np.asarray(operation.forward(x.copy())), estimators.get(name).forward(x)
    return got.shape == wanted.shape and bool(np.allclose(got, wanted, rtol=0, atol=CLOSE))


def _fit(x: Array, slope: Array, curve: Curve) -> tuple[float, float]:
    """The least-squares factor to `curve`'s slope away from its kinks, and the largest relative remainder."""
    away = ~np.isclose(x[:, None], np.array(curve.kinks), rtol=0, atol=1e-9).any(axis=1)
    got, wanted = slope[away], curve.derivative(x[away])
    scale = float(got @ wanted) / float(wanted @ wanted)
    return scale, float(np.abs(got - scale * wanted).max()) / max(float(np.abs(slope).max()), 1e-300)


def _odd_kinks(operation: Operation, curve: Curve, scale: float) -> tuple[float, ...]:
    """The kinks on which the operation's slope is not the curve's."""
    kinks = np.array(curve.kinks)
    if not kinks.size:
        return ()
    differs = np.abs(operation.slope(kinks) - scale * curve.derivative(kinks)) > CLOSE * curve.peak
    return tuple(float(kink) for kink in kinks[differs])
