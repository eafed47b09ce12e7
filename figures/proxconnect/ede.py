"""IR-Net's error decay, k tanh(t w) with k = max(1/t, 1), and its slope."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from figures.proxconnect import families

TITLES = ("k tanh(t w), k = max(1/t, 1): near the identity, then near sign", "its slope, max(1, t) at 0")


def draw(results: Path) -> Figure:
    """Two panels from the table in `results`."""
    return families.draw("pairs-ede", TITLES, results)[0]
