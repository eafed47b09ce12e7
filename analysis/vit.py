"""`python -m analysis.vit`: does a small vision transformer learn through binary weights?

Two arms, chosen beforehand: every matrix of the blocks binary, one scale an output channel; and the same
network with its blocks frozen as they were drawn, so that only embedding, last norm and head are trained.
What the first has more was learned through the binary weights. Two more arms may be asked for.

    python -m analysis.vit --arms binary frozen real both --seeds 3
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

from joblib import Parallel, delayed

from analysis.study import Study, carry_out, out_option
from analysis.tables import Cell, Table
from bnn_ref import data
from bnn_ref.layers import Layer
from bnn_ref.models import NONE, REAL, build
from bnn_ref.packed import PackedModel, load_packed, pack
from bnn_ref.train import Config, fit, predict_classes

QUESTION = "Does a small vision transformer learn through binary weights?"

ARMS: dict[str, dict[str, Any]] = {
    "binary": {"estimator": NONE},
    "frozen": {"estimator": NONE},
    "real": {"estimator": NONE, "weight_estimator": REAL},
    "both": {"estimator": "approxsign"},
}
"""Build options: binary weights; the same, blocks frozen; real weights; weights and activations binary."""

FROZEN = {"frozen": ("blocks",)}
"""What stays as it was drawn, by arm."""


@dataclass(frozen=True)
class Run:
    """One network, trained and packed.

    Attributes
    ----------
    arm : str
    seed : int
    train_accuracy, accuracy : float
        Shares of right answers in the last epoch, and of the test images behind it.
    agreeing : float
        Share of test images to which the packed file gives eval mode's class.
    packed_bytes, real_bytes : int
        Of the packed file's tensors, and of all tensors that eval mode reads as float32.
    minutes, cpu_minutes : float
        That training took, its tests after each epoch included, and what it used of all cores.
    """

    arm: str
    seed: int
    train_accuracy: float
    accuracy: float
    agreeing: float
    packed_bytes: int
    real_bytes: int
    minutes: float
    cpu_minutes: float


def parser() -> argparse.ArgumentParser:
    """The command line; its defaults are the study whose results are committed."""
    made = argparse.ArgumentParser("python -m analysis.vit", description=QUESTION)
    made.add_argument("--data", default="fashion-mnist", choices=data.names(), help="data set")
    made.add_argument("--folder", type=Path, help="where its files are")
    made.add_argument("--limit", type=int, help="use only so many training images")
    made.add_argument(
        "--arms", nargs="+", default=["binary", "frozen"], choices=list(ARMS), help="what to train"
    )
    for name, default, what in (
        ("patch", 7, "side of a patch, in pixels"),
        ("width", 96, "channels of a token"),
        ("depth", 2, "blocks"),
        ("heads", 4, "of each attention"),
        ("ratio", 4, "hidden channels of the MLP over width"),
        ("epochs", 6, "passes over the training images"),
        ("batch-size", 64, "images a step"),
        ("seeds", 1, "runs of each arm"),
        ("jobs", 2, "processes at a time"),
    ):
        made.add_argument(f"--{name}", type=int, default=default, help=what)
    made.add_argument("--lr", type=float, default=1e-3, help="first step size of Adam; it falls by cosine")
    out_option(made)
    return made


def train(images: data.Dataset, options: argparse.Namespace, arm: str, seed: int) -> Run:
    """Build, train, pack, read the packed file again, and ask both for the class of every test image."""
    own = {name: getattr(options, name) for name in ("patch", "width", "depth", "heads", "ratio")} | ARMS[arm]
    classes, preprocessing = len(images.classes), data.Preprocessing.fit(images)
    model = build("vit-tiny", input_shape=images.shape, classes=classes, scale="channel", seed=seed, **own)
    rates = {"lr": options.lr, "seed": seed, "frozen": FROZEN.get(arm, ())}
    config = Config(options.epochs, options.batch_size, **rates)
    wall, cpu = perf_counter(), process_time()
    history = fit(model, images, config, preprocessing, partial(_tell, arm, seed))
    minutes, cpu_minutes = (perf_counter() - wall) / 60, (process_time() - cpu) / 60
    packed = _packed(model, preprocessing)
    answers = predict_classes(model, images.test_images, preprocessing)
    agreeing = float((packed.predict(images.test_images) == answers).mean())
    real_bytes = 4 * sum(value.size for value in model.state_dict().values())
    found = (history[-1].train_accuracy, history[-1].test_accuracy, agreeing)
    return Run(arm, seed, *found, packed.payload_bytes, real_bytes, minutes, cpu_minutes)


def _packed(model: Layer, preprocessing: data.Preprocessing) -> PackedModel:
    """The packed network as its file holds it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "vit.safetensors"
        pack(model, preprocessing).save(path)
        return load_packed(path)


def _tell(arm: str, seed: int, epoch: Any) -> None:
    print(f"{arm}, seed {seed}, epoch {epoch.epoch}: test accuracy {epoch.test_accuracy:.2%}", flush=True)


def accuracies(runs: Sequence[Run]) -> Table:
    """One line a run."""
    columns = (
        "arm",
        "seed",
        "train accuracy",
        "test accuracy",
        "packed agrees",
        "packed bytes",
        "float32 bytes",
    )
    rows: list[list[Cell]] = [
        [
            *(run.arm, run.seed, _percent(run.train_accuracy), _percent(run.accuracy)),
            *(_percent(run.agreeing), run.packed_bytes, run.real_bytes),
        ]
        for run in runs
    ]
    return Table.of(columns, rows)


def times(runs: Sequence[Run]) -> Table:
    """One line a run; other work on the machine lengthens the first number."""
    rows: list[list[Cell]] = [
        [run.arm, run.seed, f"{run.minutes:.1f}", f"{run.cpu_minutes:.1f}"] for run in runs
    ]
    return Table.of(("arm", "seed", "minutes", "minutes of one core"), rows)


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


def tables(options: argparse.Namespace) -> Mapping[str, Table]:
    """Every table of this study by name."""
    images = data.load(options.data, options.folder)
    images = images if options.limit is None else images.take(options.limit)
    asked = [(arm, seed) for seed in range(options.seeds) for arm in options.arms]
    runs = Parallel(options.jobs)(delayed(train)(images, options, arm, seed) for arm, seed in asked)
    return {"vit-accuracy": accuracies(runs), "vit-time": times(runs)}


def settings(options: argparse.Namespace) -> str:
    """What of the command line decides the numbers, defaults spelled out."""
    skipped = ("folder", "jobs", "out")
    given = {name.replace("_", "-"): v for name, v in vars(options).items() if name not in skipped}
    words = {name: " ".join(v) if isinstance(v, list) else v for name, v in given.items()}
    return " ".join(f"--{name} {value}" for name, value in words.items() if value is not None)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study into `--out`; returns 0, or 2 for wrong options."""
    made = parser()
    options = made.parse_args(argv)
    try:
        study = Study(
            "vit", QUESTION, partial(tables, options), tuple(range(options.seeds)), settings(options)
        )
        carry_out(study, options.out)
    except ValueError as reason:
        made.error(str(reason))
    return 0


if __name__ == "__main__":
    sys.exit(main())
