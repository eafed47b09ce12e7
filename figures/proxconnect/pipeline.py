"""The passes of ProxConnect++, in the colours that its Fig. 1's caption names: forward red, backward blue."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from bnn_ref.plot import INK, PALETTE, figure
from figures.drawing import BLUE

RED = PALETTE[3]
FORTH, BACK = 2.6, 1.0
NODES: dict[str, tuple[float, float, float, str]] = {
    "latent": (1.0, FORTH, 1.5, "w*\nfull precision"), "forward": (3.0, FORTH, 0.9, "F"),
    "weight": (5.0, FORTH, 1.5, "w = F(w*)\nbinary"), "layer": (7.2, FORTH, 1.5, "layer\ny = w · x"),
    "loss": (9.2, FORTH, 1.1, "loss"), "output gradient": (7.2, BACK, 1.5, "gradient\nat y"),
    "gradient": (5.0, BACK, 1.5, "gradient\nat w"), "backward": (3.0, BACK, 0.9, "· B(w*)"),
    "step": (1.0, BACK, 1.5, "step from w*"),
}  # fmt: skip
"""Centre, width and words of every node."""
FORWARD = (("latent", "forward"), ("forward", "weight"), ("weight", "layer"), ("layer", "loss"))
BACKWARD = (
    ("loss", "output gradient"), ("output gradient", "gradient"), ("gradient", "backward"),
    ("backward", "step"), ("step", "latent"),
)  # fmt: skip
NOTE = (
    "Red: forward. Blue: backward and update, w* ← w* − η B(w*) · g(w). B is the multiplier itself.\n"
    "F = T∘P and B = T′∘P make this ProxConnect on the loss of T; F = P and B = 1 are ProxConnect."
)


def node(ax: Axes, name: str) -> FancyBboxPatch:
    """A box with its words."""
    x, y, width, words = NODES[name]
    outline = FancyBboxPatch(
        (x - width / 2, y - 0.42), width, 0.84, "round,pad=0,rounding_size=0.12", fc="none", ec=INK
    )
    ax.add_patch(outline)
    ax.text(x, y, words, color=INK, ha="center", va="center", fontsize=9, linespacing=1.3)
    return outline


def draw(_: Path) -> Figure:
    """One panel; no results are needed."""
    fig = figure(9.4, 3.4)
    ax = fig.subplots()
    outlines = {name: node(ax, name) for name in NODES}
    for links, color in ((FORWARD, RED), (BACKWARD, BLUE)):
        for start, end in links:
            way = "angle,angleA=-90,angleB=0" if start == "loss" else "arc3"
            ax.add_patch(
                FancyArrowPatch(
                    NODES[start][:2], NODES[end][:2], patchA=outlines[start], patchB=outlines[end],
                    connectionstyle=way, arrowstyle="-|>", shrinkA=0, shrinkB=0, mutation_scale=11,
                    color=color, linewidth=1.4,
                )
            )  # fmt: skip
    ax.set(xlim=(0, 10), ylim=(0.4, 3.2), aspect="equal")
    ax.set_axis_off()
    fig.supxlabel(NOTE, x=0.01, ha="left", fontsize=9, linespacing=1.4)
    return fig
