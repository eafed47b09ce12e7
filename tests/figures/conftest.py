"""What the tests of pictures share: results to draw, and how to look at what was drawn."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.fda import panels
from analysis.tables import RESULTS, Table, read, write
from bnn_ref.plot import STYLE
from figures.drawing import Draw

Change = Callable[[Path, str, int, str], None]
Drawn = Callable[[Draw, Path], Figure]
Apart = Callable[[Figure], None]

TERMS = (1, 2, 3, 5, 9, 12, 18, 20)
STOPS = {"fixed": TERMS, "from 1": TERMS, "from 9": (9, 12, 18, 20)}
LEARNED = ("runs", "mean", "low", "high")


def made_up_time() -> Table:
    """A sum that takes 2 + 8 ns a term, a closed form that takes 11."""
    return Table.of(["terms", "cosine sum", "closed form"], [[n, 2 + 8.0 * n, 11.0] for n in range(1, 21)])


def learned(terms: int, aside: float = 0.0) -> list[int | float]:
    """Runs, mean, low, high: a curve that levels off, its interval lopsided."""
    mean = 95 - 20 * np.exp(-terms / 2) + aside
    return [5, mean, mean - 0.4 - 1 / terms, mean + 0.7]


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A copy of the committed results; what is trained is made up, so that its pictures are known."""
    folder = Path(shutil.copytree(RESULTS, tmp_path / "results"))
    accuracy = [[n, *learned(n)] for n in TERMS]
    schedules = [[name, n, *learned(n, len(name) / 10)] for name, stops in STOPS.items() for n in stops]
    tables = {
        "fda-functions": panels.functions(),
        "fda-dft": panels.dft(),
        "fda-time": made_up_time(),
        "fda-terms": Table.of(["terms", *LEARNED], accuracy),
        "fda-schedules": Table.of(["setting", "stop", *LEARNED], schedules),
    }
    for name, table in tables.items():
        write(folder / f"{name}.csv", table, ["made for a test"])
    return folder


@pytest.fixture
def change() -> Change:
    """Write another value into one cell of a file."""

    def write_cell(path: Path, column: str, row: int, value: str) -> None:
        table = read(path)
        rows = [list(cells) for cells in table.rows]
        rows[row][table.columns.index(column)] = value
        write(path, Table(table.columns, tuple(map(tuple, rows))), ["changed"])

    return write_cell


@pytest.fixture
def drawn() -> Drawn:
    """Draw in the style of the package, down to the place of every word."""

    def finish(draw: Draw, folder: Path) -> Figure:
        with matplotlib.rc_context(STYLE):
            fig = draw(folder)
            fig.draw_without_rendering()
        return fig

    return finish


def words(fig: Figure) -> list[Text]:
    """Every text that is not a number on an axis."""
    found: list[Text] = [*fig.texts, *(text for legend in fig.legends for text in legend.get_texts())]
    for ax in fig.get_axes():
        found += [*ax.texts, ax.title, ax._left_title]
        found += [ax.xaxis.label, ax.yaxis.label] if ax.axison else []
    return [text for text in found if text.get_text()]


@pytest.fixture
def apart() -> Apart:
    """Assert that no text of a finished picture touches another or leaves the picture."""

    def check(fig: Figure) -> None:
        boxes = [(text.get_text(), text.get_window_extent()) for text in words(fig)]
        frame = fig.bbox
        for (name, box), (other, near) in itertools.combinations(boxes, 2):
            assert not box.overlaps(near), f"{name!r} touches {other!r}"
        for name, box in boxes:
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            assert inside, f"{name!r} leaves the picture"

    return check
