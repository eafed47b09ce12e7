"""Fig. 2 redrawn: followed along its arrows the drawing computes what it says, and its gradient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.transforms import Bbox

from bnn_ref.estimators.fda import FourierSeries
from bnn_ref.parameter import Array
from bnn_ref.plot import INK
from figures.drawing import GREY, Draw
from figures.fda.passes import BACKWARD, FORWARD, LINKS, PLACES, draw

SERIES = FourierSeries(5, 0.7, None)
ALPHA, A = 0.3, 0.2
RNG = np.random.default_rng(0)
W1, W2, T, G = (
    RNG.normal(size=(6, 3)),
    RNG.normal(size=(3, 6)),
    RNG.normal(size=(4, 6)),
    RNG.normal(size=(4, 6)),
)
MEANS: dict[str, Callable[[Array], Array]] = {
    "· W₁": lambda v: v @ W1, "ReLU": lambda v: np.maximum(v, 0), "· W₂": lambda v: v @ W2,
    "a sin t": lambda v: A * np.sin(v), "· α": lambda v: ALPHA * v, "ŝ": SERIES,
    "sign": lambda v: np.where(v > 0, 1.0, -1.0),
    "· W₁ᵀ": lambda v: v @ W1.T, "· 1(h ≥ 0)": lambda v: v * (T @ W1 >= 0), "· W₂ᵀ": lambda v: v @ W2.T,
    "· a cos t": lambda v: v * A * np.cos(T), "· ŝ′(t)": lambda v: v * SERIES.derivative(T),
}  # fmt: skip
"""What each word of the drawing stands for."""


def follow(words: dict[str, str], links: list[tuple[str, str]], node: str, value: Array) -> Array:
    """The value at the node at which the arrows end, `value` being put in where they begin."""
    arriving = [follow(words, links, start, value) for start, end in links if end == node]
    total = sum(arriving[1:], arriving[0]) if arriving else value
    return MEANS[words[node]](total) if words[node] in MEANS else total


FORTH = [(start, end) for start, end, _ in LINKS]
BACK = [(end, start) for start, end in FORTH]


def forward(step: str, t: Array) -> Array:
    return follow(FORWARD | {"step": step}, FORTH, "z", t)


@pytest.mark.parametrize(("step", "f"), [("sign", MEANS["sign"]), ("ŝ", SERIES)])
def test_forward_is_the_step_plus_alpha_times_the_module(step: str, f: Callable[[Array], Array]) -> None:
    """Eq. 14, row by row and term by term."""
    for row, z in zip(T, forward(step, T), strict=True):
        hidden = [max(0.0, sum(row[i] * W1[i, j] for i in range(6))) for j in range(3)]
        for k in range(6):
            module = sum(hidden[j] * W2[j, k] for j in range(3)) + A * np.sin(row[k])
            assert np.isclose(z[k], f(row[k : k + 1])[0] + ALPHA * module, rtol=1e-12)


def test_backward_is_the_gradient_of_the_forward_drawn_beside_it() -> None:
    """Pass (d) against central differences of sum G * z of pass (c)."""
    found = follow(BACKWARD | {"step": "· ŝ′(t)"}, BACK, "t", G)
    h = 1e-5
    for at in np.ndindex(T.shape):
        step = np.zeros_like(T)
        step[at] = h
        change = (G * (forward("ŝ", T + step) - forward("ŝ", T - step))).sum() / (2 * h)
        assert abs(found[at] - change) <= 1e-8


@pytest.mark.parametrize(("words", "links"), [(FORWARD, FORTH), (BACKWARD, BACK)])
def test_what_splits_is_a_dot_and_what_joins_is_a_sum(
    words: dict[str, str], links: list[tuple[str, str]]
) -> None:
    leaving, reaching = Counter(start for start, _ in links), Counter(end for _, end in links)
    assert {name for name, word in words.items() if word == ""} == {n for n, c in leaving.items() if c > 1}
    assert {name for name, word in words.items() if word == "+"} == {n for n, c in reaching.items() if c > 1}
    assert set(PLACES) == {*words, "step"} == {*leaving, *reaching}


def panels(fig: Figure) -> list[Axes]:
    return fig.get_axes()


def test_the_used_passes_are_dark_and_bold(tmp_path: Path) -> None:
    for ax, used in zip(panels(draw(tmp_path)), (True, False, False, True), strict=True):
        colors = {text.get_color() for text in ax.texts} | {ax._left_title.get_color()}
        assert colors == {INK if used else GREY}
        assert (ax._left_title.get_fontweight() == "bold") == used
        edges = {
            matplotlib.colors.to_hex(p.get_edgecolor()) for p in ax.patches if isinstance(p, FancyArrowPatch)
        }
        assert edges == {INK if used else GREY}


def test_arrows_point_forward_in_a_and_c_and_back_in_b_and_d(tmp_path: Path) -> None:
    kinds = {
        "-|>": matplotlib.patches.ArrowStyle.CurveFilledB,
        "<|-": matplotlib.patches.ArrowStyle.CurveFilledA,
    }
    for ax, head in zip(panels(draw(tmp_path)), ("-|>", "<|-", "-|>", "<|-"), strict=True):
        links = [p for p in ax.patches if isinstance(p, FancyArrowPatch)]
        assert len(links) == len(LINKS)
        assert all(type(link.get_arrowstyle()) is kinds[head] for link in links)


def test_words_are_inside_their_boxes_and_boxes_apart(
    drawn: Callable[[Draw, Path], Figure], tmp_path: Path
) -> None:
    for ax in panels(drawn(draw, tmp_path)):
        nodes = [p for p in ax.patches if isinstance(p, FancyBboxPatch | Circle)]
        assert len(nodes) == len(ax.texts) == len(PLACES)
        frames: list[Bbox] = [p.get_window_extent() for p in nodes]
        for text, frame in zip(ax.texts, frames, strict=True):
            if text.get_text():
                box = text.get_window_extent()
                assert frame.x0 < box.x0, text
                assert box.x1 < frame.x1, text
                assert frame.y0 < box.y0, text
                assert box.y1 < frame.y1, text
        for i, frame in enumerate(frames):
            assert not any(frame.overlaps(other) for other in frames[:i])


def test_names_stand_apart_and_inside(
    tmp_path: Path, drawn: Callable[[Draw, Path], Figure], apart: Callable[[Figure], None]
) -> None:
    apart(drawn(draw, tmp_path))
