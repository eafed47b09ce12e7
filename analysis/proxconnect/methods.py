"""The methods that are compared: what stands in the layer, and what the optimizer does with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from analysis.contrasts import Contrast
from bnn_ref.models import REAL


@dataclass(frozen=True)
class Method:
    """One method.

    Attributes
    ----------
    weight : str
        Estimator of the weights.
    parameters : mapping
        Its parameters.
    config : mapping
        Fields of the recipe that it sets.
    """

    weight: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)


STEPWISE = {"anneal": "step"}
"""Laws are read after each step, so that they end at their hard limit."""

METHODS: dict[str, Method] = {
    "FP": Method(REAL),
    "BC": Method("bc"),
    "PC": Method("proxconnect", config=STEPWISE),
    "PQ": Method("projected", config={**STEPWISE, "optimizer": "prox-quant"}),
    "rPC": Method("projected", config={**STEPWISE, "optimizer": "reverse-prox-connect"}),
    "BNN": Method("bnn"),
    "BNN+": Method("bnn+"),
    "BNN++": Method("bnn++", config=STEPWISE),
    "Poly+": Method("poly+"),
    "EDE+": Method("ede+", config=STEPWISE),
}
"""P of PQ and rPC is that of PC, L with rho growing in equal steps from 0 to 1. Full precision is no method
of binarization: it is what the others give up."""

STARTS: dict[str, str] = {"end-to-end": "from first weights as drawn", "fine-tuned": "from a real network"}

CONTRASTS: tuple[Contrast, ...] = (
    Contrast("PC++, abstract", "BNN++", "BNN+"),
    Contrast("PC++, abstract", "BNN++", "BNN"),
    Contrast("PC++, abstract", "BNN++", "PC"),
    Contrast("PC", "PC", "BC"),
    Contrast("PC", "PC", "PQ"),
    Contrast("ours", "PC", "rPC"),
    Contrast("ours: equal where weights are clipped", "BNN", "BC", direction=0),
    Contrast("ours", "Poly+", "BNN++"),
    Contrast("ours", "EDE+", "BNN++"),
    Contrast("ours", "BC", "FP"),
)
"""Asked before the first run, of every network and start. No number of the papers' tables could be read."""


def label(network: str, start: str, method: str) -> str:
    """What an arm is called."""
    return f"{network} / {start} / {method}"


def asked(networks: Sequence[str], starts: Sequence[str], methods: Sequence[str]) -> list[Contrast]:
    """The contrasts of every network and start, of the methods that are trained."""
    return [
        Contrast(
            one.where,
            label(network, start, one.arm),
            label(network, start, one.against),
            direction=one.direction,
        )
        for network in networks
        for start in starts
        for one in CONTRASTS
        if {one.arm, one.against} <= set(methods)
    ]
