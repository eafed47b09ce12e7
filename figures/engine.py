"""How near the packed engine comes to a C loop; what others take in its place, time and memory."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, GREY, ORANGE, barred, measured_on, run

COLORS = {"ResNet-18": GREY, "Bi-Real-18": ORANGE}
NOTE = (
    "One thread, one image, medians of pairs with quartiles. Right: growth of the largest resident size; "
    "compiled code is read once a process."
)


def speed(ax: Axes, shares: Table) -> None:
    """Products a second: ours as bars, the C loop's of the same run as marks."""
    ours, loop = (np.array(shares.numbers(name)) for name in ("GMAC/s", "the loop's GMAC/s"))
    places = np.arange(len(ours)) + (np.arange(len(ours)) >= 4) * 0.7
    ax.barh(places, ours, 0.8, color=BLUE, label="packed engine")
    ax.plot(loop, places, "|", color=INK, markersize=13, markeredgewidth=1.6, label="C loop, same run")
    for place, number, share in zip(places, ours, shares.numbers("share"), strict=True):
        ax.text(number / 2, place, f"{share:.0%}", ha="center", va="center", fontsize=8, color="white")
    names = [name.replace("product ", "") for name in shares.column("what")]
    ax.set_yticks(places, [name.replace("layer ", "layer\n") for name in names])
    ax.invert_yaxis()
    ax.set_title("products of signs, 10$^9$ a second", loc="left")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, -0.22), ncols=2, frameon=False, fontsize=8)


def times(ax: Axes, networks: Table) -> None:
    """How many times as long another library takes."""
    rows = networks.records()
    for place, row in enumerate(rows):
        what = row["what"].rpartition(" ")[2]
        y = place + 0.7 * (what == "Bi-Real-18")
        ratio, low, high = (float(row[name]) for name in ("ratio", "low", "high"))
        ax.barh(y, ratio, 0.8, color=COLORS[what])
        ax.plot([low, high], [y, y], color=INK, linewidth=1.2)
        ax.text(high + 0.15, y, f"{ratio:.3g}", va="center", fontsize=8, color=INK)
    at = [place + 0.7 * row["what"].endswith("Bi-Real-18") for place, row in enumerate(rows)]
    ax.set_yticks(at, [f"{row['rival']}\n{row['what'].rpartition(' ')[2]}" for row in rows])
    ax.axvline(1, color=BLUE, linewidth=1.4)
    ax.set_xlim(0, 1.15 * max(networks.numbers("high")))
    ax.invert_yaxis()
    ax.set_title("time, in that of packed Bi-Real-18", loc="left")


def memory(ax: Axes, networks: Table, own: Table) -> None:
    """Megabytes above what a process takes after its imports."""
    sizes = {row["what"]: float(row["bytes"]) / 1e6 for row in own.records()}
    rows = [row for row in networks.records() if row["what"].endswith("ResNet-18")]
    ax.barh(0, sizes["first call"], 0.8, color=BLUE)
    ax.barh(0, sizes["compiled code"], 0.8, left=sizes["first call"], color=BLUE, alpha=0.35)
    text = f"{sizes['first call']:.0f}, and {sizes['compiled code']:.0f} of compiled code"
    ax.text(sum(sizes[key] for key in ("first call", "compiled code")) + 4, 0, text, va="center", fontsize=8)
    for place, row in enumerate(rows, 1):
        number = float(row["memory MB"])
        ax.barh(place, number, 0.8, color=GREY)
        ax.text(number + 4, place, f"{number:.0f}", va="center", fontsize=8, color=INK)
    ax.set_yticks(
        range(len(rows) + 1), ["packed\nBi-Real-18", *(f"{row['rival']}\nResNet-18" for row in rows)]
    )
    ax.set_xlim(0, 1.15 * max(float(row["memory MB"]) for row in rows))
    ax.invert_yaxis()
    ax.set_title("memory of a first call, MB", loc="left")


def draw(results: Path) -> Figure:
    """Three panels from the tables in `results`."""
    networks = load("engine-networks-1", "engine", results)
    fig = figure(12.6, 4.6)
    left, middle, right = fig.subplots(1, 3)
    speed(left, load("engine-shares", "engine", results))
    times(middle, networks)
    memory(right, networks, load("engine-memory", "engine", results))
    for ax in (left, middle, right):
        barred(ax)
    measured_on(fig, "engine", results, NOTE)
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.engine", {"engine": draw}))
