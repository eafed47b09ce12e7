"""The pipeline, the sawtooth and the growing strength: what is drawn is what is on record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from analysis.tables import read
from figures.drawing import BLUE, Draw
from figures.proxconnect import pipeline, sawtooth, strength

Drawn = Callable[[Draw, Path], Figure]
Apart = Callable[[Figure], None]


@pytest.mark.parametrize("draw", [pipeline.draw, sawtooth.draw, strength.draw])
def test_names_stand_apart_and_inside(draw: Draw, results: Path, drawn: Drawn, apart: Apart) -> None:
    apart(drawn(draw, results))


def test_the_pipeline_goes_round_once_red_forward_and_blue_back(results: Path) -> None:
    way = [*pipeline.FORWARD, *pipeline.BACKWARD]
    assert [end for _, end in way[:-1]] == [start for start, _ in way[1:]]
    assert way[0][0] == way[-1][1] == "latent"
    assert {name for link in way for name in link} == set(pipeline.NODES)
    (ax,) = pipeline.draw(results).get_axes()
    colors = [
        matplotlib.colors.to_hex(p.get_edgecolor()) for p in ax.patches if isinstance(p, FancyArrowPatch)
    ]
    assert colors == [pipeline.RED] * len(pipeline.FORWARD) + [BLUE] * len(pipeline.BACKWARD)


def test_words_are_inside_their_boxes(results: Path, drawn: Drawn) -> None:
    (ax,) = drawn(pipeline.draw, results).get_axes()
    boxes = [p.get_window_extent() for p in ax.patches if isinstance(p, FancyBboxPatch)]
    assert len(boxes) == len(ax.texts) == len(pipeline.NODES)
    for text, frame in zip(ax.texts, boxes, strict=True):
        box = text.get_window_extent()
        assert frame.x0 < box.x0 < box.x1 < frame.x1
        assert frame.y0 < box.y0 < box.y1 < frame.y1


def test_the_sawtooth_is_the_table(results: Path) -> None:
    table = read(results / "proximal-sawtooth.csv")
    upper, lower = sawtooth.draw(results).get_axes()
    np.testing.assert_array_equal(upper.lines[1].get_ydata(), table.numbers("latent"))
    np.testing.assert_array_equal(lower.lines[0].get_ydata(), table.numbers("weight"))
    np.testing.assert_array_equal(lower.lines[1].get_ydata(), table.numbers("mean"))
    assert set(lower.lines[2].get_ydata()) == set(table.numbers("a"))


def test_heights_that_are_rounding_are_not_drawn(results: Path, change: Callable[..., None]) -> None:
    path = results / "proximal-strength.csv"
    change(path, "growing", 3, "0")
    (ax,) = strength.draw(results).get_axes()
    growing, frozen = ax.lines
    table = read(path)
    kept = [v for v in table.numbers("growing") if v > strength.FLOOR]
    np.testing.assert_array_equal(growing.get_ydata(), kept)
    np.testing.assert_array_equal(frozen.get_ydata(), table.numbers("frozen"))
    assert table.numbers("step")[3] not in growing.get_xdata()
