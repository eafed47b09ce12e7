"""The pictures of quantizers and pairs: drawn from the tables, jumps open, words apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from analysis.tables import Table, read
from figures.drawing import Draw
from figures.proxconnect import PICTURES, ede, gallery, proximal, quantizers, regularisers, swish
from figures.proxconnect.steps import grouped, jumps, opened

Change = Callable[[Path, str, int, str], None]


def test_a_jump_is_left_open() -> None:
    x, y = np.array([0.0, 1, 1, 2, 2]), np.array([0.0, 1, 3, 3, 3])
    assert jumps(x, y).tolist() == [1]
    gap = opened(x, y)
    assert [np.flatnonzero(np.isnan(part)).tolist() for part in gap] == [[2], [2]]
    np.testing.assert_array_equal(gap[1][[0, 1, 3, 4, 5]], y)


def test_groups_keep_their_order() -> None:
    table = Table.of(["a", "b"], [["y", 1], ["x", 2], ["y", 3]])
    assert [(key, part.numbers("b")) for key, part in grouped(table, "a")] == [
        (("y",), (1, 3)),
        (("x",), (2,)),
    ]


def test_four_panels_of_l_with_dots_at_both_ends_of_jumps(results: Path) -> None:
    axes = quantizers.draw(results).get_axes()
    titles = [ax.get_title(loc="left") for ax in axes]
    assert titles == ["ρ = 0, ϱ = 0", "ρ = 0.2, ϱ = 0", "ρ = 0, ϱ = 0.2", "ρ = 0.2, ϱ = 0.2"]
    for ax, dots in zip(axes, (0, 0, 4, 4), strict=True):
        dashed, line, ends = ax.get_lines()
        assert (dashed.get_linestyle(), line.get_linestyle()) == ("--", "-")
        assert np.isnan(dashed.get_ydata()).sum() == 2
        assert np.isnan(line.get_ydata()).sum() == dots / 2
        assert sorted(zip(ends.get_xdata(), ends.get_ydata(), strict=True)) == (
            [] if not dots else [(-0.5, -0.7), (-0.5, -0.3), (0.5, 0.3), (0.5, 0.7)]
        )


def test_the_gallery_has_a_row_a_method(results: Path) -> None:
    axes = np.reshape(gallery.draw(results).get_axes(), (-1, 2))
    table = read(results / "pairs-gallery.csv")
    assert [ax.get_ylabel().replace("\n", ", ") for ax in axes[:, 0]] == list(
        dict.fromkeys(table.column("method"))
    )
    for (left, right), ((_, verdict), part) in zip(axes, grouped(table, "method", "criterion"), strict=True):
        assert [text.get_text() for text in right.texts] == [verdict]
        for ax, column in ((left, "F"), (right, "B")):
            y = np.array(ax.get_lines()[-1].get_ydata())
            np.testing.assert_array_equal(y[~np.isnan(y)], part.numbers(column))
            assert ax.get_ylim()[0] <= np.nanmin(y)
            assert np.nanmax(y) <= ax.get_ylim()[1]


def test_marks_of_sign_swish_lie_on_its_curves(results: Path) -> None:
    upper, lower = swish.draw(results).get_axes()
    for ax in (upper, lower):
        curves = {line.get_color(): line for line in ax.get_lines() if len(line.get_xdata()) > 2}
        dots = [line for line in ax.get_lines() if line.get_marker() == "o"]
        assert len(dots) == (3 if ax is upper else 6)  # for mu = 1 they lie outside
        for dot in dots:
            curve = curves[dot.get_color()]
            near = np.interp(dot.get_xdata()[0], curve.get_xdata(), curve.get_ydata())
            assert abs(near - dot.get_ydata()[0]) <= 0.02
    assert [text.get_text() for text in upper.texts] == ["1.1997"]


def test_families_are_those_of_the_tables(results: Path, change: Change) -> None:
    change(results / "pairs-ede.csv", "slope, t = 3", 7, "9")
    upper, lower = ede.draw(results).get_axes()
    assert len(upper.get_lines()) == len(lower.get_lines()) == 5
    assert lower.get_lines()[3].get_ydata()[7] == 9
    assert upper.get_lines()[3].get_label() == "t = 3"


def test_regularisers_are_drawn_whole_and_open_where_infinite(results: Path) -> None:
    axes = regularisers.draw(results).get_axes()
    for ax, most, open_at_0 in zip(axes, (0.15, 0.105, 0.21), (False, True, True), strict=True):
        y = np.array(ax.get_lines()[0].get_ydata())
        assert np.nanmax(y) == pytest.approx(most, abs=1e-3)
        assert ax.get_ylim()[1] > np.nanmax(y)
        assert np.isnan(y[len(y) // 2]) == open_at_0


def test_both_choices_of_bnn_are_drawn(results: Path) -> None:
    axes = proximal.draw(results).get_axes()
    (bnn,) = (ax for ax in axes if ax.get_title(loc="left") == "BNN")
    assert [text.get_text() for text in bnn.get_legend().get_texts()] == ["w outside", "w + sign(w) outside"]
    dots = [len(line.get_xdata()) for line in bnn.get_lines() if line.get_marker() == "o"]
    assert dots == [2, 6]
    assert len([ax for ax in axes if ax.axison]) == 5


@pytest.mark.parametrize("name", PICTURES)
def test_words_stand_apart(
    name: str,
    results: Path,
    drawn: Callable[[Draw, Path], Figure],
    apart: Callable[[Figure], None],
) -> None:
    apart(drawn(PICTURES[name], results))
