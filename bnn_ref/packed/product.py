"""One pass of a plan: a product by the tiles of `kernels.tiles`, and what they do to its results."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.kernels.layout import NONE, Geometry, aligned, lay_filters, masks, pitch_of
from bnn_ref.kernels.threads import share
from bnn_ref.kernels.tiles import COLUMNS, Work, convolution
from bnn_ref.kernels.xnor import lay_images, starts
from bnn_ref.packed.fusing import Pass
from bnn_ref.packed.signs import Signs
from bnn_ref.packed.steps import ProductStep, Window
from bnn_ref.packed.storage import Storage, sides
from bnn_ref.parameter import Array

PACE = {"signs": 100, "floats": 6}
"""Products a byte of what `share` measures work by: half a millisecond of them is worth a second thread. Less
was slower on two threads than on one: a layer in the cache of another core is fetched from there."""


def filters_of(step: ProductStep) -> Array:
    """(F, K, K, C) float32, or its signs as uint64 words (F, K, K, Cw); a linear layer has K = 1."""
    weight = step.weight
    if isinstance(weight, Signs):
        found = weight.words if step.binary else weight.values()
        return found if found.ndim == 4 else found[:, None, None]
    found = np.moveaxis(weight, -1, 0)
    return found if found.ndim == 4 else found[:, None, None]


class Product:
    """Called with a number of images, it computes that many; the pixels of one are shared by threads.

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
        if isinstance(step.weight, Signs) and step.weight.channels != source.shape[-1]:
            raise ValueError(f"required {step.weight.channels} channels, got {source.shape[-1]}")
        self.pitch, self.source, self.copy = pitch_of(len(filters)), source, source
        if not _lies_in(source, window):
            self.copy = source.beside(window.padding, window.pad)
        height, width = sides(source.shape)
        cells = self.copy.cells.shape[-1]
        geometry = Geometry(height, width, cells, filters.shape[1], *window[:3], margin=self.copy.margin)
        geometry = geometry.filled if window.pad else geometry
        fields = _fields(*places) | {"nan": nan, "table": _table(one.rows, len(filters), self.pitch)}
        fan_in = source.shape[-1] * filters.shape[1] ** 2
        if step.binary:
            filters = lay_images(filters, source.shape[-1])
            fields["start"] = starts(geometry, filters, source.shape[-1])
        elif cells > filters.shape[-1]:
            filters = np.pad(filters, [(0, 0)] * 3 + [(0, cells - filters.shape[-1])])
        shared = 0 if step.binary else geometry.shared
        laid = lay_filters(filters.reshape(len(filters), -1), shared)
        targets = None if places[2] is None else places[2].targets
        pixels = geometry.places(targets, self.pitch)
        walk, columns = (geometry.runs, geometry.length, pixels), COLUMNS if shared else 1
        self.work = Work(self.copy.flat, laid, *walk, **fields, columns=columns)
        kind = "signs" if step.binary else "floats"
        self.run = convolution(kind, one.ops)
        self.worth = len(pixels) * filters.shape[0] * fan_in // PACE[kind]
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
        if count == 1:
            share(self._pixels, len(self.work.pixels), self.worth)
        else:
            self.run(self.work, self.pitch, 0, count)

    def _pixels(self, first: int, last: int) -> None:
        """Output pixels first to last - 1 of the first image; a thread has a note of NaN of its own."""
        if last - first == len(self.work.pixels):
            self.run(self.work, self.pitch, 0, 1)
            return
        part, nan = slice(first, last), np.zeros(1, np.uint16)
        numbers: dict[str, Any] = {
            name: _cut(getattr(self.work, name), part) for name in ("z", "reals", "residual")
        }
        work = self.work._replace(pixels=self.work.pixels[part], nan=nan, **numbers)
        self.run(work, self.pitch, 0, 1)
        if nan.any():
            self.work.nan[:] = nan


def _cut(numbers: Array, part: slice) -> Array:
    """(N, H, W, pitch) -> (1, 1, pixels of a part, pitch) of the first image; nothing stays nothing."""
    return numbers.reshape(len(numbers), -1, numbers.shape[-1])[:1, None, part] if numbers.size else numbers


def _lies_in(source: Storage, window: Window) -> bool:
    """Whether a product reads its images there: they are no integers, and have the margin that it wants."""
    fits = window.padding <= source.margin and (not window.padding or window.pad == source.pad)
    return fits and source.cells.dtype != np.int32


def _fields(numbers: Storage | None, residual: Storage | None, words: Storage | None) -> dict[str, Any]:
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
