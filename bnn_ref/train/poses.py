"""Finding joints as a task: crops of persons with heat maps, and COCO's average precision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from math import isnan
from typing import Any, ClassVar

import numpy as np

from bnn_ref import pose
from bnn_ref.checks import require
from bnn_ref.data import Preprocessing
from bnn_ref.layers import Layer
from bnn_ref.parameter import Array
from bnn_ref.train.evaluation import evaluating
from bnn_ref.train.task import Batch, Task


@dataclass(frozen=True, eq=False)
class Poses(Task):
    """The joints of one person a crop.

    In training the share of joints near their places is measured (`pose.accuracy`); in tests AP, in the
    boxes of the true persons, with the flip test.

    Parameters
    ----------
    name : str
        Of the data.
    train, tested : Persons
        At least one person in `tested`, which is only watched.
    view : View
        How persons are shown.
    difficulty : Difficulty, optional
        Of pictures that were drawn; None for the default's, and for photographs.

    Raises
    ------
    ValueError
        For a test part without persons.
    """

    name: str
    train: pose.Persons
    tested: pose.Persons
    view: pose.View
    difficulty: pose.figures.Difficulty | None = None
    preprocessing: Preprocessing = field(init=False)
    outputs: tuple[str, ...] = pose.JOINTS
    losses: ClassVar[tuple[str, ...]] = ("heatmap",)
    measure: ClassVar[str] = "AP"

    def __post_init__(self) -> None:
        require(len(self.tested) > 0, "tested", "at least one person with a labelled joint", 0)
        object.__setattr__(self, "preprocessing", pose.normalisation(self.view.size))

    @classmethod
    def drawn(
        cls,
        count: int,
        tested: int,
        seed: int,
        view: pose.View,
        side: int = 128,
        difficulty: pose.figures.Difficulty | None = None,
    ) -> Poses:
        """Drawn figures: `count` pictures by `seed` to learn from, `tested` by the next seed to test by.

        They have `side` x `side` pixels (`pose.figures.generate`).
        """
        parts = []
        for number, own in ((count, seed), (tested, seed + 1)):
            pixels, document = pose.figures.generate(number, own, (side, side), difficulty)
            parts.append(pose.Persons(pose.parse_annotations(document), pose.Stack(pixels)))
        return cls(f"figures-{seed}", parts[0], parts[1], view, difficulty)

    def __len__(self) -> int:
        return len(self.train)

    def check(self, model: Layer, loss: str) -> None:
        super().check(model, loss)
        width, height = pose.map_size(self.view.size)
        wanted, got = (height, width, len(self.outputs)), model.output_shape(self.shape)
        require(got == wanted, "model", f"one that answers with maps {wanted}", got)

    def describe(self) -> dict[str, Any]:
        sizes = {"train": len(self.train), "test": len(self.tested)}
        usual = pose.figures.Difficulty()
        drawn = self.difficulty or usual
        more = {} if drawn == usual else {"difficulty": asdict(drawn)}
        return {"name": self.name, **sizes, **asdict(self.view), **more}

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[Batch]:
        order = rng.permutation(len(self.train))
        return (self._batch(order[i : i + size], rng) for i in range(0, len(order), size))

    def _batch(self, chosen: Any, rng: np.random.Generator) -> Batch:
        pixels, maps, weights = self.train.sample(chosen, self.view, rng)
        return self.preprocessing(pixels), (maps, weights)

    def inputs(self, size: int) -> Iterator[Array]:
        every = np.arange(len(self.train))
        for i in range(0, len(every), size):
            yield self.preprocessing(self.train.sample(every[i : i + size], self.view)[0])

    def right(self, answers: Array, targets: tuple[Array, ...]) -> float:
        share = pose.accuracy(answers, targets[0])
        return 0.0 if isnan(share) else share * len(answers)  # no joint in the batch to be right about

    def test(self, model: Layer) -> float:
        truth, pictures = self.tested.truth, self.tested.pictures
        with evaluating(model):
            boxes, exact = pose.true_boxes(truth), self.view.exact
            found = pose.find(model, boxes, pictures, self.preprocessing, exact=exact)
        return pose.evaluate(truth, found.results).to_dict()["AP"]
