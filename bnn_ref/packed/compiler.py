"""From a model to a program: which values become bits, which stay integers, which are real.

Every symbol of the traced model can be asked for its signs (words), its integers (where a binary product is
behind it) or its real value. Each is made when somebody asks, and once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

from bnn_ref.autodiff import Symbol
from bnn_ref.layers import Flatten, Layer, NearestUpsample
from bnn_ref.packed import steps, translate
from bnn_ref.packed.folding import fold, nondecreasing
from bnn_ref.packed.graph import Graph, Node
from bnn_ref.packed.steps import Elementwise, Step
from bnn_ref.packed.trace import Trace
from bnn_ref.packed.translate import PackedProduct

Chain = tuple[tuple[str, Elementwise], ...]
"""Element-wise steps with the names of their layers, the first applied first."""

Key = tuple[int, int, tuple[str, ...]]
"""Which signs: serial number of the symbol, sign(0), and the names of what a binary activation does first."""


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

    def then(self, name: str, step: Elementwise) -> Integers:
        """The same with one step more."""
        channels = step.channels if self.channels is None else self.channels
        return replace(self, channels=channels, after=(*self.after, (name, step)))


class Compiler:
    """The program of one model, made symbol by symbol."""

    def __init__(self, model: Layer) -> None:
        self.trace = Trace(model)
        self.nodes: list[Node] = []
        self._values: dict[int, int] = {self.trace.input.serial: 0}
        self._integers: dict[int, Integers | None] = {self.trace.input.serial: None}
        self._signs: dict[Key, int] = {}
        self._folds: dict[Key, int | None] = {}

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

    def signs(self, symbol: Symbol, zero: int, reader: str, before: Chain = ()) -> int:
        """The words of the signs of `before` applied to `symbol`, for the product named `reader`."""
        key = _key(symbol, zero, before)
        if key not in self._signs:
            words = self.folded(symbol, zero, before)
            if words is None and type(symbol.layer) is NearestUpsample:  # before it there are fewer signs
                inner, name = self.signs(symbol.inputs[0], zero, reader, before), self.trace.name(symbol)
                words = self.emit(name, translate.plain(name, symbol.layer), inner)
            if words is None:
                words = self.emit(reader, steps.PackSigns(zero), self.chain(self.value(symbol), before))
            self._signs[key] = words
        return self._signs[key]

    def folded(self, symbol: Symbol, zero: int, before: Chain = ()) -> int | None:
        """The words by an integer threshold, where there is one and nobody needs the real numbers."""
        key = _key(symbol, zero, before)
        if key not in self._folds:
            known = self.integers(symbol)
            if known is None and type(symbol.layer) is Flatten and not before:
                self._folds[key] = self._flat(symbol, zero)
            else:
                for link in before:
                    known = None if known is None else known.then(*link)
                self._folds[key] = self._threshold(known, zero)
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
        assert product.signs is not None  # that is what makes it binary
        before = tuple((name, step) for step in product.left[:-1])
        words = self.signs(symbol.inputs[0], product.signs.zero, name, before)
        value = self._placed(name, product, words)
        *taps, channels = symbol.layer.latent.value.shape
        return Integers(value, symbol, prod(taps), channels, tuple((name, step) for step in product.after))

    def _placed(self, name: str, product: PackedProduct, value: int) -> int:
        """The product of a value with the weight."""
        value = self.emit(name, product.product, value)
        for step in product.placed:
            value = self.emit(name, step, value)
        return value

    def _carried(self, symbol: Symbol, behind: Integers) -> Integers | None:
        """`behind` carried through one foldable layer."""
        name, layer = self.trace.name(symbol), symbol.layer
        own = self.trace.elementwise(symbol)
        if own is not None:
            for step in own:
                behind = behind.then(name, step)
            return behind
        if type(layer) is NearestUpsample:
            return None
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
        name, own = self.trace.name(symbol), self.trace.elementwise(symbol)
        if own is None and (known := self.integers(symbol)) is not None:
            return self.chain(known.value, known.after)
        inputs = [self.value(source) for source in symbol.inputs]
        if own is not None:
            return self.chain(inputs[0], tuple((name, step) for step in own))
        if (product := self.trace.product(symbol)) is None:
            return self.emit(name, translate.plain(name, symbol.layer), *inputs)
        left: Chain = tuple((name, step) for step in product.left)
        multiplied = self._placed(name, product, self.chain(inputs[0], left))
        return self.chain(multiplied, tuple((name, after) for after in product.after))


def _key(symbol: Symbol, zero: int, before: Chain) -> Key:
    return symbol.serial, zero, tuple(name for name, _ in before)
