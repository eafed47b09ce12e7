"""The bar counts what it is called with, on the console it is given."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

from rich.console import Console

from bnn_ref import models
from bnn_ref.data import Dataset
from bnn_ref.train import Config, Progress, Run, fit


def test_it_ends_full_with_the_last_line(few: Dataset, tiny: Callable[..., models.Model]) -> None:
    text = StringIO()
    console = Console(file=text, force_terminal=True, width=120, color_system=None)
    with Progress(2, console) as show:
        history = fit(tiny(), few, Config(epochs=2, batch_size=43), on_epoch_end=show)
    last = text.getvalue().rpartition("\r")[-1]  # a terminal goes back to overwrite the bar
    assert "2/2" in last
    assert str(history[-1]) in last


def test_runs_count_too(few: Dataset, tiny: Callable[..., models.Model]) -> None:
    text = StringIO()
    run = Run("tanh [both]", 3, fit(tiny(), few, Config(epochs=1, batch_size=43)))
    with Progress(4, Console(file=text, force_terminal=True, width=120, color_system=None)) as show:
        show(run)
    assert "1/4" in text.getvalue()
    assert f"tanh [both], seed 3: test accuracy {run.accuracy:.1%}" in text.getvalue()
