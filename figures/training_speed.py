"""How fast training is beside torch: whole steps, float convolutions, backward passes of estimators."""

from __future__ import annotations

import sys
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import Table, load
from bnn_ref.plot import INK, figure
from figures.drawing import BLUE, GREY, ORANGE, barred, measured_on, run

Row = tuple[str, str, dict[str, str]]

NOTE = (
    "One thread; times as fast as torch, medians of pairs of neighbouring calls, with quartiles. "
    "Kept: torch's process keeps freed memory too."
)
LAYOUTS = {"channels_last": BLUE, "nchw": GREY, "channels_last, kept": ORANGE}
SIDES = {"torch": BLUE, "torch, kept": ORANGE}
PRODUCTS = {"forward": BLUE, "gradient to images": ORANGE, "gradient to filters": GREY}


def bars(ax: Axes, rows: list[Row], title: str) -> None:
    """(name, colour, record) as bars with quartiles; torch is the line at 1."""
    for place, (_, color, row) in enumerate(rows):
        ratio, low, high = (float(row[name]) for name in ("times as fast", "low", "high"))
        ax.barh(place, ratio, 0.8, color=color)
        ax.plot([low, high], [place, place], color=INK, linewidth=1.2)
        ax.annotate(
            f"{ratio:.3g}", (max(high, 1), place), (4, 0), textcoords="offset points", va="center",
            fontsize=8, color=INK,
        )  # fmt: skip
    ax.set_yticks(range(len(rows)), [name for name, _, _ in rows])
    ax.axvline(1, color=INK, linewidth=1.0)
    ax.set_xlim(0, 1.17 * max(float(row["high"]) for *_, row in rows))
    ax.invert_yaxis()
    ax.set_title(title, loc="left")


def named(ax: Axes, colors: dict[str, str]) -> None:
    """What colours mean, below the panel."""
    for name, color in colors.items():
        ax.barh(0, 0, color=color, label=name)
    ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.08), ncols=len(colors), frameon=False, fontsize=8)


def steps(ax: Axes, table: Table) -> None:
    """Whole steps, against both layouts of torch, and against one that keeps freed memory as ours does."""
    rows: list[Row] = []
    for row in table.records():
        layout = row["torch's layout"]
        name = f"{row['network']}\nbatch {row['batch']}" if layout == "nchw" else ""  # one for three bars
        rows.append((name, LAYOUTS[layout], row))
    bars(ax, rows, "a step of training")
    named(ax, LAYOUTS)


def products(ax: Axes, table: Table) -> None:
    """Float convolutions, against channels_last."""
    records = [row for row in table.records() if row["side"]]
    rows: list[Row] = []
    for i, row in enumerate(records):
        shape = "{side} x {side} x {channels}".format(**row) if i % 3 == 1 else ""  # one name for three bars
        rows.append((shape, PRODUCTS[row["product"]], row))
    bars(ax, rows, "convolutions, 3 x 3")
    named(ax, PRODUCTS)


def slopes(ax: Axes, table: Table) -> None:
    """Slope times gradient, against expressions of torch."""
    rows: list[Row] = []
    for row in table.records():
        name, _, more = row["estimator"].partition(", torch's ")
        said = name + (f"\n({more.replace(' the', chr(10) + 'the')})" if more else "")
        rows.append((said if row["against"] == "torch" else "", SIDES[row["against"]], row))
    bars(ax, rows, "backward pass, $10^7$ elements")
    named(ax, SIDES)


def draw(results: Path) -> Figure:
    """Three panels from the tables in `results`."""
    tables = [
        load(f"training_speed-{name}", "training_speed", results)
        for name in ("steps", "convolutions", "slopes")
    ]
    fig = figure(12.6, 5.4)
    panels = fig.subplots(1, 3)
    for ax, show, table in zip(panels, (steps, products, slopes), tables, strict=True):
        show(ax, table)
        barred(ax)
    measured_on(fig, "training_speed", results, NOTE)
    return fig


if __name__ == "__main__":
    sys.exit(run("figures.training_speed", {"training-speed": draw}))
