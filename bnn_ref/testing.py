"""Checks for other people's test suites: one line each, raising AssertionError with the report.

The strategies need Hypothesis (the extra `test`); the checks do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from bnn_ref.auditing import Report, audit, audit_layer, audit_operation
from bnn_ref.binarizer import Binarizer, Curve
from bnn_ref.layers import Layer
from bnn_ref.parameter import Array

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "awkward_arrays",
    "awkward_floats",
    "check_binarizer",
    "check_kernel",
    "check_layer",
    "check_operation",
]


def check_binarizer(binarizer: str | Binarizer) -> Report:
    """Level 1 audit of a table entry or a binarizer; the report if it passes.

    Raises
    ------
    AssertionError
        With the printed report, if a check fails.
    """
    return _demand(audit(binarizer))


def check_operation(
    forward: Callable[[Array], Array],
    backward: Callable[[Array, Array], Array],
    claim: str | Binarizer | Curve,
) -> Report:
    """Audit of a pair of callables against a claim; the report if it passes.

    Raises
    ------
    AssertionError
        With the printed report, if a check fails.
    """
    return _demand(audit_operation(forward, backward, claim))


def check_layer(layer: Layer, *inputs: Array, dtype: DTypeLike = np.float64, seed: int = 0) -> Report:
    """Level 2 audit of a layer or network at `inputs`; the report if it passes.

    Raises
    ------
    AssertionError
        With the printed report, if a check fails.
    """
    return _demand(audit_layer(layer, *inputs, dtype=dtype, seed=seed))


def check_kernel(kernel: Callable[..., Array], twin: Callable[..., Array], *args: Any) -> Array:
    """`kernel` equals its naive `twin` on `args`: dtype, shape and every element; the result.

    Raises
    ------
    AssertionError
        Naming the first element that differs, or when an argument was written to.
    """
    copies = [a.copy() if isinstance(a, np.ndarray) else a for a in args]
    got, wanted = kernel(*args), twin(*copies)
    assert got.dtype == wanted.dtype, f"dtype: required {wanted.dtype}, got {got.dtype}"
    assert got.shape == wanted.shape, f"shape: required {wanted.shape}, got {got.shape}"
    differs = np.argwhere(got != wanted)
    if len(differs):
        at = tuple(int(i) for i in differs[0])
        raise AssertionError(
            f"at {at}: required {wanted[at]}, got {got[at]} ({len(differs)} elements differ)"
        )
    for i, (now, before) in enumerate(zip(args, copies, strict=True)):
        assert not isinstance(now, np.ndarray) or np.array_equal(now, before), f"argument {i} was written to"
    return got


def _demand(report: Report) -> Report:
    if not report.passed:
        raise AssertionError(str(report))
    return report


def awkward_floats(*points: float, width: int = 64) -> SearchStrategy[float]:
    """Floats that over-sample 0, -0.0, the given points and their neighbours, subnormals and whole numbers.

    Parameters
    ----------
    *points : float
        Kinks, clips: each is drawn with both signs and both neighbours.
    width : int
        32 or 64: the precision in which neighbours are taken.
    """
    from hypothesis import strategies as st

    dtype = np.dtype(f"float{width}").type
    near = [dtype(s * p) for p in (*points, 1.0) for s in (-1, 1)]
    near += [np.nextafter(p, dtype(to)) for p in near for to in (-np.inf, np.inf)]
    special = [0.0, -0.0, *(float(p) for p in near), float(np.finfo(dtype).smallest_subnormal)]
    whole = st.integers(-30, 30).map(float)
    smooth = st.floats(-8, 8, allow_nan=False, width=32 if width == 32 else 64)
    return st.one_of(st.sampled_from(special), whole, smooth)


def awkward_arrays(*points: float, dtype: DTypeLike = np.float64, max_side: int = 6) -> SearchStrategy[Array]:
    """Arrays of `awkward_floats`, of any shape up to three axes, empty and 0-d among them."""
    from hypothesis.extra import numpy as hnp

    kind = np.dtype(dtype)
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=max_side)
    return hnp.arrays(kind, shapes, elements=awkward_floats(*points, width=8 * kind.itemsize))
