"""What a network is trained for: what it is fed, what its answers cost, how they are measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from bnn_ref.checks import require
from bnn_ref.data import Dataset, Preprocessing, batches
from bnn_ref.layers import Layer
from bnn_ref.parameter import Array
from bnn_ref.train.evaluation import evaluate

Batch = tuple[Array, tuple[Array, ...]]
"""What the network is fed, (N, H, W, C), and what its loss takes beside the answer."""


class Task(ABC):
    """A training part, a test part, and what is asked of them. `Training` does all that tasks share.

    Attributes
    ----------
    name : str
    preprocessing : Preprocessing
        From the pixels of a sample to what the network is fed; travels with the model.
    outputs : tuple of str
        What the last axis of an answer stands for.
    losses : tuple of str
        Keys of `LOSSES` that fit.
    measure : str
        What is measured of the answers, in [0, 1], more is better: "accuracy", "AP".
    """

    name: str
    preprocessing: Preprocessing
    outputs: tuple[str, ...]
    losses: ClassVar[tuple[str, ...]]
    measure: ClassVar[str]

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C) of what the network is fed."""
        return self.preprocessing.shape

    @abstractmethod
    def __len__(self) -> int:
        """Training samples."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """What tells its data from others', as plain values: name and sizes first."""

    @abstractmethod
    def batches(self, size: int, rng: np.random.Generator) -> Iterator[Batch]:
        """Every training sample once, shuffled, `size` at a time; the last batch may be shorter."""

    @abstractmethod
    def inputs(self, size: int) -> Iterator[Array]:
        """What the network is fed, of every training sample in order and unvaried, `size` at a time."""

    @abstractmethod
    def right(self, answers: Array, targets: tuple[Array, ...]) -> float:
        """Of a batch in training: how many samples are answered rightly, or the sum of their shares."""

    @abstractmethod
    def test(self, model: Layer) -> float:
        """The measure of the test part, in eval mode; the model comes back in the mode that it came in."""

    def check(self, model: Layer, loss: str) -> None:
        """Raise ValueError where this task, a model and a key of `LOSSES` do not fit each other."""
        least = "at least 2 training images (batch norm needs a variance)"
        require(len(self) >= 2, "dataset", least, len(self))
        require(loss in self.losses, "loss", f"one of {', '.join(self.losses)} for {self.name}", loss)
        spec = getattr(model, "spec", None)  # only networks made by models.build have one
        if spec is not None:
            require(spec.input_shape == self.shape, "model", f"input_shape {self.shape}", spec.input_shape)
            wanted, got = len(self.outputs), spec.options["classes"]
            require(got == wanted, "model", f"{wanted} classes", got)


@dataclass(frozen=True, eq=False)
class Classification(Task):
    """One class an image.

    Parameters
    ----------
    dataset : Dataset
        Its test part is only watched: nothing is chosen by it.
    preprocessing : Preprocessing, optional
        `Preprocessing.fit(dataset)` by default.

    Raises
    ------
    ValueError
        If they do not fit each other.
    """

    dataset: Dataset
    preprocessing: Preprocessing = None  # type: ignore[assignment]
    name: str = field(init=False)
    outputs: tuple[str, ...] = field(init=False)
    losses: ClassVar[tuple[str, ...]] = ("cross-entropy", "squared-hinge")
    measure: ClassVar[str] = "accuracy"

    def __post_init__(self) -> None:
        if self.preprocessing is None:
            object.__setattr__(self, "preprocessing", Preprocessing.fit(self.dataset))
        object.__setattr__(self, "name", self.dataset.name)
        object.__setattr__(self, "outputs", self.dataset.classes)
        wanted, got = self.dataset.shape, self.preprocessing.shape
        require(got == wanted, "preprocessing", f"shape {wanted}", got)

    def check(self, model: Layer, loss: str) -> None:
        super().check(model, loss)
        if hasattr(model, "spec"):  # any layer may be trained; what it answers is seen in the first step
            answer = model.output_shape(self.shape)
            require(len(answer) == 1, "model", "one that answers with a number a class", answer)

    def __len__(self) -> int:
        return len(self.dataset.train_images)

    def describe(self) -> dict[str, Any]:
        data = self.dataset
        return {"name": data.name, "train": len(data.train_images), "test": len(data.test_images)}

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[Batch]:
        shuffled = batches(self.dataset.train_images, self.dataset.train_labels, size, rng)
        return ((self.preprocessing(images), (labels,)) for images, labels in shuffled)

    def inputs(self, size: int) -> Iterator[Array]:
        images = self.dataset.train_images
        return (self.preprocessing(images[i : i + size]) for i in range(0, len(images), size))

    def right(self, answers: Array, targets: tuple[Array, ...]) -> float:
        return int((answers.argmax(axis=1) == targets[0]).sum())

    def test(self, model: Layer) -> float:
        data = self.dataset
        return evaluate(model, data.test_images, data.test_labels, self.preprocessing).accuracy


def as_task(data: Dataset | Task, preprocessing: Preprocessing | None = None) -> Task:
    """A data set as the task of classifying it; a task as it is, with the preprocessing that it has."""
    if isinstance(data, Task):
        own = preprocessing is None or preprocessing == data.preprocessing
        require(own, "preprocessing", "none beside a task, which has its own", preprocessing)
        return data
    return Classification(data, preprocessing)  # type: ignore[arg-type]
