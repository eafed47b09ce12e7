"""Fig. 3 redrawn: both panels are their tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.tables import read
from figures.drawing import Draw
from figures.fda import terms

Change = Callable[[Path, str, int, str], None]


def test_times_are_the_table(results: Path) -> None:
    table = read(results / "fda-time.csv")
    upper, _ = terms.draw(results).get_axes()
    for line, name in zip(upper.lines, ("cosine sum", "closed form"), strict=True):
        np.testing.assert_array_equal(
            line.get_xydata(), np.transpose([table.numbers("terms"), table.numbers(name)])
        )
    assert upper.get_ylim()[0] == 0
    assert upper.get_ylim()[1] > max(table.numbers("cosine sum"))


def test_accuracies_and_their_intervals_are_the_table(results: Path) -> None:
    table = read(results / "fda-terms.csv")
    upper, lower = terms.draw(results).get_axes()
    x = table.numbers("terms")
    np.testing.assert_array_equal(lower.lines[0].get_xydata(), np.transpose([x, table.numbers("mean")]))
    (bars,) = lower.collections
    ends = np.array(bars.get_segments())
    np.testing.assert_array_equal(ends[:, :, 0], np.transpose([x, x]))
    np.testing.assert_allclose(
        ends[:, :, 1], np.transpose([table.numbers("low"), table.numbers("high")]), rtol=1e-9
    )
    assert upper.get_xlim() == lower.get_xlim(), "one axis of terms"
    assert lower.get_xticks().tolist() == list(x)


def test_it_says_how_many_runs(results: Path, change: Change) -> None:
    change(results / "fda-terms.csv", "runs", 2, "3")
    assert "mean of 3 to 5 runs, 95 % interval" in terms.draw(results).get_axes()[1].get_title(loc="left")


def test_names_stand_apart_and_off_the_lines(
    results: Path, drawn: Callable[[Draw, Path], Figure], apart: Callable[[Figure], None]
) -> None:
    fig = drawn(terms.draw, results)
    apart(fig)
    upper, _ = fig.get_axes()
    for line in upper.lines:
        x, y = np.asarray(line.get_xydata()).T
        fine = np.linspace(x[0], x[-1], 400)
        points = upper.transData.transform(np.transpose([fine, np.interp(fine, x, y)]))
        for text in upper.texts:
            box = Text.get_window_extent(text)  # without the line that ties it
            assert not any(box.contains(*point) for point in points), text.get_text()
