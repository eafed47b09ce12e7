"""The vectors that a tensor is made of: an activation's channels at every pixel, the filters of a weight."""

from __future__ import annotations

from math import prod

import numpy as np

from bnn_ref.checks import require
from bnn_ref.parameter import Array


def channels_of(shape: tuple[int, ...], axis: int) -> int:
    """How many channels a tensor has that a map is bound to. Raises ValueError for an empty shape."""
    require(len(shape) > 0, "shape", "the channels (C,) or the whole shape of a weight, to bind to", shape)
    return shape[axis]


def vectors_of(shape: tuple[int, ...], axis: int) -> tuple[int | None, int]:
    """Of a tensor that a map is bound to: (the axis that numbers its vectors, their length).

    An activation, bound as (C,), has vectors of C and None for the axis; a weight has those of its filters.

    Raises
    ------
    ValueError
        For an empty shape.
    """
    count = channels_of(shape, axis)
    return (None, count) if len(shape) == 1 else (axis % len(shape), prod(shape) // count)


def to_rows(x: Array, rows: int | None) -> Array:
    """The vectors of `x`, numbered by the axis `rows` (None: along the last axis): (n, d)."""
    if rows is None:
        return x.reshape(prod(x.shape[:-1]), x.shape[-1])
    moved = np.moveaxis(x, rows, 0)
    return moved.reshape(len(moved), prod(moved.shape[1:]))


def from_rows(vectors: Array, x: Array, rows: int | None) -> Array:
    """Vectors (n, d) in the place of those of `x`."""
    if rows is None:
        return vectors.reshape(x.shape)
    moved = np.moveaxis(x, rows, 0).shape
    return np.ascontiguousarray(np.moveaxis(vectors.reshape(moved), 0, rows))
