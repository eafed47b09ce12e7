"""Pictures are drawn from the tables: a changed table is a changed picture, a missing one a clear error."""

from __future__ import annotations

import ast
import itertools
import re
import runpy
import shutil
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.tables import RESULTS, Table, read, write
from bnn_ref.parameter import Array
from bnn_ref.plot import STYLE
from figures import spectra
from figures.drawing import run

ROOT = Path(__file__).parents[2]
PICTURES = {"spectra": spectra.draw}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A copy of the committed results."""
    return Path(shutil.copytree(RESULTS, tmp_path / "results"))


def change(path: Path, column: str, row: int, value: str) -> None:
    """Write another value into one cell."""
    table = read(path)
    rows = [list(cells) for cells in table.rows]
    rows[row][table.columns.index(column)] = value
    write(path, Table(table.columns, tuple(map(tuple, rows))), ["changed"])


def lines(fig: Figure) -> list[Array]:
    """The data of every line of a figure."""
    return [np.asarray(line.get_xydata()) for ax in fig.get_axes() for line in ax.get_lines()]


def bars(fig: Figure) -> list[Array]:
    """The segments of every set of bars."""
    found = [part for ax in fig.get_axes() for part in ax.collections if hasattr(part, "get_segments")]
    return [np.asarray(part.get_segments()) for part in found]


def test_both_formats_are_written(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a" / "b"
    assert run("figures", PICTURES, ["--results", str(results), "--out", str(out)]) == 0
    assert sorted(path.name for path in out.iterdir()) == ["spectra.png", "spectra.svg"]
    assert str(out / "spectra.png") in capsys.readouterr().out
    assert (out / "spectra.png").read_bytes().startswith(b"\x89PNG")
    names = re.sub(r"<[^>]*>", " ", (out / "spectra.svg").read_text())
    for name in (
        "clipped STE",
        "ApproxSign",
        "DSQ",
        "BNN+",
        "ReSTE, end",
        "FDA, start: 9 terms",
        "tanh(20x)",
    ):
        assert name in names


def test_the_lines_are_the_table(results: Path) -> None:
    """At the table's own frequencies the first line goes through its numbers."""
    gains = read(results / "spectra-gain.csv")
    wanted = np.abs(gains.numbers("clipped-ste"))
    first = lines(spectra.draw(results))[0]
    np.testing.assert_allclose(np.interp(gains.numbers("w"), *first.T), wanted, atol=5e-3)


def test_a_changed_gain_is_a_changed_line(results: Path) -> None:
    before = lines(spectra.draw(results))
    change(results / "spectra-gain.csv", "dsq", 8, "0.123")
    after = lines(spectra.draw(results))
    differ = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert sum(differ) == 1


def test_a_changed_harmonic_is_a_changed_bar(results: Path) -> None:
    before = bars(spectra.draw(results))
    change(results / "spectra-harmonics.csv", "tanh-20", 4, "0.02")
    after = bars(spectra.draw(results))
    assert [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [False, True, False]
    assert after[1][4, 1, 1] == 0.02


def test_the_words_are_of_the_table_too(results: Path) -> None:
    change(results / "spectra-cases.csv", "energy error on 2 pi", 7, "0.5432")
    assert any("0.5432" in text.get_text() for ax in spectra.draw(results).get_axes() for text in ax.texts)


@pytest.mark.parametrize("name", ["spectra-gain", "spectra-harmonics", "spectra-cases"])
def test_a_missing_result_names_its_command(
    name: str, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / f"{name}.csv").unlink()
    out = tmp_path / "out"
    assert run("figures", PICTURES, ["--results", str(results), "--out", str(out)]) == 1
    said = capsys.readouterr().err
    assert said == f"{name}.csv is missing; make it with: python -m analysis.spectra --out {results}\n"
    assert not out.exists()


def test_names_stand_apart_and_inside() -> None:
    """No text of the picture touches another or leaves the picture."""
    with matplotlib.rc_context(STYLE):
        fig = spectra.draw(RESULTS)
        fig.draw_without_rendering()
        boxes = [
            (text.get_text(), text.get_window_extent())
            for ax in fig.get_axes()
            for text in [*ax.texts, ax.title, ax._left_title]
            if text.get_text()
        ]
    frame = fig.bbox
    for (name, box), (other, near) in itertools.combinations(boxes, 2):
        assert not box.overlaps(near), f"{name!r} touches {other!r}"
    for name, box in boxes:
        inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
        assert inside, f"{name!r} leaves the picture"


def test_pictures_compute_nothing() -> None:
    """They may import the tables and the style, not the estimators or the spectra."""
    for path in (ROOT / "figures").glob("*.py"):
        modules = [
            node.module for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)
        ]
        own = {module for module in modules if module and module.split(".")[0] in ("bnn_ref", "analysis")}
        assert own <= {"analysis.tables", "bnn_ref.plot", "bnn_ref.parameter"}, path


def test_all_pictures_are_drawn_by_one_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["figures", "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"^0$"):
        runpy.run_module("figures", run_name="__main__")
    assert (tmp_path / "spectra.svg").is_file()
