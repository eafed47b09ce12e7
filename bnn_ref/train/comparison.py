"""What a sweep found, and what so few runs can say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

import numpy as np

from bnn_ref.checks import require
from bnn_ref.train.config import Config
from bnn_ref.train.history import History
from bnn_ref.train.statistics import deviation, interval, smallest_difference


@dataclass(frozen=True)
class Run:
    """One training run of a sweep: the label of its arm, its seed, and all its epochs."""

    arm: str
    seed: int
    history: History

    @property
    def accuracy(self) -> float:
        """Test accuracy after the last epoch (the best one would be chosen by the test images)."""
        return self.history[-1].test_accuracy

    def __str__(self) -> str:
        return f"{self.arm}, seed {self.seed}: test accuracy {self.accuracy:.1%}"


@dataclass(frozen=True)
class Summary:
    """One arm's test accuracies; what needs two seeds is None for one.

    Attributes
    ----------
    values : tuple of float
        Seed by seed.
    mean, deviation : float
        Their mean and sample deviation.
    low, high : float
        95 % t interval of the mean over seeds, one interval at a time. Seeds are not test images: it says
        nothing about other ones.
    """

    arm: str
    values: tuple[float, ...]
    mean: float
    deviation: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Difference:
    """Accuracy of `arm` minus that of `reference`; what needs two seeds is None for one.

    Attributes
    ----------
    mean, low, high : float
        Mean difference and its paired 95 % t interval over the seeds (one interval at a time: among twenty
        arms that are all alike, one is expected to lie outside).
    smallest, smallest_unpaired : float
        The smallest true difference that this many runs could show (`statistics.smallest_difference`: test
        at 5 %, power 80 %), with seeds paired and without. A smaller observed one says nothing.
    """

    arm: str
    reference: str
    mean: float
    low: float | None
    high: float | None
    smallest: float | None
    smallest_unpaired: float | None


@dataclass(frozen=True)
class Comparison:
    """A sweep: its settings, and its runs ordered by arm and then by seed.

    Attributes
    ----------
    arms : dict of str to dict
        Options of `models.build` by label; they override `options`, which all arms share.
    reference : str
        The arm that `differences` compares with; `contrast` compares any two.
    """

    data: str
    model: str
    arms: dict[str, dict[str, Any]]
    options: dict[str, Any]
    config: Config
    reference: str
    seeds: tuple[int, ...]
    runs: tuple[Run, ...]

    @property
    def summaries(self) -> tuple[Summary, ...]:
        """One an arm, in the order asked for."""
        return tuple(_summary(arm, self._accuracies(arm)) for arm in self.arms)

    @property
    def differences(self) -> tuple[Difference, ...]:
        """Every arm but the reference against the reference."""
        return tuple(self.contrast(arm, self.reference) for arm in self.arms if arm != self.reference)

    def contrast(self, arm: str | Sequence[str], against: str | Sequence[str]) -> Difference:
        """Accuracy of `arm` minus that of `against`, paired by seed.

        Several arms together are their mean, seed by seed: so a factor of a grid is compared over all others.

        Raises
        ------
        ValueError
            For an unknown arm, none, or arms against themselves.
        """
        first, second = _labels(arm), _labels(against)
        own, base = self._together("arm", first), self._together("against", second)
        require(set(first) != set(second), "against", f"another arm than {', '.join(first)}", against)
        return _difference(", ".join(first), ", ".join(second), own, base)

    def runs_of(self, arm: str) -> tuple[Run, ...]:
        """The runs of one arm, in the order of `seeds`.

        Raises
        ------
        ValueError
            For an unknown arm; the message lists the valid ones.
        """
        require(arm in self.arms, "arm", f"one of {', '.join(self.arms)}", arm)
        found = {run.seed: run for run in self.runs if run.arm == arm}
        return tuple(found[seed] for seed in self.seeds)

    def to_dict(self) -> dict[str, Any]:
        """Settings, runs, summaries and differences as plain values."""
        return {
            "data": self.data,
            "model": self.model,
            "arms": {label: dict(own) for label, own in self.arms.items()},
            "options": dict(self.options),
            "config": self.config.to_dict(),
            "reference": self.reference,
            "seeds": list(self.seeds),
            "runs": [asdict(run) | {"accuracy": run.accuracy} for run in self.runs],
            "summaries": [asdict(summary) for summary in self.summaries],
            "differences": [asdict(gap) for gap in self.differences],
        }

    def _together(self, name: str, arms: tuple[str, ...]) -> tuple[float, ...]:
        require(len(arms) > 0, name, "at least one arm", arms)
        return tuple(np.mean([self._accuracies(arm) for arm in arms], axis=0).tolist())

    def _accuracies(self, arm: str) -> tuple[float, ...]:
        return tuple(run.accuracy for run in self.runs_of(arm))


def _labels(arms: str | Sequence[str]) -> tuple[str, ...]:
    return (arms,) if isinstance(arms, str) else tuple(arms)


def _summary(arm: str, values: tuple[float, ...]) -> Summary:
    low, high = interval(values) or (None, None)
    return Summary(arm, values, float(np.mean(values)), deviation(values), low, high)


def _difference(arm: str, reference: str, own: tuple[float, ...], base: tuple[float, ...]) -> Difference:
    """`own` minus `base`: accuracies of the same seeds in the same order."""
    gaps = tuple(float(a - b) for a, b in zip(own, base, strict=True))
    mean, spread, bounds = float(np.mean(gaps)), deviation(gaps), interval(gaps)
    if spread is None or bounds is None:
        return Difference(arm, reference, mean, None, None, None, None)
    pooled = sqrt((np.var(own, ddof=1) + np.var(base, ddof=1)) / 2)
    return Difference(
        arm,
        reference,
        mean,
        *bounds,
        smallest_difference(spread, len(gaps), paired=True),
        smallest_difference(pooled, len(gaps), paired=False),
    )
