"""`python -m analysis.fda`: does each part of FDA-BNN help, and what does its number of terms cost?

Defaults take minutes on the embedded digits and show what code and questions are; with few runs of a small
network most differences are below what they could show, and the tables say so. Full size is a matter of
arguments:

    python -m analysis.fda --data fashion-mnist --width 16 --epochs 400 --batch-size 128 --optimizer sgd
        --lr 0.1 --weight-decay 1e-4 --seeds 5
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence

from analysis.contrasts import contrasts
from analysis.experiment import Arms, Experiment, Trial
from analysis.fda import panels, speed, training
from analysis.tables import Table
from bnn_ref.models import SCALES
from bnn_ref.train import Config, compare

QUESTION = "Does each part of FDA-BNN help, and what does its number of terms cost?"

RECIPE = Config(6, 64, "adam", 0.01, clip=None)
"""The step size falls by cosine. The paper's SGD at 0.1 is no default here: slopes of estimators differ
tenfold, and with so few steps Adam lets one step size serve them all."""

PAPER = {
    "epochs": "400",
    "batch_size": "128",
    "optimizer": "sgd",
    "lr": "0.1 with sgd",
    "weight_decay": "1e-4",
}


def add(made: ArgumentParser) -> None:
    """The options of the network and of the numbers of terms."""
    made.add_argument("--model", default="resnet-20", choices=("resnet-20", "vgg-small"), help="network")
    made.add_argument("--width", type=int, default=8, help="its first channels; 16 and 128 in the paper")
    made.add_argument("--scale", default="tensor", choices=list(SCALES), help="of binary weights")
    sweep = training.Sweep()
    for name, what in (("terms", "N all along"), ("from-one", "N growing from 1"), ("from-nine", "from 9")):
        given = {"terms": sweep.fixed, "from-one": sweep.from_one, "from-nine": sweep.from_nine}[name]
        made.add_argument(f"--{name}", type=int, nargs="*", default=list(given), help=what)


def swept(options: Namespace) -> training.Sweep:
    """The numbers of terms that the command line asks for."""
    return training.Sweep(tuple(options.terms), tuple(options.from_one), tuple(options.from_nine))


def arms(options: Namespace) -> Arms:
    """The build options of every arm."""
    return swept(options).arms()


def tables(trial: Trial) -> Mapping[str, Table]:
    """Every table of this study by name."""
    images, sweep, options = trial.images(), swept(trial.options), trial.options
    shared = {"width": options.width, "scale": options.scale}
    given = (images, options.model, trial.arms, trial.seeds, trial.config, shared, trial.jobs)
    result = compare(*given, on_run_end=trial.tell)
    return {
        "fda-functions": panels.functions(),
        "fda-dft": panels.dft(),
        "fda-arms": training.arms(result),
        "fda-contrasts": contrasts(result, training.CONTRASTS, len(images.test_images)),
        "fda-terms": training.terms(result, sweep),
        "fda-schedules": training.schedules(result, sweep),
        "fda-time": speed.times(),
    }


EXPERIMENT = Experiment("fda", QUESTION, RECIPE, add, arms, tables, PAPER)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study into `--out`; returns 0, or ends with status 2 for wrong options."""
    return EXPERIMENT.main(argv)


if __name__ == "__main__":
    sys.exit(main())
