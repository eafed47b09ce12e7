"""How a packed network is computed for inputs of one shape: passes over buffers that are made once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from math import prod

import numpy as np

from bnn_ref.kernels.layout import masks
from bnn_ref.kernels.tiles import LANES, pack_rows
from bnn_ref.packed.fusing import Fusing, Pass
from bnn_ref.packed.graph import Graph, Node, naming
from bnn_ref.packed.pooling import Pool, pools
from bnn_ref.packed.product import Product
from bnn_ref.packed.steps import FlattenSigns, NearestUpsample, PackSigns, ProductStep, Threshold
from bnn_ref.packed.storage import Answers, Bits, Storage
from bnn_ref.parameter import Array

CACHE = 2**19
"""Bytes of values that are computed together: they stay in the second cache from pass to pass."""

NOTHING = np.zeros((0, 0, 0), np.float32)


class Outside:
    """A step that has no compiled form from buffer to buffer: NumPy computes it, by its own definition."""

    def __init__(self, node: Node, values: dict[int, Storage], target: Storage) -> None:
        self.node, self.target = node, target
        self.sources = [values[value] for value in node.inputs]

    def __call__(self, count: int) -> None:
        with naming(self.node):
            self.target.write(self.node.step(tuple(source.read(count) for source in self.sources)))

    def load(self) -> None:
        """As `Plan.load`: of nothing a step computes nothing, so it is done for zeros, and forgotten."""
        values = (source.read(0) for source in self.sources)
        with naming(self.node):
            self.node.step(tuple(np.zeros((1, *value.shape[1:]), value.dtype) for value in values))


class Plan:
    """A graph for inputs (N, *shape): `plan(x)` allocates nothing large, but its result.

    Not safe from several threads: make one for each.

    Parameters
    ----------
    graph : Graph
    shape : tuple of int
        Of one input, without N.
    count : int or None
        Images at a time; by default as many as stay in the cache.

    Attributes
    ----------
    tasks : dict of int to callable
        What is done, in order, for so many images; by the number of the node that a task begins with.

    Raises
    ------
    ValueError
        Where the graph does not take inputs of this shape; names the layer.
    """

    def __init__(self, graph: Graph, shape: tuple[int, ...], count: int | None = None) -> None:
        self.graph = graph
        self.samples = graph.samples(shape)
        if self.channels(graph.output) is not None:
            raise ValueError("output: required numbers, got signs")
        size = sum(prod(value.shape[1:]) * value.itemsize for value in self.samples.values())
        self.count = max(1, CACHE // max(1, size)) if count is None else count
        self.fusing = Fusing(graph)
        self.nan, self.given = np.zeros(1, np.uint16), NOTHING
        self.values: dict[int, Storage] = {}
        self.answers = Answers()
        self.tasks: dict[int, Callable[[int], None]] = {}
        self._lay_out()

    def __call__(self, x: Array) -> Array:
        """The output for x (N, *shape), float32: a new array."""
        y = self.answers.take((len(x), *self.samples[self.graph.output].shape[1:]))
        for start in range(0, len(x), self.count):
            part = slice(start, start + self.count)
            self._part(x[part], y[part])
        return y

    def load(self) -> None:
        """Load the machine code of all tasks, compile what is not on disk: they are done for no image."""
        for task in self.tasks.values():
            if isinstance(task, Outside):
                task.load()
            else:
                task(0)

    def _part(self, x: Array, y: Array) -> None:
        self.nan[:] = 0
        if self.straight_in:
            plain = x.flags.c_contiguous and x.flags.writeable
            self.given = (x if plain else x.copy()).reshape(len(x), -1, x.shape[-1])
        else:
            self.values[0].write(x)
        if self.straight_out is not None:
            self.straight_out.write_to(y)
        for task in self.tasks.values():
            task(len(x))
        self.given = NOTHING
        if self.straight_out is not None:
            self.straight_out.write_to(self.values[self.graph.output].cells)
        if self.nan.any():
            y[:] = self.graph.run(x)  # which says where
        elif self.straight_out is None:
            self.values[self.graph.output].read_into(y)

    @property
    def nbytes(self) -> int:
        """Bytes of all buffers, and of the filters and tables as they are laid out."""
        buffers = {id(value.cells): value.cells.nbytes for value in self.values.values()}
        return (
            self.answers.memory.nbytes
            + sum(buffers.values())
            + sum(task.nbytes for task in self.tasks.values() if isinstance(task, Product))
        )

    def _lay_out(self) -> None:
        self.values[0] = self._storage(0)
        for number, node in enumerate(self.graph.nodes, 1):
            if (one := self.fusing.passes.get(number)) is not None:
                self._add_pass(one)
            elif self.fusing.pass_of(number) is None:
                target = self.values[number] = self._storage(number)
                task = self._pool(number) or self._signs(number)
                self.tasks[number] = task or Outside(node, self.values, target)

    @cached_property
    def straight_in(self) -> bool:
        """Whether the input is read where it lies: only its signs are wanted, a pixel is whole vectors."""
        readers = self.fusing.readers.get(0, [])
        signs = all(isinstance(self.graph.nodes[reader - 1].step, PackSigns) for reader in readers)
        return signs and bool(readers) and self.samples[0].shape[-1] % LANES == 0

    @cached_property
    def straight_out(self) -> Product | None:
        """The product that writes the output where it will be; None where that lies otherwise, or is read."""
        last, value = next(reversed(self.tasks.values()), None), self.graph.output
        if (
            not isinstance(last, Product)
            or self.fusing.readers.get(value)
            or self.samples[value].dtype != np.float32
        ):
            return None
        numbers = self.values[value]
        return last if last.numbers is numbers and numbers.cells.shape[-1] == numbers.shape[-1] else None

    def _storage(self, value: int, plain: bool = False) -> Storage:
        """Room for a value; `plain` where the tiles write numbers, which have no margin."""
        sample, readers = self.samples[value], self.fusing.readers.get(value, [])
        steps = [self.graph.nodes[reader - 1].step for reader in readers]
        padded = [s.window for s in steps if isinstance(s, ProductStep) and s.window.padding]
        margin = max((window.padding for window in padded), default=0)
        pad = padded[0].pad if padded else 0  # whoever pads otherwise makes a copy
        if (channels := self.channels(value)) is not None:
            return Bits.of(self.count, (*sample.shape[1:-1], channels), np.uint32, margin, pad=pad)
        if plain or not margin or self.fusing.added(value):
            return Storage.of(self.count, sample.shape[1:], sample.dtype)
        return Storage.of(self.count, sample.shape[1:], sample.dtype, margin, sample.shape[-1], pad)

    def channels(self, value: int) -> int | None:
        """How many signs a pixel of `value` has; None for numbers."""
        if value == 0:
            return None
        node = self.graph.nodes[value - 1]
        if isinstance(node.step, (PackSigns, Threshold)):
            return self.samples[node.inputs[0]].shape[-1]
        if isinstance(node.step, NearestUpsample):
            return self.channels(node.inputs[0])
        if isinstance(node.step, FlattenSigns):
            before, stated = self.channels(node.inputs[0]), node.step.channels
            if before != stated:
                raise ValueError(f"{node.layer} ({node.step.kind}): required {stated} channels, got {before}")
            return prod(self.samples[node.inputs[0]].shape[1:-1]) * stated
        return None

    def _add_pass(self, one: Pass) -> None:
        node = self.graph.nodes[one.product - 1]
        assert isinstance(node.step, ProductStep)
        source, residual = self.values[node.inputs[0]], None
        if one.residual is not None:
            residual = self.values[one.residual]
        numbers = words = None
        if one.keeps:
            reuse = one.residual != node.inputs[0] and self.fusing.last(one)
            numbers = residual if reuse and residual is not None else self._storage(one.value, plain=True)
            self.values[one.value] = numbers
        if one.words is not None:
            words = self.values[one.words] = self._storage(one.words)
        with naming(node):
            self.tasks[one.product] = Product(node.step, one, source, (numbers, residual, words), self.nan)

    def _pool(self, number: int) -> Pool | None:
        """A pool from buffer to buffer; None for another step."""
        node = self.graph.nodes[number - 1]
        source, target = self.values[node.inputs[0]], self.values[number]
        return Pool(node.step, source, target) if pools(node.step, source, target) else None

    def _signs(self, number: int) -> Callable[[int], None] | None:
        """Signs of numbers that lie as the tiles write them; None for another step."""
        node = self.graph.nodes[number - 1]
        source, bits = self.values[node.inputs[0]], self.values[number]
        apart = source.margin or source.cells.shape[-1] % LANES
        if not isinstance(node.step, PackSigns) or apart or source.cells.dtype != np.float32:
            return None
        assert isinstance(bits, Bits)
        numbers = source.cells.reshape(len(source.cells), -1, source.cells.shape[-1])
        targets = (bits.targets, masks(source.shape[-1]), bits.flat.view(np.uint16), node.step.zero == -1)
        straight = self.straight_in and node.inputs[0] == 0

        def task(count: int) -> None:
            self.nan |= np.uint16(pack_rows(self.given if straight else numbers, *targets, 0, count))

        return task
