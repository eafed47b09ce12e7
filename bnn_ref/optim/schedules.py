"""Step sizes over training: a schedule maps progress in [0, 1] to a factor of the first step size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Constant:
    """1 throughout."""

    def __call__(self, progress: float) -> float:
        return 1.0


@dataclass(frozen=True)
class Step:
    """Multiplied by `factor` at each of `milestones` (fractions of training)."""

    milestones: tuple[float, ...] = (0.5, 0.75)
    factor: float = 0.1

    def __call__(self, progress: float) -> float:
        return float(self.factor ** sum(progress >= m for m in self.milestones))


@dataclass(frozen=True)
class Cosine:
    """(1 + cos(pi progress)) / 2: from 1 to 0."""

    def __call__(self, progress: float) -> float:
        return float((1 + np.cos(np.pi * progress)) / 2)


@dataclass(frozen=True)
class Linear:
    """1 - progress: from 1 to 0."""

    def __call__(self, progress: float) -> float:
        return 1 - progress


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": Constant(),
    "step": Step(),
    "cosine": Cosine(),
    "linear": Linear(),
    "decades": Step((0.2, 0.4, 0.6, 0.8)),
    "bbc": Step((70 / 120, 90 / 120, 100 / 120, 110 / 120)),
}
"""By name. "bbc" is what bbc2023's released code does to its MLP, after 70, 90, 100 and 110 of 120 epochs."""
