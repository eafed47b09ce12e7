"""What the report is about: a plan, and everything found by carrying it out. No HTML here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bnn_ref import data, estimators, models, train
from bnn_ref.auditing import Report, audit, audit_estimator_in_network
from bnn_ref.auditing.broken import BROKEN
from bnn_ref.binarizer import Curve
from bnn_ref.layers import deployed_state
from bnn_ref.packed import PackedModel, pack
from bnn_ref.parameter import Array
from bnn_ref.spectra import distance_to_sign
from bnn_ref.timing import Pairing, paired

Arms = Sequence[str] | Mapping[str, Mapping[str, Any]]

DEFAULT_ESTIMATORS = (
    "clipped-ste", models.REAL, "identity-ste", "tanh", "approxsign", "fda",
    "swish-sign", "bnn++", "dsq", "ede", "rbnn-activation", "reste",
)  # fmt: skip
"""The named default set of the training comparison, at most twelve; the first one is the reference."""

LEARNED: dict[str, dict[str, Any]] = {
    "bbc": {"weight_estimator": "bbc"},
    "bbc, positive": {"weight_estimator": "bbc", "weight_parameters": {"init": "positive"}},
}
"""Weights whose slope is an MLP's, trained with the network: as published, and (ours) rising at first. Their
activations learn from ApproxSign, as in the released code of bbc2023."""

LEARNED_OPTIONS = {"widths": [8, 16], "blocks": [1, 1]}
LEARNED_RECIPE: dict[str, Any] = {"batch_size": 128, "estimator_lr": 1e-3}
"""A small network and few steps, since a hidden layer of 100 is computed for every weight at every step. The
MLP has an Adam of its own, with the step size of bbc2023's released code."""

MOST = 12
NETWORK = "bireal-small"
OPTIONS: dict[str, dict[str, Any]] = {
    "digits": {"widths": [16, 32], "blocks": [1, 1]},
}
"""Options of the network where a data set wants other ones than its defaults."""


@dataclass(frozen=True)
class Plan:
    """What to report on.

    Attributes
    ----------
    data : str
        A data set.
    estimators : tuple of str
        At most twelve names, "real" among them if wanted; the first is the reference.
    seeds, epochs, jobs : int
        Runs of each estimator, passes over the training images, processes at a time.
    folder : Path or None
        Where the data set's files are.
    limit : int or None
        Use only so many training images.

    Raises
    ------
    ValueError
        For unknown or too many names, or numbers below 1: before any work.
    """

    data: str = "digits"
    estimators: tuple[str, ...] = DEFAULT_ESTIMATORS
    seeds: int = 3
    epochs: int = 8
    jobs: int = 2
    folder: Path | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.data not in data.names():
            raise ValueError(f"data: required one of {', '.join(data.names())}; got {self.data!r}")
        if not 1 <= len(self.estimators) <= MOST or len(set(self.estimators)) < len(self.estimators):
            raise ValueError(
                f"estimators: required 1 to {MOST} names, each once, got {list(self.estimators)}"
            )
        for name in self.binary:
            estimators.entry(name)
        if not self.binary:
            twins = ", ".join(map(repr, models.TWINS))
            raise ValueError(f"estimators: required at least one besides {twins}, got none")
        for field, value in (("seeds", self.seeds), ("epochs", self.epochs), ("jobs", self.jobs)):
            if value < 1:
                raise ValueError(f"{field}: required a whole number >= 1, got {value}")

    @property
    def binary(self) -> tuple[str, ...]:
        """The estimators among the names."""
        return tuple(name for name in self.estimators if name not in models.TWINS)

    @property
    def config(self) -> train.Config:
        """How every network of the report is trained."""
        return train.Config(epochs=self.epochs, batch_size=64, lr=1e-2)


@dataclass(frozen=True)
class Packing:
    """One trained network and its packed self, on all test images."""

    model: str
    images: int
    same_classes: int
    identical: bool
    accuracy: float
    payload_bytes: int
    float_bytes: int
    speed: Pairing
    confusion: Array


@dataclass(frozen=True)
class Findings:
    """Everything that the page shows."""

    plan: Plan
    dataset: data.Dataset
    audits: tuple[tuple[str, Report, Report], ...]
    caught: tuple[int, int]
    distances: dict[str, tuple[float, float] | None]
    comparison: train.Comparison
    learned: train.Comparison
    packings: tuple[Packing, ...]


def gather(plan: Plan, tell: Callable[[str], None] = lambda text: None) -> Findings:
    """Carry out the plan: audits first, then training, then packing. `tell` hears what is being done."""
    dataset = data.load(plan.data, plan.folder)
    dataset = dataset if plan.limit is None else dataset.take(plan.limit)
    tell(f"auditing {len(plan.binary)} estimators")
    audits = tuple((name, audit(name), audit_estimator_in_network(name)) for name in plan.binary)
    tell(f"auditing {len(BROKEN)} wrong ones")
    caught = sum(broken.caught_by in [c.name for c in broken.audit().failures] for broken in BROKEN)
    distances = {name: _distances(name) for name in plan.binary}
    learning = replace(plan.config, **LEARNED_RECIPE)
    return Findings(
        plan,
        dataset,
        audits,
        (caught, len(BROKEN)),
        distances,
        _compare(plan, dataset, tell, plan.estimators, plan.config, OPTIONS.get(plan.data, {})),
        _compare(plan, dataset, tell, LEARNED, learning, LEARNED_OPTIONS),
        tuple(_packing(name, plan, dataset, tell) for name in (NETWORK, "cnn")),
    )


def _distances(name: str) -> tuple[float, float] | None:
    """L1 and squared L2 to sign; None for a surrogate that is no function of one element."""
    binarizer = estimators.get(name)
    if not isinstance(binarizer.surrogate, Curve):
        return None
    found = distance_to_sign(binarizer)
    return found.l1, found.l2_squared


def _compare(
    plan: Plan,
    dataset: data.Dataset,
    tell: Callable[[str], None],
    arms: Arms,
    config: train.Config,
    options: dict[str, Any],
) -> train.Comparison:
    total = len(arms) * plan.seeds
    done: list[train.Run] = []

    def count(run: train.Run) -> None:
        done.append(run)
        tell(f"training: {len(done)} of {total} ({run})")

    tell(f"training {total} networks (the first ones wait for the compiler)")
    given = (dataset, NETWORK, arms, range(plan.seeds), config, options, plan.jobs)
    return train.compare(*given, on_run_end=count)


def _packing(name: str, plan: Plan, dataset: data.Dataset, tell: Callable[[str], None]) -> Packing:
    """Train one network with the first estimator, pack it, and hold every answer against eval mode's."""
    tell(f"packing {name}")
    options = OPTIONS.get(plan.data, {}) if name == NETWORK else {"width": 16}
    model = models.build(
        name,
        input_shape=dataset.shape,
        classes=len(dataset.classes),
        estimator=plan.binary[0],
        **options,
    )
    preprocessing = data.Preprocessing.fit(dataset)
    train.fit(model, dataset, plan.config, preprocessing)
    bits = pack(model, preprocessing)
    x = preprocessing(dataset.test_images)
    scores = bits(x)
    wanted = np.concatenate([model(x[start : start + 256]) for start in range(0, len(x), 256)])
    return _measured(name, model, bits, x, scores, wanted, dataset.test_labels)


def _measured(
    name: str, model: models.Model, bits: PackedModel, x: Array, scores: Array, wanted: Array, labels: Array
) -> Packing:
    classes = scores.argmax(axis=1)
    confusion = np.zeros((scores.shape[1], scores.shape[1]), int)
    np.add.at(confusion, (labels, classes), 1)
    few = x[:64]
    return Packing(
        model=name,
        images=len(x),
        same_classes=int((classes == wanted.argmax(axis=1)).sum()),
        identical=bool(np.array_equal(scores, wanted)),
        accuracy=float((classes == labels).mean()),
        payload_bytes=bits.payload_bytes,
        float_bytes=sum(value.nbytes for value in deployed_state(model).values()),
        speed=paired(lambda: bits(few), lambda: model(few), 15),
        confusion=confusion,
    )
