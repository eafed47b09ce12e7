"""The paper's Fig. 3: what a fixed number of terms costs, and what it brings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, ORANGE, counted, line, means


def time_panel(ax: Axes, times: Table) -> None:
    """Nanoseconds an element, both ways: the sum climbs, so its name stands to the left of it."""
    terms, total, closed = (np.array(times.numbers(name)) for name in ("terms", "cosine sum", "closed form"))
    span, top = terms[-1] - terms[0], max(total.max(), closed.max())
    middle = terms[0] + 0.55 * span
    line(ax, terms, total, (ORANGE, "--"), "sum of N cosines", middle, (terms[0] + 0.12 * span, 0.72 * top))
    at_closed = float(np.interp(middle, terms, closed))
    name = "closed form, sin(2Nωt) / sin(ωt)"
    line(ax, terms, closed, (BLUE, "-"), name, middle, (terms[0] + 0.58 * span, at_closed + 0.17 * top))
    ax.set_title("time of the slope, ns per element (measured)", loc="left")
    ax.set_ylim(0, 1.08 * top)


def accuracy_panel(ax: Axes, accuracy: Table) -> None:
    """Test accuracy and its interval."""
    terms = np.array(accuracy.numbers("terms"))
    means(ax, terms, accuracy, (INK, "-"), "")
    runs = counted(accuracy.column("runs"))
    ax.set_title(f"test accuracy in per cent: mean of {runs}, 95 % interval", loc="left")
    ax.set_xlabel("N, the number of sine terms, fixed while training")
    ax.set_xticks(terms)


def draw(results: Path) -> Figure:
    """Two panels over one axis of terms, from the tables in `results`."""
    times, accuracy = (load(name, "fda", results) for name in ("fda-time", "fda-terms"))
    fig = figure(6.4, 5.2)
    upper, lower = fig.subplots(2, 1, sharex=True)
    time_panel(upper, times)
    accuracy_panel(lower, accuracy)
    return fig
