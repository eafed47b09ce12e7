"""Small networks trained with BBC on their weights: accuracy, and E'(0) from the first step on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from analysis.bbc.learned import closed, in_network
from analysis.contrasts import ACCURACY, Contrast, accuracy, by_seed
from analysis.experiment import Arms, Trial
from analysis.tables import Cell, Table
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.estimators.irnet import Centre
from bnn_ref.layers import Product
from bnn_ref.models import Model, build
from bnn_ref.parameter import Array
from bnn_ref.train import Comparison, Config, Epoch, Run, fit, trained_slopes

ARMS: dict[str, dict[str, Any]] = {
    "bireal-weight-paper": {"weight_estimator": "bireal-weight-paper"},
    "bbc": {"weight_estimator": "bbc"},
    "bbc, positive": {"weight_estimator": "bbc", "weight_parameters": {"init": "positive"}},
    "bbc-linear": {"weight_estimator": "bbc-linear"},
    "bbc-linear, positive": {
        "weight_estimator": "bbc-linear",
        "weight_parameters": {"init": "positive"},
    },
}
"""The first one is the reference: the same scale in both passes, a clipped line for the gradient."""

ASKED = (
    Contrast("ours", "bbc, positive", "bbc", direction=1),
    Contrast("ours", "bbc-linear, positive", "bbc-linear", direction=1),
    Contrast("ours", "bbc, positive", "bireal-weight-paper"),
    Contrast("ours", "bbc-linear, positive", "bireal-weight-paper"),
    Contrast("second-hand quotation of the conclusion", "bbc-linear, positive", "bbc, positive", direction=0),
)
"""Put before the runs. The paper's own comparisons could not be obtained."""

X = np.linspace(-1.5, 1.5, 61)


def options(trial: Trial) -> dict[str, Any]:
    """Build options of every arm."""
    chosen = trial.options
    return {"widths": tuple(chosen.widths), "blocks": tuple(chosen.blocks)}


def network(images: Dataset, model: str, seed: int, **own: Any) -> Model:
    """A network as the comparison builds it."""
    return build(model, input_shape=images.shape, classes=len(images.classes), seed=seed, **own)


def summary(result: Comparison, first: Mapping[tuple[str, int], float]) -> Table:
    """Accuracy of every arm, and which way its slope pointed."""
    rows: list[list[Cell]] = []
    for row in result.summaries:
        runs = result.runs_of(row.arm)
        began = [first[row.arm, run.seed] < 0 for run in runs if (row.arm, run.seed) in first]
        ended = [last < 0 for run in runs for last in _last(run)]
        own: list[Cell] = [sum(began), sum(ended)] if began else ["", ""]
        rows.append([row.arm, *accuracy(row), *own, by_seed(row)])
    return Table.of(("arm", *ACCURACY, "began falling", "ended falling", "by seed"), rows)


def _last(run: Run) -> list[float]:
    return list(run.history[-1].slopes.values()) if len(run.history) else []


def starts(trial: Trial, images: Dataset, arms: Arms) -> dict[tuple[str, int], float]:
    """E'(0) of every network before its first step, where it has one."""
    found = {}
    for arm, own in arms.items():
        for seed in trial.seeds:
            model = network(images, trial.options.model, seed, **options(trial), **own)
            for value in trained_slopes(model).values():
                found[arm, seed] = value
    return found


def slopes(result: Comparison, first: Mapping[tuple[str, int], float]) -> Table:
    """E'(0) before the first step and after every epoch, one row a run; accuracy beside it."""
    epochs = result.config.epochs
    rows: list[list[Cell]] = []
    for run in result.runs:
        if (run.arm, run.seed) in first:
            path = [next(iter(epoch.slopes.values())) for epoch in run.history]
            path += [float("nan")] * (epochs - len(path))
            share = float("nan") if run.accuracy is None else 100 * run.accuracy
            rows.append([run.arm, run.seed, share, first[run.arm, run.seed], *path])
    return Table.of(("arm", "seed", "accuracy", *(f"epoch {i}" for i in range(epochs + 1))), rows)


def functions(trial: Trial, images: Dataset, first: Mapping[tuple[str, int], float]) -> Table:
    """S, E' and shut gates over x, and the centred weights as a density, at three moments of two networks.

    One begins positive, from the first seed; one by default, from the first seed where its slope falls.
    """
    falling = (seed for seed in trial.seeds if first["bbc", seed] < 0)
    chosen = {"bbc, positive": trial.seeds[0], "bbc": next(falling, trial.seeds[0])}
    rows: list[list[Cell]] = []
    for arm, seed in chosen.items():
        model = network(images, trial.options.model, seed, **options(trial), **ARMS[arm])
        for epoch, columns in snapshots(model, images, trial.config, seed).items():
            rows += [[arm, seed, epoch, *map(float, row)] for row in zip(*columns, strict=True)]
    return Table.of(("arm", "seed", "epoch", "x", "S", "slope", "gates shut", "weights"), rows)


def snapshots(model: Model, images: Dataset, config: Config, seed: int) -> dict[int, tuple[Array, ...]]:
    """What `snapshot` sees at the start, after a quarter and at the end, by epochs done."""
    seen = {0: snapshot(model)}

    def look(epoch: Epoch) -> None:
        done = epoch.epoch + 1
        if done in (max(1, config.epochs // 4), config.epochs):
            seen[done] = snapshot(model)

    fit(model, images, config_of(config, seed), Preprocessing.fit(images), look)
    return seen


def config_of(config: Config, seed: int) -> Config:
    """The recipe with a run's own seed, as `compare` has it."""
    return Config.from_dict({**config.to_dict(), "seed": seed})


def snapshot(model: Model) -> tuple[Array, ...]:
    """x, S(x), E'(x), shut gates, and the density of all centred weights at x."""
    b = in_network(model)
    weights = np.concatenate([
        Centre()(layer.latent.value).ravel()
        for _, layer in model.layers()
        if isinstance(layer, Product) and layer.weight is not None
    ])  # fmt: skip
    width = X[1] - X[0]
    counts, _ = np.histogram(weights, np.append(X - width / 2, X[-1] + width / 2))
    density = counts / (len(weights) * width)
    return X, b.surrogate(X), b.surrogate.derivative(X), closed(b, X), density
