"""Runs side by side, each in a process with one BLAS thread to itself: results do not depend on how many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from joblib import Parallel, delayed, parallel_config

from bnn_ref.checks import require_whole

Result = TypeVar("Result")


def in_processes(
    function: Callable[..., Result], tasks: Iterable[tuple[Any, ...]], jobs: int
) -> Iterator[Result]:
    """function(*task) for every task, in order, at most `jobs` of them at a time.

    Parameters
    ----------
    function : callable
        Of a module: it is sent to other processes, as its arguments are.
    tasks : iterable of tuple
    jobs : int
        Processes at a time, at least 1, else ValueError.

    Notes
    -----
    joblib runs n_jobs=1 in this process, whose BLAS may have several threads (and so other last bits), hence
    two workers at least; `pre_dispatch` keeps no more than `jobs` of them busy.
    """
    require_whole("jobs", jobs, 1)
    return _results(function, tasks, jobs)


def _results(
    function: Callable[..., Result], tasks: Iterable[tuple[Any, ...]], jobs: int
) -> Iterator[Result]:
    with parallel_config(backend="loky", inner_max_num_threads=1):
        pool = Parallel(n_jobs=max(jobs, 2), batch_size=1, pre_dispatch=jobs, return_as="generator")
        yield from pool(delayed(function)(*task) for task in tasks)
