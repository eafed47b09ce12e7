"""ReActNet: RSign, a sign whose threshold is learned channel by channel."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnn_ref.binarizer import Binarizer, Map
from bnn_ref.checks import is_number, require
from bnn_ref.estimators.vectors import channels_of
from bnn_ref.parameter import Array, Parameter, unbroadcast


@dataclass(frozen=True)
class Shift(Map):
    """y = x + b, one learned b per channel; dx = dy, db = sum of dy. Binding makes b.

    Parameters
    ----------
    shift : float or Parameter
        b at first.

    Source: reactnet2020.
    """

    shift: float | Parameter = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.shift, Parameter):
            require(is_number(self.shift), "shift", "a finite number", self.shift)

    def _bound(
        self, shape: tuple[int, ...], axis: int, rng: np.random.Generator, seen: dict[int, Map]
    ) -> Map:
        if isinstance(self.shift, Parameter):
            return self
        first = np.full(channels_of(shape, axis), self.shift, np.float32)
        return dataclasses.replace(self, shift=Parameter(first, "shift"))

    def __call__(self, x: Array) -> Array:
        """x: (..., C)."""
        return x + (self.shift.value if isinstance(self.shift, Parameter) else float(self.shift))

    def vjp(self, x: Array, dy: Array) -> Array:
        if isinstance(self.shift, Parameter):
            self.shift.accumulate(unbroadcast(dy, self.shift.value.shape))
        return dy

    def output_shape(self, x: Array) -> tuple[int, ...]:
        return np.shape(x)


def shifted(make: Callable[..., Binarizer]) -> Callable[..., Binarizer]:
    """`make` behind a learned shift that F, T and what is deployed share: F(x + b), T'(x + b), D(x + b).

    Parameters
    ----------
    make : callable
        Makes the binarizer; its parameters stay what they are.

    Returns
    -------
    callable
        With the parameters of `make` and `shift`, b at first.

    Source: reactnet2020 (RSign: +1 where x > a, a = -b). At x = a it answers `zero`: +1 unless asked, where
    the paper has -1.
    """

    def made(*, shift: float = 0.0, **own: Any) -> Binarizer:
        return make(**own).behind(Shift(shift))

    extra = inspect.signature(made).parameters["shift"]
    parameters = [*inspect.signature(make).parameters.values(), extra]
    made.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    made.__doc__ = f"{inspect.getdoc(make)}\n\nAll of it at x + b:\n\n{inspect.getdoc(Shift)}"
    return made
