"""P, cell by cell: the integral of dF/B, flat or free where F stays, with jumps where there may be some."""

from __future__ import annotations

import numpy as np

from bnn_ref.auditing.criterion.mesh import NODES, Mesh
from bnn_ref.auditing.criterion.table import Table
from bnn_ref.parameter import Array

_LAGRANGE = [
    np.poly(np.delete(NODES, i)) / np.prod(node - np.delete(NODES, i)) for i, node in enumerate(NODES)
]
DERIVATIVE = np.array([np.polyval(np.polyder(p), NODES) for p in _LAGRANGE])
"""Values at the nodes of a cell of width 1, times this: the slopes there of the polynomial through them."""

WEIGHTS = np.array([7, 32, 12, 32, 7]) / 90
"""Boole's rule on a cell of width 1."""


def potential(mesh: Mesh, rows: Table) -> tuple[Array, Array, Array, Array]:
    """(x, P, F, B) at the ends of all cells; P is NaN in cells that fail, and starts at 0."""
    rises = np.stack([_gaps(mesh, rows), _steps(mesh, rows)], axis=1)
    left, right = np.cumsum(rises).reshape(rises.shape).T
    last = np.append(np.diff(mesh.piece) != 0, True)
    p = _ends(left, right, last)
    fails = rows.fails
    wrong = _ends(fails | np.append(False, fails[:-1] & ~last[:-1]), fails, last)
    x, f, b = (_ends(y[:, 0], y[:, -1], last) for y in (mesh.x, mesh.forward, mesh.backward))
    return x, np.where(wrong, np.nan, p), f, b


def _ends(left: Array, right: Array, last: Array) -> Array:
    """Each cell's left end, and the right end of the last cell of each piece."""
    return np.asarray(np.insert(left, np.flatnonzero(last) + 1, right[last]))


def _steps(mesh: Mesh, rows: Table) -> Array:
    """By how much P rises over each cell."""
    b, width = mesh.backward, mesh.width
    slope = mesh.forward @ DERIVATIVE  # dF over a cell of width 1
    with np.errstate(divide="ignore", invalid="ignore"):
        integral = (slope / b) @ WEIGHTS
        net = np.abs(mesh.forward[:, -1] - mesh.forward[:, 0])
        bounds = net / np.abs(b).max(axis=1), net / np.abs(b).min(axis=1)
        ratio = np.nan_to_num(
            (slope * b) @ WEIGHTS / (b * b @ WEIGHTS), posinf=0.0
        )  # B of both signs: least squares
    steps = np.where(rows.rises, np.clip(integral, *bounds), np.maximum(ratio, 0))
    steps = np.where(rows.flat, 0, np.where(rows.free, width, steps))
    return np.where(rows.fails, 0, steps)


def _gaps(mesh: Mesh, rows: Table) -> Array:
    """How far P jumps before each cell: where F jumps, and where B does beside a stretch on which P is flat.

    Where dF/B is positive and the same B stands on both sides, that is dF/B, and T goes straight across.
    """
    f, b = mesh.forward, mesh.backward
    rise, mean = f[1:, 0] - f[:-1, -1], (b[1:, 0] + b[:-1, -1]) / 2
    jump = np.abs(rise) > mesh.noise[0]
    kink = np.abs(b[1:, 0] - b[:-1, -1]) > mesh.varies
    flat = rows.flat[1:] | rows.flat[:-1]
    gap = (np.diff(mesh.piece) != 0) & (jump | (kink & flat))
    straight = rise * mean > mesh.noise[0] * mesh.varies
    size = np.where(straight, rise / np.where(straight, mean, 1), 1.0)
    return np.append(0, np.where(gap, size, 0))
