"""Schedule laws: how an estimator's parameters move while a network trains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bnn_ref.checks import is_number, require, require_positive


@dataclass(frozen=True)
class Moment:
    """Where training stands.

    Attributes
    ----------
    progress : float
        0 in the first epoch, 1 in the last.
    fraction : float
        epoch / epochs: the clock of most released code, which never reaches 1. Equal to `progress` where
        only that is known.
    step : int
        Optimizer steps so far.
    lr_sum : float
        Sum of the step sizes so far (the proximal methods' clock).
    epochs : int or None
        How many are planned; None where only `progress` is known.
    """

    progress: float
    fraction: float
    step: int = 0
    lr_sum: float = 0.0
    epochs: int | None = None

    @property
    def ended(self) -> float:
        """(epoch + 1) / epochs: the clock that reaches 1 in the last epoch but does not start at 0."""
        return self.fraction if self.epochs is None else self.fraction + 1 / self.epochs

    @classmethod
    def at(cls, progress: float) -> Moment:
        """The moment at a bare `progress`. Raises ValueError outside [0, 1]."""
        require(is_number(progress) and 0 <= progress <= 1, "progress", "a number in [0, 1]", progress)
        return cls(progress, progress)

    @classmethod
    def of_epoch(cls, epoch: int, epochs: int, step: int = 0, lr_sum: float = 0.0) -> Moment:
        """The moment at the start of `epoch` (counted from 0) of `epochs`; a single epoch counts as last."""
        if not 0 <= epoch < epochs:
            raise ValueError(f"epoch: required 0 <= epoch < epochs = {epochs}, got {epoch}")
        progress = epoch / (epochs - 1) if epochs > 1 else 1.0
        return cls(progress, epoch / epochs, step, lr_sum, epochs)


class Law(Protocol):
    """A schedule: from a moment to the values of some parameters, by field name."""

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """The values at `moment`."""


@dataclass(frozen=True)
class Geometric:
    """start * (stop / start) ** progress for one field: equal factors in equal times. Source: ours."""

    field: str
    start: float
    stop: float

    def __post_init__(self) -> None:
        require_positive("start", self.start)
        require_positive("stop", self.stop)

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """The field's value at `moment.progress`."""
        return {self.field: self.start * (self.stop / self.start) ** moment.progress}


@dataclass(frozen=True)
class Linear:
    """start + (stop - start) * progress for one field. Source: ours."""

    field: str
    start: float
    stop: float

    def __post_init__(self) -> None:
        for name in ("start", "stop"):
            require(is_number(getattr(self, name)), name, "a number", getattr(self, name))

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """The field's value at `moment.progress`, `stop` itself at the end."""
        p = moment.progress
        return {self.field: (1 - p) * self.start + p * self.stop}


@dataclass(frozen=True)
class Together:
    """Several laws at once, each for its own fields. Source: ours.

    Raises
    ------
    ValueError
        When called, where two of them move the same field.
    """

    laws: tuple[Law, ...]

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """The values of all of them at `moment`."""
        values: dict[str, float] = {}
        for law in self.laws:
            moved = law(moment)
            both = sorted(set(values) & set(moved))
            require(not both, "laws", "laws of different fields", both)
            values |= moved
        return values
