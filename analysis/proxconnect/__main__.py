"""`python -m analysis.proxconnect`: which way of quantizing weights in training ends best?

Defaults take minutes on the embedded digits; at that size most differences are below what they could show,
and the tables say so. Full size is a matter of arguments:

    python -m analysis.proxconnect --data fashion-mnist --cnn-width 64 --vit-width 96 --patch 4 --epochs 60
        --pretraining 60 --rates 3e-4 1e-3 3e-3 1e-2 --seeds 5 --activations binary
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence

from analysis.contrasts import contrasts
from analysis.experiment import Arms, Experiment, Trial
from analysis.proxconnect import memory, training
from analysis.proxconnect.methods import METHODS, STARTS, asked, label
from analysis.tables import Table
from bnn_ref.train import Config
from bnn_ref.train.processes import in_processes

QUESTION = "Which way of quantizing weights in training ends best, with the same budget for each?"

RECIPE = Config(5, 64, "adam", 0.01)
"""Latent weights are clipped to [-1, 1], for all methods alike."""


def add(made: ArgumentParser) -> None:
    """The options of networks, methods and tuning."""
    nets, methods = list(training.NETWORKS), list(METHODS)
    made.add_argument("--networks", nargs="+", default=nets, choices=nets, help="what to train")
    made.add_argument("--methods", nargs="+", default=methods, choices=methods, help="how")
    made.add_argument("--starts", nargs="+", default=list(STARTS), choices=list(STARTS), help="where from")
    kinds = list(training.ACTIVATIONS)
    made.add_argument("--activations", default="real", choices=kinds, help="in front of binary weights")
    made.add_argument("--cnn-width", type=int, default=8, help="channels of the CNN's first convolution")
    made.add_argument("--vit-width", type=int, default=24, help="channels of a token")
    made.add_argument("--patch", type=int, default=2, help="side of the ViT's patches, in pixels")
    rates = [0.01, 0.03]
    made.add_argument("--rates", type=float, nargs="+", default=rates, help="step sizes to choose from")
    made.add_argument("--pretraining", type=int, default=5, help="epochs of the real network")


def named(options: Namespace) -> list[tuple[str, str, str]]:
    """(network, start, method) of every arm. Full precision is trained on, too, where others are tuned."""
    return [(n, s, m) for n in options.networks for s in options.starts for m in options.methods]


def arms(options: Namespace) -> Arms:
    """One label an arm."""
    return {label(*arm): {} for arm in named(options)}


def tables(trial: Trial) -> Mapping[str, Table]:
    """Every table of this study by name."""
    options, images = trial.options, trial.images()
    own = {
        "CNN": {"width": options.cnn_width},
        "ViT": {"width": options.vit_width, "patch": options.patch},
    }
    rates = tuple(options.rates)
    work = training.Work(images, options.activations, own, trial.config, rates, options.pretraining)
    training.check(work, named(options), trial.seeds)
    tasks = [(work, arm, trial.seeds) for arm in named(options)]
    found: dict[str, training.Tuned] = {}
    for arm, one in zip(named(options), in_processes(training.tuned, tasks, trial.jobs), strict=True):
        found[label(*arm)] = one
        for run in one.runs:
            trial.tell(run)
    result = training.comparison(work, found, trial.seeds)
    questions = asked(options.networks, options.starts, options.methods)
    return {
        "proxconnect-arms": training.table(found, result),
        "proxconnect-contrasts": contrasts(result, questions, len(images.test_images), "expected"),
        "proxconnect-memory": memory.table(),
    }


EXPERIMENT = Experiment("proxconnect", QUESTION, RECIPE, add, arms, tables)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study into `--out`; returns 0, or ends with status 2 for wrong options."""
    return EXPERIMENT.main(argv)


if __name__ == "__main__":
    sys.exit(main())
