"""Every method with the same budget: a step size chosen on images set apart, then one run a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analysis.contrasts import ACCURACY, accuracy, by_seed, points
from analysis.proxconnect.methods import METHODS, label
from analysis.tables import Cell, Table
from bnn_ref.checks import require
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.models import NONE, REAL, Model, build
from bnn_ref.train import Comparison, Config, Run, carry_over, fit
from bnn_ref.train.history import Epoch, History

TUNING_SEED = 1000
"""Of the runs that choose a step size; no reported run has it."""

HELD_OUT = 5
"""One training image of so many is set apart to choose a step size by."""

NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "CNN": ("cnn", {"width": 8}),
    "ViT": ("vit-tiny", {"patch": 2, "width": 24, "depth": 2, "heads": 4, "scale": "channel"}),
}
"""Model and options by name. The matrices of the ViT, which has no batch norm behind them, are multiplied by
the mean of abs(w) of each output channel, whatever method quantizes w."""

ACTIVATIONS: dict[str, dict[str, str]] = {
    "real": {"CNN": "clip-activation", "ViT": NONE},
    "binary": {"CNN": "approxsign", "ViT": "approxsign"},
}
"""What stands in front of binary weights: weights alone, or weights and activations binarized."""


@dataclass(frozen=True)
class Work:
    """What all runs share.

    Attributes
    ----------
    images : Dataset
    activations : str
        A key of `ACTIVATIONS`.
    options : mapping
        Build options by network, over those of `NETWORKS`.
    config : Config
        The recipe; a method sets what is its own.
    rates : tuple of float
        The step sizes to choose from: each method's whole tuning budget.
    pretraining : int
        Epochs of the real network that fine-tuning starts from.
    """

    images: Dataset
    activations: str
    options: Mapping[str, Mapping[str, Any]]
    config: Config
    rates: tuple[float, ...]
    pretraining: int

    @property
    def apart(self) -> Dataset:
        """The training images, some of them as test images in place of the test images."""
        chosen = np.arange(len(self.images.train_images)) % HELD_OUT == 0
        images, labels = self.images.train_images, self.images.train_labels
        parts = (images[~chosen], labels[~chosen], images[chosen], labels[chosen])
        names = ("train_images", "train_labels", "test_images", "test_labels")
        return replace(self.images, **dict(zip(names, parts, strict=True)))

    def network(self, name: str, method: str, seed: int) -> Model:
        """A network for these images, its weights as `method` has them."""
        model, usual = NETWORKS[name]
        one = METHODS[method]
        own = {**usual, **self.options.get(name, {}), "weight_estimator": one.weight, "seed": seed}
        if one.weight != REAL:
            own["weight_parameters"] = dict(one.parameters)
        shape, classes = self.images.shape, len(self.images.classes)
        estimator = ACTIVATIONS[self.activations][name]
        return build(model, input_shape=shape, classes=classes, estimator=estimator, **own)

    def train(
        self, images: Dataset, arm: tuple[str, str, str], rate: float, seed: int, real: Model | None
    ) -> Run:
        """One run of (network, start, method); from the weights of `real`, where that is given."""
        network, _, method = arm
        model, epochs = self.network(network, method, seed), list[Epoch]()
        if real is not None:
            carry_over(real, model)
        config = replace(self.config, lr=rate, seed=seed, reestimate_norms=True, **METHODS[method].config)
        try:
            fit(model, images, config, Preprocessing.fit(images), epochs.append)
        except FloatingPointError as reason:
            return Run(label(*arm), seed, History(tuple(epochs)), str(reason))
        return Run(label(*arm), seed, History(tuple(epochs)))

    def real(self, images: Dataset, network: str, seed: int) -> Model:
        """A trained real network to start from."""
        model = self.network(network, "FP", seed)
        config = replace(self.config, epochs=self.pretraining, seed=seed)
        fit(model, images, config, Preprocessing.fit(images))
        return model


@dataclass(frozen=True)
class Tuned:
    """A method's runs, and the step size that was chosen for them.

    Attributes
    ----------
    rate : float
    trials : tuple of float or None
        Accuracy on the images set apart, by step size; None where a run diverged.
    runs : tuple of Run
    """

    rate: float
    trials: tuple[float | None, ...]
    runs: tuple[Run, ...]


def tuned(work: Work, arm: tuple[str, str, str], seeds: Sequence[int]) -> Tuned:
    """Choose a step size by one run each on images set apart; then one run a seed on all of them."""
    network, start, _ = arm
    fine, apart = start == "fine-tuned", work.apart
    first = work.real(apart, network, TUNING_SEED) if fine else None
    trials = tuple(work.train(apart, arm, rate, TUNING_SEED, first).accuracy for rate in work.rates)
    best = max(range(len(trials)), key=lambda i: -1.0 if trials[i] is None else float(trials[i] or 0))
    runs = []
    for seed in seeds:
        real = work.real(work.images, network, seed) if fine else None
        runs.append(work.train(work.images, arm, work.rates[best], seed, real))
    return Tuned(work.rates[best], trials, tuple(runs))


def check(work: Work, arms: Sequence[tuple[str, str, str]], seeds: Sequence[int]) -> None:
    """Build every network and recipe once: what is wrong ends the study before its first run.

    Raises
    ------
    ValueError
        For no seeds, no or repeated step sizes, or an option that a network or a recipe does not allow.
    """
    require(len(seeds) > 0, "seeds", "at least one", list(seeds))
    require(0 < len(set(work.rates)) == len(work.rates), "rates", "at least one, each once", work.rates)
    replace(work.config, epochs=work.pretraining)
    for network, _, method in arms:
        work.network(network, method, 0)
        for rate in work.rates:
            replace(work.config, lr=rate, **METHODS[method].config)


def comparison(work: Work, found: Mapping[str, Tuned], seeds: Sequence[int]) -> Comparison:
    """All runs as one sweep."""
    arms: dict[str, dict[str, Any]] = {arm: {} for arm in found}
    runs = tuple(run for one in found.values() for run in one.runs)
    reference = next(iter(arms))
    return Comparison(work.images.name, "several", arms, {}, work.config, reference, tuple(seeds), runs)


def table(found: Mapping[str, Tuned], result: Comparison) -> Table:
    """Every arm: step size, test accuracy after projection, and how far training's weights were from it."""
    columns = (
        "network",
        "start",
        "method",
        "step size",
        *ACCURACY,
        "by seed",
        "gap",
        "set apart, by step size",
    )
    rows: list[list[Cell]] = []
    for summary in result.summaries:
        one = found[summary.arm]
        trials = " ".join(str(points(value)) or "diverged" for value in one.trials)
        gap = f"{max(_gap(run) for run in one.runs):.3f}"
        rows.append([*summary.arm.split(" / "), one.rate, *accuracy(summary), by_seed(summary), gap, trials])
    return Table.of(columns, rows)


def _gap(run: Run) -> float:
    """The largest abs(F(w*) - P_Q(w*)) of any layer after the last epoch."""
    last = run.history[-1].gaps if len(run.history) else {}
    return max((largest for largest, _ in last.values()), default=0.0)
