"""Which steps become one pass: a product and what is done to its results while they are in registers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bnn_ref.packed.graph import Graph, Node
from bnn_ref.packed.steps import (
    Add,
    Affine,
    Bias,
    PackSigns,
    PReLU,
    ProductStep,
    ReLU,
    Scale,
    Step,
    Threshold,
)
from bnn_ref.parameter import Array


def rows_of(step: Step) -> tuple[str, tuple[Array, ...]] | None:
    """An element-wise step as operations of `kernels.tiles.Finish` and their numbers; None for others."""
    match step:
        case Scale():
            return "*", (step.factor,)
        case Bias():
            return "+", (step.bias,)
        case Affine():
            return "*+", (step.gain, step.shift)
        case PReLU():
            return "p", (step.slope,)
        case ReLU():
            return "m", ()
    return None


@dataclass
class Pass:
    """A product node with the steps behind it that need no pass over memory of their own.

    Attributes
    ----------
    product : int
        The value that the product alone would have made.
    ops : str
        Operations, see `kernels.tiles.Finish`.
    rows : list of arrays
        Their numbers, one a filter or one for all; float32, or int32.
    value : int
        The value that the operations end with.
    residual, words : int or None
        The value that is added, the value that the signs are.
    steps : list of int
        All values that it computes.
    """

    product: int
    ops: str = ""
    rows: list[Array] = field(default_factory=list)
    value: int = 0
    residual: int | None = None
    words: int | None = None
    steps: list[int] = field(default_factory=list)

    @property
    def keeps(self) -> bool:
        """Whether `value` itself is left in memory."""
        return "f" in self.ops or "i" in self.ops


class Fusing:
    """The passes of a graph: `passes()` goes over its products in order.

    A chain of element-wise steps is taken as long as nobody else reads what is between; a residual, where it
    has been computed before the product; signs at the end.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.readers: dict[int, list[int]] = {}
        self._inside: dict[int, Pass] = {}
        for number, node in enumerate(graph.nodes, 1):
            for value in node.inputs:
                self.readers.setdefault(value, []).append(number)

    def node(self, value: int) -> Node:
        """The node that makes `value`."""
        return self.graph.nodes[value - 1]

    def passes(self) -> Iterator[Pass]:
        """One for every product that the tiles compute."""
        for number, node in enumerate(self.graph.nodes, 1):
            if isinstance(node.step, ProductStep):
                one = self.fused(number)
                self._inside |= dict.fromkeys(one.steps, one)
                yield one

    def pass_of(self, value: int) -> Pass | None:
        """The pass that computes `value`."""
        return self._inside.get(value)

    def when(self, value: int) -> int:
        """The number of the step or pass that computes `value`, in the order in which they are computed."""
        one = self.pass_of(value)
        return value if one is None else one.product

    def added(self, value: int) -> bool:
        """Whether a pass adds `value` to its own."""
        return any(one.residual == value for one in self._inside.values())

    def last(self, one: Pass) -> bool:
        """Whether nobody needs the residual of `one` after it: its result may take the residual's place."""
        residual = one.residual
        if residual is None or residual in (0, self.graph.output):
            return False
        return all(
            self.when(reader) < one.product or self.pass_of(reader) is one for reader in self.readers[residual]
        )

    def fused(self, number: int) -> Pass:
        """The pass of the product `number`."""
        made = Pass(number, value=number, steps=[number])
        if self._threshold(made):
            return made
        while self._longer(made):
            pass
        signs = [reader for reader in self.readers.get(made.value, []) if self._signs(reader)]
        others = len(self.readers.get(made.value, [])) - len(signs[:1])
        integers = not made.ops and self.node(number).step.binary
        if others or made.value == self.graph.output or not signs:
            made.ops += "i" if integers and not signs else "f"
        if signs:
            made.words = signs[0]
            made.steps.append(signs[0])
            made.ops += "b" if self.node(signs[0]).step.zero == 1 else "B"
        return made

    def _signs(self, reader: int) -> bool:
        return isinstance(self.node(reader).step, PackSigns)

    def _only_reader(self, value: int) -> int | None:
        readers = self.readers.get(value, [])
        return readers[0] if len(readers) == 1 and value != self.graph.output else None

    def _threshold(self, made: Pass) -> bool:
        reader = self._only_reader(made.product)
        step = None if reader is None else self.node(reader).step
        if not isinstance(step, Threshold):
            return False
        turn = np.where(step.rising.values() < 0, np.int32(-1), np.int32(0))
        made.ops, made.rows, made.words = "t", [turn, step.threshold ^ turn], reader
        made.steps.append(reader)
        return True

    def _longer(self, made: Pass) -> bool:
        """Take one step more, if there is one to take."""
        reader = self._only_reader(made.value)
        if reader is None:
            return False
        step = self.node(reader).step
        if (own := rows_of(step)) is not None:
            made.ops += own[0]
            made.rows.extend(own[1])
        elif isinstance(step, Add) and made.residual is None:
            one, other = self.node(reader).inputs
            residual = other if one == made.value else one
            if self.when(residual) >= made.product or residual == made.value:
                return False  # it is not there yet when the product is computed
            made.ops, made.residual = made.ops + "r", residual
        else:
            return False
        made.value = reader
        made.steps.append(reader)
        return True
