"""FDA-BNN's Eq. 15-17 against the derivative of Eq. 14, the function that they differentiate."""

from __future__ import annotations

import numpy as np

from analysis.ledger.claim import Finding, at_most, claim, collected, near
from bnn_ref import estimators
from bnn_ref.binarizer import Binarizer
from bnn_ref.parameter import Array

PAPER = "fda2021"
SEED = 2
ALPHA, STEP = 0.1, 1e-40


def _bound(name: str, **more: float) -> tuple[Binarizer, Array, Array]:
    """The estimator on vectors of 4 channels, in float64; some vectors; an incoming gradient."""
    rng = np.random.default_rng(SEED)
    rule = estimators.get(name, hidden=3, strength=ALPHA, **more).bind((4,), -1, rng)
    assert isinstance(rule, Binarizer)
    for parameter in rule.parameters():
        parameter.value = parameter.value.astype(np.float64)
    t, g = rng.normal(size=(2, 6, 4))
    return rule, t, g


def _to_second(rule: Binarizer, t: Array, g: Array) -> tuple[Array, Array]:
    """The gradient to W2 as `rule` has it, and the derivative of g (series + alpha e) to W2, each (3, 4)."""
    rule.backward(t, g)
    _, second = rule.parameters()
    assert second.grad is not None
    forward, _, _ = _bound("fda-noise", start=10, stop=10)
    held = forward.parameters()[1]
    wanted, base = np.empty(held.value.shape), held.value
    for index in np.ndindex(base.shape):
        held.value = base.astype(complex)
        held.value[index] += 1j * STEP
        wanted[index] = (g * forward.surrogate(t)).imag.sum() / STEP
    return second.grad, wanted


@claim("fda-printed-gradient", PAPER, "Eq. 14 and 17", "P", "Eq. 17 is the gradient of Eq. 14 to W2.")
def printed_gradient() -> Finding:
    got, wanted = _to_second(*_bound("fda-eq15"))
    ratio = float((got * wanted).sum() / (wanted * wanted).sum())
    return near(ratio, 1.0, 1e-9, "Eq. 17 over the derivative of Eq. 14, at alpha = 0.1: alpha is missing")


@claim(
    "fda-corrected-gradient",
    PAPER,
    "ours, on Eq. 17",
    "D",
    "With the factor alpha, which Eq. 15-16 lack too, it is.",
)
def corrected_gradient() -> Finding:
    got, wanted = _to_second(*_bound("fda-noise", start=10, stop=10))
    return at_most(float(np.abs(got / wanted - 1).max()), 1e-12, "largest relative difference, to W2")


CLAIMS = collected(globals())
