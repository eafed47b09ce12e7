"""Level 1 for a binarizer that is not element by element one curve: its parts, then the whole.

Curves are audited one by one, maps that are not linear in the incoming gradient against what they declare,
and the whole by complex step where it has a T.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bnn_ref.auditing.claims import curve_checks, deployment_checks
from bnn_ref.auditing.composition import audit_layer, without_derivative
from bnn_ref.auditing.operation import compare, declared_checks
from bnn_ref.auditing.report import Check, Report
from bnn_ref.binarizer import Binarizer, Curve, Detach, Map
from bnn_ref.layers import Activation
from bnn_ref.parameter import Array

OPERANDS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "activation": ((5,), (3, 4, 2, 5)),
    "weight": ((3, 3, 2, 4), (3, 3, 2, 4)),
}
"""What a binarizer is bound to, and the shape of the tensor that it then meets."""


def audit_composed(binarizer: Binarizer) -> Report:
    """Every check of `binarizer`, bound as a weight and, where it can be one, as an activation."""
    curves = dict.fromkeys(part for part in _differentiated(binarizer) if isinstance(part, Curve))
    checks = [
        replace(check, name=f"{curve}: {check.name}") for curve in curves for check in curve_checks(curve)
    ]
    kinks = _kinks(binarizer)
    for part in binarizer.nonlinear():
        found = declared_checks(part.vjp, part, kinks)
        checks += [replace(c, name=f"{type(part).__name__}: {c.name}") for c in found]
    on_kinks = 0
    for operand, (shape, tensor) in OPERANDS.items():
        if operand == "activation" and binarizer.reduces:
            continue
        layer = Activation(binarizer, np.random.default_rng(0), shape)
        for dtype in (np.float32, np.float64):
            x = _points(binarizer, tensor, dtype)
            report = audit_layer(layer, x, dtype=dtype)
            on_kinks += report.on_kinks
            checks += [replace(c, name=f"{operand}, {np.dtype(dtype)}: {c.name}") for c in report.checks]
        checks += [replace(c, name=f"{operand}: {c.name}") for c in _passes(layer, x)]
    name = binarizer.name or type(binarizer.surrogate).__name__
    return Report(name, "implementation", tuple(checks), without_derivative(layer), on_kinks)


def _differentiated(subject: Map) -> Iterator[Map]:
    """The maps whose gradient is used: the surrogates of hard primitives, nothing behind a stop."""
    if isinstance(subject, Binarizer):
        yield from _differentiated(subject.surrogate)
    elif not isinstance(subject, Detach):
        yield subject
        for part in subject.direct():
            yield from _differentiated(part)


def _kinks(binarizer: Binarizer) -> list[float]:
    """Those of every curve inside."""
    return sorted({kink for part in binarizer.parts() if isinstance(part, Curve) for kink in part.kinks})


def _points(binarizer: Binarizer, shape: tuple[int, ...], dtype: type[np.floating[Any]]) -> Array:
    """Normal draws; 0, -0 and the kinks that `dtype` holds strewn in; vectors of zeros come first."""
    rng = np.random.default_rng(1)
    special = np.array([0.0, -0.0, *(kink for kink in _kinks(binarizer) if float(dtype(kink)) == kink)])
    x = rng.normal(size=shape)
    x.flat[rng.permutation(x.size)[: special.size]] = special
    x[0] = x[..., 0] = 0.0
    return x


def _passes(layer: Activation, x: Array) -> Iterator[Check]:
    """Both passes from outside: shapes, what is deployed, direction, linearity, NaN."""
    layer.astype(np.float64)
    y, cache = layer.forward(x)
    assert isinstance(layer.curve, Binarizer)
    yield from deployment_checks(layer.curve, x, y)
    rng = np.random.default_rng(2)
    u, v = rng.normal(size=(2, *y.shape))
    got = layer.backward(3 * u - 0.5 * v, cache)
    shapes = y.shape == x.shape and got.shape == x.shape
    yield Check.that("shape kept", shapes, f"required {x.shape}, got {y.shape} and {got.shape}")
    if not shapes:
        return
    along = float((u * layer.backward(u, cache)).sum())
    oriented = all(part.oriented for part in layer.curve.parts())
    name, good = ("alive and not inverted", along > 0) if oriented else ("alive, either way up", along != 0)
    yield Check.that(name, good, f"a random gradient meets its image at {along:g}")
    wanted = 3 * layer.backward(u, cache) - 0.5 * layer.backward(v, cache)
    size = max(1.0, float(np.abs(wanted).max()))
    flat = (x.reshape(-1), got.reshape(-1), wanted.reshape(-1))
    check = compare("linear in the incoming gradient", *flat, size, 1e-12)
    yield (
        check
        if not layer.curve.nonlinear()
        else Check.that("not linear, as claimed", not check.passed, "it is linear")
    )
    spoilt = x.copy()
    spoilt.flat[0] = np.nan
    lost = not np.isnan(layer.forward(spoilt)[0].flat[0])
    yield Check.that("forward keeps NaN", not lost, "sign(NaN) became a number")
