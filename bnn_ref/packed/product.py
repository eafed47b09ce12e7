"""One pass of a plan: a product by the tiles of `kernels.tiles`, and what they do to its results."""

from __future__ import annotations

import numpy as np

from bnn_ref.kernels.layout import NONE, Geometry, aligned, lay_filters, masks, pitch_of
from bnn_ref.kernels.tiles import Work, convolution
from bnn_ref.kernels.xnor import lay_images, starts
from bnn_ref.packed.fusing import Pass
from bnn_ref.packed.signs import Signs
from bnn_ref.packed.steps import ProductStep, Window
from bnn_ref.packed.storage import Storage, sides
from bnn_ref.parameter import Array


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
    places : tuple of Storage or None
        Where numbers go, where the residual is, where signs go.
    nan : uint16 (1,)
        Set where a NaN has no sign.
    """

    def __init__(
        self, step: ProductStep, one: Pass, source: Storage, places: tuple[Storage | None, ...], nan: Array
    ) -> None:
        filters, window, self.numbers = filters_of(step), step.window, places[0]
        self.pitch, self.source, self.copy = pitch_of(len(filters)), source, source
        if not _lies_in(source, window):
            self.copy = source.beside(window.padding, window.pad)
        height, width = sides(source.shape)
        cells = self.copy.cells.shape[-1]
        geometry = Geometry(height, width, cells, filters.shape[1], *window[:3], margin=self.copy.margin)
        geometry = geometry.filled if window.pad else geometry
        fields = _fields(*places) | {"nan": nan, "table": _table(one.rows, len(filters), self.pitch)}
        if step.binary:
            filters = lay_images(filters, source.shape[-1])
            fields["start"] = starts(geometry, filters, source.shape[-1])
        elif cells > filters.shape[-1]:
            filters = np.pad(filters, [(0, 0)] * 3 + [(0, cells - filters.shape[-1])])
        laid = lay_filters(filters.reshape(len(filters), -1))
        targets = None if places[2] is None else places[2].targets
        pixels = geometry.places(targets, self.pitch)
        self.work = Work(self.copy.flat, laid, geometry.runs, geometry.length, pixels, **fields)
        self.run = convolution("signs" if step.binary else "floats", one.ops)
        own = (laid, pixels, self.work.start, self.work.table, self.work.runs, self.work.masks)
        copied = 0 if self.copy is source else self.copy.cells.nbytes
        self.nbytes = copied + sum(array.nbytes for array in own)

    def write_to(self, reals: Array) -> None:
        """Put the numbers into `reals` (N, ..., F) from now on, which lies as its storage does."""
        assert self.numbers is not None
        cells = self.numbers.cells.shape[1:]
        self.work = self.work._replace(reals=reals.reshape(len(reals), *cells))

    def __call__(self, count: int) -> None:
        if self.copy is not self.source:
            self.copy.inner[:count] = self.source.inner[:count, ..., : self.copy.cells.shape[-1]]
        self.run(self.work, self.pitch, 0, count)


def _lies_in(source: Storage, window: Window) -> bool:
    """Whether a product reads its images there: they are no integers, and have the margin that it wants."""
    fits = window.padding <= source.margin and (not window.padding or window.pad == source.pad)
    return fits and source.cells.dtype != np.int32


def _fields(numbers: Storage | None, residual: Storage | None, words: Storage | None) -> dict[str, Array]:
    """The fields of a `Work` that are written, and the residual."""
    fields = dict(NONE)
    if numbers is not None:
        fields["z" if numbers.cells.dtype == np.int32 else "reals"] = numbers.cells
    if residual is not None:
        fields["residual"] = residual.cells
    if words is not None:
        fields |= {"bits": words.flat.view(np.uint16), "masks": masks(words.shape[-1])}
    return fields


def _table(rows: list[Array], filters: int, pitch: int) -> Array:
    """float32 (rows, pitch); a row of one number is that number for all filters, integers keep their bits."""
    table = aligned((len(rows), pitch), np.float32)
    table[:] = 0
    for target, row in zip(table, rows, strict=True):
        target[:filters] = row.view(np.float32)
    return table
