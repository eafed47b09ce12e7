"""float32 convolution and its gradient to images, as one skeleton: tiles of sums over images in the cache.

Both are correlations: an output pixel is the sum over `runs` of words that lie one after another, times
filters. In the gradient to the filters the sum is over the pixels instead (`outer`).
Images are taken a group at a time, padded in a scratch that stays in the cache while all filters pass, and
the next group is fetched meanwhile. Every output is one chain of fused multiply-adds, in an order that no
group and no thread changes.

The vectors are those of `tiles`: after a change there, delete the cached machine code of this file, as `make
test` does.
Source: ours.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils

from bnn_ref.kernels.tiles import (
    COLUMNS,
    INDEX,
    LANES,
    NARROW,
    REALS,
    SHAPES,
    WORD,
    WORDS,
    _broadcast,
    _fused,
    _index,
    _intrinsic,
    _item,
    _load,
    _look_up,
    _splat,
    _store,
    _tiled,
    block_of,
)

SIDE_BY_SIDE = {2: (8, 4), 1: (16, 8, 4)}
"""Output pixels of a row that share words at a time, by NJ."""

NEAR = 2**13
"""Filter words that a pass keeps in the first cache, 32 KiB."""


class Walk(NamedTuple):
    """How a correlation reads a group of padded images, and where its outputs go.

    Attributes
    ----------
    filters : float32 or int32
        As `layout.lay_filters` makes them; int32 are places in tables, and a word of an image is a table.
    runs : int64
        Offsets, from an output's first word, of the runs of words that it sums over.
    length : int
        Words in a run.
    sources, targets : int64 (images of a group * P,)
        For every output pixel: its first word in the group, and its first number in the group's outputs.
    beside : int
        As `layout.Geometry.beside`.
    """

    filters: Any
    runs: Any
    length: int
    sources: Any
    targets: Any
    beside: int = 0


class Ahead(NamedTuple):
    """What is wanted next, and is fetched into the second cache while a group is computed.

    Attributes
    ----------
    numbers : float32, one dimension
    first, each : int
        Every output pixel fetches `each` numbers, pixel 0 from number `first` on; 0 fetches nothing.
    """

    numbers: Any
    first: int
    each: int


@njit(cache=True, nogil=True)
def ahead(x: Any, images: int, pixels: int) -> Ahead:
    """What comes in x (N, ...) after so many images, an image for `pixels` outputs; at the end nothing."""
    size = x.size // x.shape[0]
    return Ahead(x.reshape(-1), images * size, -(-size // pixels) if images < x.shape[0] else 0)


def _fetch(builder: Any, pointer: Any) -> None:
    """Begin to load what is there into the second cache; any address will do."""
    byte, whole = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, whole, whole, whole])
    fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
    builder.call(fetch, [builder.bitcast(pointer, byte), whole(0), whole(2), whole(1)])


def _word(builder: Any, pointer: Any, at: Any, tables: bool = False) -> Any:
    """Word number `at` as a vector: a float 16 times, or the 16 floats of a table."""
    if tables:
        return _load(builder, pointer, builder.mul(at, _index(LANES)), REALS)
    return _broadcast(builder, _item(builder, pointer, at), REALS)


def _data(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    """An array as a pointer to its first element."""
    return context.make_array(kind)(context, builder, array).data


class _Sums:
    """A tile of sums in registers: rows of vectors."""

    def __init__(self, builder: Any, rows: int, vectors: int) -> None:
        self.builder, self.vectors = builder, [_index(LANES * j) for j in range(vectors)]
        zero = _splat(REALS, 0.0)
        self.sums = [[cgutils.alloca_once_value(builder, zero) for _ in self.vectors] for _ in range(rows)]

    def read(self, numbers: Any, targets: list[Any]) -> None:
        """Take the sums from memory, each row from its target on."""
        for target, own in zip(targets, self.sums, strict=True):
            for vector, total in zip(self.vectors, own, strict=True):
                at = self.builder.add(target, vector)
                self.builder.store(_load(self.builder, numbers, at, REALS), total)

    def add(self, words: Iterable[Any], row: Any, columns: int = 1) -> None:
        """Add each row's word times the vectors at `row`; or what they find, where words are tables.

        Of several columns each has vectors of its own, and row i reads word i + k in column k.
        """
        starts = [_index(LANES * len(self.vectors) * k) for k in range(columns)]
        vectors = [self.load(self.builder.gep(row, [start])) for start in starts]
        for i, word in enumerate(words):
            for k in range(columns):
                if 0 <= i - k < len(self.sums):
                    self.meet(word, vectors[k], i - k)

    def load(self, row: Any) -> list[Any]:
        """The vectors at `row`."""
        kind = WORDS if row.type.pointee == WORD else REALS
        return [_load(self.builder, row, vector, kind) for vector in self.vectors]

    def meet(self, word: Any, vectors: list[Any], row: int) -> None:
        """Add a word times vectors to one row."""
        for vector, total in zip(vectors, self.sums[row], strict=True):
            before = self.builder.load(total)
            if vector.type == WORDS:
                after = self.builder.fadd(before, _look_up(self.builder, word, vector))
            else:
                after = _fused(self.builder, word, vector, before)
            self.builder.store(after, total)

    def write(self, numbers: Any, targets: list[Any], plus: bool = False) -> None:
        """The reverse of `read`; with `plus`, added to what is there."""
        for target, own in zip(targets, self.sums, strict=True):
            for vector, total in zip(self.vectors, own, strict=True):
                at, value = self.builder.add(target, vector), self.builder.load(total)
                if plus:
                    value = self.builder.fadd(_load(self.builder, numbers, at, REALS), value)
                _store(self.builder, value, numbers, at)


@_intrinsic(prefer_literal=True)
def _correlate(
    typing: Any, walk: Any, images: Any, y: Any, runs: Any, where: Any, coming: Any, nj: Any, columns: Any
) -> Any:
    """Add some of the runs to y of 16 NJ filters; the first of all runs does not read y.

    runs: the first and the one after the last. where: how many pixels, how many of them side by side; where
    the filters' words of these runs begin, and in y the group. coming: an `Ahead`, which each tile fetches
    its part of. columns: how many pixels of a run share the words that are loaded, 1 for none.
    """
    shared = columns.literal_value
    sizes = SHAPES["floats"][nj.literal_value] if shared == 1 else SIDE_BY_SIDE[nj.literal_value]

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = dict(zip(signature.args[0].fields, signature.args[0].types, strict=True))
        held = {name: builder.extract_value(args[0], i) for i, name in enumerate(kinds)}
        arrays = {name: kind for name, kind in kinds.items() if isinstance(kind, types.Array)}
        at = {name: _data(context, builder, kind, held[name]) for name, kind in arrays.items()}
        words, numbers = (_data(context, builder, signature.args[i], args[i]) for i in (1, 2))
        start, stop = (builder.extract_value(args[3], i) for i in range(2))
        pixels, across, block, first = (builder.extract_value(args[4], i) for i in range(4))
        wide = builder.sdiv(held["length"], _index(shared))
        tables = at["filters"].type.pointee == WORD
        if tables and shared > 1:  # their walks share nothing: nothing to compile
            return context.get_dummy_value()
        future = _data(context, builder, signature.args[5].types[0], builder.extract_value(args[5], 0))
        begin, each = (builder.extract_value(args[5], i) for i in (1, 2))

        def fetch(pixel: Any, size: int) -> None:
            start = builder.add(begin, builder.mul(pixel, each))
            stop = builder.add(start, builder.mul(each, _index(size)))
            with cgutils.for_range_slice(builder, start, stop, _index(LANES), INDEX) as (line, _):
                _fetch(builder, builder.gep(future, [line]))

        def tile(pixel: Any, size: int) -> None:
            fetch(pixel, size)
            places = [builder.add(pixel, _index(i)) for i in range(size)]
            if shared == 1:
                sources = [_item(builder, at["sources"], place) for place in places]
            else:
                origin = _item(builder, at["sources"], pixel)
                reach = [builder.mul(wide, _index(i)) for i in range(size + shared - 1)]
                sources = [builder.add(origin, further) for further in reach]
            targets = [builder.add(first, _item(builder, at["targets"], p)) for p in places]
            sums = _Sums(builder, size, nj.literal_value)
            with builder.if_then(builder.icmp_signed(">", start, _index(0))):
                sums.read(numbers, targets)
            position = cgutils.alloca_once_value(builder, builder.gep(at["filters"], [block]))
            with cgutils.for_range(builder, stop, start=start, intp=INDEX) as run:
                offset = _item(builder, at["runs"], run.index)
                with cgutils.for_range(builder, wide, intp=INDEX) as word:
                    row, here = builder.load(position), builder.add(offset, word.index)
                    wanted = (builder.add(source, here) for source in sources)
                    sums.add((_word(builder, words, place, tables) for place in wanted), row, shared)
                    builder.store(builder.gep(row, [_index(LANES * nj.literal_value * shared)]), position)
            sums.write(numbers, targets)

        with cgutils.for_range_slice(builder, _index(0), pixels, across, INDEX) as (begin_row, _):
            _tiled(builder, begin_row, builder.add(begin_row, across), sizes, tile)
        return context.get_dummy_value()

    return types.void(walk, images, y, runs, where, coming, nj, columns), build


@_intrinsic
def _copy(typing: Any, source: Any, at: Any, target: Any, to: Any, count: Any) -> Any:
    """`count` floats of `source`, from number `at` on, to `target` from number `to` on.

    In vectors, which the compiler does not come to by itself: it asks for each place whether it is negative.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        have, want = (_data(context, builder, signature.args[i], args[i]) for i in (0, 2))
        have, want = builder.gep(have, [args[1]]), builder.gep(want, [args[3]])
        whole = builder.sub(args[4], builder.srem(args[4], _index(LANES)))
        with cgutils.for_range_slice(builder, _index(0), whole, _index(LANES), INDEX) as (first, _):
            _store(builder, _load(builder, have, first, REALS), want, first)
        with cgutils.for_range(builder, args[4], start=whole, intp=INDEX) as rest:
            builder.store(_item(builder, have, rest.index), builder.gep(want, [rest.index]))
        return context.get_dummy_value()

    return types.void(source, types.int64, target, types.int64, types.int64), build


@njit(cache=True, nogil=True)
def _fill(x: Any, first: int, count: int, padded: Any, top: int, left: int) -> None:
    """Images first to first + count - 1 into the inside of `padded`; its border stays as it is."""
    (height, run), (rows, width) = x.shape[1:], padded.shape[1:]
    for i in range(count):
        for row in range(height):
            at, to = ((first + i) * height + row) * run, (i * rows + top + row) * width + left
            _copy(x.reshape(-1), at, padded.reshape(-1), to, run)


@njit(cache=True, nogil=True)
def correlate(x: Any, walk: Any, padded: Any, top: int, left: int, pitch: int, y: Any) -> None:
    """Fill y (N, numbers) where `walk` says from x (N, H, W * words).

    padded : (images of a group, Hp, Wp * words), zeros at first; `top` and `left` say where, in rows and
    words, an image begins in it. pitch : filters, padded to whole vectors.
    """
    for start in range(0, x.shape[0], padded.shape[0]):
        count = min(padded.shape[0], x.shape[0] - start)
        _fill(x, start, count, padded, top, left)
        correlate_group(walk, padded, pitch, start, count, x, y)


@njit(cache=True, nogil=True)
def correlate_group(walk: Any, padded: Any, pitch: int, start: int, count: int, x: Any, y: Any) -> None:
    """The outputs of images start to start + count - 1 of x, which `padded` holds."""
    pixels, depth, column = walk.sources.size // padded.shape[0], walk.runs.size * walk.length, 0
    words, coming = padded.reshape(-1), ahead(x, start + count, pixels)
    while column < pitch:
        width = block_of(pitch - column)
        step = max(1, NEAR // (walk.length * width))
        for r in range(0, walk.runs.size, step):
            runs = r, min(r + step, walk.runs.size)
            place = column * depth + r * walk.length * width
            together = walk.beside if width <= NARROW and walk.beside > 0 else count * pixels
            where = count * pixels, together, place, start * y.shape[1] + column
            if place > 0:  # the first pass has fetched it
                coming = ahead(x, len(x), pixels)
            if width == 64:
                _correlate(walk, words, y.reshape(-1), runs, where, coming, 4, 1)
            elif width == 32 and walk.beside > 0:
                _correlate(walk, words, y.reshape(-1), runs, where, coming, 2, COLUMNS)
            elif width == 32:
                _correlate(walk, words, y.reshape(-1), runs, where, coming, 2, 1)
            elif walk.beside > 0:
                _correlate(walk, words, y.reshape(-1), runs, where, coming, 1, COLUMNS)
            else:
                _correlate(walk, words, y.reshape(-1), runs, where, coming, 1, 1)
        column += width
