"""Training the grid: real networks in stages, and from each of them every cell that starts there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from analysis.bireal.grid import CHOICES, STARTS, Cell
from analysis.contrasts import ACCURACY, accuracy, by_seed
from analysis.tables import Cell as Entry
from analysis.tables import Table
from bnn_ref.checks import require
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.models import Model, build
from bnn_ref.train import Comparison, Config, Run, Stage, carry_over, fit, fit_stages
from bnn_ref.train.processes import in_processes

REAL = "real network"
"""In place of rule and activation, in the label of a pre-trained network."""


@dataclass(frozen=True)
class Work:
    """What all runs share: images, network, recipe.

    Attributes
    ----------
    images : Dataset
    model : str
        A network with an option `shortcut`.
    options : mapping of str to Any
        Build options of all cells.
    config : Config
        Of the binary networks.
    pretraining : int
        Epochs of the real network, over all its stages: every start that has any has the same number.
    """

    images: Dataset
    model: str
    options: Mapping[str, Any]
    config: Config
    pretraining: int

    def build(self, seed: int, **own: Any) -> Model:
        """A network for these images."""
        given: dict[str, Any] = {
            "input_shape": self.images.shape,
            "classes": len(self.images.classes),
            "seed": seed,
        }
        return build(self.model, **{**self.options, **own, **given})

    def stages(self, shortcut: str, start: str, seed: int) -> list[Stage]:
        """The real networks that come first, each with its share of the epochs.

        Raises
        ------
        ValueError
            When there are fewer epochs than stages.
        """
        names = STARTS[start]
        enough = self.pretraining >= len(names)
        require(enough, "pretraining", f"at least {len(names)} epochs for {start!r}", self.pretraining)
        share, more = divmod(self.pretraining, max(len(names), 1))
        epochs = [share + (i < more) for i in range(len(names))]
        return [
            Stage(
                self.build(seed, shortcut=shortcut, estimator=name), replace(self.config, epochs=n, seed=seed)
            )
            for name, n in zip(names, epochs, strict=True)
        ]


def train_from(work: Work, cells: Sequence[Cell], seed: int) -> list[Run]:
    """Cells of one shortcut and one start, from one real network: its run first, where there is one."""
    shortcut, start = cells[0].shortcut, cells[0].start
    preprocessing = Preprocessing.fit(work.images)
    stages, runs = work.stages(shortcut, start, seed), []
    if stages:
        *_, last = fit_stages(stages, work.images, preprocessing)
        runs.append(Run(f"{shortcut} / {start} / {REAL}", seed, last.history))
    for cell in cells:
        network = work.build(seed, **cell.options)
        if stages:
            carry_over(stages[-1].model, network)
        history = fit(network, work.images, replace(work.config, seed=seed), preprocessing)
        runs.append(Run(cell.label, seed, history))
    return runs


def train(
    work: Work, cells: Sequence[Cell], seeds: Sequence[int], jobs: int, tell: Callable[[Run], None]
) -> tuple[Comparison, Comparison | None]:
    """Every cell from every seed, and the real networks that they start from (None where there are none).

    One seed draws the first weights and the order of the images, for all: its runs are pairs.

    Raises
    ------
    ValueError
        For no seeds, or too few epochs of pre-training.
    """
    require(len(seeds) > 0, "seeds", "at least one", list(seeds))
    for cell in cells:
        work.stages(cell.shortcut, cell.start, 0)
        work.build(0, **cell.options)
    ordered = sorted(cells, key=_origin)
    groups = [list(group) for _, group in groupby(ordered, key=_origin)]
    tasks = [(work, group, seed) for group in groups for seed in seeds]
    runs: list[Run] = []
    for found in in_processes(train_from, tasks, jobs):
        for run in found:
            runs.append(run)
            tell(run)
    arms = {cell.label: cell.options for cell in cells}
    real: dict[str, dict[str, Any]] = {run.arm: {} for run in runs if run.arm not in arms}
    return _comparison(work, arms, seeds, runs), _comparison(work, real, seeds, runs) if real else None


def _origin(cell: Cell) -> tuple[str, str]:
    """What cells have in common that start from the same real network."""
    return cell.shortcut, cell.start


def _comparison(
    work: Work, arms: dict[str, dict[str, Any]], seeds: Sequence[int], runs: Sequence[Run]
) -> Comparison:
    own = tuple(run for run in runs if run.arm in arms)
    head = (work.images.name, work.model, arms, dict(work.options), work.config)
    return Comparison(*head, next(iter(arms)), tuple(seeds), own)


def table(grid: Sequence[Cell], result: Comparison) -> Table:
    """Every cell: its levels, and its test accuracy."""
    found = {summary.arm: summary for summary in result.summaries}
    rows: list[list[Entry]] = []
    for cell in grid:
        summary = found[cell.label]
        levels = [getattr(cell, name) for name in CHOICES]
        rows.append([*levels, *accuracy(summary), by_seed(summary)])
    return Table.of((*CHOICES, *ACCURACY, "by seed"), rows)


def real_table(result: Comparison | None) -> Table:
    """The real networks before their weights are binarized."""
    rows = [
        [*summary.arm.split(" / ")[:2], *accuracy(summary), by_seed(summary)]
        for summary in (result.summaries if result else ())
    ]
    return Table.of(("shortcut", "start", *ACCURACY, "by seed"), rows)
