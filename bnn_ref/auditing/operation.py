"""Level 1, from outside: a forward and a backward, any pair of callables, held against a claim."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnn_ref.auditing.report import Check
from bnn_ref.binarizer import Binarizer, Curve, Map
from bnn_ref.parameter import Array

TOLERANCE: dict[np.dtype[Any], float] = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-12}
"""Largest error of a slope, relative to its peak."""


@dataclass(frozen=True)
class Operation:
    """A forward x -> y and a backward (x, dy) -> dx, whoever wrote them."""

    forward: Callable[[Array], Array]
    backward: Callable[[Array, Array], Array]

    def slope(self, x: Array) -> Array:
        """What multiplies the incoming gradient."""
        return np.asarray(self.backward(x.copy(), np.ones_like(x)))


def grid(claim: Map, seed: int = 0) -> Array:
    """Points where estimators go wrong: kinks and their neighbours, zeros, subnormals, integers, far.

    Returns
    -------
    array (n,), float64, unsorted
    """
    kinks = np.array(claim.kinks if isinstance(claim, Curve) else (-1.0, 0.0, 1.0), np.float64)
    around = np.concatenate([np.nextafter(kinks, -np.inf), np.nextafter(kinks, np.inf)])
    special = [0.0, -0.0, 5e-324, -5e-324, 1e-8, -1e-8, *range(-4, 5), 50.0, -50.0]
    reach = max(3.0, 2 * float(np.abs(kinks).max(initial=0)))
    draws = np.random.default_rng(seed).normal(size=257)
    return np.concatenate([kinks, around, special, np.linspace(-reach, reach, 1201), draws])


def compare(name: str, x: Array, got: Array, wanted: Array, scale: float, tolerance: float) -> Check:
    """The largest difference over a grid, relative to `scale`, with the point where it occurs."""
    error = np.abs(np.asarray(got, np.float64) - np.asarray(wanted, np.float64)) / scale
    error = np.where(np.isnan(error), np.inf, error)
    i = int(error.argmax())
    worst = f"at x = {float(x[i]):.17g}: required {float(wanted[i]):.12g}, got {float(got[i]):.12g}"
    return Check.of(name, float(error[i]), tolerance, worst)


def operation_checks(operation: Operation, claim: Binarizer) -> Iterator[Check]:
    """Every check of `operation` against `claim`."""
    yield from _values(operation, claim)
    yield from _slopes(operation, claim)
    if not claim.surrogate.linear:
        yield from declared_checks(operation.backward, claim.surrogate)
    yield _linear(operation, claim)
    yield from _form(operation)
    yield from _untouched(operation)


def _values(operation: Operation, claim: Binarizer) -> Iterator[Check]:
    x = grid(claim.surrogate)
    got, wanted = np.asarray(operation.forward(x.copy())), claim.forward(x)
    if got.shape != x.shape:
        yield Check.that("forward value", False, f"required shape {x.shape}, got {got.shape}")
        return
    yield compare("forward value", x, got, wanted, 1.0, 1e-12)
    zero = np.array([0.0, -0.0])
    yield compare("forward at 0 and -0", zero, operation.forward(zero.copy()), claim.forward(zero), 1, 1e-12)
    nan = np.asarray(operation.forward(np.array([np.nan])))
    yield Check.that("forward keeps NaN", bool(np.isnan(nan).all()), f"sign(NaN) became {nan}")


def _slopes(operation: Operation, claim: Binarizer) -> Iterator[Check]:
    """The slope off the kinks, on them, and in float32."""
    curve = claim.surrogate
    if not isinstance(curve, Curve):
        return
    for dtype, name in ((np.dtype(np.float64), "slope"), (np.dtype(np.float32), "slope in float32")):
        x: Array = grid(curve).astype(dtype)
        got, wanted = operation.slope(x), curve.derivative(x.astype(np.float64))
        if got.shape != x.shape:
            yield Check.that(name, False, f"required shape {x.shape}, got {got.shape}")
            return
        # a float32 rounding of x may cross a kink that float32 cannot represent
        far = np.ones(x.shape, bool)
        for kink in curve.kinks:
            far &= np.abs(x - kink) > 4 * np.finfo(dtype).eps * max(1.0, abs(kink))
        yield compare(name, x[far], got[far], wanted[far], curve.peak or 1.0, TOLERANCE[dtype])
    kinks = np.array(curve.kinks)
    if kinks.size:
        yield compare(
            "slope on kinks", kinks, operation.slope(kinks), curve.derivative(kinks), curve.peak or 1.0, 1e-12
        )


def declared_checks(
    backward: Callable[[Array, Array], Array], claim: Map, kinks: Collection[float] = ()
) -> Iterator[Check]:
    """`backward` answers what a map without a T declares, to small and large gradients, on `kinks` too.

    (In float32 not on them: a kink that float32 cannot represent is another point there.)
    """
    rng = np.random.default_rng(4)
    for dtype, tolerance in TOLERANCE.items():
        extra = np.array(list(kinks) if dtype == np.float64 else [], np.float64)
        x = np.concatenate([grid(claim), extra, extra]).astype(dtype)
        for scale in (1e-3, 1.0, 30.0):
            dy = (scale * rng.normal(size=x.shape)).astype(dtype)
            dy[::17] = 0
            wanted = claim.declared_vjp(x.astype(np.float64), dy.astype(np.float64))
            name = f"gradient as declared, incoming ~ {scale:g}, {dtype}"
            yield compare(name, x, backward(x.copy(), dy.copy()), wanted, scale, tolerance)


def _linear(operation: Operation, claim: Binarizer) -> Check:
    """B(a u + b v) = a B(u) + b B(v), or a witness that it is not so where the claim is False."""
    rng = np.random.default_rng(1)
    x, u, v = rng.normal(size=(3, 64))
    left = operation.backward(x.copy(), 3 * u - 0.5 * v)
    right = 3 * operation.backward(x.copy(), u) - 0.5 * operation.backward(x.copy(), v)
    size = max(1.0, float(np.abs(right).max()))
    check = compare("linear in the incoming gradient", x, left, right, size, 1e-12)
    return (
        check
        if not claim.nonlinear()
        else Check.that("not linear, as claimed", not check.passed, "it is linear")
    )


def _form(operation: Operation) -> Iterator[Check]:
    """dtype and shape go through both passes: any shape, empty, 0-d, strided, float32 and float64."""
    rng = np.random.default_rng(2)
    wrong = []
    for dtype in (np.float32, np.float64):
        base = rng.normal(size=(4, 6)).astype(dtype)
        for x in (base, base[:, ::2], base[:0], np.array(base[0, 0]), base.reshape(2, 2, 6)):
            wrong += _changed("forward", x, operation.forward)
            wrong += _changed("backward", x, lambda x: operation.backward(x, np.asarray(x + 1)))
    yield Check.that("dtype and shape kept", not wrong, wrong[0] if wrong else "")


def _changed(name: str, x: Array, call: Callable[[Array], Array]) -> list[str]:
    """What is wrong with the form of `call(x)`: nothing, its dtype or shape, or that it fails."""
    try:
        y = np.asarray(call(x))
    except Exception as error:  # whatever a stranger's code raises is its answer
        return [f"{name} of {x.dtype} {x.shape}: raised {type(error).__name__}: {error}"]
    same = y.dtype == x.dtype and y.shape == x.shape
    return [] if same else [f"{name}: required {x.dtype} {x.shape}, got {y.dtype} {y.shape}"]


def _untouched(operation: Operation) -> Iterator[Check]:
    """Neither the input nor the incoming gradient is written to."""
    rng = np.random.default_rng(3)
    x, dy = 2 * rng.normal(size=(2, 256))
    kept_x, kept_dy = x.copy(), dy.copy()
    operation.forward(x)
    operation.backward(x, dy)
    yield Check.that("input not mutated", np.array_equal(x, kept_x), "x was written to")
    yield Check.that("incoming gradient not mutated", np.array_equal(dy, kept_dy), "dy was written to")
