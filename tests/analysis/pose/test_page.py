"""docs/pose.md says what is on record: its tables are those of the results, rounded."""

from __future__ import annotations

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
    rows = read(RESULTS / "pose-arms.csv").records()
    said = [cells for cells in ROWS if len(cells) == 3 and cells[0] in {row["arm"] for row in rows}]
    assert said == [[row["arm"], *rounded(row["mean"]), ", ".join(rounded(row["by seed"]))] for row in rows]


def test_two_contrasts_are_told() -> None:
    rows = read(RESULTS / "pose-contrasts.csv").records()
    told = [row for row in rows if "cannot tell" not in row["reading"]]
    pairs = [("ApproxSign", "full precision"), ("BBC-linear", "ApproxSign, scaled")]
    assert [(row["arm"], row["minus"]) for row in told] == pairs
    for row in told:
        behind, least, most = (f"{-float(row[name]):.1f}" for name in ("difference", "high", "low"))
        assert f"{row['arm']} is {behind} points ({least} to {most}) behind {row['minus']}" in WORDS


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
