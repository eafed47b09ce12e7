"""Products of signs and of floats in explicit vectors: tiles of outputs, and what follows in registers.

A tile is MI output pixels times NJ vectors of 16 filters. One word of a pixel (32 signs, or a float) is
broadcast and meets 16 filters at a time: xor, popcount and add, or a fused multiply-add. Sums never cross
lanes, and results land in (pixel, filter) order. What comes after the product (a scale, batch norm, a
residual, sign and pack) is a string of operations, done while the tile is in registers. LLVM splits the
vectors where the CPU has shorter ones, and emits its popcount where it has one; left to itself it takes
shorter vectors than the CPU has, and plain loops reach a third of this.

Everything stands in one file: Numba renews its cache when this file changes. Source: ours.
"""

from collections.abc import Callable
from functools import cache, reduce
from typing import Any, ClassVar, NamedTuple

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

_intrinsic: Any = intrinsic
"""Numba's, whose type does not know that a call leaves the typing context out."""

INTERPRETED = bool(config.DISABLE_JIT)  # type: ignore[attr-defined]
"""Whether the compiler is switched off. The tiles exist as machine code alone; callers do without then."""


def _has(feature: str) -> bool:
    """Whether machine code is made for a CPU that has `feature`."""
    chosen = config.CPU_FEATURES  # type: ignore[attr-defined]
    return (
        bool(get_host_cpu_features().get(feature)) if chosen is None else f"+{feature}" in chosen.split(",")
    )


LOOKS_UP = not INTERPRETED and _has("avx512f")
"""Whether a vector is looked up in a vector by one instruction; where not, that is slower than sums."""

LANES = 16
"""Filters in a vector: 16 numbers of 32 bits."""

SHAPES: dict[str, dict[int, tuple[int, ...]]] = {
    "signs": {4: (4, 1), 2: (8, 1), 1: (8, 1)},
    "floats": {4: (6, 4, 1), 2: (12, 1), 1: (12, 1)},
}
"""MI of a kind of product by NJ, for blocks of 64 filters, 32 and 16: as many tiles of the first size as
there are, then of the next.

Enough sums at a time to hide the latency of each, and of floats, whose filters are 32 times as large, many
pixels a filter: they come from the second cache.
"""


COLUMNS = 3
"""Pixels in a kernel's row, where outputs beside one another share the words of floats that are loaded."""

NARROW = 32
"""Filters of a block that is so narrow that they do: too few of them meet a word to be worth a load. Sums are
then over word 0 of all pixels of a row, word 1 of all, and so on, in place of pixel after pixel.
"""


@njit(cache=True, nogil=True)
def block_of(filters: int) -> int:
    """How many of so many filters, padded to whole vectors, come next: their words lie together."""
    return 64 if filters >= 64 else 32 if filters >= 32 else LANES


BIT, HALF, WORD, INDEX, REAL = ir.IntType(1), ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.FloatType()
WORDS, REALS, BITS = (ir.VectorType(kind, LANES) for kind in (WORD, REAL, BIT))


def _index(value: int) -> Any:
    return ir.Constant(INDEX, value)


def _item(builder: Any, pointer: Any, at: Any) -> Any:
    """pointer[at]."""
    return builder.load(builder.gep(pointer, [at]))


def _splat(kind: Any, value: float) -> Any:
    return ir.Constant(kind, [value] * LANES)


def _load(builder: Any, pointer: Any, offset: Any, kind: Any = WORDS) -> Any:
    """The 16 numbers at pointer + offset, aligned as one number is."""
    found = builder.load(builder.bitcast(builder.gep(pointer, [offset]), kind.as_pointer()))
    found.align = 4
    return found


def _store(builder: Any, value: Any, pointer: Any, offset: Any, align: int = 4) -> None:
    target = builder.bitcast(builder.gep(pointer, [offset]), value.type.as_pointer())
    builder.store(value, target).align = align


def _broadcast(builder: Any, word: Any, kind: Any) -> Any:
    nothing = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(nothing, word, ir.Constant(WORD, 0))
    return builder.shuffle_vector(one, nothing, _splat(WORDS, 0))


def _popcount(builder: Any, vector: Any) -> Any:
    kind = ir.FunctionType(WORDS, [WORDS])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.ctpop.v16i32"), [vector])


def _fused(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once."""
    kind = ir.FunctionType(REALS, [REALS] * 3)
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.fma.v16f32"), [a, b, c])


def _look_up(builder: Any, table: Any, places: Any) -> Any:
    """table[places], 16 of 16 floats; LLVM makes one instruction of it where the CPU has one."""
    found = ir.Constant(REALS, ir.Undefined)
    for lane in range(LANES):
        at = ir.Constant(WORD, lane)
        one = builder.extract_element(table, builder.extract_element(places, at))
        found = builder.insert_element(found, one, at)
    return found


KINDS: dict[str, tuple[Any, Callable[..., Any]]] = {
    "signs": (
        WORDS,
        lambda builder, word, row, total: builder.add(total, _popcount(builder, builder.xor(word, row))),
    ),
    "floats": (REALS, lambda builder, x, row, total: _fused(builder, x, row, total)),
}
"""Vector type and inner step of a product: how many bits differ so far, or the sum so far."""


def _sums(builder: Any, kind: str, pixels: list[Any], filters: Any, arrays: Any, count: Any, nj: int) -> Any:
    """The inner products of pixels and filters: one vector a pixel and j. `count`: how many runs."""
    vector, step = KINDS[kind]
    zero = _splat(vector, 0 if vector is WORDS else 0.0)
    sums = [[cgutils.alloca_once_value(builder, zero) for _ in range(nj)] for _ in pixels]
    position = cgutils.alloca_once_value(builder, filters)
    columns = arrays["columns"] if kind == "floats" and LANES * nj <= NARROW else _index(1)
    wide = builder.sdiv(arrays["length"], columns)
    with cgutils.for_range(builder, count, intp=INDEX) as run:
        start = builder.load(builder.gep(arrays["runs"], [run.index]))
        with (
            cgutils.for_range(builder, wide, intp=INDEX) as word,
            cgutils.for_range(builder, columns, intp=INDEX) as column,
        ):
            here = builder.add(builder.add(start, word.index), builder.mul(column.index, wide))
            row = builder.load(position)
            rows = [_load(builder, row, _index(LANES * j), vector) for j in range(nj)]
            for pixel, own in zip(pixels, sums, strict=True):
                x = _broadcast(builder, builder.load(builder.gep(pixel, [here])), vector)
                for filters_of, total in zip(rows, own, strict=True):
                    builder.store(step(builder, x, filters_of, builder.load(total)), total)
            builder.store(builder.gep(row, [_index(LANES * nj)]), position)
    return [[builder.load(total) for total in own] for own in sums]


class Work(NamedTuple):
    """Everything that a convolution reads and writes; C-contiguous, one dimension where no shape is given.

    Attributes
    ----------
    images : uint32 or float32 (N, words)
        Padded, each with its pixels one after another.
    filters : the same
        As `layout.lay_filters` makes them.
    runs : int64
        Offsets, from a pixel's first word, of the runs of words that a filter reads.
    length : int
        Words in a run.
    pixels : int64 (P, 3)
        For every output pixel: its first word, its first number in `start`, its first half word in `bits`.
    start : int32
        What an output is where no bit differs.
    table : float32 (rows, pitch)
        The numbers of `Finish`, rows in order; int32 numbers as their bits.
    masks : uint16
        The bits that exist, one number a vector of filters.
    z, reals, residual : int32, float32, float32 (N, P, pitch)
    bits : uint16 (N, half words)
        Padded images of the next layer.
    nan : uint16 (1,)
        Not 0 after the sign of a NaN was asked for.
    columns : int
        Parts of a run that are read side by side for a `NARROW` block: `COLUMNS` or 1.
    """

    images: Any
    filters: Any
    runs: Any
    length: int
    pixels: Any
    start: Any
    table: Any
    masks: Any
    z: Any
    reals: Any
    residual: Any
    bits: Any
    nan: Any
    columns: Any = 1


class Finish:
    """What becomes of a vector of sums: the operations of a string, one after another.

    i: store the integers.                  t: store the bits of z >= limit, or <= where it falls.
    *, +: times, plus a number a filter.    r: plus the residual.
    p: x where x > 0, else slope times x.   f: store the floats.
    b, s: store the bits of x >= 0, of x > 0.

    Numbers a filter are rows of the table, taken in order. Products and sums are never contracted. `begin`
    goes before the calls for a vector of filters, `close` behind those for a tile.
    """

    def __init__(self, builder: Any, arrays: dict[str, Any], pitch: Any) -> None:
        self.builder, self.arrays, self.pitch = builder, arrays, pitch
        self.signed: list[Any] = []

    def begin(self, column: Any, vector: Any) -> None:
        """Of a vector of filters: its first one, its number. What is theirs is loaded once for all pixels."""
        self.column, self.vector, self.loaded = column, vector, dict[Any, Any]()

    def __call__(self, ops: str, x: Any, real: Any, bits: Any) -> None:
        """Do `ops` to x, the vector's sums at a pixel; `real`, `bits`: where its numbers and bits are."""
        self.row, self.real, self.bits = 0, real, bits
        if x.type == WORDS and ops not in "it":
            x = self.builder.sitofp(x, REALS)
        for op in ops:
            x = self.operations[op](self, x)

    def _number(self, kind: Any = REALS) -> Any:
        """The next row of the table, as floats or as words."""
        row, self.row = self.row, self.row + 1
        if row not in self.loaded:
            at = self.builder.add(self.builder.mul(self.pitch, _index(row)), self.column)
            self.loaded[row] = _load(self.builder, self.arrays["table"], at, kind)
        return self.loaded[row]

    def close(self) -> None:
        """After a tile: note whether any number whose sign was stored was a NaN, two numbers a comparison."""
        builder, flag = self.builder, self.arrays["nan"]
        pairs = zip(self.signed[::2], self.signed[1::2] + self.signed[-1:], strict=False)
        if found := [builder.fcmp_unordered("uno", x, y) for x, y in pairs]:
            nan = builder.bitcast(reduce(builder.or_, found), HALF)
            builder.store(builder.or_(builder.load(flag), nan), flag)
        self.signed = []

    def _bits(self, fires: Any) -> None:
        builder = self.builder
        if "mask" not in self.loaded:
            mask = builder.load(builder.gep(self.arrays["masks"], [self.vector]))
            self.loaded["mask"] = builder.bitcast(mask, BITS)
        bits = builder.bitcast(builder.and_(fires, self.loaded["mask"]), HALF)
        _store(builder, bits, self.arrays["bits"], self.bits, align=2)

    def _integers(self, z: Any) -> Any:
        _store(self.builder, z, self.arrays["z"], self.real)
        return z

    def _threshold(self, z: Any) -> Any:
        turn = self._number(WORDS)  # all ones where the answer falls: complements are in reverse order
        self._bits(self.builder.icmp_signed(">=", self.builder.xor(z, turn), self._number(WORDS)))
        return z

    def _times(self, x: Any) -> Any:
        return self.builder.fmul(x, self._number())

    def _plus(self, x: Any) -> Any:
        return self.builder.fadd(x, self._number())

    def _residual(self, x: Any) -> Any:
        return self.builder.fadd(x, _load(self.builder, self.arrays["residual"], self.real, REALS))

    def _prelu(self, x: Any) -> Any:
        above = self.builder.fcmp_ordered(">", x, _splat(REALS, 0.0))
        return self.builder.select(above, x, self.builder.fmul(self._number(), x))

    def _reals(self, x: Any) -> Any:
        _store(self.builder, x, self.arrays["reals"], self.real)
        return x

    def _signs(self, x: Any, comparison: str = ">=") -> Any:
        self._bits(self.builder.fcmp_ordered(comparison, x, _splat(REALS, 0.0)))
        self.signed.append(x)
        return x

    def _strict_signs(self, x: Any) -> Any:
        return self._signs(x, ">")

    operations: ClassVar[dict[str, Callable[..., Any]]] = {
        "i": _integers,
        "t": _threshold,
        "*": _times,
        "+": _plus,
        "r": _residual,
        "p": _prelu,
        "f": _reals,
        "b": _signs,
        "s": _strict_signs,
    }


def _arrays(context: Any, builder: Any, kind: Any, work: Any) -> dict[str, Any]:
    """The fields of a `Work` by name: arrays as pointers to their first element."""
    found = {}
    for i, (name, field) in enumerate(zip(kind.fields, kind.types, strict=True)):
        value = builder.extract_value(work, i)
        is_array = isinstance(field, types.Array)
        found[name] = context.make_array(field)(context, builder, value).data if is_array else value
    return found


def _place(builder: Any, pixels: Any, pixel: Any, i: int) -> list[Any]:
    """The row of `Work.pixels` for pixel number `pixel` + i."""
    row = builder.mul(builder.add(pixel, _index(i)), _index(3))
    return [builder.load(builder.gep(pixels, [builder.add(row, _index(k))])) for k in range(3)]


def _tiled(
    builder: Any, begin: Any, stop: Any, sizes: tuple[int, ...], tile: Callable[[Any, int], None]
) -> None:
    """tile(first, size) for begin to stop - 1: as many of the first size as there are, then of the next."""
    for size in sizes:
        end = builder.sub(stop, builder.srem(builder.sub(stop, begin), _index(size)))
        with cgutils.for_range_slice(builder, begin, end, _index(size), INDEX) as (first, _):
            tile(first, size)
        begin = end


@_intrinsic(prefer_literal=True)
def _tiles(typing: Any, work: Any, block: Any, column: Any, firsts: Any, kind: Any, ops: Any, nj: Any) -> Any:
    """All pixels of an image, 16 NJ filters from `column` on: their sums, then `ops`.

    block: where these filters begin. firsts: where, of this image, the words, the numbers, the bits begin;
    the pitch; how many runs, how many pixels.
    """
    sizes = SHAPES[kind.literal_value][nj.literal_value]

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        arrays = _arrays(context, builder, signature.args[0], args[0])
        word, real, half, pitch, count, pixels = (builder.extract_value(args[3], i) for i in range(6))
        filters = builder.gep(arrays["filters"], [args[1]])
        finish = Finish(builder, arrays, pitch)

        def tile(first: Any, size: int) -> None:
            places = [_place(builder, arrays["pixels"], first, i) for i in range(size)]
            words = [builder.gep(arrays["images"], [builder.add(word, place[0])]) for place in places]
            sums = _sums(builder, kind.literal_value, words, filters, arrays, count, nj.literal_value)
            numbers = [builder.mul(builder.add(first, _index(i)), pitch) for i in range(size)]
            for j in range(nj.literal_value):
                here = builder.add(args[2], _index(LANES * j))
                vector = builder.lshr(here, _index(4))
                finish.begin(here, vector)
                for own, number, (_, start, target) in zip(sums, numbers, places, strict=True):
                    total = own[j]
                    if total.type == WORDS:
                        whole = _load(builder, arrays["start"], builder.add(start, here))
                        total = builder.sub(whole, builder.shl(total, _splat(WORDS, 1)))
                    reals = builder.add(real, builder.add(number, here))
                    finish(ops.literal_value, total, reals, builder.add(half, builder.add(target, vector)))
            finish.close()

        _tiled(builder, _index(0), pixels, sizes, tile)
        return context.get_dummy_value()

    return types.void(work, block, column, firsts, kind, ops, nj), build


@_intrinsic
def _sixteen(typing: Any, numbers: Any, at: Any, strict: Any) -> Any:
    """(bits of x >= 0 or, if strict, x > 0; bits of NaN) of 16 float32 from number `at` on."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        x, zero = _load(builder, data, args[1], REALS), _splat(REALS, 0.0)
        above = builder.select(
            args[2],
            builder.bitcast(builder.fcmp_ordered(">", x, zero), HALF),
            builder.bitcast(builder.fcmp_ordered(">=", x, zero), HALF),
        )
        nan = builder.bitcast(builder.fcmp_unordered("uno", x, x), HALF)
        return context.make_tuple(builder, signature.return_type, [above, nan])

    return types.UniTuple(types.uint16, 2)(numbers, types.int64, types.boolean), build


@njit(cache=True, nogil=True)
def pack_rows(numbers: Any, targets: Any, masks: Any, bits: Any, strict: bool, first: int, last: int) -> bool:
    """Signs of `numbers` (N, P, pitch) into `bits` (N, half words), pixel p from targets[p] on.

    Images first to last - 1; `masks` (pitch / 16,) are the bits that exist. True where there is a NaN.
    """
    pixels, pitch = numbers.shape[1:]
    flat, nan = numbers.reshape(-1), np.uint16(0)
    for n in range(first, last):
        for p in range(pixels):
            row = (n * pixels + p) * pitch
            for v in range(masks.size):
                found, bad = _sixteen(flat, row + v * LANES, strict)
                bits[n, targets[p] + v] = found & masks[v]
                nan |= bad & masks[v]
    return nan != 0


@cache
def convolution(kind: str, ops: str) -> Callable[[Work, int, int, int], None]:
    """The compiled convolution of "signs" or "floats" whose outputs go through `ops` (see `Finish`).

    It takes a `Work`, the pitch (filters, padded to whole vectors), and the first image and the one after the
    last. The blocks of filters are the outer loop: one of them stays in the cache while all images pass.
    """

    def convolve(work: Any, pitch: int, first: int, last: int) -> None:
        count, pixels, column = work.runs.size, len(work.pixels), 0
        sizes = work.images.shape[1], pixels * pitch, work.bits.shape[1]
        while column < pitch:
            width = block_of(pitch - column)
            for n in range(first, last):
                firsts = (n * sizes[0], n * sizes[1], n * sizes[2], pitch, count, pixels)
                block = column * count * work.length
                if width == 64:
                    _tiles(work, block, column, firsts, kind, ops, 4)
                elif width == 32:
                    _tiles(work, block, column, firsts, kind, ops, 2)
                else:
                    _tiles(work, block, column, firsts, kind, ops, 1)
            column += width

    # a name of its own is a cache file of its own: processes that compile two forms at once do not meet there
    convolve.__qualname__ = f"convolve_{kind}_{ops.replace('*', 'x').replace('+', 'a')}"
    compiled: Callable[[Work, int, int, int], None] = njit(cache=True, nogil=True)(convolve)
    return compiled
