"""Pictures: drawn from the live object, no global state, complete files, ink that follows the page."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from bnn_ref import estimators, plot
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.parameter import Array
from bnn_ref.pose import SKELETON, read_image
from bnn_ref.train import Comparison, Config, Epoch, History, Run


def history(*accuracies: float) -> History:
    return History(tuple(Epoch(i, 10 * i, 0.1, 1e-3, 1.0, a, a, 0.1) for i, a in enumerate(accuracies)))


@pytest.mark.parametrize("name", estimators.names())
def test_every_card_has_four_panels_with_lines(name: str) -> None:
    figure = plot.card(name)
    assert len(figure.axes) == 4
    assert all(ax.lines or ax.collections or ax.texts for ax in figure.axes)


def test_the_card_draws_the_live_slope() -> None:
    @dataclass(frozen=True)
    class Doubled(HardTanh):
        def slope(self, x: Array) -> Array:
            return 2 * super().slope(x)

    from bnn_ref.binarizer import Binarizer, Sign

    heights = [
        plot.card(Binarizer(Sign(), kind())).axes[2].lines[1].get_ydata() for kind in (HardTanh, Doubled)
    ]
    assert np.allclose(2 * np.asarray(heights[0]), heights[1])


def test_jumps_are_not_bridged() -> None:
    lines = plot.card("clipped-ste").axes[2].lines
    drawn = [np.asarray(line.get_ydata(), float) for line in lines if len(line.get_xdata()) > 10]
    assert len(drawn) == 3
    assert all(np.ptp(values) == 0 for values in drawn)


def test_identity_says_why_it_has_no_spectrum_and_a_periodic_one_shows_lines() -> None:
    assert "no transform" in plot.card("identity-ste").axes[3].texts[0].get_text()
    periodic = plot.card(estimators.get("fda", window=None))
    assert len(periodic.axes[3].collections[0].get_segments()) == 10  # type: ignore[attr-defined]


def test_settings_are_left_as_they_were() -> None:
    before = dict(matplotlib.rcParams)
    plot.svg(plot.card("fda"), "a card")
    assert dict(matplotlib.rcParams) == before


def test_svg_is_an_element_with_page_ink_and_is_reproducible() -> None:
    first, second = (plot.svg(plot.card("approxsign"), 'a "card"') for _ in range(2))
    assert first == second
    assert first.startswith('<svg role="img" aria-label="a &quot;card&quot;"')
    assert "currentColor" in first
    assert plot.INK not in first
    assert not re.search(r'(href|src)="http', first)


def test_files_are_complete_or_absent(tmp_path: Path) -> None:
    path = plot.save(plot.card("fda"), tmp_path / "card.png")
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ValueError, match="required a suffix among"):
        plot.save(plot.card("fda"), tmp_path / "card.nope")
    with pytest.raises(FileNotFoundError, match="required an existing folder"):
        plot.save(plot.card("fda"), tmp_path / "no" / "card.png")


def test_histories_average_their_seeds() -> None:
    figure = plot.histories({"a": [history(0.2, 0.4), history(0.4, 0.8)]})
    assert np.allclose(np.asarray(figure.axes[0].lines[0].get_ydata(), float), [30, 60])


def test_slopes_are_a_line_a_surrogate_of_a_run() -> None:
    def run(*slopes: dict[str, float]) -> History:
        return History(tuple(replace(e, slopes=s) for e, s in zip(history(*[0.5] * 2), slopes, strict=True)))

    older = run({"a.weight": 0.5, "b.weight": -1.0}, {"a.weight": 0.7, "b.weight": -2.0})
    began = replace(older[0], slopes_before={"a.weight": 0.25, "b.weight": -0.5})
    learned = History((began, older[1]))
    again = run({"a.weight": 3.0, "b.weight": 4.0}, {"a.weight": 5.0, "b.weight": 6.0})
    ax = plot.slopes({"fixed": [history(0.2, 0.4)], "learned": [learned, again]}).axes[0]
    *lines, zero = ax.lines
    drawn = [np.asarray(line.get_ydata()).tolist() for line in lines]
    assert drawn[:2] == [[0.25, 0.5, 0.7], [-0.5, -1.0, -2.0]]
    np.testing.assert_array_equal(drawn[2:], [[np.nan, 3.0, 5.0], [np.nan, 4.0, 6.0]])
    assert {tuple(np.asarray(line.get_xdata()).tolist()) for line in lines} == {(0, 1, 2)}
    assert np.asarray(zero.get_ydata()).tolist() == [0, 0]
    assert [line.get_label() for line in lines if not str(line.get_label()).startswith("_")] == ["learned"]


def test_comparison_has_a_row_an_arm_best_on_top() -> None:
    runs = tuple(
        Run(name, seed, history(a + seed / 100)) for name, a in (("x", 0.5), ("y", 0.9)) for seed in (0, 1)
    )
    result = Comparison("digits", "cnn", {"x": {}, "y": {}}, {}, Config(), "x", (0, 1), runs)
    labels = [text.get_text() for text in plot.comparison(result).axes[0].get_yticklabels()]
    assert labels == ["x", "y"]


def test_an_arm_that_diverged_is_named_at_the_bottom() -> None:
    runs = (
        Run("x", 0, history(0.5)),
        Run("x", 1, History(), "loss: NaN"),
        Run("y", 0, history(0.3)),
        Run("y", 1, history(0.4)),
    )
    result = Comparison("digits", "cnn", {"x": {}, "y": {}}, {}, Config(), "x", (0, 1), runs)
    axes = plot.comparison(result).axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["x (diverged)", "y"]
    assert [np.asarray(line.get_xdata()).tolist() for line in axes.lines] == [[50], [], [30, 40], [35]]


def test_confusion_prints_every_count() -> None:
    matrix = np.array([[5, 1], [0, 7]])
    texts = {text.get_text() for text in plot.confusion(matrix, ("a", "b")).axes[0].texts}
    assert texts == {"5", "1", "7"}


def test_skeletons_lie_on_the_image_and_say_left_and_right() -> None:
    """One person without legs: what is drawn is where its joints are, and nothing of what is not sure."""
    points = np.column_stack(
        [np.arange(17) * 5.0 + 3, np.arange(17) * 2.0 + 1, np.where(np.arange(17) < 13, 1, 0.1)]
    )
    figure = plot.poses(np.zeros((60, 90, 3), np.uint8), points[None])
    (ax,) = figure.axes
    limbs = [limb for limb in SKELETON if max(limb) < 13]
    assert len(ax.lines) == len(limbs)
    for line, limb in zip(ax.lines, limbs):
        np.testing.assert_array_equal(line.get_xydata(), points[list(limb), :2])
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), points[:13, :2])
    colours = dict(zip(limbs, (line.get_color() for line in ax.lines)))
    assert colours[5, 7] == plot.PALETTE[0] != plot.PALETTE[1] == colours[6, 8]
    assert colours[5, 6] == plot.PALETTE[2]
    assert colours[0, 1] == colours[5, 7]  # the nose is on no side
    figure.draw_without_rendering()
    corners = ax.transData.transform([(-0.5, 59.5), (89.5, -0.5)]) * plot.DPI / figure.dpi
    np.testing.assert_allclose(corners, [(0, 0), (480, 320)], atol=0.5)


def test_an_image_without_persons_is_drawn_too(tmp_path: Path) -> None:
    pixels = np.full((20, 600, 3), 90, np.uint8)
    path = plot.save(plot.poses(pixels, np.zeros((0, 17, 3))), tmp_path / "x.png")
    drawn = read_image(path)
    assert drawn.shape == (20, 600, 3)
    np.testing.assert_array_equal(drawn, pixels)
