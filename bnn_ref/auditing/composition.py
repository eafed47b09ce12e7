"""Level 2: the hand-written backward of a layer, a network, a loss, against the true derivative of its
re-centred self.

At the base point every decision is recorded (`bnn_ref.basepoint`); replayed, the network is an analytic
function with the same values, whose derivative is the surrogate gradient. A complex step differentiates it
to rounding, in random directions of every tensor: an error in one pixel tilts a random direction too.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from bnn_ref.auditing.bench import Bench, Slot, at_base_point, worst_element
from bnn_ref.auditing.leaves import leaf_calls
from bnn_ref.auditing.report import Check, Report
from bnn_ref.layers import Composite, Layer
from bnn_ref.parameter import Array

TOLERANCES = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-4}
FLOORS = {np.dtype(np.float64): 1e-6, np.dtype(np.float32): 1e-2}
"""A gradient smaller than this share of all gradients is measured against that share: it is rounding."""

DIRECTIONS = 4


class WithLoss(Composite):
    """A network and its loss as one layer of (images, target): a scalar."""

    def __init__(self, model: Layer, loss: Layer) -> None:
        self.model, self.loss = model, loss

    def compute(self, x: Array, target: Array) -> Array:
        return self.loss(self.model(x), target)


def audit_layer(
    layer: Layer,
    *inputs: Array,
    dy: Array | None = None,
    dtype: DTypeLike = np.float64,
    seed: int = 0,
    name: str = "",
) -> Report:
    """Check the backward of `layer`, in training mode, to every floating input and every parameter.

    Parameters
    ----------
    layer : Layer
        Anything from one layer to a whole network; it is copied, not changed.
    *inputs : array
        The base point; whole-number arrays (labels) are passed through.
    dy : array, optional
        Incoming gradient, the shape of the output; random by default.
    dtype : dtype
        Precision in which forward and backward under test run: float64, or float32 (single layers: the
        base point of a deep net in float32 is another one).
    seed : int
        Of the random directions.
    name : str
        Subject in the report; the class name by default.

    Returns
    -------
    Report
        One check per tensor: the root mean square over random directions of the difference between
        derivative and gradient, relative to the size of the gradient. A layer with a map that is not linear
        in the incoming gradient is no derivative of anything: its report says so in the verdict, and checks
        just that, beside the form of both passes.

    Source: ours (re-centring; complex step).
    """
    rng = np.random.default_rng(seed)
    if reason := without_derivative(layer):
        checks = _without_derivative(layer, inputs, dy, np.dtype(dtype), rng)
        return Report(name or type(layer).__name__, "composition", tuple(checks), reason)
    bench = at_base_point(layer, inputs, dy, np.dtype(dtype), rng)
    total = np.sqrt(sum(float((slot.grad**2).sum()) for slot in bench.slots))
    floor, tolerance = FLOORS[np.dtype(dtype)] * total, TOLERANCES[np.dtype(dtype)]
    checks = [_check(bench, slot, floor, tolerance, rng) for slot in bench.slots]
    checks = _side_effects(layer, inputs, bench.dy, np.dtype(dtype)) + checks
    return Report(name or type(layer).__name__, "composition", tuple(checks), on_kinks=bench.point.on_kinks)


def audit_model(
    model: Layer, loss: Layer, x: Array, target: Array, *, seed: int = 0, name: str = ""
) -> Report:
    """Check a network with its loss in float64 as a whole, and each of its layers in float32 as it stands.

    Parameters
    ----------
    model, loss : Layer
        The loss takes (prediction, target) and gives a scalar.
    x, target : array
        A batch; images (N, H, W, C) or whatever the model takes.
    seed, name
        As in `audit_layer`.

    Returns
    -------
    Report
        The checks of the whole, then one check per layer of the float32 path, each from the inputs and the
        incoming gradient that the float32 network really has there.
    """
    whole = WithLoss(model, loss)
    report = audit_layer(whole, x, target, seed=seed, name=name or type(model).__name__)
    return Report(
        report.subject,
        "composition",
        report.checks + _fast_path(whole, x, target, seed),
        report.verdict,
        report.on_kinks,
    )


def _fast_path(whole: Layer, x: Array, target: Array, seed: int) -> tuple[Check, ...]:
    checks = []
    narrow = target.astype(np.float32) if target.dtype.kind == "f" else target
    for name, call in leaf_calls(whole, x.astype(np.float32), narrow):
        part = audit_layer(call.layer, *call.inputs, dy=call.dy, dtype=np.float32, seed=seed)
        worst = max(part.checks, key=lambda check: (not check.passed, check.error))
        checks.append(Check(f"float32 {name}", part.passed, worst.error, worst.tolerance, worst.worst))
    return tuple(checks)


def without_derivative(layer: Layer) -> str:
    """Why the backward of `layer` is no derivative: the maps in it that say so; empty where it is one."""
    names = sorted({type(part).__name__ for _, _, held in layer.maps() for part in held.nonlinear()})
    return (
        f"no derivative as a whole: {', '.join(names)} not linear in the incoming gradient" if names else ""
    )


def _without_derivative(
    layer: Layer,
    inputs: tuple[Array, ...],
    dy: Array | None,
    dtype: np.dtype[np.generic],
    rng: np.random.Generator,
) -> list[Check]:
    """Form, and a witness: B(u) + B(-2u) is not B(-u) for a large u, in some tensor."""
    wide = copy.deepcopy(layer).astype(np.float64).train()
    given = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in inputs]
    y, cache = wide.forward(*given)
    u = 1e6 * rng.normal(size=np.shape(y))
    one, two, three = (_gradients(wide, cache, factor * u) for factor in (1, -2, -1))
    linear = all(np.allclose(a + b, c, rtol=1e-9) for a, b, c in zip(one, two, three, strict=True))
    return [
        *_side_effects(layer, inputs, u if dy is None else dy, dtype),
        Check.that("not linear in the incoming gradient, as claimed", not linear, "it is linear"),
    ]


def _gradients(layer: Layer, cache: Any, dy: Array) -> list[Array]:
    """What backward gives to inputs and parameters."""
    layer.zero_grad()
    grads = layer.backward(dy, cache)
    grads = grads if isinstance(grads, tuple) else (grads,)
    return [*grads, *(parameter.grad for parameter in layer.parameters() if parameter.grad is not None)]


def _check(bench: Bench, slot: Slot, floor: float, tolerance: float, rng: np.random.Generator) -> Check:
    """The gradient of one tensor along random directions, relative to its size, or to `floor` if larger."""
    if slot.grad.shape != slot.get().shape:
        wrong = f"required shape {slot.get().shape}, got {slot.grad.shape}"
        return Check.that(f"gradient to {slot.name}", False, wrong)
    scale = max(float(np.sqrt((slot.grad**2).sum())), floor, 1e-300)
    errors = []
    for _ in range(DIRECTIONS):
        direction = rng.normal(size=slot.grad.shape)
        errors.append(bench.along(slot, direction) - float((slot.grad * direction).sum()))
    error = float(np.sqrt(np.mean(np.square(errors)))) / scale
    worst = "" if error <= tolerance else worst_element(bench, slot)
    return Check.of(f"gradient to {slot.name}", error, tolerance, worst)


def _side_effects(
    layer: Layer, inputs: tuple[Array, ...], dy: Array, dtype: np.dtype[np.generic]
) -> list[Check]:
    """Forward and backward keep the dtype and write to neither their inputs nor the incoming gradient."""
    tested = copy.deepcopy(layer).astype(dtype).train()
    given = [x.astype(dtype) if x.dtype.kind == "f" else x.copy() for x in inputs]
    kept = [x.copy() for x in given]
    y, cache = tested.forward(*given)
    incoming = dy.astype(dtype)
    before = incoming.copy()
    grads = tested.backward(incoming, cache)
    grads = grads if isinstance(grads, tuple) else (grads,)
    kinds = [np.asarray(y).dtype, *(g.dtype for g, x in zip(grads, given) if x.dtype.kind == "f")]
    clean = all(np.array_equal(a, b) for a, b in zip(given, kept, strict=True))
    return [
        Check.that(f"{dtype} kept", all(kind == dtype for kind in kinds), f"got {[str(k) for k in kinds]}"),
        Check.that("inputs not mutated", clean, "an input was written to"),
        Check.that("incoming gradient not mutated", np.array_equal(incoming, before), "dy was written to"),
    ]
