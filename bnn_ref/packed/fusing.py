"""Which steps become one pass: a product and what is done to its results while they are in registers.

A pass has one of few forms, for each is compiled once: the product; up to two times a factor and a summand
a filter; a residual; a PReLU between two shifts; then numbers, signs or both. What a network leaves out of a
form is 1 or -0 there, which changes no bit: x + 0 would make +0 of -0.
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
    pairs : list of pairs of arrays
        Factor and summand, float32, one a filter or one for all.
    residual : int or None
        The value that is added then.
    curve : tuple of arrays or None
        What a PReLU adds before, its slope, what it adds after.
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
    pairs: list[tuple[Array, Array]] = field(default_factory=list)
    residual: int | None = None
    curve: tuple[Array, Array, Array] | None = None
    threshold: tuple[Array, Array] | None = None
    words: int | None = None
    end: str = ""

    @property
    def ops(self) -> str:
        """The operations, see `kernels.tiles.Finish`."""
        residual, curve = "r" * (self.residual is not None), "+p+" * (self.curve is not None)
        return "*+" * len(self.pairs) + residual + curve + self.end

    @property
    def rows(self) -> list[Array]:
        """The numbers of the operations, in their order."""
        pairs = [row for pair in self.pairs for row in pair]
        return [*pairs, *(self.curve or ()), *(self.threshold or ())]

    @property
    def keeps(self) -> bool:
        """Whether `value` itself is left in memory."""
        return "f" in self.end or "i" in self.end

    def take(self, factor: Array, summand: Array) -> bool:
        """Multiply by `factor`, then add `summand`: whether the form has room for it."""
        if self.residual is not None or self.curve is not None:
            return False
        if self.pairs and self.pairs[-1][1] is NEUTRAL and factor is ONE:  # a scale, and now its bias
            self.pairs[-1] = (self.pairs[-1][0], summand)
            return True
        if len(self.pairs) == 2:
            return False
        self.pairs.append((factor, summand))
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
        """Take one step more, if it fits."""
        reader = self._only_reader(one.value)
        if reader is None:
            return False
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
        return taken or self._curved(one)

    def _added(self, one: Pass, reader: int) -> bool:
        first, second = self.node(reader).inputs
        residual = second if first == one.value else first
        if residual == one.value or self.when(residual) >= one.product or self._integer(residual):
            return False  # it is not there yet when the product is computed, or no float
        if one.residual is not None or one.curve is not None:
            return False
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
        if (
            one.curve is not None
            or PReLU not in kinds[:2]
            or (kinds[0] is not PReLU and kinds[0] is not Bias)
        ):
            return False
        at = kinds.index(PReLU)
        steps = [self.node(value).step for value in chain]
        before = steps[0].bias if at else NEUTRAL  # type: ignore[attr-defined]
        shifted = len(chain) > at + 1 and kinds[at + 1] is Bias
        after = steps[at + 1].bias if shifted else NEUTRAL  # type: ignore[attr-defined]
        one.curve = (before, steps[at].slope, after)  # type: ignore[attr-defined]
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
