"""`pose evaluate`: found persons against true ones, in COCO's files and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bnn_ref import pose
from bnn_ref.cli.common import print_json, refusing

app = typer.Typer(no_args_is_help=True, help="Human poses: joints of persons in images.")


@app.callback()
def _pose() -> None:
    """Human poses: joints of persons in images."""


@app.command()
@refusing
def evaluate(
    truth: Annotated[Path, typer.Argument(metavar="GT.json", help="Annotations, COCO's keypoint format.")],
    results: Annotated[Path, typer.Argument(metavar="RESULTS.json", help="Results, COCO's keypoint format.")],
    as_json: Annotated[bool, typer.Option("--json", help="The ten numbers by name.")] = False,
) -> None:
    """Average precision and recall of results, as COCO's keypoint evaluation counts them."""
    annotations = pose.read_annotations(truth)
    found = pose.evaluate(annotations, pose.read_results(results, annotations))
    if as_json:
        print_json(found.to_dict())
    else:
        typer.echo(str(found))
