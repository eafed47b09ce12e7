"""The window cut at every jump and kink into pieces, the pieces into cells, F and B sampled in each cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bnn_ref.auditing.criterion.bisection import HALVINGS, jumps, merged
from bnn_ref.auditing.criterion.pair import Pair, Side
from bnn_ref.parameter import Array

NODES = np.array([0, 1, 2, 3, 4]) / 4
"""Where a cell is sampled, as shares of its width; neighbouring cells share the ends."""

ROUNDING = 64
"""Differences up to so many roundings of the largest value are none."""

STAIRCASE = 5
"""So many jumps close together are a slope."""

VARIES = 1e-6
"""B varies when it does so by more than this share of its largest value."""


@dataclass(frozen=True)
class Mesh:
    """Cells between the breaks of a pair, and its values there.

    Attributes
    ----------
    x : array (cells, 5)
        Nodes, ascending; a cell starts where the one before ends, unless a break lies between.
    piece : array (cells,)
        Which piece each cell belongs to, counted from 0.
    forward, backward : array (cells, 5)
        F and B at the nodes.
    noise : tuple of float
        Up to where a difference of F, and a value of B, is 0.
    varies : float
        From where B varies.
    resolution : float
        Width of a cell at most: what happens within one cannot be told apart.
    """

    x: Array
    piece: Array
    forward: Array
    backward: Array
    noise: tuple[float, float]
    varies: float
    resolution: float

    @property
    def width(self) -> Array:
        """Of each cell."""
        return np.asarray(self.x[:, -1] - self.x[:, 0])


def mesh(pair: Pair, window: tuple[float, float], cells: int) -> Mesh:
    """The mesh of `pair` on `window`, in about so many cells of equal width."""
    resolution = (window[1] - window[0]) / cells
    edges = np.linspace(*window, 4 * cells + 1)
    noise = _rounding(pair.forward, edges), _rounding(pair.backward, edges)
    pieces = _pieces(_breaks(pair, edges, noise, resolution), window)
    x, piece = _cells(pieces, resolution)
    forward, backward = (side(x.reshape(-1)).reshape(x.shape) for side in (pair.forward, pair.backward))
    return Mesh(x, piece, forward, backward, noise, VARIES * float(np.abs(backward).max()), resolution)


def _rounding(side: Side, x: Array) -> float:
    y = side(x)
    return ROUNDING * float(np.finfo(y.dtype).eps) * float(np.abs(y).max())


def _breaks(pair: Pair, edges: Array, noise: tuple[float, float], resolution: float) -> Array:
    """Brackets (n, 2): of the declared kinks, and of the jumps of what declares none.

    `STAIRCASE` or more found in a row, each within a cell's width of the next, are left to the samples, like
    every change that is too fast for them: a staircase finer than this is no other than a slope.
    """
    kinks = np.array([kink for kink in pair.kinks if edges[0] < kink < edges[-1]], np.float64)
    near = 4 * np.finfo(float).eps * float(np.abs(edges).max())  # computed kinks are rounded
    exact = np.stack([kinks - near, kinks + near], axis=1)
    sides = zip((pair.forward, pair.backward), noise, strict=True)
    found = [jumps(side, edges, rounding) for side, rounding in sides if side.kinks is None]
    every = merged(np.concatenate([exact, *found]), 2.0 ** (2 - HALVINGS) * resolution)
    group = np.cumsum(np.diff(every[:, 0], prepend=-np.inf) >= resolution)
    apart = np.bincount(group)[group] < STAIRCASE
    declared = ((every[:, :1] <= kinks) & (kinks <= every[:, 1:])).any(axis=1)
    return np.asarray(every[apart | declared])


def _pieces(breaks: Array, window: tuple[float, float]) -> list[tuple[float, float]]:
    """The closed intervals of the window that no bracket covers."""
    ends = [window[0], *breaks.reshape(-1).tolist(), window[1]]
    return [(a, b) for a, b in zip(ends[::2], ends[1::2], strict=True) if a < b]


def _cells(pieces: list[tuple[float, float]], resolution: float) -> tuple[Array, Array]:
    """The nodes (cells, 5) of all pieces, each cut into equal cells, and the piece of each cell."""
    rows, owners = [], []
    for i, (a, b) in enumerate(pieces):
        edges = np.linspace(a, b, 1 + int(np.ceil((b - a) / resolution * (1 - 1e-12))))
        left, right = edges[:-1, None], edges[1:, None]
        rows.append(np.where(NODES < 1, left + (right - left) * NODES, right))  # no end moves by rounding
        owners.append(np.full(len(left), i))
    return np.concatenate(rows), np.concatenate(owners)
