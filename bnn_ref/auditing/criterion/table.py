"""The decision table: what F and B do on each cell, and the cells where no proximal map can make them.

Where the pair decomposes, F' = B P' with P' >= 0. On an open interval that leaves, for F' and B,

    same sign          P' = F'/B
    F' = 0, B != 0     P is flat, hence B constant: B = T'(P) has one value there
    F' = 0, B = 0      P is free
    opposite sign      none: P would fall
    F' != 0, B = 0     none: F cannot move where T is level
    any, integral of F'/B infinite      none: P would leave the real line

That is all. P never falls, so its level sets are intervals, and two places can have one value of P only if it
is flat between them. Where F or B jumps, P may jump too, and in the gap T is free: it can go from any value
and slope to any other, down as well as up (T need not be monotone), so that jumps of F of either sign are
allowed, and what is left of a jump binds nothing right of it. Source: ours.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bnn_ref.auditing.criterion.bisection import halve
from bnn_ref.auditing.criterion.mesh import Mesh
from bnn_ref.auditing.criterion.pair import Pair
from bnn_ref.auditing.criterion.witness import Witness
from bnn_ref.parameter import Array

TURNS = 2
"""Neither up, down nor still; neither positive, negative nor 0: undecided, left to the neighbours."""

SHRINKS = 20, 0.25, 0.01
"""P's step does not shrink if after 20 halvings a quarter of it is left, and of F's step less than 1 %."""


@dataclass(frozen=True)
class Table:
    """The rows of the decision table as masks of the cells (cells,), and what speaks against the pair."""

    rises: Array
    flat: Array
    free: Array
    witnesses: tuple[Witness, ...]

    @property
    def fails(self) -> Array:
        """The cells that some witness covers."""
        covered = np.zeros(self.rises.shape, bool)
        for witness in self.witnesses:
            covered[witness.cells] = True
        return covered


def motion(mesh: Mesh) -> Array:
    """For each cell: +1 where F rises, -1 where it falls, 0 where it stays, `TURNS` otherwise."""
    net = np.sign(mesh.forward[:, -1] - mesh.forward[:, 0])
    back = (np.diff(mesh.forward, axis=1) * net[:, None] < -mesh.noise[0]).any(axis=1)
    turned = np.where(back | (net == 0), TURNS, net)
    return np.where(np.ptp(mesh.forward, axis=1) <= mesh.noise[0], 0, turned)


def sign(mesh: Mesh) -> Array:
    """For each cell: the sign of B where it has one sign or is 0 throughout, `TURNS` otherwise."""
    b, noise = mesh.backward, mesh.noise[1]
    names = [(b > noise).all(axis=1), (b < -noise).all(axis=1), (np.abs(b) <= noise).all(axis=1)]
    return np.select(names, [1, -1, 0], TURNS)


def table(pair: Pair, mesh: Mesh) -> Table:
    """Every cell in its row."""
    moves, signs = motion(mesh), sign(mesh)
    moving, signed = np.abs(moves) == 1, np.abs(signs) == 1
    still = moves == 0
    level = np.abs(mesh.backward).max(axis=1) <= mesh.varies
    witnesses = [
        *_runs(mesh, moving & signed & (moves != signs), "opposite"),
        *_runs(mesh, moving & (signs == 0), "level"),
        *(run for run in _runs(mesh, still, "varies") if run.range_of_b > mesh.varies),
        *_infinite(pair, mesh, moving & (moves != -signs)),
    ]
    return Table(moving & (moves == signs), still & ~level, still & level, tuple(witnesses))


def _runs(mesh: Mesh, chosen: Array, kind: str) -> Iterator[Witness]:
    """What each run of neighbouring chosen cells of one piece would be a witness of."""
    ends = np.flatnonzero((np.diff(chosen) != 0) | (np.diff(mesh.piece) != 0)) + 1
    for start, stop in itertools.pairwise([0, *ends.tolist(), len(chosen)]):
        if chosen[start]:
            yield Witness.over(mesh, slice(start, stop), kind)


def _infinite(pair: Pair, mesh: Mesh, chosen: Array) -> Iterator[Witness]:
    """Where P's own step, abs(dF / B), does not shrink under bisection while F's does: P has no limit."""

    def step_of_f(left: Array, right: Array) -> Array:
        step = np.abs(pair.forward(right) - pair.forward(left))
        return np.where(step <= mesh.noise[0], 0, step)

    def step_of_p(left: Array, right: Array) -> Array:
        largest = np.maximum(np.abs(pair.backward(left)), np.abs(pair.backward(right)))
        step = step_of_f(left, right)
        return np.where(step == 0, 0, step / np.maximum(largest, np.finfo(float).tiny))

    times, kept, lost = SHRINKS
    cells = np.flatnonzero(chosen)
    ends = mesh.x[cells, 0], mesh.x[cells, -1]
    small = halve(step_of_p, *ends, times)
    last = step_of_p(*small)
    found = (last > kept * step_of_p(*ends)) & (step_of_f(*small) < lost * step_of_f(*ends))
    yield from (Witness.over(mesh, slice(cell, cell + 1), "infinite") for cell in cells[found])
