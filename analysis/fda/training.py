"""FDA-BNN's experiments at any size: its components, its module on others, shortcuts, terms, schedules.

Every arm binarizes activations and weights with the same estimator, with one scale a layer (DoReFa's, the
paper's baseline). The contrasts were chosen before the first run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.contrasts import ACCURACY, Contrast, accuracy, by_seed
from analysis.tables import Cell, Table
from bnn_ref.train import Comparison


def both(name: str, **parameters: Any) -> dict[str, Any]:
    """The build options of an arm: one estimator on activations and weights."""
    return {
        "estimator": name,
        "parameters": parameters,
        "weight_estimator": name,
        "weight_parameters": parameters,
    }


PARTS: dict[str, dict[str, Any]] = {
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
}
"""The arms of Tables 2 to 4. BNN+ has beta = 2: the paper gives none, and with 5, which a library takes, a
network of 18 binary layers hardly learns here, with the module or without."""


@dataclass(frozen=True)
class Sweep:
    """The numbers of terms of Fig. 3 and 4: counts N of sines (the paper's n, read as a count).

    Attributes
    ----------
    fixed, from_one, from_nine : tuple of int
        N all along; N in the last epoch, growing from 1; from 9.
    """

    fixed: tuple[int, ...] = (1, 2, 5, 10, 20)
    from_one: tuple[int, ...] = (5, 18)
    from_nine: tuple[int, ...] = (12, 18)

    def settings(self) -> list[tuple[str, int, str]]:
        """Setting, last number of terms and arm, a point of Fig. 4 each; 9 to 18 is the arm "sine"."""
        found = [("fixed", n, f"{n} terms") for n in self.fixed]
        found += [("from 1", n, f"1 to {n} terms") for n in self.from_one]
        return found + [("from 9", n, "sine" if n == 18 else f"9 to {n} terms") for n in self.from_nine]

    def arms(self) -> dict[str, dict[str, Any]]:
        """The build options of every arm of the study."""
        made = dict(PARTS)
        for setting, n, arm in self.settings():
            start = {"fixed": n, "from 1": 1, "from 9": 9}[setting]
            made.setdefault(arm, both("fda-growing", start=start, stop=n))
        return made


CONTRASTS: tuple[Contrast, ...] = (
    Contrast("Table 2", "sine", "clipped STE", 85.83 - 84.44),
    Contrast("Table 2", "sine + noise", "sine", 86.20 - 85.83),
    Contrast("ours", "sine", "ApproxSign"),
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


def arms(result: Comparison) -> Table:
    """Every arm: what it is, and its test accuracy."""
    rows: list[list[Cell]] = []
    for summary in result.summaries:
        options = result.arms[summary.arm]
        given = "; ".join(f"{key} = {value}" for key, value in options["parameters"].items())
        rows.append([summary.arm, options["estimator"], given, *accuracy(summary), by_seed(summary)])
    return Table.of(("arm", "estimator", "parameters", *ACCURACY, "by seed"), rows)


def terms(result: Comparison, sweep: Sweep) -> Table:
    """Accuracy against a fixed number of terms: the right axis of Fig. 3."""
    found = {summary.arm: summary for summary in result.summaries}
    return Table.of(("terms", *ACCURACY), [[n, *accuracy(found[f"{n} terms"])] for n in sweep.fixed])


def schedules(result: Comparison, sweep: Sweep) -> Table:
    """Accuracy against the last number of terms, for three ways to get there: Fig. 4."""
    found = {summary.arm: summary for summary in result.summaries}
    rows = [[setting, stop, *accuracy(found[arm])] for setting, stop, arm in sweep.settings()]
    return Table.of(("setting", "stop", *ACCURACY), rows)
