"""What happened in training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from bnn_ref.annealing import Moment


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images. Equal epochs are equal to the bit; only `seconds` may differ.

    Attributes
    ----------
    epoch : int
        Counted from 0.
    step, lr_sum : int, float
        Optimizer steps before this epoch, and the sum of their sizes: the clocks of annealing laws.
    lr : float
        Size of its first step.
    loss : float
        Mean over the images seen, each in its batch, before that batch's step.
    train_accuracy : float
        Share of right answers among the same, in [0, 1]: with batch statistics and forward maps.
    test_accuracy : float
        Share of right answers on the test images after the epoch: with running statistics and deployed maps.
    seconds : float
        Wall-clock time, tests included.
    penalty : float
        Mean of what the penalty of latent weights added to the loss, which does not contain it.
    gaps : dict
        How far training's weights are from the deployed ones after the epoch: [largest, mean] by layer, where
        that is not zero (`quantization_gap`).
    slopes : dict
        T'(0) of every trained surrogate after the epoch (`trained_slopes`).
    slopes_before : dict
        The same before its first step: what training began with, in epoch 0.
    end_step, end_lr_sum, end_lr : int, float, float
        Steps and the sum of their sizes after this epoch, and the size of its last step.
    measure : str
        What `test_accuracy` is: "accuracy", or for poses "AP" (and `train_accuracy` the share of joints near
        their places).
    """

    epoch: int
    step: int
    lr_sum: float
    lr: float
    loss: float
    train_accuracy: float
    test_accuracy: float
    seconds: float = field(compare=False)
    penalty: float = 0.0
    gaps: dict[str, list[float]] = field(default_factory=dict, hash=False)
    slopes: dict[str, float] = field(default_factory=dict, hash=False)
    slopes_before: dict[str, float] = field(default_factory=dict, hash=False)
    end_step: int = 0
    end_lr_sum: float = 0.0
    end_lr: float = 0.0
    measure: str = "accuracy"

    def __str__(self) -> str:
        return f"epoch {self.epoch}: loss {self.loss:.4f}, test {self.measure} {self.test_accuracy:.1%}"


@dataclass(frozen=True)
class History:
    """The epochs of one training run, in order."""

    epochs: tuple[Epoch, ...] = ()

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.epochs)

    def __getitem__(self, index: int) -> Epoch:
        return self.epochs[index]

    def moment(self, epochs: int, anneal: str = "epoch") -> Moment:
        """Where annealing stood in the last of these epochs, out of `epochs` planned.

        `anneal`, as in `Config`: that was at its start ("epoch"), or is after its last step ("step").

        Raises
        ------
        ValueError
            When there is none yet, or more than were planned.
        """
        if not 1 <= len(self.epochs) <= epochs:
            raise ValueError(f"history: required 1 to {epochs} epochs, got {len(self.epochs)}")
        last = self.epochs[-1]
        if anneal == "step":
            steps = last.end_step // len(self.epochs) * epochs
            return Moment.of_step(last.end_step, steps, epochs, last.end_lr_sum, last.end_lr)
        return Moment.of_epoch(last.epoch, epochs, last.step, last.lr_sum, last.lr)

    def to_dict(self) -> dict[str, Any]:
        """The epochs as plain values, as JSON writes them."""
        return {"epochs": [asdict(epoch) for epoch in self.epochs]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> History:
        """The history that `to_dict` wrote.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or an epoch is not in its place.
        """
        try:
            history = cls(tuple(Epoch(**epoch) for epoch in values["epochs"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"history: required epochs as to_dict writes them, got {error}") from error
        if [epoch.epoch for epoch in history] != list(range(len(history))):
            raise ValueError(f"history: required epochs 0, 1, 2 ..., got {[e.epoch for e in history]}")
        return history
