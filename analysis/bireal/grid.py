"""The grid of the ablation: four choices, every combination a cell; and what is asked of it beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from analysis.contrasts import Contrast
from bnn_ref.checks import require
from bnn_ref.models.bireal import SHORTCUTS

STARTS: dict[str, tuple[str, ...]] = {
    "none": (),
    "relu": ("real-relu",),
    "clip": ("real-relu", "real-leaky-clip", "real"),
}
"""How the real network is trained whose weights a cell starts from: what stands in place of sign, by stage.

Source: bireal2018 (the released code's README: ReLU, leaky clip, clip); "relu" is its ablation's other start.
"""

RULES = {
    "bnn": "bnn-weight",
    "paper": "bireal-weight-paper",
    "code": "bireal-weight-code",
    "caffe": "bireal-weight-caffe",
    "xnor": "xnor-weight",
    "xnor-exact": "xnor-weight-exact",
}
"""Entries of the table for weights."""

ACTIVATIONS = {"clip": "clipped-ste", "approxsign": "approxsign"}
"""Entries of the table for activations."""

CHOICES: dict[str, Sequence[str]] = {
    "shortcut": list(SHORTCUTS),
    "start": list(STARTS),
    "rule": list(RULES),
    "activation": list(ACTIVATIONS),
}
"""The factors of the grid, and the levels of each."""


@dataclass(frozen=True)
class Cell:
    """One network of the grid: a level of each factor."""

    shortcut: str
    start: str
    rule: str
    activation: str

    @property
    def label(self) -> str:
        """Its name as an arm."""
        return " / ".join((self.shortcut, self.start, self.rule, self.activation))

    @property
    def options(self) -> dict[str, Any]:
        """Its build options."""
        return {
            "shortcut": self.shortcut,
            "estimator": ACTIVATIONS[self.activation],
            "weight_estimator": RULES[self.rule],
        }


def cells(levels: Mapping[str, Sequence[str]]) -> list[Cell]:
    """Every combination of `levels`, by the names of the factors.

    Raises
    ------
    ValueError
        For a factor without levels, or a level twice.
    """
    for name in CHOICES:
        given = levels[name]
        good = 0 < len(set(given)) == len(given)
        require(good, name, f"at least one of {', '.join(CHOICES[name])}, each once", list(given))
    return [Cell(*chosen) for chosen in product(*(levels[name] for name in CHOICES))]


def together(grid: Sequence[Cell]) -> dict[str, list[str]]:
    """The arms at one level of a factor, all else varied alike: "rule code" and so on."""
    return {
        f"{name} {level}": [cell.label for cell in grid if getattr(cell, name) == level]
        for name, levels in CHOICES.items()
        for level in levels
    }


def asked(optimizer: str) -> tuple[Contrast, ...]:
    """What was asked before the first run. Of the ablation, which we know by recall, only directions.

    Behind batch norm the published rule is the baseline, and the released code is the baseline over alpha
    (docs/bireal.md): with Adam, which cancels a constant factor of a filter's gradient, about the same; with
    SGD a larger step, and then the ablation's "better" is what is asked.
    """
    whole, plainest = "clip / code / approxsign", "relu / bnn / clip"
    code = ("ours", 0) if optimizer == "adam" else ("ablation", 1)
    return (
        Contrast("ablation", "shortcut bireal", "shortcut res", direction=1),
        Contrast("ablation", "shortcut res", "shortcut plain", direction=1),
        Contrast("ablation", "start clip", "start relu", direction=1),
        Contrast("ablation", "activation approxsign", "activation clip", direction=1),
        Contrast("ours", "rule paper", "rule bnn", direction=0),
        Contrast(code[0], "rule code", "rule bnn", direction=code[1]),
        Contrast("ablation", f"bireal / {whole}", f"bireal / {plainest}", direction=1),
        Contrast("ablation", f"plain / {whole}", f"plain / {plainest}", direction=1),
        Contrast("ours", "start relu", "start none"),
        Contrast("ours", "start clip", "start none"),
    )
