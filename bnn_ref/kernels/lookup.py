"""Both gradients of a product of signs, four terms at a time: sums of four are looked up, not added.

A gradient meets signs alone, and +-g0 +- g1 +- g2 +- g3 has 16 values. A table of them fills a vector, four
signs are a place in it, and one look-up gives 16 filters what four fused multiply-adds would. Towards the
images the four are filters of one pixel; towards the filters they are four images at one place, which their
padding reaches or not together.

Vectors and walks are those of `tiles` and `correlation`: after a change there, delete the cached machine code
of this file, as `make test` does.
Source: ours; tables of sums are the idea of Arlazarov et al., 1970.
"""

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils

from bnn_ref.kernels.correlation import _data, _Sums, _word, correlate_group
from bnn_ref.kernels.tiles import (
    BIT,
    INDEX,
    LANES,
    REALS,
    WORDS,
    _fused,
    _index,
    _intrinsic,
    _item,
    _splat,
    _store,
)

FOUR = 4
"""Signs that are looked up at once: a table has 2**FOUR = LANES sums."""

ROWS = {nj: LANES // nj for nj in (4, 2, 1)}
"""Filters of a tile by its vectors of channels: 16 sums at a time."""


@njit(cache=True, nogil=True)
def vectors_of(pitch: int) -> int:
    """NJ of a tile, where a pixel has so many channels, padded to whole vectors."""
    return 4 if pitch % 64 == 0 else 2 if pitch % 32 == 0 else 1


@_intrinsic
def _table(typing: Any, numbers: Any, at: Any, step: Any, tables: Any, place: Any) -> Any:
    """Table number `place`: all sums of four numbers from `at` on, each `step` after the last.

    The number of a sum has bit k where number k is added; where it is subtracted, 0.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, target = (_data(context, builder, signature.args[i], args[i]) for i in (0, 3))
        total = _splat(REALS, 0.0)
        for k in range(FOUR):
            signs = ir.Constant(REALS, [1.0 if lane >> k & 1 else -1.0 for lane in range(LANES)])
            here = builder.add(args[1], builder.mul(args[2], _index(k)))
            total = _fused(builder, _word(builder, source, here), signs, total)
        _store(builder, total, target, builder.mul(args[4], _index(LANES)), align=64)
        return context.get_dummy_value()

    return types.void(numbers, types.int64, types.int64, tables, types.int64), build


@_intrinsic
def _places(typing: Any, halves: Any, at: Any, step: Any, places: Any, place: Any) -> Any:
    """16 places in tables, from number `place` on: bit k is the lane's in half word number at + k step."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, target = (_data(context, builder, signature.args[i], args[i]) for i in (0, 3))
        total = _splat(WORDS, 0)
        for k in range(FOUR):
            bits = _item(builder, source, builder.add(args[1], builder.mul(args[2], _index(k))))
            lanes = builder.bitcast(bits, ir.VectorType(BIT, LANES))
            total = builder.or_(total, builder.select(lanes, _splat(WORDS, 1 << k), _splat(WORDS, 0)))
        _store(builder, total, target, args[4])
        return context.get_dummy_value()

    return types.void(halves, types.int64, types.int64, places, types.int64), build


@njit(cache=True, nogil=True)
def _fill_tables(x: Any, first: int, count: int, padded: Any, top: int, left: int) -> None:
    """`count` images from `first` on, (N, H, W, F), as tables in (group, Hp, words, 16), F / 4 a pixel."""
    height, width, filters = x.shape[1:]
    numbers, tables, words = x.reshape(-1), padded.reshape(-1), width * filters // FOUR
    for i in range(count):
        for row in range(height):
            at = ((first + i) * height + row) * words
            place = (i * padded.shape[1] + top + row) * padded.shape[2] + left
            for word in range(words):
                _table(numbers, (at + word) * FOUR, 1, tables, place + word)


@njit(cache=True, nogil=True)
def correlate_tables(x: Any, walk: Any, padded: Any, top: int, left: int, pitch: int, y: Any) -> None:
    """`correlate` of gradients x (N, H, W, F) with signs: a word is a table, `walk.filters` places in it.

    padded : (images of a group, Hp, words, 16), zeros at first, from a cache line on. F is a multiple of 4.
    """
    for start in range(0, x.shape[0], padded.shape[0]):
        count = min(padded.shape[0], x.shape[0] - start)
        _fill_tables(x, start, count, padded, top, left)
        correlate_group(walk, padded, pitch, start, count, x, y)


@_intrinsic(prefer_literal=True)
def _gather(typing: Any, tables: Any, places: Any, reads: Any, dw: Any, where: Any, nj: Any) -> Any:
    """Add what 16 NJ channels of a tap find in the tables of ROWS[NJ] filters to dw, over some `reads`.

    where: the first read and the one after the last; where the channels' places begin, from a read's; where
    their sums begin; from one filter's sums to the next's. The rest as in `outer_tables`.
    """
    rows = ROWS[nj.literal_value]

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found, spots, pairs, numbers = (_data(context, builder, signature.args[i], args[i]) for i in range(4))
        start, stop, channel, into, pitch = (builder.extract_value(args[4], i) for i in range(5))
        targets = [builder.add(into, builder.mul(pitch, _index(row))) for row in range(rows)]
        sums = _Sums(builder, rows, nj.literal_value)
        with cgutils.for_range(builder, stop, start=start, intp=INDEX) as read:
            at = builder.mul(read.index, _index(2))
            table = builder.mul(_item(builder, pairs, at), _index(rows))
            spot = builder.add(channel, _item(builder, pairs, builder.add(at, _index(1))))
            own = (builder.add(table, _index(row)) for row in range(rows))
            sums.add((_word(builder, found, one, True) for one in own), builder.gep(spots, [spot]))
        sums.write(numbers, targets, plus=True)
        return context.get_dummy_value()

    return types.void(tables, places, reads, dw, where, nj), build


@njit(cache=True, nogil=True)
def outer_tables(
    halves: Any, dy: Any, reads: Any, bounds: Any, places: Any, tables: Any, some: Any, dw: Any
) -> None:
    """Add to dw (filters, taps * pitch) the products of signs and gradients, four images at a time.

    Parameters
    ----------
    halves : uint16 (N, Hp * Wp, half words), N a multiple of 4; 16 channels each
    dy : float32 (N, P, F)
    reads : int64 (all reads, 2), one dimension
        Which of the chunk's outputs, and where the places of the pixel that a tap finds there begin.
    bounds : int64 (chunks, 1 + taps + 1)
        The chunk's first output, then where each tap's reads begin, then where the last one's end.
    places : int32 (Hp * Wp * pitch,)
    tables : float32 (outputs of a chunk * rows * 16,), from a cache line on
    some : the first filter and the one after the last, a multiple of rows away
    """
    pixels, taps = dy.shape[1], bounds.shape[1] - 2
    pitch = dw.shape[1] // taps
    nj = vectors_of(pitch)
    rows = LANES // nj
    for start in range(0, dy.shape[0], FOUR):
        _fill_places(halves, start, places, pitch)
        for c in range(bounds.shape[0]):
            first = bounds[c, 0]
            last = bounds[c + 1, 0] if c + 1 < bounds.shape[0] else pixels
            for f in range(some[0], some[1], rows):
                _chunk_tables(dy, start, first, last, f, rows, tables)
                for tap in range(taps):
                    for channel in range(0, pitch, nj * LANES):
                        into = f * dw.shape[1] + tap * pitch + channel
                        where = bounds[c, 1 + tap], bounds[c, 2 + tap], channel, into, dw.shape[1]
                        if nj == 4:
                            _gather(tables, places, reads, dw.reshape(-1), where, 4)
                        elif nj == 2:
                            _gather(tables, places, reads, dw.reshape(-1), where, 2)
                        else:
                            _gather(tables, places, reads, dw.reshape(-1), where, 1)


@njit(cache=True, nogil=True)
def _fill_places(halves: Any, start: int, places: Any, pitch: int) -> None:
    """Where in the tables the signs of images start to start + 3 are, (Hp * Wp, pitch)."""
    pixels, words = halves.shape[1:]
    flat = halves.reshape(-1)
    for pixel in range(pixels):
        at = (start * pixels + pixel) * words
        for v in range(pitch // LANES):
            _places(flat, at + v, pixels * words, places, pixel * pitch + v * LANES)


@njit(cache=True, nogil=True)
def _chunk_tables(dy: Any, start: int, first: int, last: int, f: int, rows: int, tables: Any) -> None:
    """Tables of outputs first to last - 1 and `rows` filters from f on; past the last one, of the last."""
    pixels, filters = dy.shape[1:]
    numbers = dy.reshape(-1)
    for p in range(first, last):
        for row in range(rows):
            at = (start * pixels + p) * filters + min(f + row, filters - 1)
            _table(numbers, at, pixels * filters, tables, (p - first) * rows + row)
