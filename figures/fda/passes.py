"""The paper's Fig. 2: four passes through one binarizer with its noise module, of which training uses two.

Forward and backward are one drawing. Read the other way round a fork is a sum, a sum is a fork, and each box
multiplies the gradient by its derivative.
"""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Patch

from bnn_ref.plot import INK, figure
from figures.drawing import GREY

PLACES: dict[str, tuple[float, float, float]] = {
    "t": (0.45, 3, 0.9), "fork": (1.65, 3, 0), "step": (4.8, 4.6, 2.0), "first": (2.85, 3, 1.2),
    "relu": (4.8, 3, 1.9), "second": (6.75, 3, 1.2), "shortcut": (4.8, 1.4, 2.0), "join": (7.85, 3, 0),
    "alpha": (8.8, 3, 0.9), "sum": (9.8, 3, 0), "z": (10.95, 3, 0.9),
}  # fmt: skip
"""Centre and width of every node; a fork or a sum has none."""
LINKS = (
    ("t", "fork", "arc3"), ("fork", "first", "arc3"), ("first", "relu", "arc3"), ("relu", "second", "arc3"),
    ("second", "join", "arc3"), ("join", "alpha", "arc3"), ("alpha", "sum", "arc3"), ("sum", "z", "arc3"),
    ("fork", "step", "angle,angleA=90,angleB=0"), ("step", "sum", "angle,angleA=0,angleB=90"),
    ("fork", "shortcut", "angle,angleA=90,angleB=0"), ("shortcut", "join", "angle,angleA=0,angleB=90"),
)  # fmt: skip
FORWARD = {
    "t": "t", "fork": "", "first": "· W₁", "relu": "ReLU", "second": "· W₂", "shortcut": "a sin t",
    "join": "+", "alpha": "· α", "sum": "+", "z": "z",
}  # fmt: skip
BACKWARD = {
    "t": "∂ℓ/∂t", "fork": "+", "first": "· W₁ᵀ", "relu": "· 1(h ≥ 0)", "second": "· W₂ᵀ",
    "shortcut": "· a cos t", "join": "", "alpha": "· α", "sum": "", "z": "∂ℓ/∂z",
}  # fmt: skip
NOTE = (
    "Dark: what training uses, the values of (a) and the gradients of (d). Grey: for comparison.\n"
    "ŝ: the truncated Fourier series. ê: the noise module, W₁ and W₂ its matrices, h = t W₁."
)


def node(ax: Axes, name: str, word: str, color: str) -> Patch:
    """A box, a circle around +, a dot for a fork, or (t and z) the bare word; returns its outline."""
    x, y, width = PLACES[name]
    outline: Patch
    if width:
        corner, edge = (x - width / 2, y - 0.45), "none" if name in ("t", "z") else color
        outline = FancyBboxPatch(corner, width, 0.9, "round,pad=0,rounding_size=0.15", fc="none", ec=edge)
    else:
        outline = Circle((x, y), 0.27 if word else 0.09, fc="none" if word else color, ec=color)
    ax.add_patch(outline)
    ax.text(x, y, word, color=color, ha="center", va="center", fontsize=9)
    return outline


def panel(ax: Axes, title: str, words: dict[str, str], head: str, used: bool) -> None:
    """One pass: the nodes with their words, and arrows with their heads at the far or at the near end."""
    color = INK if used else GREY
    outlines = {name: node(ax, name, words[name], color) for name in PLACES}
    for start, end, way in LINKS:
        link = FancyArrowPatch(
            PLACES[start][:2], PLACES[end][:2], patchA=outlines[start], patchB=outlines[end],
            connectionstyle=way, arrowstyle=head, shrinkA=0, shrinkB=0, mutation_scale=9,
            color=color, linewidth=1.4 if used else 0.9,
        )  # fmt: skip
        ax.add_patch(link)
    ax.set_title(title, loc="left", color=color, fontweight="bold" if used else "normal")
    ax.set(xlim=(-0.1, 11.5), ylim=(0.8, 5.2), aspect="equal")
    ax.set_axis_off()


def draw(_: Path) -> Figure:
    """Two rows of a forward and its backward; no results are needed."""
    fig = figure(9.4, 5.0)
    axes = fig.subplots(2, 2).flat
    rows = (
        ("(a) forward: z = sign(t) + α ê(t)", FORWARD | {"step": "sign"}, "-|>", True),
        ("(b) backward of (a), straight through", BACKWARD | {"step": "STE"}, "<|-", False),
        ("(c) forward: z = ŝ(t) + α ê(t)", FORWARD | {"step": "ŝ"}, "-|>", False),
        ("(d) backward of (c)", BACKWARD | {"step": "· ŝ′(t)"}, "<|-", True),
    )
    for ax, row in zip(axes, rows, strict=True):
        panel(ax, *row)
    fig.supxlabel(NOTE, x=0.01, ha="left", fontsize=9, linespacing=1.4)
    return fig
