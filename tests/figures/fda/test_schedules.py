"""Fig. 4 redrawn: three settings, each with its own rows of the table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from analysis.tables import read
from figures.drawing import Draw
from figures.fda import schedules

Change = Callable[[Path, str, int, str], None]


def test_every_setting_has_its_rows(results: Path) -> None:
    records = read(results / "fda-schedules.csv").records()
    fig = schedules.draw(results)
    (ax,) = fig.get_axes()
    for container, setting in zip(ax.containers, ("fixed", "from 1", "from 9"), strict=True):
        rows = [row for row in records if row["setting"] == setting]
        data, _, (bars,) = container
        np.testing.assert_array_equal(data.get_ydata(), [float(row["mean"]) for row in rows])
        np.testing.assert_array_equal(np.round(data.get_xdata()), [float(row["stop"]) for row in rows])
        ends = np.array(bars.get_segments())[:, :, 1]
        np.testing.assert_allclose(ends, [[float(row["low"]), float(row["high"])] for row in rows], rtol=1e-9)
    names = [text.get_text() for text in fig.legends[0].get_texts()]
    assert names == ["N terms all along", "from 1 to N terms", "from 9 to N terms"]


def test_intervals_of_one_number_of_terms_stand_beside_each_other(results: Path) -> None:
    (ax,) = schedules.draw(results).get_axes()
    at_18 = [container[0].get_xdata() for container in ax.containers]
    places = sorted(float(x[np.abs(x - 18).argmin()]) for x in at_18)
    assert min(np.diff(places)) > 0.1
    assert max(abs(place - 18) for place in places) < 0.25


def test_settings_are_told_apart_without_colour(results: Path) -> None:
    (ax,) = schedules.draw(results).get_axes()
    assert len({container[0].get_linestyle() for container in ax.containers}) == 3


def test_it_says_how_many_runs(results: Path, change: Change) -> None:
    change(results / "fda-schedules.csv", "runs", 4, "12")
    assert "mean of 5 to 12 runs" in schedules.draw(results).get_axes()[0].get_title(loc="left")


def test_names_stand_apart_and_inside(
    results: Path, drawn: Callable[[Draw, Path], Figure], apart: Callable[[Figure], None]
) -> None:
    apart(drawn(schedules.draw, results))
