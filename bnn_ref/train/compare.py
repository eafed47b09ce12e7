"""Sweeps: the same network built with different options, each time from several seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bnn_ref.checks import require, require_whole
from bnn_ref.data import Dataset
from bnn_ref.models import build
from bnn_ref.train.comparison import Comparison, Run
from bnn_ref.train.config import Config
from bnn_ref.train.fit import fit
from bnn_ref.train.history import Epoch, History
from bnn_ref.train.processes import in_processes
from bnn_ref.train.task import Task, as_task

FIXED = ("name", "input_shape", "classes", "seed")
"""Arguments of `models.build` that a sweep sets itself."""


def compare(
    data: Dataset | Task,
    model: str,
    arms: Sequence[str] | Mapping[str, Mapping[str, Any]],
    seeds: Sequence[int],
    config: Config,
    options: Mapping[str, Any] | None = None,
    jobs: int = 1,
    *,
    reference: str | None = None,
    on_run_end: Callable[[Run], None] | None = None,
) -> Comparison:
    """Train every arm of `model` from every seed.

    Parameters
    ----------
    data : Dataset or Task
        As in `fit`; the test accuracy (of poses: AP) after the last epoch is what is compared.
    model : str
        A name of `bnn_ref.models.names()`.
    arms : mapping of str to mapping, or sequence of str
        Options of `models.build` by label: what distinguishes the arms. A name in a sequence stands for
        {"estimator": name}, under that label.
    seeds : sequence of int
        One seed draws the first weights *and* the order of the images, the same for every arm: runs of
        one seed are pairs.
    config : Config
        How to train; its own seed is not used.
    options : mapping, optional
        Options of `models.build` for all arms; an arm's own ones override them.
    jobs : int
        Processes at a time. The result does not depend on it: each run has a process with one BLAS thread
        to itself, even where `jobs` is 1.
    reference : str, optional
        Label of the arm that the others are compared with; the first one by default.
    on_run_end : callable, optional
        Called with each `Run` in the order of the result: all seeds of the first arm, and so on.

    Returns
    -------
    Comparison
        A run that diverges ends alone: the others go on, and its arm has no mean.

    Raises
    ------
    ValueError
        For unknown, repeated or missing arms, seeds or options; before any run.
    """
    variants, numbers, shared = _labelled(arms), tuple(seeds), dict(options or {})
    reference = next(iter(variants)) if reference is None else reference
    _check(variants, numbers, shared, jobs, reference)
    task = as_task(data)
    given = {"input_shape": task.shape, "classes": len(task.outputs)}
    complete = {label: {**shared, **own, **given} for label, own in variants.items()}
    for label, arm in complete.items():
        _try(model, label, {**arm, "seed": numbers[0]})
    tasks = [
        (task, model, label, {**arm, "seed": seed}, replace(config, seed=seed))
        for label, arm in complete.items()
        for seed in numbers
    ]
    runs = []
    for run in in_processes(_run, tasks, jobs):
        runs.append(run)
        if on_run_end is not None:
            on_run_end(run)
    return Comparison(task.name, model, variants, shared, config, reference, numbers, tuple(runs))


def _run(task: Task, model: str, label: str, options: dict[str, Any], config: Config) -> Run:
    epochs: list[Epoch] = []
    try:
        history = fit(build(model, **options), task, config, on_epoch_end=epochs.append)
    except FloatingPointError as reason:
        return Run(label, config.seed, History(tuple(epochs)), str(reason))
    return Run(label, config.seed, history)


def _try(model: str, label: str, options: dict[str, Any]) -> None:
    """Build an arm once: whatever is wrong with it ends the sweep before its first run."""
    try:
        build(model, **options)
    except (TypeError, ValueError) as error:
        raise ValueError(f"arm {label!r}: {error}") from error


def _labelled(arms: Sequence[str] | Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The options of every arm, by its label."""
    labels = [arms] if isinstance(arms, str) else list(arms)
    names = not isinstance(arms, str) and all(isinstance(label, str) for label in labels)
    wanted = "at least one, each once: names, or a mapping from labels to options"
    require(names and 0 < len(set(labels)) == len(labels), "arms", wanted, labels)
    if not isinstance(arms, Mapping):
        return {name: {"estimator": name} for name in labels}
    for label, own in arms.items():
        require(isinstance(own, Mapping), f"arm {label!r}", "a mapping of build options", own)
    return {label: dict(own) for label, own in arms.items()}


def _check(
    arms: Mapping[str, Mapping[str, Any]],
    seeds: tuple[int, ...],
    options: Mapping[str, Any],
    jobs: int,
    reference: str,
) -> None:
    require(0 < len(set(seeds)) == len(seeds), "seeds", "at least one, each once", list(seeds))
    for seed in seeds:
        Config(seed=seed)
    require(reference in arms, "reference", f"one of {', '.join(arms)}", reference)
    for where, given in {
        "options": options,
        **{f"arm {label!r}": own for label, own in arms.items()},
    }.items():
        taken = [key for key in given if key in FIXED]
        require(not taken, where, "none that a sweep sets itself", taken)
    require_whole("jobs", jobs, 1)
