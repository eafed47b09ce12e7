"""The ablation is drawn from its tables: a dot a cell, a row a contrast, with the verdict in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.container import ErrorbarContainer

from analysis.tables import read
from figures import ablation, mismatch

Change = Callable[[Path, str, int, str], None]


def dots(container: ErrorbarContainer) -> list[float]:
    """The abscissas of the dots of a group."""
    line = container[0]
    assert line is not None
    return [float(x) for x in np.asarray(line.get_xdata())]


def test_every_cell_has_its_dot_and_every_contrast_its_row(results: Path) -> None:
    left, right = ablation.draw(results).get_axes()
    cells, contrasts = (read(results / f"bireal-{name}.csv") for name in ("cells", "contrasts"))
    drawn = [x for group in left.containers for x in dots(group)]  # type: ignore[arg-type]
    assert sorted(drawn) == sorted(cells.numbers("mean"))
    (group,) = (part for part in right.containers if isinstance(part, ErrorbarContainer))
    assert dots(group) == list(contrasts.numbers("difference"))
    said = [text.get_text() for text in right.texts]
    assert [words.rsplit(" (expected", 1)[0] for words in said] == list(contrasts.column("reading"))


def test_a_changed_table_is_a_changed_picture(results: Path, change: Change) -> None:
    change(results / "bireal-contrasts.csv", "reading", 0, "worse, AGAINST what was expected")
    change(results / "bireal-contrasts.csv", "low", 1, "")
    right = ablation.draw(results).get_axes()[1]
    assert right.texts[0].get_text() == "worse, AGAINST what was expected"
    assert right.texts[2].get_text().endswith("images (expected: better)")


def test_mismatch_shows_the_mean_and_every_network(results: Path, change: Change) -> None:
    change(results / "bireal-mismatch.csv", "mean", 0, "0.512")
    change(results / "bireal-networks.csv", "cosine", 0, "")
    activations, weights = mismatch.draw(results).get_axes()
    means, networks = (read(results / f"bireal-{name}.csv").records() for name in ("mismatch", "networks"))
    for ax, operand in ((activations, "activation"), (weights, "weight")):
        wanted = [float(row["mean"]) for row in means if row["operand"] == operand and row["mean"]]
        drawn = [x for group in ax.containers for x in dots(group)]  # type: ignore[arg-type]
        assert sorted(drawn) == sorted(wanted)
        single = [line for line in ax.get_lines() if line.get_marker() == "."]
        found = sorted(float(x) for line in single for x in np.asarray(line.get_xdata()))
        assert found == sorted(
            float(row["cosine"]) for row in networks if row["operand"] == operand and row["cosine"]
        )
    assert 0.512 in dots(activations.containers[0])  # type: ignore[arg-type]
