"""ProxConnect's quantizers, pairs and regularisers, drawn from the results of `python -m analysis.pairs`.

python -m figures.proxconnect
"""

from __future__ import annotations

from collections.abc import Mapping

from figures.drawing import Draw
from figures.proxconnect import ede, gallery, proximal, quantizers, regularisers, swish

PICTURES: Mapping[str, Draw] = {
    "proxconnect-quantizers": quantizers.draw,
    "proxconnect-gallery": gallery.draw,
    "proxconnect-swish": swish.draw,
    "proxconnect-ede": ede.draw,
    "proxconnect-regularisers": regularisers.draw,
    "proxconnect-proximal": proximal.draw,
}
"""By name: quantizers, pairs, two families of curves, regularisers, the maps behind the pairs."""
