"""`python -m analysis.predictors`: is a small error to sign what predicts accuracy?

Two times the same estimators: once for activations, weights learning from the clipped STE; once for weights,
activations learning from ApproxSign. After every epoch each estimator is measured on the tensors of its own
network. Full size is a matter of arguments:

    python -m analysis.predictors --data cifar10 --width 16 --epochs 120 --batch-size 256 --seeds 5
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence

from analysis.experiment import Arms, Experiment, Trial
from analysis.predictors import training
from analysis.predictors.subsets import subsets
from analysis.tables import Table
from bnn_ref.models import SCALES
from bnn_ref.train import Config

QUESTION = "Is a small error to sign what predicts accuracy?"

RECIPE = Config(4, 64, "adam", 0.01, clip=None, estimator_lr=1e-3)
"""What estimators train themselves has the step size of BBC's released code; no other arm trains any."""


def add(made: ArgumentParser) -> None:
    """The options of the network."""
    made.add_argument("--model", default="resnet-20", choices=("resnet-20", "vgg-small"), help="network")
    made.add_argument("--width", type=int, default=8, help="its first channels")
    made.add_argument("--scale", default="channel", choices=list(SCALES), help="of binary weights")
    made.add_argument("--probed", type=int, default=64, help="images that the measures are taken on")


def arms(_options: Namespace) -> Arms:
    """The build options of every arm."""
    return training.arms()


def tables(trial: Trial) -> Mapping[str, Table]:
    """Every table of this study by name."""
    options = trial.options
    shared = {"width": options.width, "scale": options.scale}
    work = training.Work(trial.images(), options.model, shared, trial.config, options.probed)
    result, found = training.train(work, trial.arms, trial.seeds, trial.jobs, trial.tell)
    estimators = training.by_estimator(result, found)
    return {
        "predictors-estimators": estimators,
        "predictors-rankings": training.rankings(result, found),
        "predictors-subsets": subsets(estimators),
    }


EXPERIMENT = Experiment("predictors", QUESTION, RECIPE, add, arms, tables)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study into `--out`; returns 0, or ends with status 2 for wrong options."""
    return EXPERIMENT.main(argv)


if __name__ == "__main__":
    sys.exit(main())
