"""`python -m analysis.bireal`: which part of Bi-Real Net helps, and how well do gradients point?

Defaults take minutes on the embedded digits; at that size most differences are below what they could show,
and the tables say so. Full size is a matter of arguments:

    python -m analysis.bireal --data fashion-mnist --model bireal-18 --width 64 --blocks 4 4 4 4
        --starts none relu clip --rules bnn paper code caffe xnor xnor-exact --pretraining 60 --epochs 20
        --batch-size 128 --optimizer sgd --lr 0.01 --seeds 5
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.bireal import grid, mismatch, training
from analysis.contrasts import contrasts
from analysis.experiment import Arms, Experiment, Trial
from analysis.tables import Table
from bnn_ref.train import Config

QUESTION = "Which part of Bi-Real Net helps, and how well do the gradients of estimators point?"

RECIPE = Config(3, 128, "adam", 0.01, clip=None)
"""Latent weights are not clipped, as in the released codes."""

PAPER = {"epochs": "20 (18 layers)", "batch_size": "128", "optimizer": "sgd", "lr": "0.01"}

LEVELS: dict[str, Sequence[str]] = {
    **grid.CHOICES,
    "start": ("relu", "clip"),
    "rule": ("bnn", "paper", "code"),
}
"""Of the small study: 36 cells."""


def add(made: ArgumentParser) -> None:
    """The options of the network, of the grid and of the probing of gradients."""
    made.add_argument("--model", default="bireal-20", choices=("bireal-20", "bireal-18"), help="network")
    made.add_argument("--width", type=int, default=8, help="its first channels; 64 in the paper")
    made.add_argument("--blocks", type=int, nargs="+", default=[2, 2, 2], help="convolutions of its stages")
    for name, levels in grid.CHOICES.items():
        what, given = f"levels of the factor {name}", list(LEVELS[name])
        made.add_argument(f"--{name}s", nargs="+", default=given, choices=list(levels), help=what)
    made.add_argument("--pretraining", type=int, default=3, help="epochs of the real network, all stages")
    probing = mismatch.Probing()
    made.add_argument("--probed-epochs", type=int, default=probing.epochs, help="of the network to probe")
    made.add_argument("--images", type=int, default=probing.images, help="batch whose signs are flipped")
    made.add_argument(
        "--noise", type=float, default=probing.noise, help="over the size of what it is added to"
    )
    made.add_argument("--draws", type=int, default=probing.draws, help="of the noise")


def cells(options: Namespace) -> list[grid.Cell]:
    """The cells that the command line asks for."""
    return grid.cells({name: getattr(options, f"{name}s") for name in grid.CHOICES})


def arms(options: Namespace) -> Arms:
    """The build options of every network that is trained, the real ones included."""
    made = {cell.label: cell.options for cell in cells(options)}
    real: dict[str, dict[str, Any]] = {
        f"{cell.shortcut} / {cell.start}": {} for cell in cells(options) if grid.STARTS[cell.start]
    }
    return {**made, **real}


def tables(trial: Trial) -> Mapping[str, Table]:
    """Every table of this study by name."""
    images, options, chosen = trial.images(), trial.options, cells(trial.options)
    shared = {"width": options.width, "blocks": tuple(options.blocks)}
    work = training.Work(images, options.model, shared, trial.config, options.pretraining)
    result, real = training.train(work, chosen, trial.seeds, trial.jobs, trial.tell)
    asked, groups = grid.asked(trial.config.optimizer), grid.together(chosen)
    probing = mismatch.Probing(options.probed_epochs, options.images, options.noise, options.draws)
    networks = mismatch.networks(work, probing, trial.seeds, trial.jobs)
    return {
        "bireal-cells": training.table(chosen, result),
        "bireal-real": training.real_table(real),
        "bireal-contrasts": contrasts(result, asked, len(images.test_images), "expected", groups),
        "bireal-networks": networks,
        "bireal-mismatch": mismatch.summary(networks),
    }


EXPERIMENT = Experiment("bireal", QUESTION, RECIPE, add, arms, tables, PAPER)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study into `--out`; returns 0, or ends with status 2 for wrong options."""
    return EXPERIMENT.main(argv)


if __name__ == "__main__":
    sys.exit(main())
