"""What the pictures share: the command line, curves with their names beside them, files in two formats."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.tables import RESULTS, Table, load
from bnn_ref.parameter import Array
from bnn_ref.plot import INK, PALETTE, STYLE, save

Draw: TypeAlias = Callable[[Path], Figure]

BLUE, ORANGE, GREY = PALETTE[0], PALETTE[1], PALETTE[7]
"""Blue and orange are told apart by every kind of eye; ink is the third colour, grey the reference."""
OUT = Path("out/figures")


def reference(ax: Axes, x: Array, y: Array) -> None:
    """What every panel is compared with: a grey area behind."""
    ax.fill_between(x, y, color=GREY, alpha=0.25, linewidth=0)


def line(
    ax: Axes, x: Array, y: Array, look: tuple[str, str], name: str, at: float, text: Sequence[float]
) -> None:
    """A curve with its name at `text`, tied to the curve where its abscissa is `at`; `look`: colour, dash."""
    color, dash = look
    ax.plot(x, y, dash, color=color)
    ax.annotate(
        name, (at, float(np.interp(at, x, y))), (text[0], text[1]),
        color=color, fontsize=8, va="center", linespacing=1.1,
        arrowprops={"arrowstyle": "-", "color": color, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 0},
    )  # fmt: skip


def barred(ax: Axes) -> None:
    """A panel of horizontal bars: no lines along them, small names."""
    ax.grid(False, axis="y")
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0, labelsize=8)


def means(ax: Axes, x: Array, table: Table, look: tuple[str, str], label: str) -> None:
    """The column `mean` as dots on a line, with bars from `low` to `high`; `look`: colour, dash."""
    mean, low, high = (np.array(table.numbers(name)) for name in ("mean", "low", "high"))
    color, dash = look
    ax.errorbar(
        x, mean, (mean - low, high - mean), fmt=f"o{dash}", color=color, label=label,
        markersize=4, linewidth=1.4, elinewidth=1.0, capsize=2.5,
    )  # fmt: skip


def counted(runs: Sequence[str]) -> str:
    """How many runs a mean is of, from the cells of a column: "5 runs", or "3 to 5 runs"."""
    least, most = min(map(int, runs)), max(map(int, runs))
    return f"{most} runs" if least == most else f"{least} to {most} runs"


def measured_on(fig: Figure, study: str, results: Path, note: str) -> None:
    """Below the panels: the CPU that is on record, and a note."""
    machine = load(f"{study}-machine", study, results).records()[0]["value"]
    fig.supxlabel(f"{machine}\n{note}", fontsize=8, color=INK)


def write(name: str, draw: Draw, results: Path, out: Path) -> list[Path]:
    """Draw one picture and save it as PNG and SVG in `out`, which is made if it is not there."""
    with matplotlib.rc_context(STYLE):
        picture = draw(results)
    out.mkdir(parents=True, exist_ok=True)
    return [save(picture, out / f"{name}{suffix}") for suffix in (".png", ".svg")]


def run(program: str, pictures: Mapping[str, Draw], argv: Sequence[str] | None = None) -> int:
    """The command line of pictures: `--results FOLDER --out FOLDER`; 1 where a result is missing."""
    parser = argparse.ArgumentParser(f"python -m {program}", description="Draw the results of analysis.")
    parser.add_argument("--results", type=Path, default=RESULTS, metavar="FOLDER", help="what is drawn")
    parser.add_argument("--out", type=Path, default=OUT, metavar="FOLDER", help="where pictures go")
    options = parser.parse_args(argv)
    for name, draw in pictures.items():
        try:
            paths = write(name, draw, options.results, options.out)
        except FileNotFoundError as missing:
            print(missing, file=sys.stderr)
            return 1
        print(*paths, sep="\n")
    return 0
