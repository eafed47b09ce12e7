"""Fig. 1 redrawn: its bars are the table, its rows have one scale, its words are read off the numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.fda import panels as study
from analysis.tables import read
from bnn_ref.parameter import Array
from figures.drawing import Draw
from figures.fda import panels

Change = Callable[[Path, str, int, str], None]
NAMES = list(panels.CASES)


def rows(fig: Figure) -> list[list[Axes]]:
    """The axes, row by row."""
    axes = fig.get_axes()
    return [axes[4 * row : 4 * row + 4] for row in range(3)]


def heights(ax: Axes) -> Array:
    """The tops of its bars, from 0 up."""
    segments = np.array(ax.collections[0].get_segments())
    np.testing.assert_array_equal(segments[:, 0, 1], 0)
    np.testing.assert_array_equal(segments[:, :, 0], np.arange(100)[:, None].repeat(2, 1))
    return segments[:, 1, 1]


def said(ax: Axes) -> str:
    """The words of a panel in one line."""
    return " ".join(" ".join(text.get_text() for text in ax.texts).split())


def test_functions_and_bars_are_the_tables(results: Path) -> None:
    functions, dft = read(results / "fda-functions.csv"), read(results / "fda-dft.csv")
    over_x, spectra, off = rows(panels.draw(results))
    for ax, name in zip(over_x[1:], NAMES[1:], strict=True):
        np.testing.assert_array_equal(ax.lines[-1].get_xydata()[:, 1], functions.numbers(name))
    for ax, name in zip(spectra, NAMES, strict=True):
        np.testing.assert_array_equal(heights(ax), dft.numbers(name))
    for ax, name in zip(off[1:], NAMES[1:], strict=True):
        np.testing.assert_array_equal(heights(ax), dft.numbers(f"{name} off"))
    assert not off[0].collections


def test_the_jump_of_sign_is_not_bridged(results: Path) -> None:
    for ax in rows(panels.draw(results))[0]:
        left, right = (np.asarray(line.get_xydata()) for line in ax.lines[:2])
        assert left[-1].tolist() == [0, -1], "Eq. 1: sign(0) = -1"
        assert (left[:, 1] == -1).all()
        assert (right[:, 1] == 1).all()


def test_every_row_has_one_scale_and_nothing_is_cut_off(results: Path) -> None:
    over_x, *spectra = rows(panels.draw(results))
    for row in (over_x, *spectra):
        assert len({ax.get_ylim() for ax in row}) == len({ax.get_xlim() for ax in row}) == 1
    assert over_x[0].get_xlim() == over_x[0].get_ylim() == (-2, 2)
    for row in spectra:
        assert max(heights(ax).max() for ax in row if ax.collections) < row[0].get_ylim()[1]


def test_it_says_what_it_was_drawn_with(results: Path) -> None:
    fig = panels.draw(results)
    titles = [ax.get_title(loc="left") for ax in rows(fig)[0]]
    assert titles[1] == f"{study.TERMS} sines"
    assert titles[2] == f"tanh({study.BETA:g}x)"
    assert titles[3].endswith(f"{study.BETA:g}x")
    (note,) = (text.get_text() for text in fig.texts)
    assert f"period {study.PERIOD / np.pi:g}π; omega = {study.OMEGA:g}, beta = {study.BETA:g}" in note
    assert "seems to be scaled panel by panel" in note


def test_it_says_what_is_seen(results: Path) -> None:
    """As in the paper: 0 up to 40, then spikes; a hump with its top near 34; two humps and a zero near 17."""
    assert [said(ax) for ax in rows(panels.draw(results))[2]] == [
        "0: this is sign",
        "0 up to k = 40, then 4/(πk) at every odd k",
        "at every k; largest at k = 34",
        "largest at k = 8 and 37, about 0 at k = 17",
    ]


@pytest.mark.parametrize(
    ("column", "row", "words"),
    [
        ("series off", 39, "0 up to k = 38, then"),
        ("tanh off", 30, "largest at k = 30"),
        ("swish-sign off", 12, "largest at k = 12 and 37"),
    ],
)
def test_other_numbers_are_other_words(
    column: str, row: int, words: str, results: Path, change: Change
) -> None:
    path = results / "fda-dft.csv"
    change(path, column, row, "0.04")
    near = [k for k in (8, 34) if "series" not in column]
    for k in near:  # one top less, where the old one was
        change(path, column, k, read(path).column(column)[k - 1])
    found = " | ".join(said(ax) for ax in rows(panels.draw(results))[2])
    assert words in found


def test_names_stand_apart_and_inside(
    results: Path, drawn: Callable[[Draw, Path], Figure], apart: Callable[[Figure], None]
) -> None:
    apart(drawn(panels.draw, results))
