"""The command line, `bnn-ref`. Exit status: 0; 1 when a check failed or training diverged; 2 for bad use."""

from __future__ import annotations

import typer

import bnn_ref
from bnn_ref.cli import deployment, examination, page, posing, training

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Binary neural networks, for reference: audit gradients, plot spectra, train, pack, predict.",
)
app.command("list")(examination.list_)
app.command()(examination.show)
app.command()(examination.audit)
app.command()(examination.spectrum)
app.command()(training.train)
app.command()(training.compare)
app.command()(deployment.pack)
app.command()(deployment.predict)
app.command()(deployment.bench)
app.command()(page.report)
app.add_typer(posing.app, name="pose")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bnn-ref {bnn_ref.__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print it."),
) -> None:
    """Binary neural networks, for reference."""


def main() -> None:
    """The console script."""
    app()
