"""ProxConnect++: which pairs of a forward F and a backward B come from one transformation and one prox.

(F, B) decomposes when F = T o P and B = T' o P with a smooth T and a proximal (non-decreasing) P. On an
open interval between kinks that asks: where F rises, B has its sign; where F is flat, P is flat too (or free,
where B is 0), so B must be constant.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np

from analysis.ledger.claim import Claim, Finding, at_most, claim, collected
from analysis.ledger.numeric import largest
from bnn_ref import estimators
from bnn_ref.auditing.claims import complex_step
from bnn_ref.binarizer import Curve, Sign
from bnn_ref.estimators.bireal import PiecewiseQuadratic
from bnn_ref.estimators.irnet import EDE
from bnn_ref.estimators.ste import HardTanh, Identity, Tanh
from bnn_ref.estimators.swish import SwishSign
from bnn_ref.parameter import Array

PAPER, OURS = "pcpp2023", "ours"
REACH = 4.0
SMALL = 1e-9


def intervals(forward: Curve, backward: Curve) -> list[Array]:
    """Points inside each interval between the kinks of both, from -4 to 4."""
    edges = sorted({-REACH, *forward.kinks, *backward.kinks, REACH})
    return [np.linspace(a, b, 403)[1:-1] for a, b in pairwise(edges)]


def decomposes(forward: Curve, backward: Curve, turned: float = 1.0) -> Finding:
    """Whether (F, turned * T') passes; the number is the worst violation, 0 where there is none."""
    worst = 0.0
    for x in intervals(forward, backward):
        rise, b = complex_step(forward, x), turned * backward.derivative(x)
        if largest(rise - b) <= SMALL:  # P rises at slope 1
            continue
        if largest(rise) <= SMALL:
            worst = max(worst, float(b.max() - b.min()))
        else:  # P' = F'/B must be positive, and finite, wherever F moves
            against = np.abs(rise[(rise * b <= 0) & (np.abs(rise) > SMALL)])
            worst = max(worst, float(against.max(initial=0)))
    return Finding(worst <= SMALL, worst, "how far B varies where F is flat, or F rises against B")


PAIRS = tuple(
    Claim(
        f"pcpp-pair-{name}", PAPER, source, evidence,
        f"The pair of {says} is (T o P, T' o P) of a smooth T and a proximal P.", partial(decomposes, *pair),
    )
    for name, says, source, evidence, pair in (
        ("bc", "BinaryConnect (sign, 1)", "special case", "P?", (Sign(), Identity())),
        ("bnn", "the clipped STE (sign, mask)", "special case", "P?", (Sign(), HardTanh())),
        ("bnn+", "BNN+ (sign, SS')", "special case, by a summary", "N", (Sign(), SwishSign())),
        ("bnn++", "BNN++ (SS, SS')", "proposed", "P?", (SwishSign(), SwishSign())),
        ("poly", "ApproxSign (sign, poly')", OURS, "R", (Sign(), PiecewiseQuadratic())),
        ("poly+", "Poly+ (poly, poly')", "proposed", "P?", (PiecewiseQuadratic(), PiecewiseQuadratic())),
        ("ede", "EDE (sign, EDE')", OURS, "R", (Sign(), EDE())),
        ("ede+", "EDE+ (EDE, EDE')", "proposed", "P?", (EDE(), EDE())),
        ("hardtanh", "the hard tanh (clip, mask)", OURS, "D", (HardTanh(), HardTanh())),
        ("inverted", "an inverted tanh (tanh, -tanh')", OURS, "R", (Tanh(), Tanh(), -1.0)),
    )
)  # fmt: skip


def _consistent(curve: Curve) -> Finding:
    """F' by central differences against B, away from kinks."""
    h = 1e-6
    x = np.concatenate(intervals(curve, curve))
    quotient = (curve(x + h) - curve(x - h)) / (2 * h)
    return at_most(
        largest(quotient - curve.derivative(x)), 1e-8, "largest difference of B to a difference quotient"
    )


CONSISTENT = tuple(
    Claim(
        f"pcpp-consistent-{name}", PAPER, "its repaired pairs", "P?",
        f"The backward of {name} is the derivative of its forward.", partial(_consistent, curve),
    )
    for name, curve in (
        ("bnn++", SwishSign()), ("poly+", PiecewiseQuadratic()), ("ede+", EDE()), ("hardtanh", HardTanh()),
    )
)  # fmt: skip


EXAMINED = (
    "identity-ste", "clipped-ste", "tanh", "approxsign", "fda", "swish-sign", "bnn++", "dsq", "ede", "rbnn",
    "reste",
)  # fmt: skip


@claim(
    "pcpp-one-consistent", PAPER, OURS, "D",
    "Of eleven estimators one backward is its forward's slope: BNN++'s.",
)  # fmt: skip
def one_consistent() -> Finding:
    binarizers = {name: estimators.get(name) for name in EXAMINED}
    same = [name for name, b in binarizers.items() if b.forward == b.surrogate]
    return Finding(same == ["bnn++"], len(same), "estimators with F = T, F' = T'")


def _clip_prox(w: Array) -> Array:
    """P: w beyond 1, sign(w) inside."""
    return np.where(np.abs(w) > 1, w, Sign()(w))


@claim(
    "pcpp-bnn-worked", PAPER, "worked case", "P?",
    "P(w) = w beyond 1, sign(w) inside, and T = clip give BNN.",
)  # fmt: skip
def bnn_worked() -> Finding:
    w, bnn = np.linspace(-3, 3, 6001), estimators.get("clipped-ste")
    z = _clip_prox(w)
    gaps = np.stack(
        [HardTanh()(z) - bnn.forward(w), HardTanh().derivative(z) - bnn.backward(w, np.ones_like(w))]
    )
    rises = bool((np.diff(z) >= 0).all())
    return Finding(rises and largest(gaps) == 0, largest(gaps), "largest difference of F and of B")


def _bent(z: Array) -> Array:
    """T with a continuous slope: z up to 1, 1 + u (1 - u)^2 with u = abs(z) - 1 up to 2, 1 beyond."""
    size = np.abs(z)
    u = np.clip(size - 1, 0, 1)
    return np.asarray(np.sign(z) * np.where(size <= 1, size, 1 + u * (1 - u) ** 2))


@claim(
    "pcpp-bnn-smooth", PAPER, OURS, "D",
    "A T with a continuous slope does it too: it bends where P has a gap.",
)  # fmt: skip
def bnn_smooth() -> Finding:
    w, bnn, h = np.linspace(-3, 3, 6001), estimators.get("clipped-ste"), 1e-6
    z = np.where(np.abs(w) > 1, w + Sign()(w), Sign()(w))
    slope = (_bent(z + h) - _bent(z - h)) / (2 * h)
    gaps = np.stack([_bent(z) - bnn.forward(w), slope - bnn.backward(w, np.ones_like(w))])
    return at_most(
        largest(gaps), 1e-5, "largest difference of F and of B, the slope by a difference quotient"
    )


@claim("pcpp-signs-kept", PAPER, OURS, "D", "sign(F(w)) = sign(w) for SS, poly, EDE: deploy either.")
def signs_kept() -> Finding:
    w = np.concatenate([np.geomspace(1e-9, 50, 2000), -np.geomspace(1e-9, 50, 2000)])
    curves: list[Curve] = [SwishSign(), PiecewiseQuadratic(), EDE(), EDE(10.0, 0.1)]
    wrong = [float((np.sign(curve(w)) != np.sign(w)).mean()) for curve in curves]
    return at_most(max(wrong), 0.0, "largest share of wrong signs")


@claim(
    "pcpp-soft-values", PAPER, OURS, "D",
    "In mid-training EDE+ answers with 0.76 at w = 1, not 1 (t = 1).",
)  # fmt: skip
def soft_values() -> Finding:
    found = float(EDE()(np.ones(1))[0])
    return Finding(abs(found - 0.762) < 5e-4, found, "its forward value at 1")


CLAIMS = collected(globals())
