"""An element-wise formula, written for arrays, as one pass over memory.

The formula is called once with a `Traced` in place of its array (`tracing`). Where that is
arithmetic, comparisons and choices, the pass is compiled from it into vector instructions with
NumPy's roundings, NaN and infinity: no product and sum are contracted. Anything else (an exponential, a
gather) is evaluated by NumPy, a block at a time that stays in the cache. Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numpy.typing import NDArray

from bnn_ref.kernels.threads import share
from bnn_ref.kernels.tiles import INDEX, INTERPRETED, _intrinsic, _item
from bnn_ref.kernels.tracing import OPERATIONS, Formula, traced

Array = NDArray[Any]

SMALL = 2**13
"""Arrays of fewer elements are left to NumPy, whole."""

BLOCK = 2**15
"""Elements at a time for NumPy: few enough to stay in the second cache, so many that calls cost little."""

BYTES = 64
"""Of a vector."""


def _compare(symbol: str) -> Callable[..., Any]:
    return lambda builder, a, b: builder.fcmp_ordered(symbol, a, b)


def _extreme(symbol: str) -> Callable[..., Any]:
    """The larger or smaller of two; a NaN wins."""

    def choose(builder: Any, a: Any, b: Any) -> Any:
        first = builder.or_(builder.fcmp_ordered(symbol, a, b), builder.fcmp_unordered("uno", a, a))
        return builder.select(first, a, b)

    return choose


def _absolute(builder: Any, a: Any) -> Any:
    bits = ir.IntType(BYTES * 8 // a.type.count)
    words = ir.VectorType(bits, a.type.count)
    mask = ir.Constant(words, [(1 << bits.width - 1) - 1] * a.type.count)
    return builder.bitcast(builder.and_(builder.bitcast(a, words), mask), a.type)


STEPS: dict[str, Callable[..., Any]] = {
    "p": lambda builder, a, b: builder.fadd(a, b),
    "m": lambda builder, a, b: builder.fsub(a, b),
    "t": lambda builder, a, b: builder.fmul(a, b),
    "d": lambda builder, a, b: builder.fdiv(a, b),
    "u": _extreme(">"),
    "l": _extreme("<"),
    "n": lambda builder, a: builder.fneg(a),
    "a": _absolute,
    "q": lambda builder, a: builder.fmul(a, a),
    "G": _compare(">"),
    "H": _compare(">="),
    "L": _compare("<"),
    "M": _compare("<="),
    "E": _compare("=="),
    "N": lambda builder, a, b: builder.fcmp_unordered("!=", a, b),
    "A": lambda builder, a, b: builder.and_(a, b),
    "O": lambda builder, a, b: builder.or_(a, b),
    "T": lambda builder, a: builder.not_(a),
    "I": lambda builder, a: builder.fcmp_unordered("uno", a, a),
    "w": lambda builder, a, b, c: builder.select(a, b, c),
}
"""The letters as instructions; `c` is a choice between 1 and 0."""

TAKES = {operation.letter: len(operation.takes) for operation in OPERATIONS.values()}


def _number(builder: Any, pointer: Any, at: Any, kind: Any) -> Any:
    """The number at pointer + at, in every lane."""
    nothing, zero = ir.Constant(kind, ir.Undefined), ir.Constant(ir.IntType(32), 0)
    one = builder.insert_element(nothing, _item(builder, pointer, at), zero)
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), kind.count), [0] * kind.count)
    return builder.shuffle_vector(one, nothing, lanes)


def _run(builder: Any, program: str, x: Any, constants: Any) -> Any:
    """The vector that `program` makes of the vector x."""
    stack: list[Any] = []
    used = 0
    for letter in program:
        if letter == "x":
            stack.append(x)
        elif letter == "k":
            stack.append(_number(builder, constants, ir.Constant(INDEX, used), x.type))
            used += 1
        elif letter == "c":
            one, zero = (ir.Constant(x.type, [value] * x.type.count) for value in (1.0, 0.0))
            stack.append(builder.select(stack.pop(), one, zero))
        else:
            operands = stack[-TAKES[letter] :]
            del stack[-TAKES[letter] :]
            stack.append(STEPS[letter](builder, *operands))
    (result,) = stack
    return result


@_intrinsic(prefer_literal=True)
def _vector(
    typing: Any, program: Any, x: Any, times: Any, constants: Any, y: Any, at: Any, product: Any
) -> Any:
    """y = program(x), times `times` if `product`: one vector from element `at` on."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointers = [
            context.make_array(signature.args[i])(context, builder, args[i]).data for i in (1, 2, 3, 4)
        ]
        number = context.get_data_type(x.dtype)
        kind = ir.VectorType(number, BYTES * 8 // x.dtype.bitwidth)

        def place(pointer: Any) -> Any:
            return builder.bitcast(builder.gep(pointer, [args[5]]), kind.as_pointer())

        value = builder.load(place(pointers[0]), align=x.dtype.bitwidth // 8)
        value = _run(builder, program.literal_value, value, pointers[2])
        if product.literal_value:
            value = builder.fmul(value, builder.load(place(pointers[1]), align=x.dtype.bitwidth // 8))
        builder.store(value, place(pointers[3]), align=x.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(program, x, times, constants, y, at, product), build


@cache
def compiled(program: str, product: bool) -> Callable[..., None]:
    """The pass (x, times, constants, y) over whole vectors; `times` is read if `product`."""

    def run(x: Any, times: Any, constants: Any, y: Any, lanes: int) -> None:
        for at in range(0, x.size, lanes):
            _vector(program, x, times, constants, y, at, product)

    # a name of its own is a cache file of its own, as in `tiles.convolution`
    run.__qualname__ = f"run_{sha256(program.encode()).hexdigest()[:16]}_{int(product)}"
    found: Callable[..., None] = njit(cache=True, nogil=True)(run)
    return found


def fused(formula: Formula, x: Array, times: Array | None = None, plain: Formula | None = None) -> Array:
    """formula(x), or formula(x) * times, in the dtype of x and one pass over memory.

    Parameters
    ----------
    formula : callable
        Element-wise, of an array; it must not look at the shape, and not at other arrays.
    x, times : array, of one shape
    plain : callable, optional
        The same for NumPy, where no pass can be compiled and `formula` would compute too much.
    """
    plain = plain or formula
    alike = times is None or (times.dtype == x.dtype and times.shape == x.shape)
    if INTERPRETED or not alike or x.dtype not in (np.float32, np.float64) or x.size < SMALL:
        return _plain(plain, x, times)
    flat = np.ascontiguousarray(x).reshape(-1)
    factor = None if times is None else np.ascontiguousarray(times).reshape(-1)
    y, found = np.empty(x.size, x.dtype), traced(formula, x.dtype)
    if found is None:
        for start in range(0, x.size, BLOCK):
            part = slice(start, start + BLOCK)
            y[part] = _plain(plain, flat[part], None if factor is None else factor[part])
        return y.reshape(x.shape)
    lanes = BYTES // x.dtype.itemsize
    whole = x.size // lanes * lanes
    given, constants = flat if factor is None else factor, np.array(found.constants, x.dtype)
    run = compiled(found.program, factor is not None)

    def work(first: int, last: int) -> None:
        vectors = slice(first * lanes, last * lanes)
        run(flat[vectors], given[vectors], constants, y[vectors], lanes)

    share(work, x.size // lanes, y.nbytes)
    y[whole:] = _plain(plain, flat[whole:], None if factor is None else factor[whole:])
    return y.reshape(x.shape)


def _plain(formula: Formula, x: Array, times: Array | None) -> Array:
    y = np.asarray(formula(x), x.dtype)
    return y if times is None else y * times


@_intrinsic(prefer_literal=True)
def _mark(typing: Any, program: Any, x: Any, constants: Any, bits: Any, at: Any) -> Any:
    """Bits number `at`: where program(x) is the number that `constants` ends with, a vector of x."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, numbers, target = (
            context.make_array(signature.args[i])(context, builder, args[i]).data for i in (1, 2, 3)
        )
        kind = ir.VectorType(context.get_data_type(x.dtype), BYTES * 8 // x.dtype.bitwidth)
        place = builder.gep(source, [builder.mul(args[4], ir.Constant(INDEX, kind.count))])
        value = builder.load(builder.bitcast(place, kind.as_pointer()), align=x.dtype.bitwidth // 8)
        value = _run(builder, program.literal_value, value, numbers)
        high = _number(builder, numbers, ir.Constant(INDEX, program.literal_value.count("k")), kind)
        found = builder.bitcast(builder.fcmp_ordered("==", value, high), ir.IntType(kind.count))
        builder.store(found, builder.gep(target, [args[4]]))
        return context.get_dummy_value()

    return types.void(program, x, constants, bits, at), build


@_intrinsic
def _choose(typing: Any, bits: Any, values: Any, dy: Any, dx: Any, at: Any) -> Any:
    """dx = dy times the second of `values` where bits number `at` say so, else times the first; a vector."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        marks, numbers, source, target = (
            context.make_array(signature.args[i])(context, builder, args[i]).data for i in range(4)
        )
        kind = ir.VectorType(context.get_data_type(dy.dtype), BYTES * 8 // dy.dtype.bitwidth)
        align = dy.dtype.bitwidth // 8
        offset = builder.mul(args[4], ir.Constant(INDEX, kind.count))
        places = [
            builder.bitcast(builder.gep(pointer, [offset]), kind.as_pointer()) for pointer in (source, target)
        ]
        chosen = builder.bitcast(_item(builder, marks, args[4]), ir.VectorType(ir.IntType(1), kind.count))
        low, high = (_number(builder, numbers, ir.Constant(INDEX, i), kind) for i in range(2))
        product = builder.fmul(builder.select(chosen, high, low), builder.load(places[0], align=align))
        builder.store(product, places[1], align=align)
        return context.get_dummy_value()

    return types.void(bits, values, dy, dx, types.int64), build


@cache
def marking(program: str) -> Callable[..., None]:
    """The pass (x, constants, bits) that marks where `program` has its higher value."""

    def mark(x: Any, constants: Any, bits: Any) -> None:
        for at in range(bits.size):
            _mark(program, x, constants, bits, at)

    mark.__qualname__ = f"mark_{sha256(program.encode()).hexdigest()[:16]}"
    found: Callable[..., None] = njit(cache=True, nogil=True)(mark)
    return found


@njit(cache=True, nogil=True)
def _times(bits: Any, values: Any, dy: Any, dx: Any) -> None:
    for at in range(bits.size):
        _choose(bits, values, dy, dx, at)


class TwoValued(NamedTuple):
    """An element-wise formula of two values at an array, a bit an element.

    Attributes
    ----------
    bits : uint16 or uint8
        A vector's bits each; 1 is the higher value.
    values : array (2,)
        The lower and the higher value, in the dtype of the array.
    rest : array
        The formula at the elements past the last whole vector.
    """

    bits: Array
    values: Array
    rest: Array

    @classmethod
    def of(cls, formula: Formula, x: Array, values: tuple[float, float]) -> TwoValued | None:
        """formula(x), which is one of `values` everywhere; None where no pass can be compiled."""
        if INTERPRETED or x.dtype not in (np.float32, np.float64) or x.size < SMALL:
            return None
        found = traced(formula, x.dtype)
        if found is None:
            return None
        lanes, flat = BYTES // x.dtype.itemsize, np.ascontiguousarray(x).reshape(-1)
        bits = np.empty(x.size // lanes, np.uint16 if lanes == 16 else np.uint8)
        marking(found.program)(flat, np.array([*found.constants, values[1]], x.dtype), bits)
        return cls(bits, np.array(values, x.dtype), _plain(formula, flat[bits.size * lanes :], None))

    def times(self, dy: Array) -> Array:
        """The values times dy, an array of the shape that they were found for."""
        if dy.dtype != self.values.dtype:
            return self.times(dy.astype(self.values.dtype))
        flat, dx = np.ascontiguousarray(dy).reshape(-1), np.empty(dy.size, dy.dtype)
        _times(self.bits, self.values, flat, dx)
        whole = dy.size - self.rest.size
        dx[whole:] = self.rest * flat[whole:]
        return dx.reshape(dy.shape)
