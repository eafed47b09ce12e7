"""The gradient of a float32 convolution to its filters: sums over pixels of words times gradients.

The images are padded in a scratch, a group at a time, as in `correlation`. A sum is one chain of fused
multiply-adds over the pixels of a chunk, then added to what earlier chunks gave.

The vectors are those of `tiles` and `correlation`: after a change there, delete the cached machine code of
this file, as `make test` does. Source: ours.
"""

from typing import Any

from numba import njit, types
from numba.core import cgutils

from bnn_ref.kernels.correlation import _copy, _data, _fill, _Sums, _word
from bnn_ref.kernels.tiles import COLUMNS, INDEX, _index, _intrinsic, _item, _tiled, block_of

WORDS_AT_ONCE = {4: (6, 3), 2: (12, 3), 1: (24, 12, 3)}
"""Words that meet so many vectors of gradients at a time, and of those that are left, and then one by one."""

WORDS_SHARED = (6, 4, 1)
"""Words of a pixel at a time, where each meets the gradients of all outputs that read it."""


@_intrinsic(prefer_literal=True)
def _outer(typing: Any, images: Any, sources: Any, dy: Any, dw: Any, some: Any, where: Any, nj: Any) -> Any:
    """Add the products of words and 16 NJ gradients to dw, summed over pixels.

    some: the first word and the one after the last. where: the first pixel and the one after the last; where
    the words lie from a pixel's first; where the gradients begin; where the sums of word 0 begin; the pitch
    of both.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        words, at, grads, numbers = (_data(context, builder, signature.args[i], args[i]) for i in range(4))
        first, last = (builder.extract_value(args[4], i) for i in range(2))
        start, stop, run, grad, into, pitch = (builder.extract_value(args[5], i) for i in range(6))
        grads = builder.gep(grads, [grad])

        def tile(word: Any, size: int) -> None:
            places = [builder.add(word, _index(i)) for i in range(size)]
            targets = [builder.add(into, builder.mul(pitch, place)) for place in places]
            sums = _Sums(builder, size, nj.literal_value)
            inside = builder.gep(words, [builder.add(run, word)])
            with cgutils.for_range(builder, stop, start=start, intp=INDEX) as pixel:
                x = builder.gep(inside, [_item(builder, at, pixel.index)])
                row = builder.gep(grads, [builder.mul(pixel.index, pitch)])
                sums.add((_word(builder, x, _index(i)) for i in range(size)), row)
            sums.write(numbers, targets, plus=True)

        _tiled(builder, first, last, (*WORDS_AT_ONCE[nj.literal_value], 1), tile)
        return context.get_dummy_value()

    return types.void(images, sources, dy, dw, some, where, nj), build


@_intrinsic
def _shared(
    typing: Any, images: Any, sources: Any, dy: Any, dw: Any, some: Any, where: Any, across: Any
) -> Any:
    """As `_outer`, of 16 gradients and rows of `across` outputs beside one another: a word meets `COLUMNS`.

    some: words of a pixel. where: as there, whole rows of pixels; then the words of a pixel.
    """

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        words, at, grads, numbers = (_data(context, builder, signature.args[i], args[i]) for i in range(4))
        first, last = (builder.extract_value(args[4], i) for i in range(2))
        start, stop, run, grad, into, pitch, step = (builder.extract_value(args[5], i) for i in range(7))
        grads = builder.gep(grads, [grad])

        def tile(word: Any, size: int) -> None:
            own = [builder.add(word, _index(i)) for i in range(size)]
            places = [builder.add(one, builder.mul(step, _index(k))) for k in range(COLUMNS) for one in own]
            targets = [builder.add(into, builder.mul(pitch, place)) for place in places]
            sums = _Sums(builder, size * COLUMNS, 1)
            inside = builder.gep(words, [builder.add(run, word)])

            def meet(pixel: Any, begin: Any, row: Any, taps: range) -> None:
                """Input pixel `pixel` of a row and the outputs that read it as these taps."""
                x = builder.gep(begin, [builder.mul(pixel, step)])
                read = [_word(builder, x, _index(i)) for i in range(size)]
                for k in taps:
                    output = builder.sub(pixel, _index(k))
                    gradients = sums.load(builder.gep(row, [builder.mul(output, pitch)]))
                    for i, one in enumerate(read):
                        sums.meet(one, gradients, k * size + i)

            with cgutils.for_range_slice(builder, start, stop, args[6], INDEX) as (left, _):
                begin = builder.gep(inside, [_item(builder, at, left)])
                row = builder.gep(grads, [builder.mul(left, pitch)])
                for pixel in range(COLUMNS - 1):
                    meet(_index(pixel), begin, row, range(pixel + 1))
                with cgutils.for_range(builder, args[6], start=_index(COLUMNS - 1), intp=INDEX) as inner:
                    meet(inner.index, begin, row, range(COLUMNS))
                for pixel in range(COLUMNS - 1):
                    meet(builder.add(args[6], _index(pixel)), begin, row, range(pixel + 1, COLUMNS))
            sums.write(numbers, targets, plus=True)

        _tiled(builder, first, last, WORDS_SHARED, tile)
        return context.get_dummy_value()

    return types.void(images, sources, dy, dw, some, where, across), build


@njit(cache=True, nogil=True)
def outer(
    x: Any, dy: Any, walk: Any, padded: Any, top: int, left: int, grads: Any, chunk: int, some: Any, dw: Any
) -> None:
    """Add to dw (words of all runs, pitch) the products of words of x and gradients dy (N, P, F).

    grads : (images of a group * P, pitch), zeros at first, for filters that do not fill whole vectors.
    chunk : pixels that are summed over at a time; their words and gradients stay in the cache while all sums
    pass; whole rows where outputs share words. some : which words of every run, or then of every pixel, the
    first and the one after the last. The rest as in `correlate`.
    """
    for start in range(0, x.shape[0], padded.shape[0]):
        count = min(padded.shape[0], x.shape[0] - start)
        _fill(x, start, count, padded, top, left)
        _add_group(dy, walk, padded, grads, start, count, chunk, some, dw)


@njit(cache=True, nogil=True)
def _add_group(
    dy: Any, walk: Any, padded: Any, grads: Any, start: int, count: int, chunk: int, some: Any, dw: Any
) -> None:
    """The sums of one group of images, which `padded` holds."""
    pixels, filters = dy.shape[1:]
    flat, sums, pitch = padded.reshape(-1), dw.reshape(-1), dw.shape[1]
    if filters == pitch:
        rows = dy[start : start + count].reshape(-1)
    else:
        for i in range(count):
            for p in range(pixels):
                at, to = ((start + i) * pixels + p) * filters, (i * pixels + p) * pitch
                _copy(dy.reshape(-1), at, grads.reshape(-1), to, filters)
        rows = grads.reshape(-1)
    for p in range(0, count * pixels, chunk):
        last = min(p + chunk, count * pixels)
        column = 0
        while column < pitch:
            width = block_of(pitch - column)
            for r in range(walk.runs.size):
                into = r * walk.length * pitch + column
                where = (p, last, walk.runs[r], column, into, pitch)
                if walk.beside > 0:
                    step = walk.length // COLUMNS
                    _shared(flat, walk.sources, rows, sums, some, (*where, step), walk.beside)
                elif width == 64:
                    _outer(flat, walk.sources, rows, sums, some, where, 4)
                elif width == 32:
                    _outer(flat, walk.sources, rows, sums, some, where, 2)
                else:
                    _outer(flat, walk.sources, rows, sums, some, where, 1)
            column += width
