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

Accuracies = tuple[float | None, ...]
"""Seed by seed; None for a run that diverged."""


@dataclass(frozen=True)
class Run:
    """One training run of a sweep.

    Attributes
    ----------
    arm : str
        The label of its arm.
    seed : int
    history : History
        All its epochs; of a run that diverged, those before.
    diverged : str or None
        What was no longer finite, and in which step; None for a run that ended as it should.
    """

    arm: str
    seed: int
    history: History
    diverged: str | None = None

    @property
    def accuracy(self) -> float | None:
        """Test accuracy after the last epoch (the best one would be chosen by the test images).

        None where the run diverged.
        """
        return self.history[-1].test_accuracy if self.diverged is None else None

    def __str__(self) -> str:
        if self.accuracy is None:
            ended = f"diverged: {self.diverged}"
        else:
            ended = f"test {self.history[-1].measure} {self.accuracy:.1%}"
        return f"{self.arm}, seed {self.seed}: {ended}"


@dataclass(frozen=True)
class Summary:
    """One arm's test accuracies; what needs two seeds is None for one.

    Where a run diverged the arm has no mean, nor what follows from it: the runs that are left would be
    chosen by how they ended.

    Attributes
    ----------
    values : tuple of float or None
        Seed by seed; None for a run that diverged.
    mean, deviation : float
        Their mean and sample deviation.
    low, high : float
        95 % t interval of the mean over seeds, one interval at a time. Seeds are not test images: it says
        nothing about other ones.
    """

    arm: str
    values: tuple[float | None, ...]
    mean: float | None
    deviation: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Difference:
    """Accuracy of `arm` minus that of `reference`; what needs two seeds is None for one.

    All is None where a run of either arm diverged.

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
    mean: float | None
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
    def diverged(self) -> tuple[Run, ...]:
        """The runs that did not end as they should."""
        return tuple(run for run in self.runs if run.diverged is not None)

    @property
    def summaries(self) -> tuple[Summary, ...]:
        """One an arm, in the order asked for."""
        return tuple(_summary(arm, self._accuracies(arm)) for arm in self.arms)

    @property
    def ranking(self) -> tuple[Summary, ...]:
        """The summaries, the best mean first; arms of which a run diverged come last."""
        return tuple(sorted(self.summaries, key=lambda row: 1 if row.mean is None else -row.mean))

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

    def _together(self, name: str, arms: tuple[str, ...]) -> Accuracies:
        require(len(arms) > 0, name, "at least one arm", arms)
        rows = zip(*(self._accuracies(arm) for arm in arms), strict=True)
        ended = [_ended(row) for row in rows]
        return tuple(None if row is None else float(np.mean(row)) for row in ended)

    def _accuracies(self, arm: str) -> Accuracies:
        return tuple(run.accuracy for run in self.runs_of(arm))


def _labels(arms: str | Sequence[str]) -> tuple[str, ...]:
    return (arms,) if isinstance(arms, str) else tuple(arms)


def _summary(arm: str, values: Accuracies) -> Summary:
    ended = _ended(values)
    if ended is None:
        return Summary(arm, values, None, None, None, None)
    low, high = interval(ended) or (None, None)
    return Summary(arm, values, float(np.mean(ended)), deviation(ended), low, high)


def _ended(values: Accuracies) -> tuple[float, ...] | None:
    """The accuracies where all runs have one."""
    found = tuple(value for value in values if value is not None)
    return found if len(found) == len(values) else None


def _difference(arm: str, reference: str, values: Accuracies, others: Accuracies) -> Difference:
    """`values` minus `others`: accuracies of the same seeds in the same order."""
    own, base = _ended(values), _ended(others)
    if own is None or base is None:
        return Difference(arm, reference, None, None, None, None, None)
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
