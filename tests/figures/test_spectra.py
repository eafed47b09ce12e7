"""The picture of the filters is drawn from the tables: a changed table is a changed picture."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.tables import read
from bnn_ref.parameter import Array
from figures import spectra
from figures.drawing import Draw, run

Change = Callable[[Path, str, int, str], None]


def lines(fig: Figure) -> list[Array]:
    """The data of every line of a figure."""
    return [np.asarray(line.get_xydata()) for ax in fig.get_axes() for line in ax.get_lines()]


def bars(fig: Figure) -> list[Array]:
    """The segments of every set of bars."""
    found = [part for ax in fig.get_axes() for part in ax.collections if hasattr(part, "get_segments")]
    return [np.asarray(part.get_segments()) for part in found]


def test_both_formats_are_written(results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a" / "b"
    assert run("figures", {"spectra": spectra.draw}, ["--results", str(results), "--out", str(out)]) == 0
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


def test_a_changed_gain_is_a_changed_line(results: Path, change: Change) -> None:
    before = lines(spectra.draw(results))
    change(results / "spectra-gain.csv", "dsq", 8, "0.123")
    after = lines(spectra.draw(results))
    differ = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert sum(differ) == 1


def test_a_changed_harmonic_is_a_changed_bar(results: Path, change: Change) -> None:
    before = bars(spectra.draw(results))
    change(results / "spectra-harmonics.csv", "tanh-20", 4, "0.02")
    after = bars(spectra.draw(results))
    assert [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [False, True, False]
    assert after[1][4, 1, 1] == 0.02


def test_the_words_are_of_the_table_too(results: Path, change: Change) -> None:
    change(results / "spectra-cases.csv", "energy error on 2 pi", 7, "0.5432")
    assert any("0.5432" in text.get_text() for ax in spectra.draw(results).get_axes() for text in ax.texts)


def test_names_stand_apart_and_inside(
    results: Path, drawn: Callable[[Draw, Path], Figure], apart: Callable[[Figure], None]
) -> None:
    apart(drawn(spectra.draw, results))
