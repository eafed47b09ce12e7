"""The recipe: pairs that decompose by construction, from a T and a P or from a heuristic backward."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import numpy as np

from bnn_ref import estimators
from bnn_ref.annealing import Law, Moment
from bnn_ref.binarizer import Binarizer, Curve
from bnn_ref.checks import require
from bnn_ref.estimators.composition import composed
from bnn_ref.estimators.proximal import Polyline, ProximalMap

FAR = 1.0
"""How far beyond the outermost kinks a straight piece is looked at."""


def synthesize(T: str | Binarizer | Curve, P: Curve | None = None, **parameters: Any) -> Binarizer:
    """The pair F = T o P, B = T' o P, which decomposes by construction.

    Without P it is (T, T'): of a heuristic backward T' behind a hard sign that is the repaired forward. BNN+
    becomes BNN++, the piecewise quadratic Poly+, EDE becomes EDE+.

    Parameters
    ----------
    T : str, Binarizer or Curve
        T itself; of a name of the table or a binarizer it is the surrogate, and its law stays if it moves T.
    P : Curve, optional
        A proximal map: straight pieces that never fall, symmetric about 0, jumps allowed; the identity by
        default. Behind it T must be odd and not trained.
    **parameters
        Of the named estimator.

    Returns
    -------
    Binarizer
        Deployed, without P, as what T's binarizer deploys; with one as the sign, tied as P is at a jump. The
        criterion says nothing of use: where T is level, or falls, on the values of P, the pair is dead or
        inverted, and an audit says so.

    Raises
    ------
    ValueError
        For an unknown name, parameters without one, a T that is no curve, or a P that falls, bends, or is not
        symmetric about 0.

    Source: after pcpp2023, which gives a recipe; its form here is ours.
    """
    base = _base(T, parameters)
    outer = base.surrogate
    if not isinstance(outer, Curve):
        raise ValueError(f"T: required a curve, or a binarizer that has one as its surrogate, got {outer!r}")
    if P is None:
        return _annealed(replace(base, forward=outer, name=""), base.law)
    trained = outer.bind((1,), -1, np.random.default_rng(0)).parameters()
    require(outer.odd and not trained, "T", "an odd curve that is not trained, with a P", outer)
    inner = proximal(P)
    below, above = inner.values(np.zeros(()))
    require(
        bool(below <= 0 <= above), "P", "a curve that is at most 0 left of 0 and at least 0 right of it", P
    )
    return _annealed(composed(outer, inner), base.law)


def _annealed(made: Binarizer, law: Law | None) -> Binarizer:
    """`made` with the law, where all that it moves is still there."""
    known = {field.name for part in made.parts() for field in fields(part)}  # type: ignore[arg-type]
    return replace(made, law=law if law is not None and set(law(Moment.at(0.0))) <= known else None)


def _base(given: str | Binarizer | Curve, parameters: dict[str, Any]) -> Binarizer:
    """The binarizer whose surrogate is T: the named one, the given one, or (T, T)."""
    if isinstance(given, str):
        return estimators.get(given, **parameters)
    require(not parameters, "parameters", "none without a name of the table", parameters)
    return given if isinstance(given, Binarizer) else Binarizer(given, given)


def proximal(curve: Curve) -> ProximalMap:
    """`curve` as a proximal map: itself, or the line through its values on both sides of its kinks.

    Raises
    ------
    ValueError
        When it is no curve, falls somewhere, has a piece that is not straight, or is not symmetric about 0.
    """
    wanted = "a curve of straight pieces that never falls, symmetric about 0"
    require(isinstance(curve, Curve), "P", wanted, curve)
    found = curve if isinstance(curve, ProximalMap) else _traced(curve)
    require(found is not None and found.symmetric, "P", wanted, curve)
    assert found is not None
    return found


def _traced(curve: Curve) -> Polyline | None:
    """`curve` as a proximal map where it is one."""
    kinks = np.array(curve.kinks or (0.0,), np.float64)
    branches = np.arange(len(kinks)) if curve.kinks else np.zeros(1, int)
    values = [curve.on_branch(kinks, branches + bool(side and curve.kinks)) for side in (0, 1)]
    points = np.stack([np.repeat(kinks, 2), np.stack(values, axis=1).reshape(-1)], axis=1)
    edges = [kinks[0] - FAR, *kinks, kinks[-1] + FAR]
    slopes = [_slope(curve, a, b) for a, b in pairwise(edges)]
    if not (min(slopes) >= 0 and (np.diff(points[:, 1]) >= 0).all()):
        return None
    tied = {owner for owner, y, above in zip(curve.owners, *values, strict=False) if y != above}
    selection = "lower" if tied == {"left"} else "upper"
    return Polyline(tuple(map(tuple, points.tolist())), (slopes[0], slopes[-1]), selection=selection)


def _slope(curve: Curve, a: float, b: float) -> float:
    """Of the straight piece between a and b; NaN where it bends."""
    x = np.linspace(a, b, 9)
    slopes = curve.derivative(x[1:-1])
    straight = np.ptp(slopes) <= 1e-12 * np.abs(slopes).max()
    return float(slopes[0]) if straight else math.nan
