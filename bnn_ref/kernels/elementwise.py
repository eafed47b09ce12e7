"""Fused element-wise passes: slope, window and upstream gradient in one walk through memory.

`naive` spells the same in NumPy expressions.
"""

from math import factorial, pi
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bnn_ref.checks import require
from bnn_ref.kernels.threads import share


def _taylor(dtype: type, degree: int) -> tuple[Any, ...]:
    """The coefficients of sin(pi f) / f in powers of f^2, highest first: below rounding on abs(f) <= 1/2."""
    powers = range(degree // 2, -1, -1)
    return tuple(dtype((-1) ** k * pi ** (2 * k + 1) / factorial(2 * k + 1)) for k in powers)


_SINE = {np.float32: _taylor(np.float32, 13), np.float64: _taylor(np.float64, 21)}


@njit(error_model="numpy", fastmath={"contract"}, cache=True)
def _sinpi(f: Any, coefficients: Any) -> Any:
    """sin(pi f) for abs(f) <= 1/2 (Horner)."""
    square, total = f * f, coefficients[0]
    for i in range(1, len(coefficients)):
        total = total * square + coefficients[i]
    return f * total


@njit(error_model="numpy", fastmath={"contract"}, cache=True, nogil=True)
def _fourier(x: Any, dy: Any, frequency: Any, terms: Any, window: Any, sine: Any, dx: Any) -> None:
    """dx = dy 2 frequency sin(2N pi f) / sin(pi f), f the distance of frequency * x from a whole number.

    Both sines come from the same reduced f: its rounding moves the ratio along the curve and nothing cancels.
    """
    number = x.dtype.type
    zero, half, one, four = number(0), number(0.5), number(1), number(4)
    twice, height, tiny = number(2) * terms, number(2) * frequency, number(1e-30)
    for i in range(x.size):
        turns = x[i] * frequency
        whole = np.rint(turns)
        f = turns - whole
        steps = twice * f
        more = np.rint(steps)
        pairs = half * (whole + more)  # an odd number of half turns inverts the ratio
        sign = one - four * abs(pairs - np.rint(pairs))
        ratio = twice if abs(f) < tiny else _sinpi(steps - more, sine) / _sinpi(f, sine)
        dx[i] = (zero if abs(x[i]) > window else sign * height * ratio) * dy[i]


def fourier_slope(
    x: NDArray[Any],
    dy: NDArray[Any],
    terms: int,
    omega: float,
    window: float = np.inf,
    out: NDArray[Any] | None = None,
) -> NDArray[Any]:
    """dx = T'(x) dy for T' = 4 omega/pi sum_{i<N} cos((2i+1) omega x) where abs(x) <= window, else 0.

    Computed as 2 omega/pi sin(2N omega x) / sin(omega x) after exact reduction of omega x to its distance
    from the nearest multiple of pi: the cost does not depend on N, and nothing happens at those multiples.
    (Without the reduction the two sines round apart there.)

    Parameters
    ----------
    x, dy : float32 or float64, one shape and dtype
    terms : int
        N.
    omega : float
        Radians per unit of x.
    window : float
        Largest abs(x) with a slope; compared in the precision of x.
    out : array like x, C-contiguous, optional
        Where the result goes; a new array by default.

    Returns
    -------
    array like x. Its error is at most 8 eps (1 + N abs(omega x)) times the peak 4 omega N/pi, eps that of the
    dtype. NaN where x is NaN, or infinite inside the window.

    Raises
    ------
    TypeError, ValueError
        For another dtype, or shapes or dtypes that differ.

    Source: fda2021, Eq. 10; the evaluation is ours.
    """
    number = x.dtype.type
    if number not in _SINE:
        raise TypeError(f"x: required float32 or float64, got {x.dtype}")
    out = np.empty(x.shape, number) if out is None else out
    for name, array in (("dy", dy), ("out", out)):
        alike = array.shape == x.shape and array.dtype == x.dtype
        require(alike, name, f"{x.dtype} {x.shape}, like x", f"{array.dtype} {array.shape}")
    require(out.flags.c_contiguous, "out", "a C-contiguous array", "one with strides")
    x, dy = (np.ascontiguousarray(array, number).reshape(-1) for array in (x, dy))  # in native byte order
    given = number(omega / pi), number(terms), number(window), _SINE[number]
    flat = out.reshape(-1)

    def part(first: int, last: int) -> None:
        with np.errstate(invalid="ignore"):  # compiled or not, infinity passes in silence
            _fourier(x[first:last], dy[first:last], *given, flat[first:last])

    share(part, x.size, 2 * x.nbytes)
    return out
