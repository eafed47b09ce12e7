"""What an optimizer is: parameters, one number (the step size), and a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from bnn_ref.annealing import Moment
from bnn_ref.checks import require
from bnn_ref.layers.product import glorot_limit
from bnn_ref.parameter import Array, Parameter


class Optimizer:
    """Base of the optimizers.

    Subclasses define `direction`, and name what they keep in `memory` for each parameter: in `slots` arrays
    of its shape, in `counters` single numbers.

    Parameters
    ----------
    parameters : sequence of Parameter
        What is trained; each once.
    lr : float
        Step size.
    weight_decay : float
        lambda: adds lambda * value to the gradient (L2).
    clip : float or None
        After each step, latent weights are clipped to [-clip, clip]. Source: binaryconnect2015.
    glorot : bool
        The steps of latent weights are multiplied by 1 / sqrt(1.5 / (fan in + fan out)), before they are
        clipped: 2 / a, a the bound of their first values. Source: binaryconnect2015, released code.

    Raises
    ------
    ValueError
        For a step size, decay or clip out of range, or `glorot` and a latent weight without fans.
    """

    rates: ClassVar[tuple[str, ...]] = ("lr",)
    """The attributes that a schedule moves."""
    slots: ClassVar[tuple[str, ...]] = ()
    counters: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float,
        weight_decay: float = 0.0,
        clip: float | None = None,
        glorot: bool = False,
    ) -> None:
        for name, value, good, required in (
            ("lr", lr, lr > 0, "a number > 0"),
            ("weight_decay", weight_decay, weight_decay >= 0, "a number >= 0"),
            ("clip", clip, clip is None or clip > 0, "a number > 0, or None"),
        ):
            if not good:
                raise ValueError(f"{name}: required {required}, got {value}")
        self.parameters = list(parameters)
        fans = all(p.value.ndim >= 2 for p in self.parameters if p.latent)
        require(fans or not glorot, "glorot", "latent weights (..., C, F)", "one of less than two axes")
        self.lr, self.weight_decay, self.clip, self.glorot = lr, weight_decay, clip, glorot
        self.memory: dict[str, Array] = {}

    def direction(self, index: int, value: Array, grad: Array) -> Array:
        """What is subtracted, times lr, from parameter number `index`."""
        raise TypeError(f"{type(self).__name__} has no direction")

    def curvature(self, index: int) -> Array | None:
        """The estimate of the Hessian's diagonal in parameter number `index`; None without one."""
        return None

    def anneal(self, moment: Moment) -> None:
        """Move what moves with training and is no rate; training calls it before the first step."""

    def kept(self, parameter: Parameter) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What `memory` holds of one parameter: the names of arrays of its shape, and of single numbers."""
        return self.slots, self.counters

    def step(self) -> None:
        """A step of every parameter that has a gradient; what is known of its curvature is published."""
        for index, parameter in enumerate(self.parameters):
            if parameter.grad is None:
                continue
            parameter.value = self.moved(index, parameter, parameter.grad)
            if parameter.curvature is not None and (found := self.curvature(index)) is not None:
                parameter.curvature.value = found

    def moved(self, index: int, parameter: Parameter, grad: Array) -> Array:
        """value - lr * direction; where the parameter is latent, scaled by Glorot's bound and clipped."""
        if self.weight_decay:
            grad = grad + self.weight_decay * parameter.value
        size = self.lr / (glorot_limit(parameter.value.shape) / 2 if self.glorot and parameter.latent else 1)
        value = parameter.value - size * self.direction(index, parameter.value, grad)
        return value if self.clip is None or not parameter.latent else np.clip(value, -self.clip, self.clip)

    def state_dict(self) -> dict[str, Array]:
        """Copies of what is remembered: "3.velocity" is that of parameter number 3."""
        return {key: np.array(value) for key, value in self.memory.items()}

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Remember what `state` holds, and nothing else.

        Raises
        ------
        ValueError
            For a name that this optimizer does not use, a parameter without all of its slots, or a wrong
            shape; nothing is changed then.
        """
        known = {str(index): parameter for index, parameter in enumerate(self.parameters)}
        for key, value in state.items():
            index, _, slot = key.partition(".")
            slots, counters = self.kept(known[index]) if index in known else (self.slots, self.counters)
            family = {f"{index}.{name}" for name in (*slots, *counters)}
            if key not in family or index not in known:
                names = ", ".join((*slots, *counters)) or "nothing"
                raise ValueError(f"state: required PARAMETER.SLOT with a slot of {names}, got {key!r}")
            shape = known[index].value.shape if slot in slots else ()
            if value.shape != shape:
                raise ValueError(f"state[{key!r}]: required shape {shape}, got {value.shape}")
            if missing := sorted(family - set(state)):
                raise ValueError(f"state: required {missing[0]!r} beside {key!r}, which is missing")
        self.memory = {key: np.array(value) for key, value in state.items()}
