"""Which steps become one pass: a product and what is done to its results while they are in registers.

A pass has one of few forms, for each is compiled once: the product; then, in the network's order, up to two
times a factor and a summand a filter, a residual, a PReLU between two shifts; then numbers, signs or both.
What a network leaves out of a form is 1 or -0 there, which changes no bit: x + 0 would make +0 of -0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from bnn_ref.packed.graph import Graph, Node
from bnn_ref.packed.steps import (
    Add,
    Affine,
    Bias,
    Flatten,
    MaxPool,
    NearestUpsample,
    OverlapAdd,
    PackSigns,
    PadShortcut,
    PReLU,
    ProductStep,
    Scale,
    Threshold,
)
from bnn_ref.parameter import Array

ONE, NEUTRAL = np.ones(1, np.float32), np.full(1, -0.0, np.float32)


PAIR, RESIDUAL, CURVE = "*+", "r", "+p+"
"""What a pass can do, in any order: see `kernels.tiles.Finish`."""

MOST = {PAIR: 2, RESIDUAL: 1, CURVE: 1}
"""How often: every order is a form of its own, and compiled."""


@dataclass
class Pass:
    """A product node with the steps behind it that need no pass over memory of their own.

    Attributes
    ----------
    product : int
        The value that the product alone would have made.
    value : int
        The value that its numbers are, after everything in the pass.
    steps : list of int
        All values that it computes.
    stages : list of (str, tuple of arrays)
        What is done to the product, and the float32 numbers that it takes, one a filter or one for all: a
        factor and a summand; the residual; what a PReLU adds before, its slope, what it adds after.
    residual : int or None
        The value that is added.
    threshold : tuple of int32 arrays or None
        In place of all this: all ones where the answer falls, and the limit (its complement there).
    words : int or None
        The value that the signs are.
    end : str
        i, t: integers, or bits by a threshold. f, b, s: numbers, bits; see `kernels.tiles.Finish`.
    """

    product: int
    value: int
    steps: list[int]
    stages: list[tuple[str, tuple[Array, ...]]] = field(default_factory=list)
    residual: int | None = None
    threshold: tuple[Array, Array] | None = None
    words: int | None = None
    end: str = ""

    @property
    def ops(self) -> str:
        """The operations, see `kernels.tiles.Finish`."""
        return "".join(op for op, _ in self.stages) + self.end

    @property
    def rows(self) -> list[Array]:
        """The numbers of the operations, in their order."""
        return [row for _, rows in self.stages for row in rows] + list(self.threshold or ())

    @property
    def keeps(self) -> bool:
        """Whether `value` itself is left in memory."""
        return "f" in self.end or "i" in self.end

    def room(self, op: str) -> bool:
        """Whether it can do `op` once more."""
        return sum(done == op for done, _ in self.stages) < MOST[op]

    def take(self, factor: Array, summand: Array) -> bool:
        """Multiply by `factor`, then add `summand`: whether there is room for it."""
        op, rows = self.stages[-1] if self.stages else ("", ())
        if op == PAIR and rows[1] is NEUTRAL and factor is ONE:  # a scale, and now its bias
            self.stages[-1] = (PAIR, (rows[0], summand))
            return True
        if not self.room(PAIR):
            return False
        self.stages.append((PAIR, (factor, summand)))
        return True


class Fusing:
    """The passes of a graph.

    A chain of element-wise steps is taken as long as nobody else reads what is between; a residual, where it
    has been computed before the product; signs at the end.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.readers: dict[int, list[int]] = {}
        for number, node in enumerate(graph.nodes, 1):
            for value in node.inputs:
                self.readers.setdefault(value, []).append(number)
        self._inside: dict[int, Pass] = {}
        self.passes = {one.product: one for one in self._passes()}

    def node(self, value: int) -> Node:
        """The node that makes `value`."""
        return self.graph.nodes[value - 1]

    def pass_of(self, value: int) -> Pass | None:
        """The pass that computes `value`."""
        return self._inside.get(value)

    def when(self, value: int) -> int:
        """The number of the step or pass that computes `value`, in the order in which they are computed."""
        one = self.pass_of(value)
        return value if one is None else one.product

    def added(self, value: int) -> bool:
        """Whether a pass adds `value` to its own."""
        return any(one.residual == value for one in self.passes.values())

    def last(self, one: Pass) -> bool:
        """Whether nobody needs the residual of `one` after it: its result may take the residual's place."""
        residual = one.residual
        if residual is None or residual in (0, self.graph.output):
            return False
        readers = self.readers[residual]
        return all(self.when(reader) < one.product or self.pass_of(reader) is one for reader in readers)

    def _passes(self) -> Iterator[Pass]:
        for number, node in enumerate(self.graph.nodes, 1):
            if isinstance(node.step, ProductStep):
                one = self._fused(number)
                self._inside |= dict.fromkeys(one.steps, one)
                yield one

    def _fused(self, number: int) -> Pass:
        one = Pass(number, number, [number])
        if self._threshold(one):
            return one
        while self._longer(one):
            pass
        readers = self.readers.get(one.value, [])
        signs = next((reader for reader in readers if isinstance(self.node(reader).step, PackSigns)), None)
        asked = one.value == self.graph.output or any(reader != signs for reader in readers) or not readers
        if self.node(number).step.binary and not one.ops:  # type: ignore[attr-defined]
            one.end, signs = "i", None  # integers stay what they are
            return one
        one.end = "f" if asked else ""
        if signs is not None:
            one.words, one.end = signs, one.end + ("b" if self.node(signs).step.zero == 1 else "s")  # type: ignore[attr-defined]
            one.steps.append(signs)
        return one

    def _only_reader(self, value: int) -> int | None:
        readers = self.readers.get(value, [])
        return readers[0] if len(readers) == 1 and value != self.graph.output else None

    def _threshold(self, one: Pass) -> bool:
        reader = self._only_reader(one.product)
        step = None if reader is None else self.node(reader).step
        if reader is None or not isinstance(step, Threshold):
            return False
        turn = np.where(step.rising.values() < 0, np.int32(-1), np.int32(0))
        one.threshold, one.end, one.words = (turn, step.threshold ^ turn), "t", reader
        one.steps.append(reader)
        return True

    def _longer(self, one: Pass) -> bool:
        """Take one step more, or a PReLU and the shifts around it, if it fits."""
        reader = self._only_reader(one.value)
        if reader is None or self._curved(one):
            return reader is not None
        step, taken = self.node(reader).step, False
        match step:
            case Scale():
                taken = one.take(step.factor, NEUTRAL)
            case Bias():
                taken = one.take(ONE, step.bias)
            case Affine():
                taken = one.take(step.gain, step.shift)
            case Add():
                taken = self._added(one, reader)
        if taken:
            one.value = reader
            one.steps.append(reader)
        return taken

    def _added(self, one: Pass, reader: int) -> bool:
        first, second = self.node(reader).inputs
        residual = second if first == one.value else first
        if residual == one.value or self.when(residual) >= one.product or self._integer(residual):
            return False  # it is not there yet when the product is computed, or no float
        if not one.room(RESIDUAL):
            return False
        one.stages.append((RESIDUAL, ()))
        one.residual = residual
        return True

    def _integer(self, value: int) -> bool:
        """Whether a value is the integers of a binary product, or some of them."""
        if value == 0:
            return False
        node = self.node(value)
        if isinstance(node.step, (MaxPool, Flatten, PadShortcut, NearestUpsample, OverlapAdd)):
            return self._integer(node.inputs[0])
        return isinstance(node.step, ProductStep) and node.step.binary

    def _curved(self, one: Pass) -> bool:
        """A PReLU, with a shift before and after it where there are any."""
        chain = self._chain(one.value)
        kinds = [type(self.node(value).step) for value in chain]
        if not one.room(CURVE) or PReLU not in kinds[:2] or kinds[0] not in (PReLU, Bias):
            return False
        at = kinds.index(PReLU)
        steps = [self.node(value).step for value in chain]
        before = steps[0].bias if at else NEUTRAL  # type: ignore[attr-defined]
        shifted = len(chain) > at + 1 and kinds[at + 1] is Bias
        after = steps[at + 1].bias if shifted else NEUTRAL  # type: ignore[attr-defined]
        one.stages.append((CURVE, (before, steps[at].slope, after)))  # type: ignore[attr-defined]
        taken = chain[: at + 1 + shifted]
        one.value = taken[-1]
        one.steps.extend(taken)
        return True

    def _chain(self, value: int) -> list[int]:
        """Up to three steps behind `value` that nobody else reads between."""
        found: list[int] = []
        while len(found) < 3 and (reader := self._only_reader(value)) is not None:
            found.append(reader)
            value = reader
        return found
