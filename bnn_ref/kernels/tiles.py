"""Binary products in explicit vectors: xor, popcount and add on tiles of outputs, and what follows in registers.

A tile is MI output pixels times NJ vectors of 16 filters. One word (32 signs) of a pixel is broadcast and meets
16 filters at a time, so that sums never cross lanes and integers land in (pixel, filter) order. What comes
after the product (a scale, batch norm, a residual, sign and pack) is a string of operations, done while the
tile is in registers. LLVM splits the vectors where the CPU has shorter ones, and emits its popcount where it
has one; left to itself it takes shorter vectors than the CPU has, and plain loops reach a third of this.

Everything stands in one file: Numba renews its cache when this file changes. Source: ours.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
"""Filters in a vector: 16 numbers of 32 bits."""

BIT, HALF, WORD, INDEX, REAL = ir.IntType(1), ir.IntType(16), ir.IntType(32), ir.IntType(64), ir.FloatType()
WORDS, REALS = ir.VectorType(WORD, LANES), ir.VectorType(REAL, LANES)


def _index(value: int) -> Any:
    return ir.Constant(INDEX, value)


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


def _broadcast(builder: Any, word: Any) -> Any:
    nothing = ir.Constant(WORDS, ir.Undefined)
    one = builder.insert_element(nothing, word, ir.Constant(WORD, 0))
    return builder.shuffle_vector(one, nothing, _splat(WORDS, 0))


def _popcount(builder: Any, vector: Any) -> Any:
    kind = ir.FunctionType(WORDS, [WORDS])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.ctpop.v16i32"), [vector])


def _differing(builder: Any, pixels: list[Any], filters: Any, runs: Any, count: Any, length: Any, nj: int) -> Any:
    """popcount(pixel xor filter), summed over all words: one vector a pixel and j.

    `runs`: `count` offsets of `length` words of a pixel that lie one after another.
    """
    zero = _splat(WORDS, 0)
    sums = [[cgutils.alloca_once_value(builder, zero) for _ in range(nj)] for _ in pixels]
    position = cgutils.alloca_once_value(builder, filters)
    with cgutils.for_range(builder, count, intp=INDEX) as run:
        start = builder.load(builder.gep(runs, [run.index]))
        with cgutils.for_range(builder, length, intp=INDEX) as word:
            here, row = builder.add(start, word.index), builder.load(position)
            vectors = [_load(builder, row, _index(LANES * j)) for j in range(nj)]
            for pixel, own in zip(pixels, sums, strict=True):
                bits = _broadcast(builder, builder.load(builder.gep(pixel, [here])))
                for vector, total in zip(vectors, own, strict=True):
                    more = _popcount(builder, builder.xor(bits, vector))
                    builder.store(builder.add(builder.load(total), more), total)
            builder.store(builder.gep(row, [_index(LANES * nj)]), position)
    return [[builder.load(total) for total in own] for own in sums]


class Finish:
    """What becomes of a vector of integers: the operations of a string, one after another.

    i: store the integers.                      t: store the bits of z >= limit or, where it falls, z <= limit.
    *, +: times, plus a number a filter.        r: plus the residual.
    p: x where x > 0, else slope times x.       m: max(x, 0).
    f: store the floats.                        b, B: store the bits of x >= 0, of x > 0.

    Numbers a filter are rows of a table, taken in order. Multiplications and additions are never contracted.
    """

    def __init__(self, builder: Any, places: dict[str, Any]) -> None:
        self.builder, self.places = builder, places

    def __call__(self, ops: str, z: Any, place: dict[str, Any]) -> None:
        """Do `ops` to z; `place` says where this vector's integers, reals, bits, mask and table column are."""
        self.row, self.place = 0, place
        if ops in "it":
            self.operations[ops](self, z)
            return
        x = self.builder.sitofp(z, REALS)
        for op in ops:
            x = self.operations[op](self, x)

    def _number(self, kind: Any = REALS) -> Any:
        """The next row of the table, as floats or as words."""
        at = self.builder.add(self.builder.mul(self.places["pitch"], _index(self.row)), self.place["column"])
        self.row += 1
        return _load(self.builder, self.places["table"], at, kind)

    def _bits(self, fires: Any) -> None:
        builder = self.builder
        mask = builder.load(builder.gep(self.places["masks"], [self.place["vector"]]))
        bits = builder.and_(builder.bitcast(fires, HALF), mask)
        _store(builder, bits, self.places["bits"], self.place["bits"], align=2)

    def _integers(self, z: Any) -> None:
        _store(self.builder, z, self.places["z"], self.place["real"])

    def _threshold(self, z: Any) -> None:
        turn = self._number(WORDS)  # all ones where the answer falls: complements are in reverse order
        self._bits(self.builder.icmp_signed(">=", self.builder.xor(z, turn), self._number(WORDS)))

    def _times(self, x: Any) -> Any:
        return self.builder.fmul(x, self._number())

    def _plus(self, x: Any) -> Any:
        return self.builder.fadd(x, self._number())

    def _residual(self, x: Any) -> Any:
        return self.builder.fadd(x, _load(self.builder, self.places["residual"], self.place["real"], REALS))

    def _prelu(self, x: Any) -> Any:
        above = self.builder.fcmp_ordered(">", x, _splat(REALS, 0.0))
        return self.builder.select(above, x, self.builder.fmul(self._number(), x))

    def _relu(self, x: Any) -> Any:
        above = self.builder.fcmp_unordered(">", x, _splat(REALS, 0.0))  # NaN stays, as in NumPy
        return self.builder.select(above, x, _splat(REALS, 0.0))

    def _reals(self, x: Any) -> Any:
        _store(self.builder, x, self.places["reals"], self.place["real"])
        return x

    def _signs(self, x: Any, comparison: str = ">=") -> Any:
        builder = self.builder
        self._bits(builder.fcmp_ordered(comparison, x, _splat(REALS, 0.0)))
        nan = builder.bitcast(builder.fcmp_unordered("uno", x, x), HALF)
        flag = self.places["nan"]
        builder.store(builder.or_(builder.load(flag), nan), flag)
        return x

    def _strict_signs(self, x: Any) -> Any:
        return self._signs(x, ">")

    operations: dict[str, Callable[..., Any]] = {
        **{"i": _integers, "t": _threshold, "*": _times, "+": _plus, "r": _residual, "p": _prelu},
        **{"m": _relu, "f": _reals, "b": _signs, "B": _strict_signs},
    }


def _data(context: Any, builder: Any, kinds: Any, values: Any) -> list[Any]:
    """Arrays as pointers to their first element, other arguments as they are."""
    return [
        context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
        for kind, value in zip(kinds, values, strict=True)
    ]


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]
def _tile(
    typing: Any, image: Any, first: Any, filters: Any, block: Any, runs: Any, count: Any, length: Any,
    pixels: Any, pixel: Any, column: Any, start: Any, pitch: Any, table: Any, masks: Any, z: Any, reals: Any,
    residual: Any, bits: Any, nan: Any, ops: Any, mi: Any, nj: Any,
) -> Any:  # fmt: skip
    """MI pixels from `pixel` on and 16 NJ filters from `column` on: integers, then `ops`."""
    given = (image, first, filters, block, runs, count, length, pixels, pixel, column, start, pitch)
    given += (table, masks, z, reals, residual, bits, nan, ops, mi, nj)

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        names = ("image", "first", "filters", "block", "runs", "count", "length", "pixels", "pixel", "column")
        names += ("start", "pitch", "table", "masks", "z", "reals", "residual", "bits", "nan")
        got = dict(zip(names, _data(context, builder, signature.args[:-3], args[:-3]), strict=True))
        places = [_place(builder, got, i) for i in range(mi.literal_value)]
        words = [builder.gep(got["image"], [builder.add(got["first"], place[0])]) for place in places]
        block = builder.gep(got["filters"], [got["block"]])
        sums = _differing(builder, words, block, got["runs"], got["count"], got["length"], nj.literal_value)
        finish = Finish(builder, got)
        for own, (_, row, target, real) in zip(sums, places, strict=True):
            for j, differing in enumerate(own):
                column = builder.add(got["column"], _index(LANES * j))
                vector = builder.lshr(column, _index(4))
                whole = _load(builder, got["start"], builder.add(row, column))
                z = builder.sub(whole, builder.shl(differing, _splat(WORDS, 1)))
                place = {"column": column, "vector": vector, "real": builder.add(real, column)}
                finish(ops.literal_value, z, place | {"bits": builder.add(target, vector)})
        return context.get_dummy_value()

    return types.void(*given), build


def _place(builder: Any, got: dict[str, Any], i: int) -> tuple[Any, Any, Any, Any]:
    """Of pixel number `pixel` + i: its first word, its row of `start`, where its bits and its numbers go."""
    number = builder.add(got["pixel"], _index(i))
    row = builder.mul(number, _index(3))
    known = [builder.load(builder.gep(got["pixels"], [builder.add(row, _index(k))])) for k in range(3)]
    return known[0], known[1], known[2], builder.mul(number, got["pitch"])


@njit(cache=True, nogil=True)
def _pixels(
    image: Any, first: int, filters: Any, block: int, runs: Any, length: int, pixels: Any, column: int, start: Any,
    pitch: int, table: Any, masks: Any, z: Any, reals: Any, residual: Any, bits: Any, nan: Any, ops: Any, nj: Any,
) -> None:  # fmt: skip
    """Every pixel of an image and one block of filters: four pixels at a time, then one."""
    count, p = runs.size, 0
    while p + 4 <= len(pixels):
        _tile(image, first, filters, block, runs, count, length, pixels, p, column, start, pitch, table, masks, z,
              reals, residual, bits, nan, ops, 4, nj)  # fmt: skip
        p += 4
    while p < len(pixels):
        _tile(image, first, filters, block, runs, count, length, pixels, p, column, start, pitch, table, masks, z,
              reals, residual, bits, nan, ops, 1, nj)  # fmt: skip
        p += 1


@cache
def convolution(ops: str) -> Callable[..., None]:
    """The compiled convolution of one image whose outputs go through `ops`, operations of `Finish`.

    It takes, in this order

    image : uint32 (words,), first : where this image begins
    filters : uint32, as `lay_filters` makes them
    runs : int64 (runs,), length : int. Offsets of `length` words that a filter reads one after another
    pixels : int64 (P, 3): first word, first number in `start`, first half word in `bits`
    start : int32, what an output is where no bit differs; pitch : int, filters padded to whole vectors
    table : float32 (rows * pitch,), masks : uint16 (pitch / 16,), which bits exist
    z, reals, residual : (P * pitch,) int32, float32, float32; bits : uint16; nan : uint16 (1,)

    and returns nothing. The blocks of filters are the outer loop: one stays in the cache meanwhile.
    """

    @njit(cache=True, nogil=True)
    def convolve(
        image: Any, first: int, filters: Any, runs: Any, length: int, pixels: Any, start: Any, pitch: int,
        table: Any, masks: Any, z: Any, reals: Any, residual: Any, bits: Any, nan: Any,
    ) -> None:  # fmt: skip
        words, column = runs.size * length, 0
        while column < pitch:
            block, left = column * words, pitch - column
            if left >= 64:
                _pixels(image, first, filters, block, runs, length, pixels, column, start, pitch, table, masks, z,
                        reals, residual, bits, nan, ops, 4)  # fmt: skip
                column += 64
            elif left >= 32:
                _pixels(image, first, filters, block, runs, length, pixels, column, start, pitch, table, masks, z,
                        reals, residual, bits, nan, ops, 2)  # fmt: skip
                column += 32
            else:
                _pixels(image, first, filters, block, runs, length, pixels, column, start, pitch, table, masks, z,
                        reals, residual, bits, nan, ops, 1)  # fmt: skip
                column += 16

    compiled: Callable[..., None] = convolve
    return compiled
