"""FDA-BNN's experiments at any size: its components, its module on others, shortcuts, terms, schedules.

Every arm binarizes activations and weights with the same estimator, with one scale a layer (DoReFa's, the
paper's baseline). The contrasts were chosen before the first run.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any

from analysis.tables import Cell, Table
from bnn_ref.train import Comparison, Difference, Summary

FIXED_TERMS = (1, 2, 5, 10, 20)
FROM_ONE = (5, 18)
FROM_NINE = (12, 18)


def both(name: str, **parameters: Any) -> dict[str, Any]:
    """The build options of an arm: one estimator on activations and weights."""
    return {
        "estimator": name,
        "parameters": parameters,
        "weight_estimator": name,
        "weight_parameters": parameters,
    }


ARMS: dict[str, dict[str, Any]] = {
    "clipped STE": both("clipped-ste"),
    "ApproxSign": both("approxsign"),
    "sine": both("fda-growing"),
    "sine + noise": both("fda-noise"),
    "sine + noise, eta = 0": both("fda-noise", shortcut="none"),
    "sine + noise, eta = a x": both("fda-noise", shortcut="line"),
    "DSQ": both("dsq"),
    "DSQ + noise": both("dsq-noise"),
    "BNN+": both("swish-sign", beta=2.0),
    "BNN+ + noise": both("swish-sign-noise", beta=2.0),
    **{f"{n} terms": both("fda", terms=n) for n in FIXED_TERMS},
    **{f"1 to {n} terms": both("fda-growing", start=1, stop=n) for n in FROM_ONE},
    **{f"9 to {n} terms": both("fda-growing", start=9, stop=n) for n in FROM_NINE[:-1]},
}
"""The last setting from 9 is the arm "sine". BNN+ has beta = 2: the paper gives none, and with 5, which a
library takes, a network of 18 binary layers hardly learns here, with the module or without."""


@dataclass(frozen=True)
class Contrast:
    """A question put before the runs: is `arm` better than `against`?

    Attributes
    ----------
    where : str
        The table of the paper that answers it at full size.
    arm, against : str
        Keys of `ARMS`.
    paper : float or None
        What the paper reports, in points of CIFAR-10 accuracy; None where it reports nothing.
    """

    where: str
    arm: str
    against: str
    paper: float | None


CONTRASTS: tuple[Contrast, ...] = (
    Contrast("Table 2", "sine", "clipped STE", 85.83 - 84.44),
    Contrast("Table 2", "sine + noise", "sine", 86.20 - 85.83),
    Contrast("ours", "sine", "ApproxSign", None),
    Contrast("Table 3", "DSQ + noise", "DSQ", 84.46 - 84.11),
    Contrast("Table 3", "BNN+ + noise", "BNN+", 84.87 - 84.59),
    Contrast("Table 4", "sine + noise", "sine + noise, eta = 0", 86.20 - 85.27),
    Contrast("Table 4", "sine + noise", "sine + noise, eta = a x", 86.20 - 85.93),
    Contrast("Tables 2, 4", "sine + noise, eta = 0", "sine", 85.27 - 85.83),
    Contrast("Fig. 3", "10 terms", "1 terms", 85.31 - 70.65),
    Contrast("Fig. 3", "20 terms", "10 terms", 85.11 - 85.31),
    Contrast("Fig. 4", "sine", "10 terms", 86.15 - 85.31),
    Contrast("Fig. 4", "sine", "1 to 18 terms", 86.15 - 85.11),
)


def reading(gap: Difference, paper: float | None, error: float) -> str:
    """What this difference says of the sign of the effect at this size.

    Two things must hold before it says anything: the interval over seeds leaves 0 out, and the difference is
    larger than the `error` that the choice of test images makes. Intervals are of 95 % one at a time: among
    twelve contrasts without any effect, one would stand out nearly every second time.
    """
    if gap.low is None or gap.high is None:
        return "one run: no spread, nothing can be said"
    if gap.low <= 0 <= gap.high:
        return "cannot tell: the interval holds 0"
    if abs(gap.mean) <= error:
        return "cannot tell: within the error of the test images"
    if paper is None:
        return "better" if gap.mean > 0 else "worse"
    return f"{'same sign as' if gap.mean * paper > 0 else 'OPPOSITE sign to'} the paper's"


def image_error(first: float, second: float, images: int) -> float:
    """95 % error of a difference of two accuracies by the choice of `images` test images, taken as unpaired.

    Two networks err on many of the same images, so this is too much rather than too little.
    """
    return 1.96 * sqrt((first * (1 - first) + second * (1 - second)) / images)


def contrasts(result: Comparison, images: int) -> Table:
    """One line a contrast, in points of accuracy on `images` test images."""
    columns = ("paper's place", "arm", "minus", "runs", "difference", "low", "high", "smallest detectable")
    rows = [_contrast(result, one, images) for one in CONTRASTS]
    return Table.of((*columns, "error of the images", "in the paper", "reading"), rows)


def _contrast(result: Comparison, one: Contrast, images: int) -> list[Cell]:
    gap = result.contrast(one.arm, one.against)
    means = {summary.arm: summary.mean for summary in result.summaries}
    error = image_error(means[one.arm], means[one.against], images)
    found = [points(value) for value in (gap.mean, gap.low, gap.high, gap.smallest, error)]
    paper: Cell = "" if one.paper is None else points(one.paper / 100)
    where = (one.where, one.arm, one.against, len(result.seeds))
    return [*where, *found, paper, reading(gap, one.paper, error)]


def points(share: float | None) -> Cell:
    """A share in per cent, to a hundredth; nothing where there is none."""
    return "" if share is None else f"{100 * share:.2f}"


def accuracy(summary: Summary) -> list[Cell]:
    """Runs, mean and its 95 % interval, in per cent."""
    return [len(summary.values), *(points(value) for value in (summary.mean, summary.low, summary.high))]


ACCURACY = ("runs", "mean", "low", "high")


def arms(result: Comparison) -> Table:
    """Every arm: what it is, and its test accuracy."""
    rows: list[list[Cell]] = []
    for summary in result.summaries:
        options = result.arms[summary.arm]
        given = "; ".join(f"{key} = {value}" for key, value in options["parameters"].items())
        seeds = " ".join(f"{100 * value:.2f}" for value in summary.values)
        rows.append([summary.arm, options["estimator"], given, *accuracy(summary), seeds])
    return Table.of(("arm", "estimator", "parameters", *ACCURACY, "by seed"), rows)


def terms(result: Comparison) -> Table:
    """Accuracy against a fixed number of terms: the right axis of Fig. 3."""
    found = {summary.arm: summary for summary in result.summaries}
    return Table.of(("terms", *ACCURACY), [[n, *accuracy(found[f"{n} terms"])] for n in FIXED_TERMS])


def schedules(result: Comparison) -> Table:
    """Accuracy against the last number of terms, for three ways to get there: Fig. 4."""
    found = {summary.arm: summary for summary in result.summaries}
    named: list[tuple[str, int, str]] = [("fixed", n, f"{n} terms") for n in FIXED_TERMS]
    named += [("from 1", n, f"1 to {n} terms") for n in FROM_ONE]
    named += [("from 9", n, f"9 to {n} terms") for n in FROM_NINE[:-1]] + [("from 9", FROM_NINE[-1], "sine")]
    rows = [[setting, stop, *accuracy(found[arm])] for setting, stop, arm in named]
    return Table.of(("setting", "stop", *ACCURACY), rows)
