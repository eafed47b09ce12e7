"""What a study is, and how one is run from the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import scipy

import bnn_ref
from analysis.tables import RESULTS, Table, write


@dataclass(frozen=True)
class Study:
    """One question and how it is answered.

    Attributes
    ----------
    name : str
        `python -m analysis.NAME` runs it.
    question : str
        One sentence.
    tables : callable
        Computes the answer: tables by the name of their file (without `.csv`).
    seeds : tuple of int
        Every seed drawn from.
    arguments : str
        What the command was given, where it takes more than a folder.
    """

    name: str
    question: str
    tables: Callable[[], Mapping[str, Table]]
    seeds: tuple[int, ...] = ()
    arguments: str = ""

    def header(self) -> list[str]:
        """The comment lines of its results: no date, so that a rerun writes the same file."""
        seeds = ", ".join(map(str, self.seeds)) or "none drawn"
        versions = {"bnn_ref": bnn_ref, "numpy": numpy, "scipy": scipy}
        return [
            f"question: {self.question}",
            f"command: python -m analysis.{self.name} {self.arguments}".rstrip(),
            f"seeds: {seeds}",
            "versions: " + ", ".join(f"{name} {module.__version__}" for name, module in versions.items()),
        ]

    def save(self, tables: Mapping[str, Table], folder: Path) -> None:
        """Write the tables into `folder`, which is made if it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            write(folder / f"{name}.csv", table, self.header())


def run(study: Study, argv: Sequence[str] | None = None) -> int:
    """The command line of one study: `--out FOLDER`. Returns the exit status, 0."""
    parser = argparse.ArgumentParser(f"python -m analysis.{study.name}", description=study.question)
    out_option(parser)
    carry_out(study, parser.parse_args(argv).out)
    return 0


def carry_out(study: Study, folder: Path) -> None:
    """Answer the question, save the tables in `folder` and say which."""
    tables = study.tables()
    study.save(tables, folder)
    print(f"{study.name}: {study.question}")
    for name, table in tables.items():
        print(f"  {name}.csv, {len(table.rows)} rows")


def out_option(parser: argparse.ArgumentParser) -> None:
    """`--out FOLDER`, by default where the committed results are."""
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FOLDER", help="folder of the results")
