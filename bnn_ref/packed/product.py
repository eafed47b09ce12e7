"""One pass of a plan: a product by the tiles of `kernels.tiles`, and what they do to its results."""

from __future__ import annotations

import numpy as np

from bnn_ref.kernels.layout import NONE, Geometry, aligned, lay_filters, pitch_of
from bnn_ref.kernels.tiles import LANES, Work, convolution
from bnn_ref.kernels.xnor import lay_images, starts
from bnn_ref.packed.fusing import Pass
from bnn_ref.packed.signs import Signs
from bnn_ref.packed.steps import ProductStep
from bnn_ref.packed.storage import Bits, Storage, sides
from bnn_ref.parameter import Array


def margin_of(step: ProductStep) -> int:
    """The padding that a product reads around its images."""
    return getattr(step, "padding", 0)


def filters_of(step: ProductStep) -> Array:
    """(F, K, K, C) float32, or its signs as uint64 words (F, K, K, Cw); a linear layer has K = 1."""
    weight = step.weight
    if isinstance(weight, Signs):
        found = weight.words if step.binary else weight.values()
        return found if found.ndim == 4 else found[:, None, None]
    found = np.moveaxis(weight, -1, 0)
    return found if found.ndim == 4 else found[:, None, None]


class Product:
    """Called with a number of images, it computes that many.

    Parameters
    ----------
    step : ProductStep
    one : Pass
    source : Storage
        Its input.
    numbers, residual : Storage or None
        Where numbers go, and what is added.
    words : Bits or None
        Where signs go.
    nan : uint16 (1,)
        Set where a NaN has no sign.
    """

    def __init__(
        self,
        step: ProductStep,
        one: Pass,
        source: Storage,
        numbers: Storage | None,
        residual: Storage | None,
        words: Storage | None,
        nan: Array,
    ) -> None:
        filters, stride = filters_of(step), getattr(step, "stride", 1)
        padding, channels = margin_of(step), source.shape[-1]
        self.pitch, self.source, self.copied = pitch_of(len(filters)), source, source
        if padding > source.margin:
            self.copied = type(source).of(len(source.cells), source.shape, np.float32, padding, channels)
        height, width = sides(source.shape)
        cells, margin = self.copied.cells.shape[-1], self.copied.margin
        geometry = Geometry(height, width, cells, filters.shape[1], stride, padding, margin=margin)
        fields = {name: array for name, array in NONE.items()} | {"nan": nan}
        if step.binary:
            filters = lay_images(filters, channels, 0)
            fields["start"] = starts(geometry, filters, channels)
        else:
            filters = np.pad(filters, [(0, 0)] * 3 + [(0, cells - filters.shape[-1])])
        if numbers is not None:
            fields["z" if numbers.cells.dtype == np.int32 else "reals"] = numbers.cells
        if residual is not None:
            fields["residual"] = residual.cells
        targets = None
        if isinstance(words, Bits):
            fields["bits"], targets = words.flat.view(np.uint16), words.targets
            fields["masks"] = _masks(len(filters), self.pitch)
        fields["table"] = _table(one.rows, len(filters), self.pitch)
        laid = lay_filters(filters.reshape(len(filters), -1))
        places = geometry.places(targets, self.pitch)
        self.work = Work(self.copied.flat, laid, geometry.runs, geometry.length, places, **fields)
        self.run = convolution("signs" if step.binary else "floats", one.ops)
        self.nbytes = laid.nbytes + (0 if self.copied is source else self.copied.cells.nbytes)

    def __call__(self, count: int) -> None:
        if self.copied is not self.source:
            self.copied.write(self.source.inner[:count, ..., : self.source.shape[-1]])
        self.run(self.work, self.pitch, 0, count)


def _masks(filters: int, pitch: int) -> Array:
    """uint16 (pitch / 16,): which lanes are filters."""
    lanes = (np.arange(pitch) < filters).reshape(-1, LANES)
    return np.packbits(lanes, axis=1, bitorder="little").view("<u2").reshape(-1)


def _table(rows: list[Array], filters: int, pitch: int) -> Array:
    """float32 (rows, pitch); a row of one number is that number for all filters, integers keep their bits."""
    table = aligned((len(rows), pitch), np.float32)
    table[:] = 0
    for target, row in zip(table, rows, strict=True):
        target[:filters] = row.view(np.float32)
    return table
