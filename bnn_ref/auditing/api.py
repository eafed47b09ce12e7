"""The front door: audit a name, a binarizer, a pair of callables, a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bnn_ref import estimators
from bnn_ref.auditing.claims import alive, curve_checks, deployment_checks
from bnn_ref.auditing.composed import audit_composed
from bnn_ref.auditing.composition import audit_layer
from bnn_ref.auditing.identify import identify
from bnn_ref.auditing.operation import Operation, grid, operation_checks
from bnn_ref.auditing.report import Check, Report
from bnn_ref.binarizer import Binarizer, Curve, Map, Sign
from bnn_ref.layers import Activation, Layer
from bnn_ref.parameter import Array


def audit(subject: str | Map | Layer, *inputs: Array, **options: Any) -> Report:
    """Audit what this package declares: an estimator, a map, a layer.

    Parameters
    ----------
    subject : str, Binarizer, Map or Layer
        A name of the table or a binarizer gets level 1 (implementation): where F and T are curves, element
        by element; else its parts one by one and the whole by complex step, bound as an activation and as a
        weight (a gradient that is not linear in the incoming one is held against its declaration instead).
        Any other map and any layer get level 2 (composition) at `inputs`.
    *inputs : array
        The base point of a map or layer; a binarizer has its own.
    **options
        Of `audit_layer`.

    Returns
    -------
    Report
        `.passed`, `.to_dict()`, and a table when printed.

    Raises
    ------
    ValueError
        For an unknown name, or a map or layer without a base point.
    """
    if isinstance(subject, str):
        subject = estimators.get(subject)
    if isinstance(subject, Binarizer) and not inputs:
        forward, surrogate = subject.forward, subject.surrogate
        if isinstance(forward, Curve) and isinstance(surrogate, Curve) and not subject.reduces:
            return _audit_binarizer(subject, surrogate)
        return audit_composed(subject)
    if not inputs:
        raise ValueError(f"inputs: required a base point to audit {type(subject).__name__} at, got none")
    layer = _as_layer(subject, inputs[0]) if isinstance(subject, Map) else subject
    return audit_layer(layer, *inputs, **options)


def _as_layer(subject: Map, x: Array) -> Layer:
    """The map bound to the tensor that it is audited at."""
    return Activation(subject, shape=x.shape if subject.reduces else x.shape[-1:])


def audit_operation(
    forward: Callable[[Array], Array],
    backward: Callable[[Array, Array], Array],
    claim: str | Binarizer | Curve | None = None,
    name: str = "",
) -> Report:
    """Audit somebody else's operation.

    Parameters
    ----------
    forward : callable
        x -> y, element-wise.
    backward : callable
        (x, dy) -> dx, same shapes.
    claim : str, Binarizer, Curve or None
        What the operation is said to be: a name of the table, a binarizer, or a surrogate T behind a hard
        sign. Without a claim the report's verdict says what it is: identified, scaled, inverted, dead, or no
        match; it passes when identified.
    name : str
        Subject in the report; the backward's name by default.

    Returns
    -------
    Report
    """
    operation = Operation(forward, backward)
    subject = name or getattr(backward, "__qualname__", type(backward).__name__)
    found = identify(operation)
    if claim is None:
        alike = found.kind == "identified" and not found.kinks
        check = Check.that("matches an estimator of the table", alike, str(found))
        return Report(subject, "implementation", (check,), str(found))
    claimed = _claimed(claim)
    return Report(subject, "implementation", tuple(operation_checks(operation, claimed)), str(found))


def _claimed(claim: str | Binarizer | Curve) -> Binarizer:
    if isinstance(claim, str):
        return estimators.get(claim)
    return claim if isinstance(claim, Binarizer) else Binarizer(Sign(), claim)


def _audit_binarizer(binarizer: Binarizer, curve: Curve) -> Report:
    """T proves the slope, its claims are measured, and the operation built on it is held against it."""
    bound = binarizer.bind((1,), -1, np.random.default_rng(0))
    assert isinstance(bound, Binarizer)
    assert isinstance(bound.surrogate, Curve)
    for parameter in bound.parameters():
        parameter.value = parameter.value.astype(np.float64)
    x = grid(curve)
    checks = [
        *curve_checks(bound.surrogate),
        *operation_checks(Operation(binarizer.forward, binarizer.backward), binarizer),
        *deployment_checks(binarizer, x, binarizer.forward(x)),
        alive(curve),
    ]
    return Report(binarizer.name or type(curve).__name__, "implementation", tuple(checks))
