"""How images, filters and output pixels lie in memory for the tiles of `tiles`."""

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from bnn_ref.kernels.tiles import COLUMNS, LANES, NARROW, block_of

LINE = 64
"""Bytes of a cache line: a vector that crosses one is loaded twice."""


def aligned(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """An uninitialised C-contiguous array that begins at a cache line."""
    size = prod(shape) * np.dtype(dtype).itemsize
    raw = np.empty(size + LINE, np.uint8)
    start = -raw.__array_interface__["data"][0] % LINE
    return raw[start : start + size].view(dtype).reshape(shape)


def pitch_of(filters: int) -> int:
    """`filters` rounded up to whole vectors."""
    return -(-filters // LANES) * LANES


def masks(channels: int) -> NDArray[np.uint16]:
    """(pitch / 16,): which lanes are channels, a bit each."""
    lanes = (np.arange(pitch_of(channels)) < channels).reshape(-1, LANES)
    return np.packbits(lanes, axis=1, bitorder="little").view("<u2").reshape(-1)


def ones(channels: int) -> NDArray[np.uint32]:
    """(ceil(channels / 32),): a pixel whose signs are all +1; what is no channel is 0."""
    lanes = np.arange(-(-channels // 32) * 32) < channels
    return np.packbits(lanes, bitorder="little").view("<u4")


def lay_filters(filters: NDArray[Any], length: int = 0) -> NDArray[Any]:
    """uint32 or float32 (F, words) -> one dimension: blocks as wide as a tile, each (words, block).

    Filters that pad the last vector are zero. `length`: words of a run, if outputs share them
    (`Geometry.shared`); of narrow blocks the first words of all its pixels come first then, and so on.
    """
    count, words = filters.shape
    pitch, start = pitch_of(count), 0
    laid = aligned((pitch * words,), filters.dtype)
    while start < pitch:
        block = block_of(pitch - start)
        part = laid[start * words : (start + block) * words].reshape(words, block)
        given = filters[start : start + block].T
        part[:, : given.shape[1]] = given
        part[:, given.shape[1] :] = 0
        if length and block <= NARROW:
            part[:] = part.reshape(-1, COLUMNS, length // COLUMNS, block).swapaxes(1, 2).reshape(words, block)
        start += block
    return laid


def beside(width: int, stride: int) -> int:
    """`width`, where a row of so many outputs falls into tiles that are worth it, else 0."""
    return width if stride == 1 and width >= 8 and width % 4 == 0 else 0


@dataclass(frozen=True)
class Geometry:
    """A convolution's shapes: which words of a padded image an output pixel reads.

    Attributes
    ----------
    height, width : int
        Of an image.
    words : int
        Of a pixel.
    kernel, stride, padding, dilation : int
        Of both axes.
    margin : int or None
        Pixels around an image in memory, at least the padding; by default the padding.
    """

    height: int
    width: int
    words: int
    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    margin: int | None = None

    @property
    def around(self) -> int:
        """Pixels around an image in memory."""
        return self.padding if self.margin is None else self.margin

    @property
    def padded(self) -> tuple[int, int, int]:
        """(Hp, Wp, words) of an image in memory."""
        return self.height + 2 * self.around, self.width + 2 * self.around, self.words

    @property
    def size(self) -> int:
        """Words of a padded image."""
        return prod(self.padded)

    def rows(self, size: int) -> int:
        """Output pixels along an axis of `size` pixels."""
        return (size + 2 * self.padding - self.dilation * (self.kernel - 1) - 1) // self.stride + 1

    @property
    def shape(self) -> tuple[int, int]:
        """(Ho, Wo)."""
        return self.rows(self.height), self.rows(self.width)

    @cached_property
    def filled(self) -> "Geometry":
        """The same words, where padding is pixels of the image: no tap is absent."""
        height, width = (size + 2 * self.padding for size in (self.height, self.width))
        return replace(self, height=height, width=width, padding=0, margin=self.around - self.padding)

    @property
    def length(self) -> int:
        """Words that lie one after another: those of a kernel's row, or of one pixel where it is dilated."""
        return self.words * (self.kernel if self.dilation == 1 else 1)

    @property
    def beside(self) -> int:
        """Outputs of a row, if each reads a pixel further than the one before, `COLUMNS` a run; else 0."""
        return beside(self.shape[1], self.stride) if (self.kernel, self.dilation) == (COLUMNS, 1) else 0

    @property
    def shared(self) -> int:
        """Words of a run, where outputs beside one another share them, else 0: for `lay_filters`."""
        return self.length if self.beside else 0

    @cached_property
    def runs(self) -> NDArray[np.int64]:
        """Offsets of the runs of `length` words, from the first word that an output pixel reads."""
        row = self.padded[1] * self.words * self.dilation
        columns = 1 if self.dilation == 1 else self.kernel
        step = self.dilation * self.words
        return (np.arange(self.kernel)[:, None] * row + np.arange(columns) * step).reshape(-1)

    @cached_property
    def firsts(self) -> NDArray[np.int64]:
        """(P,): the first word that each output pixel reads."""
        rows, columns = (np.arange(n) * self.stride + self.around - self.padding for n in self.shape)
        return ((rows[:, None] * self.padded[1] + columns) * self.words).reshape(-1)

    def taps(self, size: int) -> NDArray[np.bool_]:
        """(outputs, K): whether a tap lies on the image, along one axis."""
        at = np.arange(self.rows(size))[:, None] * self.stride + np.arange(self.kernel) * self.dilation
        return (at >= self.padding) & (at < self.padding + size)

    @cached_property
    def border(self) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Border classes: (classes, K, K) which taps lie on the image, and (P,) the class of each pixel."""
        rows, row = np.unique(self.taps(self.height), axis=0, return_inverse=True)
        columns, column = np.unique(self.taps(self.width), axis=0, return_inverse=True)
        inside = rows[:, None, :, None] & columns[None, :, None, :]
        classes = row.reshape(-1)[:, None] * len(columns) + column.reshape(-1)
        return inside.reshape(-1, self.kernel, self.kernel), classes.reshape(-1)

    def places(self, targets: NDArray[np.int64] | None = None, pitch: int = 0) -> NDArray[np.int64]:
        """(P, 3), the `pixels` of a `Work`: first word, row of `start`, and where the bits go (`targets`)."""
        starts = self.border[1] * pitch
        return np.stack([self.firsts, starts, np.zeros_like(starts) if targets is None else targets], axis=1)


@lru_cache(64)
def geometry(
    height: int, width: int, words: int, kernel: int, stride: int, padding: int, dilation: int = 1
) -> Geometry:
    """The `Geometry` with what it has found out so far: a layer asks for the same one at every step."""
    return Geometry(height, width, words, kernel, stride, padding, dilation)


NONE: dict[str, Any] = {
    "start": np.zeros(0, np.int32),
    "table": np.zeros((0, 0), np.float32),
    "masks": np.zeros(0, np.uint16),
    "z": np.zeros(0, np.int32),
    "reals": np.zeros(0, np.float32),
    "residual": np.zeros(0, np.float32),
    "bits": np.zeros((0, 0), np.uint16),
    "nan": np.zeros(0, np.uint16),
}
"""Fields of a `Work` that an operation has no use for."""
