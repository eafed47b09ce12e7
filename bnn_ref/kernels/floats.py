"""float32 convolution and its two gradients by the tiles of `correlation`: what each reads and writes.

The gradient to the images is a correlation of the outputs' gradients with flipped filters. Behind a stride it
falls apart by the remainder of a pixel's place: each class of pixels meets taps of its own, and no zero is
multiplied. `naive` spells all three. Source: ours.
"""

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bnn_ref.kernels.correlation import Walk, correlate
from bnn_ref.kernels.layout import NONE, Geometry, aligned, beside, lay_filters, pitch_of
from bnn_ref.kernels.outer import outer
from bnn_ref.kernels.threads import share
from bnn_ref.kernels.tiles import COLUMNS, LANES

Floats = NDArray[Any]
Places = NDArray[np.int64]

GROUP = 2**17
"""Numbers of a group of images, padded, and of their outputs: 512 KiB, for the second cache."""

CHUNK = 512
"""Pixels that a gradient to filters sums over at a time."""

CHUNK_SHARED = 128
"""The same, where outputs share words: there is so little to do with each that it lies in the first cache."""


def _group(images: int, numbers: int) -> int:
    """Images at a time, of so many numbers each."""
    return max(1, min(images, GROUP // numbers))


def zeros(*shape: int) -> Floats:
    """float32 zeros, from a cache line on."""
    made: Floats = aligned(shape, np.float32)
    made[:] = 0
    return made


def _spread(places: Places, group: int, size: int) -> Places:
    """The places of one image in each image of a group, `size` apart."""
    return (np.arange(group)[:, None] * size + places).reshape(-1)


@lru_cache(64)
def _places(geometry: Geometry, group: int, pitch: int) -> tuple[Places, Places]:
    """For every output pixel of a group: its first word, and its first number."""
    pixels = prod(geometry.shape)
    firsts = _spread(geometry.firsts, group, geometry.size)
    return firsts, _spread(np.arange(pixels) * pitch, group, pixels * pitch)


def _rows(x: Floats) -> Floats:
    """(N, H, W, C) -> (N, H, W * C), in native byte order."""
    return np.ascontiguousarray(x, np.float32).reshape(*x.shape[:2], x.shape[2] * x.shape[3])


def convolve(x: Floats, w: Floats, geometry: Geometry) -> Floats:
    """(N, H, W, C) and (K, K, C, F) -> (N, Ho, Wo, F)."""
    filters, pixels = w.shape[-1], prod(geometry.shape)
    pitch, pad = pitch_of(filters), geometry.padding
    group = _group(len(x), geometry.size + pixels * pitch)
    laid = lay_filters(w.reshape(-1, filters).T, geometry.shared)
    walk = Walk(laid, geometry.runs, geometry.length, *_places(geometry, group, pitch), geometry.beside)
    y, rows = aligned((len(x), pixels * pitch), np.float32), _rows(x)
    height, width, channels = geometry.padded

    def part(first: int, last: int) -> None:
        scratch = zeros(group, height, width * channels)
        correlate(rows[first:last], walk, scratch, pad, pad * channels, pitch, y[first:last])

    share(part, len(x), rows.nbytes + y.nbytes)
    return cut(y, (len(x), *geometry.shape, pitch), filters)


def cut(y: Floats, shape: tuple[int, ...], filters: int) -> Floats:
    """y as `shape`, without what pads the last axis beyond `filters`."""
    return np.ascontiguousarray(y.reshape(shape)[..., :filters])


class Phase(NamedTuple):
    """Pixels of one axis at whose place the same taps arrive.

    Attributes
    ----------
    pixels : int64
        Where they are.
    taps : int64
        Which taps arrive, in the order of the outputs that they come from.
    firsts : int64
        The first of those outputs, a pixel each; it may lie outside.
    """

    pixels: Places
    taps: Places
    firsts: Places


def phases(size: int, kernel: int, stride: int, padding: int) -> list[Phase]:
    """Every pixel of an axis in one phase: output o reaches pixel i by tap i + padding - stride o."""
    found = []
    for rest in range(stride):
        pixels = np.arange((rest - padding) % stride, size, stride)
        taps = np.arange(rest, kernel, stride)[::-1]
        found.append(Phase(pixels, taps, (pixels + padding) // stride - len(taps) + 1))
    return found


class _Margin(NamedTuple):
    """Zeros before and after the outputs of an axis, so that every phase finds what it reads."""

    before: int
    after: int

    @classmethod
    def of(cls, axis: list[Phase], outputs: int) -> "_Margin":
        used = [phase for phase in axis if len(phase.pixels)]
        before = max(0, *(-int(phase.firsts[0]) for phase in used), 0)
        after = max(0, *(int(phase.firsts[-1]) + len(phase.taps) - outputs for phase in used), 0)
        return cls(before, after)


class _Back(NamedTuple):
    """How the gradient to images of one geometry is walked: what does not depend on numbers.

    Attributes
    ----------
    height, row : int
        Of the outputs' gradients with their margins: rows, and words of one.
    top, left : int
        Rows before the first, words before the first of a row.
    group : int
        Images at a time.
    steps : list of (taps down, taps along, Walk)
        One a class of pixels: which filters' taps arrive, and the walk that still wants the filters.
    dead : int64
        Pixels that no output reads.
    """

    height: int
    row: int
    top: int
    left: int
    group: int
    steps: list[tuple[Places, Places, Walk]]
    dead: Places


@lru_cache(64)
def _back(geometry: Geometry, words: int, images: int, numbers: int) -> _Back:
    """Of so many words a pixel of the outputs' gradients, and so many numbers a word."""
    sizes, pitch = (geometry.height, geometry.width), pitch_of(geometry.words)
    axes = [phases(size, geometry.kernel, geometry.stride, geometry.padding) for size in sizes]
    top, left = (_Margin.of(axis, outputs) for axis, outputs in zip(axes, geometry.shape, strict=True))
    height, row = sum(top, geometry.shape[0]), sum(left, geometry.shape[1]) * words
    group = _group(images, height * row * numbers + prod(sizes) * pitch)
    steps, dead = [], [np.zeros(0, np.int64)]
    for down, along in ((down, along) for down in axes[0] for along in axes[1]):
        pixels = (down.pixels[:, None] * geometry.width + along.pixels).reshape(-1)
        if not len(pixels):
            continue
        if len(down.taps) * len(along.taps) == 0:
            dead.append(pixels)
            continue
        firsts = (down.firsts + top.before)[:, None] * row + (along.firsts + left.before) * words
        sources = _spread(firsts.reshape(-1), group, height * row)
        targets = _spread(pixels * pitch, group, prod(sizes) * pitch)
        runs, length = np.arange(len(down.taps)) * row, len(along.taps) * words
        shared = numbers == 1 and len(along.taps) == COLUMNS
        together = beside(geometry.width, geometry.stride) if shared else 0
        walk = Walk(NONE["reals"], runs, length, sources, targets, together)
        steps.append((down.taps[:, None], along.taps, walk))
    return _Back(height, row, top.before, left.before * words, group, steps, np.concatenate(dead))


def images_grad(dy: Floats, w: Floats, geometry: Geometry) -> Floats:
    """(N, Ho, Wo, F) and (K, K, C, F) -> (N, H, W, C)."""
    return walk_back(correlate, _rows(dy), w, geometry)


def walk_back(
    run: Callable[..., None], rows: Floats, w: NDArray[Any], geometry: Geometry, word: tuple[int, ...] = ()
) -> Floats:
    """The gradient to images: `run` as `correlate`, from `rows` by filters w (K, K, C, words of a pixel).

    `word` is the shape of one, if it is not a number.
    """
    channels, words = w.shape[2:]
    pixels, pitch = geometry.height * geometry.width, pitch_of(channels)
    back = _back(geometry, words, len(rows), prod(word))
    dx, walks = aligned((len(rows), pixels * pitch), np.float32), []
    dx.reshape(len(dx), pixels, pitch)[:, back.dead] = 0
    for down, along, walk in back.steps:
        taps = w[down, along].transpose(2, 0, 1, 3)
        laid = lay_filters(taps.reshape(channels, -1), walk.length if walk.beside else 0)
        walks.append(walk._replace(filters=laid))

    def part(first: int, last: int) -> None:
        scratch = zeros(back.group, back.height, back.row, *word)
        for walk in walks:
            run(rows[first:last], walk, scratch, back.top, back.left, pitch, dx[first:last])

    share(part, len(rows), rows.nbytes + dx.nbytes)
    return cut(dx, (len(rows), geometry.height, geometry.width, pitch), channels)


def filters_grad(x: Floats, dy: Floats, geometry: Geometry) -> Floats:
    """(N, H, W, C) and (N, Ho, Wo, F) -> (K, K, C, F)."""
    filters, pixels, pad = dy.shape[-1], prod(geometry.shape), geometry.padding
    pitch, channels, images = pitch_of(filters), geometry.words, _rows(x)
    group = _group(len(x), geometry.size + pixels * pitch)
    firsts, _ = _places(geometry, group, pitch)
    dw = zeros(geometry.kernel**2 * channels, pitch)
    together = geometry.beside if pitch == LANES else 0
    walk = Walk(dw[:0, 0], geometry.runs, geometry.length, firsts, firsts, together)
    chunk = max(1, CHUNK_SHARED // together) * together if together else CHUNK
    height, width, _ = geometry.padded
    rows = np.ascontiguousarray(dy, np.float32).reshape(len(dy), pixels, filters)

    def part(first: int, last: int) -> None:
        """The sums of some words, of every run or pixel: a thread has sums of its own, whatever it reads."""
        scratch = zeros(group, height, width * channels)
        grads = zeros(group * pixels if pitch > filters else 0, pitch)
        outer(images, rows, walk, scratch, pad, pad * channels, grads, chunk, (first, last), dw)

    share(part, channels if together else geometry.length, images.nbytes + rows.nbytes)
    return cut(dw, (geometry.kernel, geometry.kernel, channels, pitch), filters)
