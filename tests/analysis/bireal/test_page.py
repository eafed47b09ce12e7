"""docs/bireal.md says what is on record: its tables are those of the results, rounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.tables import RESULTS, read

PAGE = (Path(__file__).parents[3] / "docs" / "bireal.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if "|" in line]


def records(name: str) -> list[dict[str, str]]:
    return list(read(RESULTS / f"{name}.csv").records())


def test_every_contrast_in_its_order() -> None:
    said = [(row[1], row[2]) for row in ROWS if len(row) == 5 and "to" in row[1].split()]
    assert said == [
        (f"{row['difference']} ({row['low']} to {row['high']})", row["smallest detectable"])
        for row in records("bireal-contrasts")
    ]


@pytest.mark.parametrize("name", ["identity-ste", "clipped-ste", "approxsign", "swish-sign", "ede", "dsq"])
def test_cosines_of_an_estimator(name: str) -> None:
    (said,) = (row[2:] for row in ROWS if len(row) == 6 and row[0].startswith(f"`{name}`"))
    own = [row for row in records("bireal-mismatch") if row["estimator"] == name]
    assert [(row["operand"], row["truth"]) for row in own] == [
        (operand, truth) for operand in ("activation", "weight") for truth in ("flips", "noise")
    ]
    bounds = ([f"{float(row[key]):.2f}" for key in ("mean", "low", "high")] for row in own)
    assert said == [f"{mean} ({low} to {high})" for mean, low, high in bounds]


def test_what_eps_does() -> None:
    said = {row[0]: float(row[1]) for row in ROWS if len(row) == 2 and row[0][0].isdigit()}
    assert said == {
        row["weights up to"]: float(f"{float(row['median']):.0e}")
        for row in records("magnitude-equalities")
        if (row["eps"], row["comparison"]) == ("1e-05", "paper - bnn")
    }


@pytest.mark.parametrize("network", ["bireal-18", "bireal-34"])
def test_costs(network: str) -> None:
    (said,) = (row[1:] for row in ROWS if row[0] == f"`{network}`")
    own = {(r["convention"], r["variant"]): r for r in records("cost") if r["network"] == network}
    operations = [int(own["library", name]["operations"]) for name in ("Bi-Real", "XNOR-Net")]
    memory = [float(own[rule, "Bi-Real"]["memory in bits"]) / 1e6 for rule in ("library", "paper")]
    assert said == [*(f"{n:,}" for n in operations), *(f"{m:.2f} Mbit" for m in memory)]


def test_values_of_an_entry() -> None:
    own = [r for r in records("capability-measured") if (r["block"], r["place"]) == ("3", "interior")]
    median = {(row["network"], row["tensor"]): f"{float(row['median']):,.0f}" for row in own}
    plain, before, after = (
        median[key] for key in (("plain", "A_r"), ("bireal", "A_r"), ("bireal", "A_r + shortcut"))
    )
    page = " ".join(PAGE.split())
    assert f"takes {plain} of 289 values without shortcuts" in page
    assert f"with shortcuts {before} before the sum and {after} after it" in page
