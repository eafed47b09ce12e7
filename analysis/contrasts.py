"""What a training study asks of its arms: contrasts chosen before the first run, and how they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import copysign, sqrt
from statistics import fmean

from analysis.tables import Cell, Table
from bnn_ref.checks import require
from bnn_ref.train import Comparison, Difference, Summary


@dataclass(frozen=True)
class Contrast:
    """A question put before the runs: is `arm` better than `against`?

    Attributes
    ----------
    where : str
        The table of the paper that answers it at full size; "ours" where none does.
    arm, against : str
        Arms of the study, or names of several arms together, whose mean it is then; a contrast whose arms a
        study leaves out is not asked.
    paper : float or None
        What the paper reports, in points of accuracy; None where it reports nothing that can be quoted.
    direction : int or None
        In place of a number: 1 where `arm` is expected to be better, -1 worse, 0 equal. None: open.

    Raises
    ------
    ValueError
        For another direction, or a number and a direction at once.
    """

    where: str
    arm: str
    against: str
    paper: float | None = None
    direction: int | None = None

    def __post_init__(self) -> None:
        require(self.direction in (None, -1, 0, 1), "direction", "-1, 0, 1 or None", self.direction)
        single = self.paper is None or self.direction is None
        require(single, "direction", "None beside a number of the paper", self.direction)

    @property
    def expected(self) -> int | None:
        """-1, 0 or 1 as `direction`; of a number its sign, unless that is within the paper's own scatter."""
        if self.paper is None or abs(self.paper) < SMALLEST:
            return self.direction
        return int(copysign(1, self.paper))

    @property
    def answer(self) -> str:
        """What is expected, as a cell: a number of points, or a word."""
        if self.direction is not None:
            return {1: "better", -1: "worse", 0: "equal"}[self.direction]
        return "" if self.paper is None else f"{self.paper:.2f}"


SMALLEST = 0.4
"""In points: what a paper reports below this is within its own scatter (FDA-BNN's Fig. 3, read off)."""


def reading(gap: Difference, one: Contrast, error: float | None) -> str:
    """What this difference says at this size; `error` is a share, like the difference.

    It differs from the paper's where the paper's value lies outside of the interval over seeds, even when
    widened by the `error` that the choice of test images makes. It is an effect where the interval leaves 0
    out and the difference is larger than that error. Intervals are of 95 % one at a time: among twelve
    contrasts without any effect, one would stand out nearly every second time.
    """
    if gap.mean is None or error is None:
        return "a run diverged, nothing can be said"
    if gap.low is None or gap.high is None:
        return "one run: no spread, nothing can be said"
    if one.paper is not None and not gap.low - error <= one.paper / 100 <= gap.high + error:
        return "DIFFERS from the paper's"
    if gap.low <= 0 <= gap.high:
        return "cannot tell: the interval holds 0"
    if abs(gap.mean) <= error:
        return "cannot tell: within the error of the test images"
    return _effect(gap.mean, one)


def _effect(mean: float, one: Contrast) -> str:
    """What to call a difference that is there."""
    found = "better" if mean > 0 else "worse"
    if one.expected is None:
        return found
    agrees = mean * one.expected > 0
    if one.paper is not None:
        return f"{'same sign as' if agrees else 'OPPOSITE sign to'} the paper's"
    return f"{found}, as expected" if agrees else f"{found}, AGAINST what was expected"


def image_error(first: float | None, second: float | None, images: int | None) -> float | None:
    """95 % error of a difference of two accuracies by the choice of `images` test images, taken as unpaired.

    Two networks err on many of the same images, so this is too much rather than too little; of a mean over
    several networks even more so. None where one of them is; 0 where `images` is None: what is compared is
    no share of images then.
    """
    if first is None or second is None:
        return None
    if images is None:
        return 0.0
    return 1.96 * sqrt((first * (1 - first) + second * (1 - second)) / images)


def contrasts(
    result: Comparison,
    asked: Sequence[Contrast],
    images: int | None,
    answer: str = "in the paper",
    together: Mapping[str, Sequence[str]] | None = None,
) -> Table:
    """One line a contrast, in points of accuracy on test images.

    Parameters
    ----------
    result : Comparison
    asked : sequence of Contrast
    images : int or None
        Number of test images, whose choice errs; None where the measure is no share of them.
    answer : str
        Heads the column of what is expected.
    together : mapping of str to sequence of str
        Names of several arms, and which.
    """
    columns = ("paper's place", "arm", "minus", "runs", "difference", "low", "high", "smallest detectable")
    names = {arm: (arm,) for arm in result.arms} | {
        key: tuple(arms) for key, arms in (together or {}).items()
    }
    rows = [
        _row(result, one, images, names) for one in asked if names.get(one.arm) and names.get(one.against)
    ]
    return Table.of((*columns, "error of the images", answer, "reading"), rows)


def _row(
    result: Comparison, one: Contrast, images: int | None, names: Mapping[str, tuple[str, ...]]
) -> list[Cell]:
    arms, against = names[one.arm], names[one.against]
    gap = result.contrast(arms, against)
    means = {summary.arm: summary.mean for summary in result.summaries}
    error = image_error(_mean(means, arms), _mean(means, against), images)
    found = [points(value) for value in (gap.mean, gap.low, gap.high, gap.smallest, error)]
    runs = len(result.seeds) * max(len(arms), len(against))
    where = (one.where, one.arm, one.against, runs)
    return [*where, *found, one.answer, reading(gap, one, error)]


def _mean(means: Mapping[str, float | None], arms: Sequence[str]) -> float | None:
    """The mean over several arms; None where one of them has none."""
    found = [mean for mean in (means[arm] for arm in arms) if mean is not None]
    return fmean(found) if len(found) == len(arms) else None


def points(share: float | None) -> Cell:
    """A share in per cent, to a hundredth; nothing where there is none."""
    return "" if share is None else f"{100 * share:.2f}"


ACCURACY = ("runs", "mean", "low", "high")


def accuracy(summary: Summary) -> list[Cell]:
    """Runs, mean and its 95 % interval, in per cent."""
    return [len(summary.values), *(points(value) for value in (summary.mean, summary.low, summary.high))]


def by_seed(summary: Summary) -> str:
    """The accuracies of all runs, in per cent, seed by seed; in words where one diverged."""
    return " ".join(str(points(value)) or "diverged" for value in summary.values)
