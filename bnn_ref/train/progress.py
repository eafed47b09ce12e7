"""A progress bar on the terminal, for those who ask for one: nothing else in this package prints."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich import progress
from rich.console import Console

from bnn_ref.train.comparison import Run
from bnn_ref.train.history import Epoch


class Progress:
    """A bar that moves by one for each epoch (or run) that it is called with.

    >>> with Progress(config.epochs) as show:                               # doctest: +SKIP
    ...     fit(model, dataset, config, on_epoch_end=show)

    Parameters
    ----------
    total : int
        Epochs, or runs, until it is full.
    console : rich.console.Console, optional
        Standard error by default, so that standard output stays readable for programs.
    """

    def __init__(self, total: int, console: Console | None = None) -> None:
        columns = (progress.BarColumn(), progress.MofNCompleteColumn(), progress.TimeRemainingColumn())
        self._bar = progress.Progress(
            *columns,
            progress.TextColumn("{task.description}", markup=False),
            console=Console(stderr=True) if console is None else console,
        )
        self._task = self._bar.add_task("", total=total)

    def __call__(self, done: Epoch | Run) -> None:
        """One more is done; its one-line summary stands beside the bar."""
        self._bar.update(self._task, advance=1, description=str(done))

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
