"""Sweeps: the same network with several estimators, each from several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from joblib import Parallel, delayed, parallel_config

from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.models import build
from bnn_ref.train.comparison import Comparison, Run
from bnn_ref.train.config import Config
from bnn_ref.train.fit import fit

FIXED = ("estimator", "parameters", "input_shape", "classes", "seed")
"""Options of `models.build` that a sweep sets itself."""


def compare(
    data: Dataset,
    model: str,
    estimators: Sequence[str],
    seeds: Sequence[int],
    config: Config,
    options: Mapping[str, Any] | None = None,
    jobs: int = 1,
    *,
    reference: str | None = None,
    on_run_end: Callable[[Run], None] | None = None,
) -> Comparison:
    """Train `model` with every estimator from every seed.

    Parameters
    ----------
    data : Dataset
        The test accuracy after the last epoch is what is compared.
    model : str
        A name of `bnn_ref.models.names()`.
    estimators : sequence of str
        Binarizers of the activations: names of the table, or "real" for the full-precision twin.
    seeds : sequence of int
        One seed draws the first weights *and* the order of the images, the same for every estimator: runs of
        one seed are pairs.
    config : Config
        How to train; its own seed is not used.
    options : mapping, optional
        Further options of `models.build`.
    jobs : int
        Processes at a time. The result does not depend on it: each run has a process with one BLAS thread
        to itself, even where `jobs` is 1.
    reference : str, optional
        The estimator that the others are compared with; the first one by default.
    on_run_end : callable, optional
        Called with each `Run` in the order of the result: all seeds of the first estimator, and so on.

    Raises
    ------
    ValueError
        For unknown, repeated or missing names, seeds or options; before any run.
    FloatingPointError
        When a run diverges; names its estimator and seed.
    """
    names, numbers = tuple(estimators), tuple(seeds)
    reference = names[0] if reference is None and names else reference
    settings = dict(options or {})
    _check(names, numbers, settings, jobs, reference)
    common = {**settings, "input_shape": data.shape, "classes": len(data.classes)}
    for name in names:
        build(model, estimator=name, seed=numbers[0], **common)
    tasks = [
        (data, Preprocessing.fit(data), model, name, {**common, "seed": seed}, replace(config, seed=seed))
        for name in names
        for seed in numbers
    ]
    runs = []
    for run in _in_processes(tasks, jobs):
        runs.append(run)
        if on_run_end is not None:
            on_run_end(run)
    return Comparison(data.name, model, settings, config, str(reference), numbers, tuple(runs))


def _in_processes(tasks: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[Run]:
    """The runs in order. joblib runs n_jobs=1 in this process, whose BLAS may have several threads (and so
    other last bits), hence two workers at least; `pre_dispatch` keeps no more than `jobs` of them busy."""
    with parallel_config(backend="loky", inner_max_num_threads=1):
        pool = Parallel(n_jobs=max(jobs, 2), batch_size=1, pre_dispatch=jobs, return_as="generator")
        yield from pool(delayed(_run)(*task) for task in tasks)


def _run(
    data: Dataset,
    preprocessing: Preprocessing,
    model: str,
    estimator: str,
    options: dict[str, Any],
    config: Config,
) -> Run:
    try:
        network = build(model, estimator=estimator, **options)
        return Run(estimator, config.seed, fit(network, data, config, preprocessing))
    except FloatingPointError as error:
        raise FloatingPointError(f"{estimator}, seed {config.seed}: {error}") from error


def _check(
    names: tuple[str, ...],
    seeds: tuple[int, ...],
    options: Mapping[str, Any],
    jobs: int,
    reference: str | None,
) -> None:
    for argument, values in (("estimators", names), ("seeds", seeds)):
        if not values or len(set(values)) < len(values):
            raise ValueError(f"{argument}: required at least one, each once, got {list(values)}")
    for seed in seeds:
        Config(seed=seed)
    if reference not in names:
        raise ValueError(f"reference: required one of {', '.join(names)}; got {reference!r}")
    if taken := sorted(set(options) & set(FIXED)):
        raise ValueError(f"options: required none that a sweep sets itself, got {', '.join(taken)}")
    if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1:
        raise ValueError(f"jobs: required a whole number >= 1, got {jobs!r}")
