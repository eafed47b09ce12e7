"""Where the values of a plan lie: numbers in rows of whole vectors, signs in words; margins if asked for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from math import prod
from typing import Self

import numpy as np
from numpy.typing import DTypeLike

from bnn_ref.kernels.layout import LINE, aligned, ones, pitch_of
from bnn_ref.kernels.pack import word_count
from bnn_ref.parameter import Array


def sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """(H, W) of an image (H, W, C); of other shapes (..., C), their places in one row."""
    return (shape[0], shape[1]) if len(shape) == 3 else (1, prod(shape[:-1]))


class Answers:
    """Memory for answers: that of the last one again, where nobody holds it any more.

    Fresh memory costs a small layer a quarter of its time: the system clears every page of it. An answer and
    all views of it refer to the array that owns the memory, so its references tell.
    """

    def __init__(self) -> None:
        self.memory = np.empty(0, np.uint8)

    def take(self, shape: tuple[int, ...]) -> Array:
        """An uninitialised float32 array that nobody else has; it begins at a cache line."""
        size = 4 * prod(shape)
        fits = size + LINE <= self.memory.nbytes <= 2 * (size + LINE)
        if not fits or sys.getrefcount(self.memory) > 2:  # the attribute, and the argument here
            self.memory = np.empty(size + LINE, np.uint8)
        start = -self.memory.ctypes.data % LINE
        return self.memory[start : start + size].view(np.float32).reshape(shape)


@dataclass(frozen=True, eq=False)
class Storage:
    """Values (N, ..., C) in memory: `margin` pixels of `pad` around each image, zeros behind each pixel.

    Attributes
    ----------
    cells : (N, Hp, Wp, cells of a pixel)
    shape : tuple of int
        (..., C) of one image.
    margin, pad : int
    """

    cells: Array
    shape: tuple[int, ...]
    margin: int = 0
    pad: int = 0

    @classmethod
    def of(
        cls,
        count: int,
        shape: tuple[int, ...],
        dtype: DTypeLike,
        margin: int = 0,
        cells: int = 0,
        pad: int = 0,
    ) -> Self:
        """Storage for `count` images; a pixel takes as many cells as the tiles write, or as are given."""
        height, width = sides(shape)
        wide = cells or cls.row(shape[-1])
        made = aligned((count, height + 2 * margin, width + 2 * margin, wide), dtype)
        made[:] = cls.pixel(shape[-1], wide, pad)
        return cls(made, shape, margin, pad)

    def beside(self, margin: int, pad: int) -> Storage:
        """Room for a copy with another margin: float32, a pixel after the other."""
        return Storage.of(len(self.cells), self.shape, np.float32, margin, self.shape[-1], pad)

    @classmethod
    def row(cls, channels: int) -> int:
        """Cells of a pixel."""
        return pitch_of(channels)

    @classmethod
    def pixel(cls, channels: int, cells: int, pad: int) -> Array:
        """The cells of a pixel of the margin."""
        return np.where(np.arange(cells) < channels, pad, 0)

    @property
    def inner(self) -> Array:
        """The cells without the margin."""
        height, width = sides(self.shape)
        return self.cells[:, self.margin : self.margin + height, self.margin : self.margin + width]

    def read(self, count: int) -> Array:
        """The first `count` images, (count, ..., C), C-contiguous; a copy where they do not lie so."""
        found: Array = np.ascontiguousarray(self.inner[:count, ..., : self.shape[-1]])
        return found.reshape(count, *self.shape)

    def read_into(self, values: Array) -> None:
        """As `read`, into an array (count, ..., C) of any number."""
        found = self.inner[: len(values), ..., : self.shape[-1]]
        values[:] = found.reshape(len(values), *self.shape)

    def write(self, values: Array) -> None:
        """Overwrite the first images."""
        inner = self.inner[: len(values)]
        inner[..., : self.shape[-1]] = values.reshape(*inner.shape[:3], self.shape[-1])

    @property
    def flat(self) -> Array:
        """(N, cells of an image)."""
        return self.cells.reshape(len(self.cells), prod(self.cells.shape[1:]))

    @property
    def targets(self) -> Array:
        """int64 (P,): for every pixel, its first half cell within an image."""
        height, width = sides(self.shape)
        rows, columns = np.arange(height) + self.margin, np.arange(width) + self.margin
        return ((rows[:, None] * self.cells.shape[2] + columns) * 2 * self.cells.shape[3]).reshape(-1)


class Bits(Storage):
    """Signs as 32-bit words; what is no channel is 0. Read and written as uint64 words of `kernels.pack`."""

    @classmethod
    def row(cls, channels: int) -> int:
        return -(-channels // 32)

    @classmethod
    def pixel(cls, channels: int, cells: int, pad: int) -> Array:
        return ones(channels) if pad == 1 else np.zeros(cells, np.uint32)

    def beside(self, margin: int, pad: int) -> Storage:
        return Bits.of(len(self.cells), self.shape, np.uint32, margin, pad=pad)

    def read(self, count: int) -> Array:
        words, (*lead, channels) = self.cells.shape[-1], self.shape
        found = np.zeros((count, *sides(self.shape), 2 * word_count(channels)), "<u4")
        found[..., :words] = self.inner[:count]
        return found.view("<u8").reshape(count, *lead, word_count(channels))

    def write(self, values: Array) -> None:
        halves = np.ascontiguousarray(values, "<u8").view("<u4")
        inner = self.inner[: len(values)]
        inner[:] = halves.reshape(*inner.shape[:3], halves.shape[-1])[..., : inner.shape[-1]]
