"""How a test drives an optimizer: one parameter, and a function that gives its gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bnn_ref.annealing import Moment
from bnn_ref.binarizer import Binarizer, Curve
from bnn_ref.estimators.shrinkage import ProxQuant
from bnn_ref.estimators.ste import Identity
from bnn_ref.optim import SGD, Optimizer, Proximal
from bnn_ref.parameter import Parameter

Array = NDArray[Any]
Gradient = Callable[[Array], Array]
PLAIN = partial(SGD, momentum=0.0)


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


@dataclass
class Path:
    """A run of a proximal optimizer: w*_1 .. w*_T+1 and w_1 .. w_T+1, and the T gradients and step sizes."""

    stars: Array
    points: Array
    gradients: Array
    etas: Array


def drive(
    kind: type[Proximal],
    proximal: Binarizer,
    start: Array,
    gradient: Callable[[Array, int], Array],
    etas: Sequence[float],
    rule: Callable[..., Optimizer] = PLAIN,
    **options: Any,
) -> Path:
    """Steps of sizes `etas` from w*_1 = `start`; `gradient` is told where it is taken, and the step."""
    parameter = Parameter(np.array(start, np.float64), "w", latent=True)
    optimizer = kind([parameter], 1.0, proximal=proximal, rule=rule, **options)
    optimizer.anneal(Moment(0.0, 0.0))
    pairs, gradients = [_pair(optimizer)], []
    for t, eta in enumerate(etas):
        parameter.grad = np.asarray(gradient(parameter.value, t), np.float64)
        gradients.append(parameter.grad)
        optimizer.lr = eta
        optimizer.step()
        optimizer.anneal(Moment.of_step(t + 1, len(etas), 1, float(np.sum(etas[: t + 1])), eta))
        pairs.append(_pair(optimizer))
    stars, points = (np.array(side) for side in zip(*pairs, strict=True))
    return Path(stars, points, np.array(gradients), np.array(etas))


def _pair(optimizer: Proximal) -> tuple[Array, Array]:
    value, other = optimizer.parameters[0].value, optimizer.memory["0.other"]
    return (other, value) if optimizer.at_quantized else (value, other)


@pytest.fixture(scope="session", name="drive")
def drive_fixture() -> Callable[..., Path]:
    return drive


@dataclass(frozen=True)
class Argmin(Curve):
    """The proximal map of r at strength mu by its definition, over the points where r is finite."""

    points: tuple[float, ...]
    heights: tuple[float, ...]
    mu: float = 1.0

    def __call__(self, x: Array) -> Array:
        z, r = np.array(self.points), np.array(self.heights)
        return z[((x[..., None] - z) ** 2 / (2 * self.mu) + r).argmin(axis=-1)]


@dataclass(frozen=True)
class Growing:
    """A field that is `scale` * (`start` + the sum of step sizes)."""

    field: str
    scale: float = 1.0
    start: float = 1.0

    def __call__(self, moment: Moment) -> dict[str, float]:
        return {self.field: self.scale * (self.start + moment.lr_sum)}


@pytest.fixture(scope="session")
def argmin() -> Callable[..., Binarizer]:
    """The proximal map of any r on finitely many points, its strength 1 + sum of step sizes, or `law`'s."""

    def make(points: Sequence[float], heights: Sequence[float], law: Any = None) -> Binarizer:
        curve = Argmin(tuple(points), tuple(heights))
        return Binarizer(curve, Identity(), law=law or Growing("mu"))

    return make


@pytest.fixture(scope="session")
def w_shape() -> Callable[..., Binarizer]:
    """The proximal map of r = alpha * distance to +-1, its strength growing like PC's mu."""
    return lambda alpha: Binarizer(ProxQuant(), Identity(), law=Growing("strength", alpha))
