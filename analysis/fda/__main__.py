"""`python -m analysis.fda`: does each part of FDA-BNN help, and what does its number of terms cost?

Defaults take minutes on the embedded digits and show what code and questions are; with few runs of a small
network most differences are below what they could show, and the tables say so. Full size is a matter of
arguments:

    python -m analysis.fda --data fashion-mnist --width 16 --epochs 400 --batch-size 128 --optimizer sgd
        --lr 0.1 --weight-decay 1e-4 --seeds 5
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from analysis.fda import panels, speed, training
from analysis.study import Study, carry_out, out_option
from analysis.tables import Table
from bnn_ref import data
from bnn_ref.optim import OPTIMIZERS
from bnn_ref.train import Comparison, Config, Run, compare

QUESTION = "Does each part of FDA-BNN help, and what does its number of terms cost?"


def parser() -> argparse.ArgumentParser:
    """The command line; its defaults are the small study."""
    made = argparse.ArgumentParser("python -m analysis.fda", description=QUESTION)
    made.add_argument("--data", default="digits", choices=data.names(), help="data set")
    made.add_argument("--folder", type=Path, help="where its files are")
    made.add_argument("--limit", type=int, help="use only so many training images")
    made.add_argument(
        "--width", type=int, default=8, help="channels of ResNet-20's first stage; 16 in the paper"
    )
    made.add_argument("--epochs", type=int, default=6, help="400 in the paper")
    made.add_argument("--batch-size", type=int, default=64, help="128 in the paper")
    made.add_argument("--optimizer", default="adam", choices=list(OPTIMIZERS), help="sgd in the paper")
    made.add_argument("--lr", type=float, default=0.01, help="first step size; 0.1 with the paper's sgd")
    made.add_argument("--weight-decay", type=float, default=0.0, help="1e-4 in the paper")
    made.add_argument("--seeds", type=int, default=3, help="runs of each arm")
    made.add_argument("--jobs", type=int, default=2, help="processes at a time")
    out_option(made)
    return made


def train_arms(images: data.Dataset, options: argparse.Namespace, tell: Callable[[Run], None]) -> Comparison:
    """ResNet-20 with every arm from every seed; the step size falls by cosine.

    The paper's SGD at 0.1 is no default here: slopes of estimators differ tenfold, and with so few steps Adam
    lets one step size serve them all.
    """
    config = Config(
        options.epochs,
        options.batch_size,
        options.optimizer,
        options.lr,
        weight_decay=options.weight_decay,
        clip=None,
    )
    shared = {"width": options.width, "scale": "tensor"}
    arms, seeds = training.ARMS, range(options.seeds)
    return compare(images, "resnet-20", arms, seeds, config, shared, options.jobs, on_run_end=tell)


def tables(options: argparse.Namespace, tell: Callable[[Run], None]) -> Mapping[str, Table]:
    """Every table of this study by name."""
    images = data.load(options.data, options.folder)
    images = images if options.limit is None else images.take(options.limit)
    result = train_arms(images, options, tell)
    return {
        "fda-functions": panels.functions(),
        "fda-dft": panels.dft(),
        "fda-arms": training.arms(result),
        "fda-contrasts": training.contrasts(result, len(images.test_images)),
        "fda-terms": training.terms(result),
        "fda-schedules": training.schedules(result),
        "fda-time": speed.times(),
    }


def settings(options: argparse.Namespace) -> str:
    """What of the command line decides the numbers, defaults spelled out."""
    names = ("data", "limit", "width", "epochs", "batch_size", "optimizer", "lr", "weight_decay", "seeds")
    given = {name.replace("_", "-"): getattr(options, name) for name in names}
    return " ".join(f"--{name} {value}" for name, value in given.items() if value is not None)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study into `--out`; returns 0, or 2 for wrong options."""
    made = parser()
    options = made.parse_args(argv)
    done: list[Run] = []

    def tell(run: Run) -> None:
        done.append(run)
        print(f"{len(done)} of {len(training.ARMS) * options.seeds}: {run}", flush=True)

    seeds, given = tuple(range(options.seeds)), settings(options)
    try:
        carry_out(Study("fda", QUESTION, partial(tables, options, tell), seeds, given), options.out)
    except ValueError as reason:
        made.error(str(reason))
    return 0


if __name__ == "__main__":
    sys.exit(main())
