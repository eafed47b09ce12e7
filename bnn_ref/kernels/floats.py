"""float32 convolution and its two gradients by the tiles of `correlation`: what each reads and writes.

The gradient to the images is a correlation of the outputs' gradients with flipped filters. Behind a stride it
falls apart by the remainder of a pixel's place: each class of pixels meets taps of its own, and no zero is
multiplied. `naive` spells all three. Source: ours.
"""

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bnn_ref.kernels.correlation import Walk, correlate, outer, outer_signs
from bnn_ref.kernels.layout import Geometry, aligned, lay_filters, pitch_of
from bnn_ref.kernels.threads import share

Floats = NDArray[Any]
Places = NDArray[np.int64]

GROUP = 2**17
"""Numbers of a group of images, padded, and of their outputs: 512 KiB, for the second cache."""

CHUNK = 512
"""Pixels that a gradient to filters sums over at a time."""


def _group(images: int, numbers: int) -> int:
    """Images at a time, of so many numbers each."""
    return max(1, min(images, GROUP // numbers))


def _scratch(group: int, height: int, run: int) -> Floats:
    padded: Floats = aligned((group, height, run), np.float32)
    padded[:] = 0
    return padded


def _spread(places: Places, group: int, size: int) -> Places:
    """The places of one image in each image of a group, `size` apart."""
    return (np.arange(group)[:, None] * size + places).reshape(-1)


def _rows(x: Floats) -> Floats:
    """(N, H, W, C) -> (N, H, W * C), in native byte order."""
    return np.ascontiguousarray(x, np.float32).reshape(*x.shape[:2], x.shape[2] * x.shape[3])


def convolve(x: Floats, w: Floats, geometry: Geometry) -> Floats:
    """(N, H, W, C) and (K, K, C, F) -> (N, Ho, Wo, F)."""
    filters, pixels = w.shape[-1], prod(geometry.shape)
    pitch, pad = pitch_of(filters), geometry.padding
    group = _group(len(x), geometry.size + pixels * pitch)
    walk = Walk(
        lay_filters(w.reshape(-1, filters).T),
        geometry.runs,
        geometry.length,
        _spread(geometry.firsts, group, geometry.size),
        _spread(np.arange(pixels) * pitch, group, pixels * pitch),
    )
    y, rows = aligned((len(x), pixels * pitch), np.float32), _rows(x)
    height, width, channels = geometry.padded

    def part(first: int, last: int) -> None:
        scratch = _scratch(group, height, width * channels)
        correlate(rows[first:last], walk, scratch, pad, pad * channels, pitch, y[first:last])

    share(part, len(x), rows.nbytes + y.nbytes)
    return _cut(y, (len(x), *geometry.shape, pitch), filters)


def _cut(y: Floats, shape: tuple[int, ...], filters: int) -> Floats:
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


def images_grad(dy: Floats, w: Floats, geometry: Geometry) -> Floats:
    """(N, Ho, Wo, F) and (K, K, C, F) -> (N, H, W, C)."""
    kernel, _, channels, filters = w.shape
    sizes = (geometry.height, geometry.width)
    axes = [phases(size, kernel, geometry.stride, geometry.padding) for size in sizes]
    top, left = (_Margin.of(axis, outputs) for axis, outputs in zip(axes, dy.shape[1:3], strict=True))
    row = sum(left, dy.shape[2]) * filters
    height, pitch = sum(top, dy.shape[1]), pitch_of(channels)
    group = _group(len(dy), height * row + prod(sizes) * pitch)
    dx, rows, walks = aligned((len(dy), prod(sizes) * pitch), np.float32), _rows(dy), []
    for down, along in ((down, along) for down in axes[0] for along in axes[1]):
        targets = (down.pixels[:, None] * geometry.width + along.pixels).reshape(-1) * pitch
        if len(down.taps) * len(along.taps) == 0:
            dx.reshape(len(dx), prod(sizes), pitch)[:, targets // pitch] = 0
            continue
        firsts = (down.firsts + top.before)[:, None] * row + (along.firsts + left.before) * filters
        taps = w[down.taps[:, None], along.taps].transpose(2, 0, 1, 3)
        walk = Walk(
            lay_filters(taps.reshape(channels, -1)),
            np.arange(len(down.taps)) * row,
            len(along.taps) * filters,
            _spread(firsts.reshape(-1), group, height * row),
            _spread(targets, group, prod(sizes) * pitch),
        )
        walks.append(walk)

    def part(first: int, last: int) -> None:
        scratch, place = _scratch(group, height, row), (top.before, left.before * filters, pitch)
        for walk in walks:
            correlate(rows[first:last], walk, scratch, *place, dx[first:last])

    share(part, len(dy), rows.nbytes + dx.nbytes)
    return _cut(dx, (len(dy), *sizes, pitch), channels)


def filters_grad(x: Floats, dy: Floats, geometry: Geometry) -> Floats:
    """(N, H, W, C) and (N, Ho, Wo, F) -> (K, K, C, F)."""
    return _filters_grad(outer, _rows(x), dy, geometry)


def filters_grad_of_signs(bits: NDArray[np.uint32], dy: Floats, geometry: Geometry) -> Floats:
    """`filters_grad` where x are signs: bits (N, Hp, Wp, words), padded, +1 where 1."""
    return _filters_grad(outer_signs, bits.view(np.uint16), dy, geometry)


def _filters_grad(add: Callable[..., None], x: NDArray[Any], dy: Floats, geometry: Geometry) -> Floats:
    filters, pixels, pad = dy.shape[-1], prod(geometry.shape), geometry.padding
    pitch, channels = pitch_of(filters), geometry.words
    group = _group(len(x), geometry.size + pixels * pitch)
    firsts = _spread(geometry.firsts, group, geometry.size)
    dw = _scratch(geometry.kernel**2 * channels, 1, pitch)[:, 0]
    walk = Walk(dw[:0, 0], geometry.runs, geometry.length, firsts, firsts)
    height, width, _ = geometry.padded
    rows = np.ascontiguousarray(dy, np.float32).reshape(len(dy), pixels, filters)

    def part(first: int, last: int) -> None:
        """The sums of some words of every run: a thread has sums of its own, whatever it reads."""
        scratch, grads = _scratch(group, height, width * channels), _scratch(group * pixels, 1, pitch)[:, 0]
        add(x, rows, walk, scratch, pad, pad * channels, grads, CHUNK, (first, last), dw)

    share(part, geometry.length, x.nbytes + rows.nbytes)
    return _cut(dw, (geometry.kernel, geometry.kernel, channels, pitch), filters)
