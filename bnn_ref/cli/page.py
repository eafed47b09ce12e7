"""`report`: the one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnn_ref import report as reporting
from bnn_ref.cli.common import console, refusing
from bnn_ref.files import destination


@refusing
def report(
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
    data_set: Annotated[str, typer.Option("--data", help="digits, fashion-mnist or mnist.")] = "digits",
    estimators: Annotated[str, typer.Option(help="Names, separated by commas; a default set.")] = ",".join(
        reporting.DEFAULT_ESTIMATORS
    ),
    seeds: Annotated[int, typer.Option(help="Runs of each estimator.")] = 3,
    epochs: Annotated[int, typer.Option(help="Passes over the training images, each run.")] = 8,
    jobs: Annotated[int, typer.Option(help="Processes at a time.")] = 2,
    folder: Annotated[Path | None, typer.Option(help="Where the data set's files are.")] = None,
    limit: Annotated[int | None, typer.Option(help="Use only so many training images.")] = None,
) -> None:
    """Audits, cards, spectra, training comparison and packed inference in one self-contained HTML file."""
    destination(out)
    names = tuple(name.strip() for name in estimators.split(",") if name.strip())
    plan = reporting.Plan(data_set, names, seeds, epochs, jobs, folder, limit)
    with reporting.telling(plan) as tell:
        page = reporting.render(reporting.gather(plan, tell))
    reporting.write(page, out)
    console.print(f"wrote {out}", highlight=False, soft_wrap=True)
