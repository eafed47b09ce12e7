"""What a sweep found, and what so few runs can say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np

from bnn_ref.train.config import Config
from bnn_ref.train.history import History
from bnn_ref.train.statistics import deviation, interval, smallest_difference


@dataclass(frozen=True)
class Run:
    """One training run of a sweep."""

    estimator: str
    seed: int
    history: History

    @property
    def accuracy(self) -> float:
        """Test accuracy after the last epoch (the best one would be chosen by the test images)."""
        return self.history[-1].test_accuracy

    def __str__(self) -> str:
        return f"{self.estimator}, seed {self.seed}: test accuracy {self.accuracy:.1%}"


@dataclass(frozen=True)
class Summary:
    """One estimator's test accuracies, seed by seed, their mean and sample deviation (None for one seed)."""

    estimator: str
    values: tuple[float, ...]
    mean: float
    deviation: float | None


@dataclass(frozen=True)
class Difference:
    """Accuracy of `estimator` minus that of `reference`; what needs two seeds is None for one.

    Attributes
    ----------
    mean, low, high : float
        Mean difference and its paired 95 % t interval over the seeds (one interval at a time: among twenty
        estimators that are all alike, one is expected to lie outside).
    smallest, smallest_unpaired : float
        The smallest true difference that this many runs could show (`statistics.smallest_difference`: test
        at 5 %, power 80 %), with seeds paired and without. A smaller observed one says nothing.
    """

    estimator: str
    reference: str
    mean: float
    low: float | None
    high: float | None
    smallest: float | None
    smallest_unpaired: float | None


@dataclass(frozen=True)
class Comparison:
    """A sweep: its settings, and its runs ordered by estimator and then by seed."""

    data: str
    model: str
    options: dict[str, Any]
    config: Config
    reference: str
    seeds: tuple[int, ...]
    runs: tuple[Run, ...]

    @property
    def summaries(self) -> tuple[Summary, ...]:
        """One an estimator, in the order asked for."""
        return tuple(
            Summary(name, values, float(np.mean(values)), deviation(values))
            for name, values in self._values().items()
        )

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Every estimator but the reference against the reference."""
        values = self._values()
        base = values.pop(self.reference)
        return tuple(difference(name, self.reference, own, base) for name, own in values.items())

    def to_dict(self) -> dict[str, Any]:
        """Settings, runs, summaries and differences as plain values."""
        return {
            "data": self.data,
            "model": self.model,
            "options": dict(self.options),
            "config": self.config.to_dict(),
            "reference": self.reference,
            "seeds": list(self.seeds),
            "runs": [asdict(run) | {"accuracy": run.accuracy} for run in self.runs],
            "summaries": [asdict(summary) for summary in self.summaries],
            "differences": [asdict(gap) for gap in self.differences],
        }

    def _values(self) -> dict[str, tuple[float, ...]]:
        found: dict[str, tuple[float, ...]] = {}
        for run in self.runs:
            found[run.estimator] = (*found.get(run.estimator, ()), run.accuracy)
        return found


def difference(estimator: str, reference: str, own: tuple[float, ...], base: tuple[float, ...]) -> Difference:
    """`own` minus `base`: accuracies of the same seeds in the same order."""
    gaps = tuple(float(a - b) for a, b in zip(own, base, strict=True))
    mean, spread, bounds = float(np.mean(gaps)), deviation(gaps), interval(gaps)
    if spread is None or bounds is None:
        return Difference(estimator, reference, mean, None, None, None, None)
    pooled = sqrt((np.var(own, ddof=1) + np.var(base, ddof=1)) / 2)
    return Difference(
        estimator,
        reference,
        mean,
        *bounds,
        smallest_difference(spread, len(gaps), paired=True),
        smallest_difference(pooled, len(gaps), paired=False),
    )
