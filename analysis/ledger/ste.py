"""The straight-through estimators: what is said of them, and what they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import check_grad

from analysis.ledger.claim import Finding, at_most, claim, collected, near
from analysis.ledger.numeric import largest
from bnn_ref import estimators
from bnn_ref.auditing import audit_operation
from bnn_ref.estimators.ste import HardTanh, Tanh
from bnn_ref.parameter import Array
from bnn_ref.spectra import distance_to_sign, quadrature_gain, spectrum

OURS = "ours"
SEED = 5
CLIPPED, PLAIN = estimators.get("clipped-ste"), estimators.get("identity-ste")


@claim("ste-no-spectrum", "bengio2013", OURS, "D", "The plain STE is no filter: its slope has no transform.")
def no_spectrum() -> Finding:
    try:
        spectrum(PLAIN).gain(1.0)
    except ValueError:
        refused = True
    else:
        refused = False
    x = np.geomspace(1, 1e9, 10)
    return Finding(
        refused, float(PLAIN.backward(x, np.ones(10)).min()), "least slope out to 1e9: it never falls off"
    )


@claim(
    "ste-as-far-as-clip", "bengio2013", OURS, "D",
    "On [-1, 1] the identity is as far from sign as the clip.",
)  # fmt: skip
def as_far_as_clip() -> Finding:
    pair = [distance_to_sign(b, 1.0).l1 for b in (PLAIN, CLIPPED)]
    return at_most(abs(pair[0] - pair[1]), 1e-12, "difference of their L1 distances, both 1")


@claim(
    "clip-is-bc", "bnn2016", OURS, "D",
    "On weights that are clipped to [-1, 1] the clipped STE's mask is never 0.",
)  # fmt: skip
def is_bc() -> Finding:
    w = np.concatenate([np.random.default_rng(SEED).uniform(-1, 1, 10_000), [-1.0, 1.0]])
    least = float(CLIPPED.backward(w, np.ones_like(w)).min())
    return near(least, 1.0, 0.0, "least slope: it is BinaryConnect there")


@claim(
    "clip-mask", "bnn2016", "its hard-tanh gradient, 1[abs(x) <= 1]", "N",
    "The clipped STE's mask is closed: 1 at abs(x) = 1.",
)  # fmt: skip
def mask() -> Finding:
    x = np.array([-1.0, 1.0])
    ours, strict = HardTanh().derivative(x), HardTanh(inclusive=False).derivative(x)
    return Finding(
        bool((ours == 1).all() and (strict == 0).all()), float(ours.min()), "slope there, by default"
    )


@claim(
    "clip-filter", "bnn2016", OURS, "D",
    "The clipped STE's filter is sin(w)/w: it inverts every other band.",
)  # fmt: skip
def spectrum_is() -> Finding:
    w = np.linspace(0.1, 40, 200)
    found = quadrature_gain(HardTanh(), w)[0]
    return Finding(largest(found - np.sin(w) / w) < 1e-12, float(found.min()), "least gain, near w = 4.49")


@claim("tanh-filter", "fda2021", OURS, "D", "The filter of tanh is v/sinh v, v = pi w/(2 beta).")
def tanh_filter() -> Finding:
    v = np.linspace(0.05, 12, 100)
    gap = largest(quadrature_gain(Tanh(3.0), 6 * v / np.pi)[0] - v / np.sinh(v))
    return at_most(gap, 1e-12, "largest difference to quadrature")


@claim("clip-as-printed", "fda2021", "Eq. 2-3", "P", "The STE clips the incoming gradient to [-1, 1].")
def as_printed() -> Finding:
    passed = float(CLIPPED.backward(np.array([0.5]), np.array([3.0]))[0])
    return near(passed, 1.0, 0.0, "what a gradient of 3 becomes at x = 0.5; the usual STE masks by its input")


def _sign(x: Array) -> Array:
    return np.where(np.isnan(x), x, np.where(x >= 0, 1, -1)).astype(x.dtype)


def _clipped(x: Array, dy: Array) -> Array:
    return (np.abs(x) <= 1).astype(x.dtype) * dy


def _zeros(x: Array, dy: Array) -> Array:
    return 0 * dy


def _reported(backward: Callable[[Array, Array], Array]) -> float:
    """The error that scipy finds in a backward of the sum of signs."""

    def total(x: Array) -> float:
        return float(_sign(x).sum())

    def gradient(x: Array) -> Array:
        return backward(x, np.ones_like(x))

    return float(check_grad(total, gradient, np.linspace(-0.95, 0.95, 16)))


@claim(
    "checkers-inverted", "bnn2016", OURS, "D",
    "SciPy's gradient checker rejects a right STE, and accepts a dead one.",
)  # fmt: skip
def inverted() -> Finding:
    right, dead = _reported(_clipped), _reported(_zeros)
    return Finding(right > 1 and dead == 0, right, "error norm that it reports for the right one, 16 inputs")


@claim("audit-right", "bnn2016", OURS, "D", "The audit passes the right STE and catches the dead one.")
def audit_right() -> Finding:
    right = audit_operation(_sign, _clipped, "clipped-ste")
    dead = audit_operation(_sign, _zeros, "clipped-ste")
    return Finding(right.passed and not dead.passed, len(dead.failures), "checks that the dead one fails")


CLAIMS = collected(globals())
