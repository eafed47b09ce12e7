"""`python -m analysis.bbc`: how does BBC's learned slope begin, where does it go, what does that do?

Defaults take minutes on the embedded digits. Full size is a matter of arguments:

    python -m analysis.bbc --data fashion-mnist --widths 64 128 256 --blocks 2 2 2 --epochs 60
        --batch-size 128 --lr 0.0025 --seeds 5
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence

from analysis.bbc import start, toy, training
from analysis.contrasts import contrasts
from analysis.experiment import Arms, Experiment, Trial
from analysis.tables import Table
from bnn_ref.train import Config, compare

QUESTION = "How does BBC's learned slope begin, where does it go, and what does that do to training?"

RECIPE = Config(
    8, 64, "adam", 2.5e-3, schedule="linear", clip=None, estimator_lr=1e-3, estimator_schedule="bbc"
)
"""As in the released code but for epochs and batch: Adam, linear to 0; BBC's own parameters beside it."""

PAPER = {"epochs": "120", "batch_size": "256", "optimizer": "adam", "lr": "0.0025", "weight_decay": "0"}
"""Of the released ImageNet code."""


def add(made: ArgumentParser) -> None:
    """The options of the network and of the toy."""
    made.add_argument("--model", default="bireal-small", choices=("bireal-small",), help="network")
    made.add_argument("--widths", type=int, nargs="+", default=[16, 32], help="channels of its stages")
    made.add_argument("--blocks", type=int, nargs="+", default=[1, 1], help="blocks of its stages")
    made.add_argument("--draws", type=int, default=start.DRAWS, help="first values of slopes")
    made.add_argument("--toy-seeds", type=int, default=20, help="runs of each arm of the regression")
    made.add_argument("--toy-steps", type=int, default=toy.STEPS, help="steps of each")


def arms(options: Namespace) -> Arms:
    """The networks that are compared."""
    return training.ARMS


def tables(trial: Trial) -> Mapping[str, Table]:
    """Every table of this study by name."""
    images, chosen = trial.images(), trial.options
    found = toy.outcomes(chosen.toy_seeds, chosen.toy_steps, trial.jobs)
    first = training.starts(trial, images, trial.arms)
    given = (images, chosen.model, trial.arms, trial.seeds, trial.config, training.options(trial))
    result = compare(*given, trial.jobs, on_run_end=trial.tell)
    return {
        "bbc-starts": start.starts(draws=chosen.draws),
        "bbc-areas": start.areas(),
        "bbc-toy": toy.summary(found),
        "bbc-toy-slopes": toy.trajectories(found),
        "bbc-frozen": toy.frozen(found),
        "bbc-training": training.summary(result, first),
        "bbc-contrasts": contrasts(result, training.ASKED, len(images.test_images), "expected"),
        "bbc-slopes": training.slopes(result, first),
        "bbc-functions": training.functions(trial, images, first),
    }


EXPERIMENT = Experiment("bbc", QUESTION, RECIPE, add, arms, tables, PAPER)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study into `--out`; returns 0, or ends with status 2 for wrong options."""
    return EXPERIMENT.main(argv)


if __name__ == "__main__":
    sys.exit(main())
