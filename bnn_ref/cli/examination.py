"""`list`, `show`, `audit`, `spectrum`: what is there, what it is, and whether it is right."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.table import Table

import bnn_ref
from bnn_ref import auditing, data, estimators, models, plot, spectra
from bnn_ref.checks import require
from bnn_ref.cli.common import console, print_json, refusing, values
from bnn_ref.cost import CONVENTIONS
from bnn_ref.layers import SoftmaxCrossEntropy
from bnn_ref.papers import PAPERS
from bnn_ref.train import load_model

Names = Annotated[list[str] | None, typer.Argument(help="Names of the estimator table.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable.")]


@refusing
def list_(as_json: AsJson = False) -> None:
    """The estimators, models and data sets."""
    rows = {name: estimators.entry(name) for name in estimators.names()}
    if as_json:
        lines = [{"name": n, "paper": e.paper, "about": e.about} for n, e in rows.items()]
        sources = {one: models.source(one) for one in models.names()}
        print_json({"estimators": lines, "models": models.names(), "sources": sources, "data": data.names()})
        return
    table = Table("estimator", "what it does", "source", box=None, title_justify="left")
    for name, line in rows.items():
        table.add_row(name, line.about, f"{line.paper}")
    console.print(table)
    networks = Table("model", "source", box=None)
    for one in models.names():
        networks.add_row(one, models.source(one))
    console.print("", networks, f"\ndata: {', '.join(data.names())}", sep="\n")


@refusing
def show(
    name: Annotated[str | None, typer.Argument(help="An estimator.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every estimator of the table.")] = False,
    model: Annotated[str | None, typer.Option(help="A model instead: its costs, layer by layer.")] = None,
    size: Annotated[str | None, typer.Option(help="Input of that model, HxWxC; 28x28x1.")] = None,
    convention: Annotated[
        str | None, typer.Option(help=f"What counts as its memory: {', '.join(CONVENTIONS)}.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The model's costs, machine-readable.")] = False,
    option: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, of estimator or model.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the cards, as PNG.")] = None,
) -> None:
    """An estimator's card: formula, parameters, source, picture. Or a model's costs, layer by layer."""
    if sum((name is not None, every, model is not None)) != 1:
        raise ValueError("show: required one estimator's name, --all, or --model NAME")
    if model is not None:
        require(out is None, "out", "no folder with --model, which has no card", out)
        _show_model(model, size, convention, values(option or ()), as_json)
        return
    for given, value in (("size", size), ("convention", convention), ("json", as_json)):
        require(value is None or value is False, given, "--model NAME beside it", value)
    for one in estimators.names() if every else [str(name)]:
        _show(one, values(option or ()) if not every else {}, out)


def _show(name: str, parameters: dict[str, Any], out: Path | None) -> None:
    binarizer, line = estimators.get(name, **parameters), estimators.entry(name)
    console.print(f"[bold]{binarizer.name}[/bold]: {line.about}")
    console.print(f"  {PAPERS[line.paper]} {PAPERS[line.paper].link}", highlight=False)
    for text in (line.make.__doc__ or "").splitlines():
        console.print(f"  {text.strip()}", highlight=False, markup=False)
    console.print(f"  {binarizer.surrogate}\n", markup=False)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        console.print(f"  card: {plot.save(plot.card(binarizer), out / f'{binarizer.name}.png')}")


def _show_model(
    name: str, size: str | None, convention: str | None, options: dict[str, Any], as_json: bool
) -> None:
    shape = (28, 28, 1) if size is None else _shape(size)
    built = models.build(name, input_shape=shape, **options)
    found = bnn_ref.cost(built, (1, *shape), "library" if convention is None else convention)
    if as_json:
        about = {"model": name, "source": models.source(name), "input_shape": list(shape)}
        print_json({**about, **found.to_dict()})
    else:
        console.print(f"{name}: {models.source(name)}", highlight=False, soft_wrap=True)
        # a terminal folds the table to its width; whoever reads a pipe has room for whole lines
        console.print(found if console.is_terminal else str(found), soft_wrap=not console.is_terminal)


def _shape(text: str) -> tuple[int, int, int]:
    parts = text.split("x")
    if len(parts) != 3 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise ValueError(f"size: required HxWxC, three whole numbers >= 1, got {text!r}")
    h, w, c = map(int, parts)
    return h, w, c


@refusing
def audit(
    names: Names = None,
    every: Annotated[bool, typer.Option("--all", help="Every estimator of the table.")] = False,
    model: Annotated[str | None, typer.Option(help="A model's name, or a file that `train` wrote.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, of the estimator or model.")] = None,
    as_json: AsJson = False,
) -> None:
    """Audit estimators (alone and inside a residual network) or a whole model; exit status 1 on failure.

    Of an estimator it also says whether its forward F and backward B decompose through a proximal map P, as
    F = T(P) and B = T'(P). That is no failure: it says which theory covers the pair.
    """
    if not names and not every and model is None:
        raise ValueError("audit: required names of estimators, --all, or --model NAME")
    found: list[tuple[auditing.Report, dict[str, Any]]] = []
    if model is not None:
        found.append((_audit_model(model, values(option or ())), {}))
    for name in estimators.names() if every else names or ():
        binarizer = estimators.get(name, **({} if every or model else values(option or ())))
        found.append((auditing.audit(binarizer), {"criterion": auditing.judge(binarizer)}))
        found.append((auditing.audit_estimator_in_network(binarizer), {}))
    if as_json:
        print_json([report.to_dict() | more for report, more in found])
    else:
        for report, more in found:
            lines = [str(report), *(f"  {name} {said['verdict']}" for name, said in more.items())]
            console.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
        passed = sum(report.passed for report, _ in found)
        console.print(
            f"{passed} of {len(found)} audits passed", style="green" if passed == len(found) else "red"
        )
    if not all(report.passed for report, _ in found):
        raise typer.Exit(1)


def _audit_model(name: str, options: dict[str, Any]) -> auditing.Report:
    """A network with cross-entropy on a small random batch; a trained file is audited at its own weights."""
    trained = Path(name).suffix != "" or Path(name).exists()
    built = load_model(name).model if trained else models.build(name, **{"input_shape": [8, 8, 1], **options})
    rng = np.random.default_rng(0)
    h, w, c = built.spec.input_shape
    images = rng.normal(size=(4, h, w, c))
    labels = rng.integers(0, built.spec.options["classes"], 4)
    return auditing.audit_model(built, SoftmaxCrossEntropy(), images, labels, name=name)


@refusing
def spectrum(
    name: Annotated[str, typer.Argument(help="An estimator.")],
    option: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, a parameter.")] = None,
    period: Annotated[float | None, typer.Option(help="Compare with the square wave on this period.")] = None,
    as_json: AsJson = False,
    out: Annotated[Path | None, typer.Option(help="A picture of |H|, .png or .svg.")] = None,
) -> None:
    """H(w), the filter through which an estimator sees sign; its lines and errors on a period."""
    found = spectra.spectrum(estimators.get(name, **values(option or ())), period)
    if out is not None:
        plot.save(plot.spectra([name]), out)
    if as_json:
        print_json(found.to_dict())
        return
    table = Table("w (rad / unit of x)", "H(w)", box=None)
    try:
        for w in (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0):
            table.add_row(f"{w:g}", f"{found.gain(w):.9f}")
        console.print(table)
    except ValueError as reason:
        console.print(str(reason), highlight=False, markup=False)
    for line in found.lines[:20]:
        console.print(
            f"harmonic {line.harmonic}: b = {line.coefficient:.9f}, {line.ratio:.6f} of the square wave's"
        )
    error = found.energy_error()
    console.print(f"energy error on the period {found.period:.6g}: {error.value:.9g}", highlight=False)
