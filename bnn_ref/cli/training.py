"""`train` and `compare`: one network, or many estimators over many seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from bnn_ref import data, models
from bnn_ref import train as training
from bnn_ref.checks import require
from bnn_ref.cli.common import console, print_json, refusing, taking, values
from bnn_ref.files import destination
from bnn_ref.optim import OPTIMIZERS, PROXIMAL

Data = Annotated[str, typer.Option(help="A data set: digits, fashion-mnist, mnist.")]
Folder = Annotated[Path | None, typer.Option(help="Where its files are, if not in the usual places.")]
Model = Annotated[str, typer.Option(help="A network; `bnn-ref list` names them.")]
Options = Annotated[
    list[str] | None, typer.Option("--option", help="NAME=VALUE of the network, as width=64.")
]
Epochs = Annotated[int, typer.Option(help="Passes over the training images.")]
Batch = Annotated[int, typer.Option(help="Images a step.")]
Rate = Annotated[float, typer.Option(help="First step size.")]
Rule = Annotated[str, typer.Option(help=f"One of {', '.join(OPTIMIZERS)}.")]
Step = Annotated[
    str | None,
    typer.Option(help="What takes the step of a proximal optimizer: adam (if none is named) or sgd."),
]
Prox = Annotated[
    str | None,
    typer.Option(
        help="Its proximal map: NAME or NAME:key=value ..., an estimator with such a forward; proxconnect if "
        "none is named."
    ),
]
Harden = Annotated[
    int | None, typer.Option(help="From this epoch on a proximal optimizer keeps weights at their signs.")
]
Often = Annotated[str, typer.Option(help="When schedules of estimators are read: each epoch, or step.")]
Norms = Annotated[
    bool, typer.Option("--reestimate-norms", help="Measure batch norm behind deployed weights for each test.")
]
Plan = Annotated[
    str, typer.Option(help="How the step size falls: constant, step, cosine, linear, decades, bbc.")
]
Own = Annotated[float | None, typer.Option(help="First step size of estimators' own parameters (Adam).")]
OwnPlan = Annotated[str, typer.Option(help="How that falls, as --schedule.")]
PRETRAIN = (
    "Stages before, by commas: NAME or NAME:epochs=4:lr=0.001 ..., in place of the estimator: real-relu, "
    "real-leaky-clip, real (the clip), or a name; weight_estimator=real leaves the weights real. What a "
    "stage does not say is as for the last one."
)
Limit = Annotated[int | None, typer.Option(help="Use only so many training images.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


def learn(
    make: Callable[[], training.Task],
    loss: str,
    out: Annotated[Path, typer.Option(help="The model file to write (.safetensors).")],
    model: Model = "bireal-small",
    estimator: Annotated[
        str,
        typer.Option(
            help="Of the activations; 'real' for full precision (real-relu, real-leaky-clip); 'none'."
        ),
    ] = "approxsign",
    parameter: Annotated[list[str] | None, typer.Option(help="NAME=VALUE of the estimator.")] = None,
    option: Options = None,
    pretrain: Annotated[str, typer.Option(help=PRETRAIN)] = "",
    epochs: Epochs = 10,
    batch_size: Batch = 64,
    lr: Rate = 5e-3,
    optimizer: Rule = "adam",
    schedule: Plan = "cosine",
    rule: Step = None,
    prox: Prox = None,
    harden: Harden = None,
    anneal: Often = "epoch",
    reestimate_norms: Norms = False,
    estimator_lr: Own = None,
    estimator_schedule: OwnPlan = "constant",
    freeze: Annotated[list[str] | None, typer.Option(help="A layer that stays as drawn, as blocks.")] = None,
    seed: Annotated[int, typer.Option(help="Of first weights and shuffling.")] = 0,
    resume: Annotated[Path | None, typer.Option(help="A checkpoint to go on from.")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="Write one after each epoch.")] = None,
    as_json: AsJson = False,
) -> None:
    """Train a network for the task that `make` returns, and write its file: what training commands share."""
    destination(out)
    proximal = {**_proximal(optimizer, rule, prox), "harden": harden}
    often: dict[str, Any] = {"anneal": anneal, "reestimate_norms": reestimate_norms}
    own = {"estimator_lr": estimator_lr, "estimator_schedule": estimator_schedule}
    more: dict[str, Any] = {"seed": seed, "frozen": tuple(freeze or ()), **proximal, **often, **own}
    config = training.Config(epochs, batch_size, optimizer, lr, schedule=schedule, loss=loss, **more)
    task = make()
    common = {"input_shape": task.shape, "classes": len(task.outputs), "seed": seed}
    build = partial(_build, model, common, values(option or ()))
    stages = [_stage(build, config, *stage) for stage in _stages(pretrain)]
    network = build(estimator, parameters=values(parameter or ()))
    stages.append(training.Stage(network, config))
    total = sum(stage.config.epochs for stage in stages)
    files: dict[str, Any] = {"resume": resume, "checkpoint": checkpoint}
    with training.Progress(total) as show:
        *before, last = training.fit_stages(stages, task, on_epoch_end=show, **files)
    known = task.preprocessing, task.outputs, last.history, config, before, task.describe()
    training.save_model(out, network, *known)
    if as_json:
        earlier = [past.to_dict() for past in before]
        print_json({"file": str(out), **last.history.to_dict(), "before": earlier})
        return
    for past in (*before, last):
        console.print(_summary(past), *_gaps(past.history), sep="\n", highlight=False)
    console.print(f"wrote {out}", highlight=False, soft_wrap=True)


@refusing
@taking(learn)
def train(
    data_set: Annotated[str, typer.Option("--data", help="digits, fashion-mnist or mnist.")] = "digits",
    folder: Folder = None,
    limit: Limit = None,
    **recipe: Any,
) -> None:
    """Train a network, in stages if asked to; its file is what `pack`, `predict`, `audit --model` read."""

    def images() -> training.Task:
        found = data.load(data_set, folder)
        return training.Classification(found if limit is None else found.take(limit))

    learn(images, "cross-entropy", **recipe)


def _proximal(optimizer: str, rule: str | None, prox: str | None) -> dict[str, Any]:
    """What is said of a proximal optimizer; another one has no use for it."""
    for name, given in (("rule", rule), ("prox", prox)):
        require(given is None or optimizer in PROXIMAL, name, "a proximal optimizer beside it", optimizer)
    found: dict[str, Any] = {} if rule is None else {"rule": rule}
    if prox is not None:
        name, *parameters = prox.split(":")
        found |= {"prox": name, "prox_parameters": values(parameters)}
    return found


def _build(
    model: str,
    common: dict[str, Any],
    own: dict[str, Any],
    estimator: str,
    instead: Mapping[str, Any] = MappingProxyType({}),
    **more: Any,
) -> models.Model:
    """`instead` takes the place of what `own` says."""
    return models.build(model, estimator=estimator, **common, **{**own, **instead}, **more)


def _stages(text: str) -> list[tuple[str, dict[str, Any]]]:
    """`"real-relu:epochs=4,real"` as what stands in place of sign in each stage, with its own training."""
    parts = [part.strip().split(":") for part in text.split(",") if part.strip()]
    return [(name, values(own)) for name, *own in parts]


BUILT = ("weight_estimator", "scale")
"""What a stage may say of its network; all else that it says is of its training."""


def _stage(
    build: Callable[..., models.Model], config: training.Config, name: str, own: dict[str, Any]
) -> training.Stage:
    """A stage before the last one; what is wrong with it names it."""
    known = [field.name for field in fields(training.Config)] + list(BUILT)
    try:
        unknown = [key for key in own if key not in known]
        require(not unknown, "settings", f"some among {', '.join(known)}", unknown)
        trained = replace(config, **{key: value for key, value in own.items() if key not in BUILT})
        return training.Stage(build(name, {key: own[key] for key in BUILT if key in own}), trained)
    except (TypeError, ValueError) as reason:
        raise ValueError(f"pretrain: {name}: {reason}") from reason


def _summary(past: training.Past) -> str:
    assert past.model is not None  # models.build made it
    history, name = past.history, past.model.options["estimator"]
    seconds = sum(epoch.seconds for epoch in history)
    measured, measure = history[-1].test_accuracy, history[-1].measure
    epochs = "1 epoch" if len(history) == 1 else f"{len(history)} epochs"
    return f"{name}: test {measure} {measured:.2%} after {epochs}, {seconds:.0f} s"


def _gaps(history: training.History) -> list[str]:
    """How far the last weights of training are from the deployed ones, a line a layer where they are."""
    return [
        f"  {name}: deployed weights differ by up to {most:.4f}, {mean:.4f} on average"
        for name, (most, mean) in history[-1].gaps.items()
    ]


@refusing
def compare(
    estimators: Annotated[
        str, typer.Option(help="NAME or NAME:key=value:key=value ..., by commas; the first is the reference.")
    ],
    data_set: Annotated[str, typer.Option("--data", help="digits, fashion-mnist or mnist.")] = "digits",
    model: Model = "bireal-small",
    option: Options = None,
    seeds: Annotated[int, typer.Option(help="How many runs each: seeds 0, 1, 2 ...")] = 3,
    epochs: Epochs = 10,
    batch_size: Batch = 64,
    lr: Rate = 5e-3,
    optimizer: Rule = "adam",
    schedule: Plan = "cosine",
    folder: Folder = None,
    limit: Limit = None,
    jobs: Annotated[int, typer.Option(help="Processes at a time.")] = 2,
    estimator_lr: Own = None,
    estimator_schedule: OwnPlan = "constant",
    as_json: AsJson = False,
) -> None:
    """Train every estimator from every seed: means, spreads, and what so few runs could show.

    Exit status 1 where a run diverged; the others go on.
    """
    if seeds < 1:
        raise ValueError(f"seeds: required at least 1, got {seeds}")
    arms = _arms(estimators)
    own: dict[str, Any] = {"estimator_lr": estimator_lr, "estimator_schedule": estimator_schedule}
    config = training.Config(epochs, batch_size, optimizer, lr, schedule=schedule, **own)
    images = data.load(data_set, folder)
    images = images if limit is None else images.take(limit)
    with training.Progress(len(arms) * seeds) as show:
        result = training.compare(
            images, model, arms, range(seeds), config, values(option or ()), jobs, on_run_end=show
        )
    if as_json:
        print_json(result.to_dict())
    else:
        console.print(_table(result))
        for run in result.diverged:
            console.print(str(run), highlight=False, markup=False, soft_wrap=True)
    if result.diverged:
        raise typer.Exit(1)


def _arms(text: str) -> dict[str, dict[str, Any]]:
    """`"tanh,fda:terms=5"` as arms of a sweep, each labelled by its own text."""
    labels = [label.strip() for label in text.split(",") if label.strip()]
    require(0 < len(set(labels)) == len(labels), "estimators", "at least one, each once", labels)
    return {label: _arm(*label.split(":")) for label in labels}


def _arm(name: str, *parameters: str) -> dict[str, Any]:
    return {"estimator": name, **({"parameters": values(parameters)} if parameters else {})}


def _table(result: training.Comparison) -> Table:
    label = Column("estimator", overflow="fold")  # never cut: it is what was compared
    table = Table(label, "mean %", "deviation", "minus reference", "95 % interval", "could show", box=None)
    gaps = {gap.arm: gap for gap in result.differences}
    for row in result.summaries:
        mean = "diverged" if row.mean is None else _points(row.mean)
        cells = [row.arm, mean, _points(row.deviation)]
        if row.arm in gaps:
            gap = gaps[row.arm]
            interval = "-" if gap.low is None else f"{_points(gap.low)} to {_points(gap.high)}"
            cells += [_points(gap.mean, "+"), interval, _points(gap.smallest)]
        table.add_row(*cells)
    return table


def _points(share: float | None, sign: str = "") -> str:
    return "-" if share is None else f"{100 * share:{sign}.2f}"
