"""ProxConnect's quantizers, pairs and regularisers, drawn from the results of `analysis.pairs` and
`analysis.proximal`.

python -m figures.proxconnect
"""

from __future__ import annotations

from collections.abc import Mapping

from figures.drawing import Draw
from figures.proxconnect import (
    ede,
    gallery,
    pipeline,
    proximal,
    quantizers,
    regularisers,
    sawtooth,
    strength,
    swish,
)

PICTURES: Mapping[str, Draw] = {
    "proxconnect-quantizers": quantizers.draw,
    "proxconnect-gallery": gallery.draw,
    "proxconnect-swish": swish.draw,
    "proxconnect-ede": ede.draw,
    "proxconnect-regularisers": regularisers.draw,
    "proxconnect-proximal": proximal.draw,
    "proxconnect-pipeline": pipeline.draw,
    "proxconnect-sawtooth": sawtooth.draw,
    "proxconnect-strength": strength.draw,
}
"""By name: quantizers, pairs, two families of curves, regularisers, maps behind pairs; training."""
