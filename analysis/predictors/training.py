"""Training one network an estimator, measuring after every epoch, and ranking the measures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.contrasts import ACCURACY, accuracy
from analysis.predictors.measures import MEASURES, measure
from analysis.predictors.probe import OPERANDS, probe
from analysis.predictors.ranking import cells, rank
from analysis.tables import Cell, Table
from bnn_ref import estimators
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.models import build
from bnn_ref.train import Comparison, Config, Epoch, History, Run, fit
from bnn_ref.train.processes import in_processes

ESTIMATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "identity STE": ("identity-ste", {}),
    "clipped STE": ("clipped-ste", {}),
    "ApproxSign": ("approxsign", {}),
    "tanh": ("tanh", {}),
    "EDE": ("ede", {}),
    "ReSTE": ("reste", {}),
    "DSQ": ("dsq", {}),
    "BNN+": ("swish-sign", {"beta": 2.0}),
    "FDA, N = 1": ("fda", {"terms": 1}),
    "FDA, N = 3": ("fda", {"terms": 3}),
    "FDA, N = 9": ("fda", {"terms": 9}),
    "FDA, 9 to 18": ("fda-growing", {}),
}
"""Entries of the table with F = sign and an element-wise T, by the name that the tables show."""

OWN: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "activation": {
        "RBNN": ("rbnn-activation", {}),
        "BBC-linear": ("bbc-activation", {"init": "positive"}),
    },
    "weight": {
        "RBNN": ("rbnn", {}),
        "BBC-linear": ("bbc-linear", {"init": "positive"}),
        "BBC-MLP": ("bbc", {"init": "positive"}),
        "BBC-MLP as published": ("bbc", {}),
    },
}
"""Those of one operand. BBC's slopes at 0 start positive, but for the last: there by chance."""

FIXED = {
    "activation": {"weight_estimator": "clipped-ste"},
    "weight": {"estimator": "approxsign"},
}
"""What the other operand learns from, by the operand whose estimators are compared."""


def arms() -> dict[str, dict[str, Any]]:
    """The build options of every arm, "operand: estimator"."""
    made = {}
    for operand in OPERANDS:
        prefix = "" if operand == "activation" else "weight_"
        for label, (name, parameters) in {**ESTIMATORS, **OWN[operand]}.items():
            own = {f"{prefix}estimator": name, f"{prefix}parameters": parameters}
            scale = {"scale": "none"} if estimators.get(name).scaled else {}  # BBC's rule has its own
            made[f"{operand}: {label}"] = {**FIXED[operand], **own, **scale}
    return made


@dataclass(frozen=True)
class Work:
    """What all runs share."""

    images: Dataset
    model: str
    options: Mapping[str, Any]
    config: Config
    probed: int

    def run(self, label: str, own: Mapping[str, Any], seed: int) -> tuple[Run, list[list[float]]]:
        """One network: its run, and the measures of every epoch."""
        images = self.images
        given = {"input_shape": images.shape, "classes": len(images.classes), "seed": seed}
        network = build(self.model, **{**self.options, **own, **given})
        preprocessing = Preprocessing.fit(images)
        batch = preprocessing(images.train_images[: self.probed]), images.train_labels[: self.probed]
        epochs: list[Epoch] = []
        found: list[list[float]] = []

        def after(epoch: Epoch) -> None:
            epochs.append(epoch)
            found.append(measure(list(probe(network, *batch, label.split(":")[0]))))

        config = replace(self.config, seed=seed)
        try:
            history = fit(network, images, config, preprocessing, after)
        except FloatingPointError as reason:
            return Run(label, seed, History(tuple(epochs)), str(reason)), found
        return Run(label, seed, history), found


def train(
    work: Work,
    arms: Mapping[str, Mapping[str, Any]],
    seeds: Sequence[int],
    jobs: int,
    tell: Callable[[Run], None],
) -> tuple[Comparison, dict[tuple[str, int], list[float]]]:
    """Every arm from every seed: accuracies, and the mean of each measure over epochs by (arm, seed)."""
    tasks = [(work, label, own, seed) for label, own in arms.items() for seed in seeds]
    runs, found = [], {}
    for run, measured in in_processes(Work.run, tasks, jobs):
        runs.append(run)
        found[run.arm, run.seed] = np.mean(measured, axis=0).tolist() if measured else []
        tell(run)
    given = {label: dict(own) for label, own in arms.items()}
    reference, numbers = next(iter(given)), tuple(seeds)
    images, options = work.images.name, dict(work.options)
    return Comparison(images, work.model, given, options, work.config, reference, numbers, tuple(runs)), found


def by_estimator(result: Comparison, found: Mapping[tuple[str, int], Sequence[float]]) -> Table:
    """Every arm: its accuracy, and its measures, means over seeds."""
    rows: list[list[Cell]] = []
    for summary in result.summaries:
        operand, label = summary.arm.split(": ")
        values = [found[summary.arm, seed] for seed in result.seeds]
        means = np.mean(values, axis=0) if all(values) else np.full(len(MEASURES), np.nan)
        rows.append([operand, label, *accuracy(summary), *(f"{value:.4g}" for value in means)])
    return Table.of(("operand", "estimator", *ACCURACY, *MEASURES), rows)


def rankings(result: Comparison, found: Mapping[tuple[str, int], Sequence[float]]) -> Table:
    """Spearman's rho of each measure with accuracy, over estimators: of the means, then seed by seed."""
    rows: list[list[Cell]] = []
    for operand in OPERANDS:
        arms = [s for s in result.summaries if s.arm.startswith(f"{operand}:") and s.mean is not None]
        for place, name in enumerate(MEASURES):
            values = np.array([[found[arm.arm, seed][place] for seed in result.seeds] for arm in arms])
            reached = np.array([arm.values for arm in arms], float)
            whole = rank(values.mean(axis=1).tolist(), reached.mean(axis=1).tolist())
            each = [rank(v, a) for v, a in zip(values.T.tolist(), reached.T.tolist(), strict=True)]
            by_seed = " ".join("none" if one is None else f"{one.rho:.2f}" for one in each)
            rows.append([operand, name, len(arms), *cells(whole), by_seed])
    return Table.of(("operand", "measure", "estimators", "rho", "low", "high", "p", "rho by seed"), rows)
