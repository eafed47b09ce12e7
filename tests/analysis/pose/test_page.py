"""docs/pose.md says what is on record: its tables are those of the results, rounded."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest

from analysis.tables import RESULTS, read

PAGE = (Path(__file__).parents[3] / "docs" / "pose.md").read_text()
WORDS = " ".join(PAGE.split())
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if "|" in line]


def rounded(numbers: str) -> list[str]:
    return [f"{float(number) + 1e-9:.1f}" for number in numbers.split()]


@pytest.mark.parametrize(
    ("stem", "epochs", "figures"),
    [
        ("pose-reached", 28, 4000),
        ("pose-reached-ApproxSign", 13, 12000),
        ("pose-reached-full-precision", 13, 12000),
    ],
)
def test_what_is_reached(stem: str, epochs: int, figures: int) -> None:
    path = RESULTS / f"{stem}.csv"
    assert f"--figures {figures} " in path.read_text()
    assert f"--epochs {epochs} " in path.read_text()
    for row in read(path).records():
        (said,) = (cells[1:] for cells in ROWS if cells[0] == f"{row['arm']}, {epochs} epochs of {figures:,}")
        near = f"{float(row['joints near, in training']):.0f} %"
        minutes = f"{float(row['longest run, minutes']):.0f}"
        assert said == [*rounded(row["mean"]), f"{float(row['wanted']):.0f}", near, minutes]


def test_every_arm_in_its_order() -> None:
    both = [read(RESULTS / f"pose-arms{suffix}.csv").records() for suffix in ("", "-bhrnet")]
    said = [cells for cells in ROWS if len(cells) == 5 and cells[0] in {row["arm"] for row in both[0]}]
    wanted = []
    for rows in zip(*both, strict=True):
        assert len({row["arm"] for row in rows}) == 1
        cells = ([*rounded(row["mean"]), ", ".join(rounded(row["by seed"]))] for row in rows)
        wanted.append([rows[0]["arm"], *chain(*cells)])
    assert said == wanted


TOLD = {
    "": [("ApproxSign", "full precision"), ("BBC-linear", "ApproxSign, scaled")],
    "-bhrnet": [("ApproxSign", "full precision"), ("FDA", "ApproxSign")],
}


@pytest.mark.parametrize("suffix", TOLD)
def test_two_contrasts_are_told(suffix: str) -> None:
    rows = read(RESULTS / f"pose-contrasts{suffix}.csv").records()
    told = [row for row in rows if "cannot tell" not in row["reading"]]
    assert [(row["arm"], row["minus"]) for row in told] == TOLD[suffix]
    for row in told:
        numbers = sorted(abs(float(row[name])) for name in ("low", "difference", "high"))
        least, by, most = (f"{number:.1f}" for number in numbers)
        side = "ahead of" if float(row["difference"]) > 0 else "behind"
        assert f"{row['arm']} is {by} points ({least} to {most}) {side} {row['minus']}" in WORDS


def test_what_photographs_say() -> None:
    *rows, by_heart = read(RESULTS / "pose-photographs.csv").records()
    assert by_heart["arm"] == "full precision, by heart"
    known, others = (f"{float(by_heart[f'AP, {part}']):.1f}" for part in ("learnt", "others"))
    assert f"{by_heart['epochs']} times, full precision" in WORDS
    assert f"AP {known} of the persons that it was shown, {others} of others" in WORDS
    learnt = [float(row["AP, learnt"]) for row in rows]
    assert f"{min(learnt):.1f} to {max(learnt):.1f}, of others below 0.1" in PAGE
    assert max(float(row["AP, others"]) for row in rows) < 0.1
    fell = [1 - float(row["last loss"]) / float(row["first loss"]) for row in rows]
    assert 0.3 < min(fell) <= max(fell) < 0.4
