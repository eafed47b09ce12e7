"""Oracles that know no layer: the derivative of any analytic function; arrays that nobody can write to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

Array = NDArray[Any]
STEP = 1e-30


def derivative(f: Callable[[Array], Array], x: Array, dy: Array) -> Array:
    """d sum(dy * f(x)) / dx entry by entry, by complex step: exact to rounding where f is analytic."""
    dx = np.empty(x.shape)
    for at in np.ndindex(x.shape):
        z = x.astype(np.complex128)
        z[at] += STEP * 1j
        dx[at] = np.sum(dy * f(z)).imag / STEP
    return dx


def read_only(x: Any) -> Any:
    """A copy of `x` that raises on every attempt to write to it."""
    locked = np.array(x)
    locked.flags.writeable = False
    return locked


@pytest.fixture(scope="session", name="derivative")
def derivative_fixture() -> Callable[[Callable[[Array], Array], Array, Array], Array]:
    return derivative


@pytest.fixture(scope="session", name="read_only")
def read_only_fixture() -> Callable[[Any], Any]:
    return read_only
