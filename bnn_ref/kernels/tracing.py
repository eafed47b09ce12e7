"""What an element-wise formula does to an array, written down by calling it once.

Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Formula = Callable[[Any], Any]


class Untraceable(TypeError):
    """The formula does more than a pass can be compiled from."""


class Operation(NamedTuple):
    """A letter of a program: how many values it takes from the stack, and what kind it takes and leaves."""

    letter: str
    takes: str
    leaves: str


OPERATIONS: dict[str, Operation] = {
    "add": Operation("p", "ff", "f"),
    "subtract": Operation("m", "ff", "f"),
    "multiply": Operation("t", "ff", "f"),
    "divide": Operation("d", "ff", "f"),
    "maximum": Operation("u", "ff", "f"),
    "minimum": Operation("l", "ff", "f"),
    "negative": Operation("n", "f", "f"),
    "absolute": Operation("a", "f", "f"),
    "square": Operation("q", "f", "f"),
    "greater": Operation("G", "ff", "b"),
    "greater_equal": Operation("H", "ff", "b"),
    "less": Operation("L", "ff", "b"),
    "less_equal": Operation("M", "ff", "b"),
    "equal": Operation("E", "ff", "b"),
    "not_equal": Operation("N", "ff", "b"),
    "bitwise_and": Operation("A", "bb", "b"),
    "bitwise_or": Operation("O", "bb", "b"),
    "logical_not": Operation("T", "b", "b"),
    "isnan": Operation("I", "f", "b"),
    "where": Operation("w", "bff", "f"),
    "astype": Operation("c", "b", "f"),
}
"""NumPy's names. `x` pushes the array, `k` the next constant."""


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """What has been done to an array so far: a program in postfix order, its constants, and its kind."""

    def __init__(self, program: str, constants: tuple[float, ...], kind: str, dtype: Any) -> None:
        self.program, self.constants, self.kind, self.dtype = program, constants, kind, dtype

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Traced:
        name = (
            "absolute" if ufunc is np.fabs else "bitwise_and" if ufunc is np.logical_and else ufunc.__name__
        )
        if ufunc is np.invert or ufunc is np.logical_not:
            name = "logical_not"
        if method != "__call__" or options or name not in OPERATIONS:
            raise Untraceable(name)
        return self._apply(name, *inputs)

    def __array_function__(self, function: Any, kinds: Any, args: Any, options: Any) -> Traced:
        if function is np.where and len(args) == 3 and not options:
            return self._apply("where", *args)
        constant = {np.zeros_like: 0.0, np.ones_like: 1.0}.get(function)
        if constant is None or options or len(args) != 1:
            raise Untraceable(function.__name__)
        return self._operand(constant, "f")

    def astype(self, dtype: Any) -> Traced:
        """A choice as 0 or 1; a number of the same dtype as itself."""
        if np.dtype(dtype) != self.dtype:
            raise Untraceable("astype")
        return self if self.kind == "f" else self._apply("astype", self)

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise Untraceable("an array")

    @property
    def real(self) -> Traced:
        return self

    def __bool__(self) -> bool:
        raise Untraceable("a branch")

    def _operand(self, value: Any, kind: str) -> Traced:
        if isinstance(value, Traced):
            fits = value.kind == kind
        else:
            fits = kind == "f" and type(value) in (int, float)  # NumPy's own floats would promote float32
        if not fits:
            raise Untraceable(f"an operand {value!r}")
        return value if isinstance(value, Traced) else Traced("k", (float(value),), "f", self.dtype)

    def _apply(self, name: str, *inputs: Any) -> Traced:
        operation = OPERATIONS[name]
        operands = [self._operand(v, k) for v, k in zip(inputs, operation.takes, strict=True)]
        program = "".join(operand.program for operand in operands) + operation.letter
        constants = tuple(c for operand in operands for c in operand.constants)
        return Traced(program, constants, operation.leaves, self.dtype)


def traced(formula: Formula, dtype: Any) -> Traced | None:
    """What `formula` does to an array of `dtype`, or None where no pass can be compiled from it."""
    try:
        found = formula(Traced("x", (), "f", np.dtype(dtype)))
    except (TypeError, AttributeError, ValueError):
        return None
    return found if isinstance(found, Traced) and found.kind == "f" else None
