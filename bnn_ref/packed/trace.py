"""A model written down: its layer calls in order, who reads whom, and what each layer is as steps."""

from __future__ import annotations

from bnn_ref.autodiff import Symbol, steps, trace
from bnn_ref.layers import Flatten, Layer, MaxPool2d, NearestUpsample
from bnn_ref.packed import translate
from bnn_ref.packed.steps import Elementwise
from bnn_ref.packed.translate import PackedProduct


class Trace:
    """The symbols of one model, inputs first.

    Attributes
    ----------
    input, output : Symbol
    symbols : list of Symbol
    """

    def __init__(self, model: Layer) -> None:
        self.input, self.output = trace(model)
        self.symbols = steps(self.output)
        # the first of several names is kept; the model itself, if it is a single layer, has the empty one
        self._names = {id(layer): name or "model" for name, layer in reversed(list(model.layers()))}
        self._readers: dict[int, list[Symbol]] = {}
        for symbol in self.symbols:
            for source in symbol.inputs:
                if not isinstance(source, Symbol):
                    got = type(source).__name__
                    raise translate.refusal(
                        self.name(symbol), symbol.layer, "inputs that layers computed", got
                    )
                self._readers.setdefault(source.serial, []).append(symbol)
        self._translated: dict[int, PackedProduct | tuple[Elementwise, ...] | None] = {}
        self._only_signs: dict[int, bool] = {}

    def name(self, symbol: Symbol) -> str:
        """Dotted name of the layer."""
        return self._names[id(symbol.layer)]

    def readers(self, symbol: Symbol) -> list[Symbol]:
        """The calls that take `symbol`."""
        return self._readers.get(symbol.serial, [])

    def _translate(self, symbol: Symbol) -> PackedProduct | tuple[Elementwise, ...] | None:
        layer = symbol.layer
        if layer is None:
            return None
        if id(layer) not in self._translated:  # a layer called twice has its tensors once
            make = translate.product if translate.is_product(layer) else translate.elementwise
            self._translated[id(layer)] = make(self.name(symbol), layer)
        return self._translated[id(layer)]

    def elementwise(self, symbol: Symbol) -> tuple[Elementwise, ...] | None:
        """The steps of an element-wise layer."""
        made = self._translate(symbol)
        return made if isinstance(made, tuple) else None

    def product(self, symbol: Symbol) -> PackedProduct | None:
        """The steps of a product layer."""
        made = self._translate(symbol)
        return made if isinstance(made, PackedProduct) else None

    def binary(self, symbol: Symbol) -> PackedProduct | None:
        """The steps of a product layer whose result is an integer."""
        made = self.product(symbol)
        return made if made is not None and made.product.binary else None

    def foldable(self, symbol: Symbol) -> bool:
        """Whether it may vanish between a product and a sign: then it is computed only when asked for."""
        if type(symbol.layer) is NearestUpsample:
            return self.only_signs(symbol)
        return self.elementwise(symbol) is not None or type(symbol.layer) in (MaxPool2d, Flatten)

    def only_signs(self, symbol: Symbol) -> bool:
        """Whether everything that becomes of `symbol` is signs of binary products."""
        if symbol.serial not in self._only_signs:
            self._only_signs[symbol.serial] = symbol is not self.output and all(
                self.binary(reader) is not None or (self.foldable(reader) and self.only_signs(reader))
                for reader in self.readers(symbol)
            )
        return self._only_signs[symbol.serial]
