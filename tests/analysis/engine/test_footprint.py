"""A probe is a fresh process that says numbers; threads against one; time by task; what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.engine import __main__ as command
from analysis.engine import footprint, networks
from analysis.engine.profile import profile
from analysis.tables import Table


def test_what_a_first_call_takes(tmp_path: Path) -> None:
    """More than nothing, and hardly more than the plan says, behind compiled code."""
    side = 96
    _, path = networks.packed("bireal-18", side, tmp_path)
    loaded, first = footprint.probe(footprint.FIRST, path, None)
    code, used, plan = footprint.probe(footprint.MEMORY, path, None)
    assert code > 0
    assert plan < loaded < 2 * (code + used)
    assert first < 0.1 * plan
    assert 0.5 * plan < used < 1.3 * plan
    laps = footprint.probe(footprint.TIMES, path, None)
    assert len(laps) == 3
    assert all(0 < number < 600 for lap in laps for number in lap)


def test_threads_answer_as_one_does(tmp_path: Path) -> None:
    table = networks.threads(32, 3, tmp_path, images=(1, 2))
    assert [row[:2] for row in table.rows] == [("1", "2"), ("2", "2")]
    for low, ratio, high in zip(*map(table.numbers, ("low", "times as fast", "high")), strict=True):
        assert 0 < low <= ratio <= high


def test_a_profile_has_every_task_in_its_place(tmp_path: Path) -> None:
    table = profile(64, 5, tmp_path)
    rows = table.records()
    assert [row["kind"] for row in rows].count("binary_conv") == 16
    assert (rows[0]["layer"], rows[0]["form"], rows[0]["output"]) == ("stem.parts.0", "*+f", "32 x 32 x 64")
    assert (rows[-1]["layer"], rows[-1]["output"]) == ("head", "1000")
    assert sum(table.numbers("share")) == pytest.approx(1, abs=0.02)
    for low, ms, high in zip(*map(table.numbers, ("low", "ms", "high")), strict=True):
        assert 0 < low <= ms <= high


def test_the_profile_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "profile", lambda side, calls, folder: Table.of(["calls"], [[calls]]))
    assert command.main(["--pairs", "3", "--profile", "--out", str(tmp_path)]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["engine-profile.csv"]
    assert "--pairs 3 --images 1 8 --threads 1 --profile\n" in (tmp_path / "engine-profile.csv").read_text()


def test_tables_are_printed_and_saved(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "measured", lambda options: [("start", Table.of(["a", "b"], [["x", 1.5]]))])
    assert command.main(["--pairs", "3", "--threads", "2", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert command.processor() in said
    assert "x  1.5" in said
    assert "--pairs 3 --images 1 8 --threads 2" in (tmp_path / "engine-start-threads-2.csv").read_text()
