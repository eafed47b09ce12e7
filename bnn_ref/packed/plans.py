"""Idle plans of a packed network, a bounded number of them."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from bnn_ref.packed.graph import Graph
from bnn_ref.packed.plan import Plan

KEPT = 8
"""Idle plans: enough for several threads or shapes in turns, whatever shapes come later."""


class Plans:
    """Plans that nobody holds, by input shape; the shape that was longest not used is dropped first.

    Safe from several threads.

    Parameters
    ----------
    graph : Graph
    kept : int
        Plans in all.
    """

    def __init__(self, graph: Graph, kept: int = KEPT) -> None:
        self.graph, self.kept = graph, kept
        self._lock = Lock()
        self._idle: OrderedDict[tuple[int, ...], list[Plan]] = OrderedDict()

    def take(self, shape: tuple[int, ...]) -> Plan:
        """An idle plan for inputs (N, *shape), or a new one; ValueError where the network takes none."""
        with self._lock:
            if idle := self._idle.get(shape):
                return idle.pop()
        return Plan(self.graph, shape)

    def give(self, shape: tuple[int, ...], plan: Plan) -> None:
        """Put a plan back."""
        with self._lock:
            self._idle.setdefault(shape, []).append(plan)
            self._idle.move_to_end(shape)
            while len(self) > self.kept:
                oldest = next(iter(self._idle.values()))
                if oldest:
                    oldest.pop()
                else:
                    self._idle.popitem(last=False)

    def __len__(self) -> int:
        return sum(map(len, self._idle.values()))
