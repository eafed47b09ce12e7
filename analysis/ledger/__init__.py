"""The ledger: what each paper claims, or is claimed of it, with the computation that decides.

A claim says whose it is (`claim.EVIDENCE`), and holds a check, or the reason why there is none. Verdicts are
computed, never written down. `python -m analysis.claims` rules on all of them.
"""

from __future__ import annotations

from analysis.ledger import (
    accuracy,
    bbc,
    bireal_block,
    bireal_capability,
    bireal_distance,
    dsq,
    fda_clip,
    fda_count,
    fda_error,
    fda_gradient,
    fda_harmonics,
    fda_module,
    fda_shape,
    fda_theorem,
    irnet,
    pcpp,
    rbnn,
    reste,
    ste,
    swish,
)
from analysis.ledger.claim import Claim
from bnn_ref.papers import PAPERS

MODULES = (
    ste, fda_theorem, fda_count, fda_module, fda_gradient, fda_error, fda_shape, fda_clip, fda_harmonics,
    bireal_distance, bireal_block, bireal_capability, swish, pcpp, irnet, rbnn, reste, dsq, bbc, accuracy,
)  # fmt: skip
_ORDER = list(PAPERS)

LEDGER: tuple[Claim, ...] = tuple(
    sorted(
        (part for module in MODULES for part in module.CLAIMS), key=lambda claim: _ORDER.index(claim.paper)
    )
)
"""Every claim, paper by paper."""
_DRAWING = (fda_module, fda_gradient, fda_error, bireal_block, bireal_capability, ste)
SEEDS: tuple[int, ...] = tuple(module.SEED for module in _DRAWING)
