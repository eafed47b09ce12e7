"""How a test drives an optimizer: one parameter, and a function that gives its gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bnn_ref.optim import Optimizer
from bnn_ref.parameter import Parameter

Array = NDArray[Any]
Gradient = Callable[[Array], Array]


def run(optimizer: Optimizer, gradient: Gradient, steps: int) -> list[Array]:
    """The values of the first parameter before each of `steps` steps and after the last."""
    (parameter, *_) = optimizer.parameters
    values = [parameter.value]
    for _ in range(steps):
        parameter.zero_grad()
        parameter.accumulate(np.asarray(gradient(parameter.value), parameter.value.dtype))
        optimizer.step()
        values.append(parameter.value)
    return values


@pytest.fixture(scope="session", name="run")
def run_fixture() -> Callable[[Optimizer, Gradient, int], list[Array]]:
    return run


@pytest.fixture(scope="session")
def one() -> Callable[..., Parameter]:
    def make(values: Sequence[float], **options: Any) -> Parameter:
        return Parameter(np.array(values, np.float64), "w", **options)

    return make
