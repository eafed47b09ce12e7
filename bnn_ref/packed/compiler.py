"""From a model to a program: which values become bits, which stay integers, which are real.

Every symbol of the traced model can be asked for its signs (words), its integers (where a binary product is
behind it) or its real value. Each is made when somebody asks, and once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from bnn_ref.autodiff import Symbol
from bnn_ref.layers import Flatten, Layer
from bnn_ref.packed import steps, translate
from bnn_ref.packed.folding import fold, nondecreasing
from bnn_ref.packed.graph import Graph, Node
from bnn_ref.packed.steps import Elementwise, Step
from bnn_ref.packed.trace import Trace
from bnn_ref.packed.translate import PackedProduct

Chain = tuple[tuple[str, Elementwise], ...]
"""Element-wise steps with the names of their layers, the first applied first."""


@dataclass(frozen=True)
class Integers:
    """What is known of a symbol behind a binary product: it is `after` applied to integers.

    Attributes
    ----------
    value : int
        Where the int32 (..., F) are, all in -fan_in..fan_in.
    source : Symbol
        The product.
    fan_in : int
        n.
    channels : int or None
        F; None where the integers have been flattened and nobody has said yet how many there are.
    after : Chain
    """

    value: int
    source: Symbol
    fan_in: int
    channels: int | None
    after: Chain

    @property
    def steps(self) -> tuple[Elementwise, ...]:
        """The steps of `after`."""
        return tuple(step for _, step in self.after)


class Compiler:
    """The program of one model, made symbol by symbol."""

    def __init__(self, model: Layer) -> None:
        self.trace = Trace(model)
        self.nodes: list[Node] = []
        self._values: dict[int, int] = {self.trace.input.serial: 0}
        self._integers: dict[int, Integers | None] = {self.trace.input.serial: None}
        self._signs: dict[tuple[int, int], int] = {}
        self._folds: dict[tuple[int, int], int | None] = {}

    def graph(self) -> Graph:
        """The program."""
        for symbol in self.trace.symbols:  # inputs first, so that no recursion is longer than a folded chain
            if self.trace.binary(symbol) is not None:
                self.integers(symbol)
            elif symbol.layer is not None and not self.trace.foldable(symbol):
                self.value(symbol)
        output = self.value(self.trace.output)
        return Graph(tuple(self.nodes), output)

    def emit(self, layer: str, step: Step, *inputs: int) -> int:
        """Append a step; returns the number of its output."""
        self.nodes.append(Node(layer, step, inputs))
        return len(self.nodes)

    def chain(self, value: int, after: Chain) -> int:
        """Append element-wise steps one after another."""
        for layer, step in after:
            value = self.emit(layer, step, value)
        return value

    def signs(self, symbol: Symbol, zero: int, reader: str) -> int:
        """The words of `symbol`'s signs, for the product named `reader`."""
        key = symbol.serial, zero
        if key not in self._signs:
            folded = self.folded(symbol, zero)
            packed = steps.PackSigns(zero)
            self._signs[key] = self.emit(reader, packed, self.value(symbol)) if folded is None else folded
        return self._signs[key]

    def folded(self, symbol: Symbol, zero: int) -> int | None:
        """The words by an integer threshold, where there is one and nobody needs the real numbers."""
        key = symbol.serial, zero
        if key not in self._folds:
            known = self.integers(symbol)
            through = known is None and type(symbol.layer) is Flatten
            self._folds[key] = self._flat(symbol, zero) if through else self._threshold(known, zero)
        return self._folds[key]

    def _flat(self, symbol: Symbol, zero: int) -> int | None:
        inner = symbol.inputs[0]  # sign and flatten change places
        words, known = self.folded(inner, zero), self.integers(inner)
        if words is None or known is None or known.channels is None:
            return None
        return self.emit(self.trace.name(symbol), steps.FlattenSigns(known.channels), words)

    def _threshold(self, known: Integers | None, zero: int) -> int | None:
        if known is None or not known.after or known.channels is None:
            return None
        if not self.trace.only_signs(known.source):
            return None
        threshold = fold(known.steps, zero, known.fan_in, known.channels)
        return None if threshold is None else self.emit(known.after[-1][0], threshold, known.value)

    def integers(self, symbol: Symbol) -> Integers | None:
        """What is known of `symbol` if a binary product is behind it, through foldable layers alone."""
        if symbol.serial not in self._integers:
            product = self.trace.binary(symbol)
            known = None
            if product is not None:
                known = self._multiplied(symbol, product)
            elif self.trace.foldable(symbol):
                behind = self.integers(symbol.inputs[0])
                known = None if behind is None else self._carried(symbol, behind)
            self._integers[symbol.serial] = known
        return self._integers[symbol.serial]

    def _multiplied(self, symbol: Symbol, product: PackedProduct) -> Integers:
        name = self.trace.name(symbol)
        assert isinstance(product.left, steps.RealSign)  # that is what makes it binary
        words = self.signs(symbol.inputs[0], product.left.zero, name)
        value = self.emit(name, product.product, words)
        channels, *taps = product.product.weight.shape
        return Integers(value, symbol, prod(taps), channels, tuple((name, step) for step in product.after))

    def _carried(self, symbol: Symbol, behind: Integers) -> Integers | None:
        """`behind` carried through one foldable layer."""
        name, layer = self.trace.name(symbol), symbol.layer
        step = self.trace.elementwise(symbol)
        if step is not None:
            channels = step.channels if behind.channels is None else behind.channels
            return replace(behind, channels=channels, after=(*behind.after, (name, step)))
        if type(layer) is Flatten:  # `after` has one number a channel, not one a feature
            movable, channels = not behind.after, None
        else:
            movable, channels = self._pools(symbol, behind), behind.channels
        if not movable:
            return None
        value = self.emit(name, translate.plain(name, layer), behind.value)
        return replace(behind, value=value, channels=channels)

    def _pools(self, pool: Symbol, behind: Integers) -> bool:
        """Whether the maximum may be taken of the integers: it commutes with what comes after them."""
        alone = len(self.trace.readers(pool.inputs[0])) == 1
        if not alone or behind.channels is None:
            return False
        return nondecreasing(behind.steps, behind.fan_in, behind.channels)

    def value(self, symbol: Symbol) -> int:
        """The number of `symbol`'s value: float32, or integers that are read as such."""
        if symbol.serial not in self._values:
            self._values[symbol.serial] = self._computed(symbol)
        return self._values[symbol.serial]

    def _computed(self, symbol: Symbol) -> int:
        name, step = self.trace.name(symbol), self.trace.elementwise(symbol)
        if step is None and (known := self.integers(symbol)) is not None:
            return self.chain(known.value, known.after)
        inputs = [self.value(source) for source in symbol.inputs]
        if step is not None:
            return self.emit(name, step, *inputs)
        if (product := self.trace.product(symbol)) is None:
            return self.emit(name, translate.plain(name, symbol.layer), *inputs)
        left: Chain = () if product.left is None else ((name, product.left),)
        multiplied = self.emit(name, product.product, self.chain(inputs[0], left))
        return self.chain(multiplied, tuple((name, after) for after in product.after))
