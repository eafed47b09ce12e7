"""Which claims hold? The ledger of what the papers claim, ruled on by computation.

python -m analysis.claims             # every verdict; exit status 1 if one is not the recorded one
python -m analysis.claims --accept    # record them as they are now
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Printed
from rich.text import Text

from analysis.ledger import LEDGER, SEEDS
from analysis.ledger.claim import EVIDENCE, FAILS, HOLDS, UNTESTED, Claim, Ruling
from analysis.study import Study, out_option
from analysis.tables import RESULTS, Table, read
from bnn_ref.papers import PAPERS

COLUMNS = ("key", "paper", "source", "evidence", "statement", "verdict", "number", "what it is", "where")
STYLES = {HOLDS: "green", FAILS: "bold red", UNTESTED: "dim"}
LAYOUT: dict[str, dict[str, Any]] = {
    "": {"width": 2},
    "claim": {"ratio": 5},
    "verdict": {"width": 8},
    "number": {"width": 11, "justify": "right"},
    "what it is": {"ratio": 4},
}


def rule_all(ledger: Iterable[Claim] = LEDGER) -> tuple[Ruling, ...]:
    """Put every claim to the test."""
    return tuple(claim.rule() for claim in ledger)


def table(rulings: Iterable[Ruling]) -> Table:
    """The ledger as rows of text."""
    return Table.of(COLUMNS, [_row(ruling) for ruling in rulings])


def _row(ruling: Ruling) -> tuple[str | float, ...]:
    claim = ruling.claim
    who = (claim.key, claim.paper, claim.source, claim.evidence, claim.statement)
    return *who, ruling.verdict, ruling.number, ruling.means, claim.where


def tables() -> Mapping[str, Table]:
    """The one table of this study."""
    return {"claims": table(rule_all())}


def changed(new: Table, recorded: Table) -> list[str]:
    """What differs between two ledgers: "key: was holds, is fails" for claims that both have."""
    old = dict(zip(recorded.column("key"), recorded.column("verdict"), strict=True))
    pairs = zip(new.column("key"), new.column("verdict"), strict=True)
    return [
        f"{key}: was {old[key]}, is {verdict}" for key, verdict in pairs if old.get(key, verdict) != verdict
    ]


def show(rulings: Sequence[Ruling], console: Console) -> None:
    """Print a table a paper, then what the letters mean and how many of each verdict there are."""
    for key, group in groupby(rulings, lambda ruling: ruling.claim.paper):
        paper = PAPERS[key]
        console.print(_printed(f"{key}: {paper.title} ({paper.venue} {paper.year})", group))
    console.print("\n".join(f"{letter:>3}  {meaning}" for letter, meaning in EVIDENCE.items()))
    counts = Counter(ruling.verdict for ruling in rulings)
    console.print(f"{counts[HOLDS]} hold, {counts[FAILS]} fail, {counts[UNTESTED]} cannot be tested here")


def _printed(title: str, rulings: Iterable[Ruling]) -> Printed:
    shown = Printed(title=Text(title, "bold"), title_justify="left", expand=True, box=SIMPLE_HEAD)
    for name, options in LAYOUT.items():
        shown.add_column(name, **options)
    for ruling in rulings:
        verdict = Text("untested" if ruling.verdict == UNTESTED else ruling.verdict, STYLES[ruling.verdict])
        number = "" if math.isnan(ruling.number) else f"{round(ruling.number, 12) + 0.0:.5g}"
        letter, statement = Text(ruling.claim.evidence), Text(ruling.claim.statement)
        shown.add_row(letter, statement, verdict, number, Text(ruling.means))
    return shown


STUDY = Study("claims", "Which claims of the papers hold, fail, or cannot be tested here?", tables, SEEDS)


def settle(new: Table, folder: Path, accept: bool, recorded: Path = RESULTS / "claims.csv") -> list[str]:
    """Save the table in `folder`; return what changed. Changes leave the recorded file as it is."""
    differences = changed(new, read(recorded)) if recorded.is_file() else []
    if accept or not differences or folder.resolve() != recorded.parent.resolve():
        STUDY.save({"claims": new}, folder)
    return [] if accept else differences


def main(argv: Sequence[str] | None = None) -> int:
    """The command line: print the ledger, save it; 1 if a verdict is not the recorded one."""
    parser = argparse.ArgumentParser("python -m analysis.claims", description=STUDY.question)
    out_option(parser)
    parser.add_argument("--accept", action="store_true", help="record verdicts that have changed")
    options = parser.parse_args(argv)
    rulings = rule_all()
    console = Console()
    show(rulings, console)
    differences = settle(table(rulings), options.out, options.accept)
    for difference in differences:
        console.print(Text(f"changed: {difference}", "bold red"))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
