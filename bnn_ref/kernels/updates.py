"""What an optimizer remembers and how far it goes, in one pass over memory, with NumPy's roundings."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bnn_ref.kernels import naive
from bnn_ref.kernels.channels import compiled

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def _adam(grad: Any, first: Any, second: Any, factors: Any, found: Any, m: Any, v: Any) -> None:
    b1, rest1, b2, rest2, c1, c2, eps = factors
    for i in range(grad.size):
        m[i] = b1 * first[i] + rest1 * grad[i]
        v[i] = b2 * second[i] + rest2 * grad[i] * grad[i]
        found[i] = (m[i] / c1) / (np.sqrt(v[i] / c2) + eps)


def adam(
    grad: Array, first: Array, second: Array, betas: tuple[float, float], steps: int, eps: float
) -> tuple[Array, Array, Array]:
    """(direction, first, second moment) of Adam after so many steps, this one counted; arrays of one shape.

    Source: adam2015, Algorithm 1.
    """
    (b1, b2), kind = betas, grad.dtype.type
    if not (compiled(grad, first, second) and grad.size):
        return naive.adam(grad, first, second, betas, steps, eps)
    factors = tuple(kind(f) for f in (b1, 1 - b1, b2, 1 - b2, 1 - b1**steps, 1 - b2**steps, eps))
    found, m, v = (np.empty(grad.shape, grad.dtype) for _ in range(3))
    flat = tuple(np.ascontiguousarray(part).reshape(-1) for part in (grad, first, second))
    _adam(flat[0], flat[1], flat[2], factors, found.reshape(-1), m.reshape(-1), v.reshape(-1))
    return found, m, v
