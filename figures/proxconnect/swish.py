"""Sign-Swish and its slope: the overshoot that stays 1.1997 at every steepness, and the negative lobes."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from analysis.tables import load
from figures.proxconnect import families

TITLES = ("SS(w); dots: its largest value", "SS'(w); dots: its zero, and where it is least")


def draw(results: Path) -> Figure:
    """Two panels from the tables in `results`."""
    fig, upper, lower = families.draw("pairs-swish", TITLES, results)
    marks = load("pairs-swish-marks", "pairs", results)
    columns = (marks.numbers(name) for name in ("peak at", "peak", "least slope at", "least slope"))
    for at, peak, low_at, low, (color, _) in zip(*columns, families.LOOKS, strict=False):
        for ax, x, y in ((upper, at, peak), (lower, at, 0.0), (lower, low_at, low)):
            if x <= 2:
                ax.plot(x, y, "o", color=color, markersize=4)
    height = max(marks.numbers("peak"))
    upper.text(-1.95, height, f"{height:.4f}", va="center")
    upper.axhline(height, xmin=0.15, linewidth=0.6, linestyle=":", color="#7d8590")
    return fig
