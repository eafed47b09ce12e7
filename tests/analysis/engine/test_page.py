"""docs/engine.md says what is on record: its profile is that of the results, alike tasks together."""

from __future__ import annotations

from pathlib import Path

from analysis.tables import RESULTS, read

PAGE = (Path(__file__).parents[3] / "docs" / "engine.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if "|" in line]


def test_the_profile() -> None:
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in read(RESULTS / "engine-profile.csv").records():
        numbers = float(row["ms"]), float(row["share"])
        found.setdefault((row["kind"], row["output"]), []).append(numbers)
    expected = []
    for (kind, output), own in found.items():
        ms, share = map(sum, zip(*own, strict=True))
        expected.append([kind, output, str(len(own)), f"{ms:.2f}", f"{100 * share:.1f} %"])
    start = next(i for i, cells in enumerate(ROWS) if cells[:2] == ["kind", "output"])
    assert ROWS[start + 2 : start + 2 + len(expected)] == expected
    total = sum(float(row[3]) for row in expected)
    assert f"{total:.1f} ms in all" in PAGE
