"""Everything that decides a training run, but for the model and the data: plain numbers and names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from math import isfinite
from typing import Any

from bnn_ref import estimators
from bnn_ref.layers import HeatmapLoss, LatentPenalty, Layer, SoftmaxCrossEntropy, SquaredHinge
from bnn_ref.optim import OPTIMIZERS, PROXIMAL, RULES, SCHEDULES

LOSSES: dict[str, type[Layer]] = {
    "cross-entropy": SoftmaxCrossEntropy,
    "squared-hinge": SquaredHinge,
    "heatmap": HeatmapLoss,
}

PENALTIES: dict[str, Callable[[float, float], LatentPenalty]] = {
    "r1": partial(LatentPenalty, 1),
    "r2": partial(LatentPenalty, 2),
}
"""Called with the strength and the first alpha. Source: after bnnplus2018."""

TABLES: dict[str, Collection[str]] = {
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "gamma_schedule": SCHEDULES,
    "estimator_schedule": SCHEDULES,
    "loss": LOSSES,
    "penalty": ["none", *PENALTIES],
    "rule": RULES,
    "prox": [*estimators.names(), *estimators.ALIASES],
    "anneal": ["epoch", "step"],
}
"""The fields that are names, and of what."""


@dataclass(frozen=True)
class Config:
    """How to train.

    Parameters
    ----------
    epochs : int
        Passes over the training images, at least 1.
    batch_size : int
        Images a step, at least 2: batch norm needs a variance.
    optimizer : str
        A key of `bnn_ref.optim.OPTIMIZERS`.
    lr : float
        First step size, positive.
    momentum : float
        In [0, 1); only "sgd" has it, as `optimizer` or as `rule`.
    nesterov : bool
        Look ahead; only "sgd" does, with momentum > 0.
    weight_decay : float
        lambda of the L2 term lambda * value in every gradient, at least 0.
    schedule : str
        A key of `bnn_ref.optim.SCHEDULES`: how the step size falls, step by step.
    clip : float or None
        Latent weights are clipped to [-clip, clip] after each step; None leaves them. With "binaryconnect"
        it is H, its `height`.
    glorot : bool
        Multiply the steps of latent weights by 1 / sqrt(1.5 / (fan in + fan out)), as BinaryConnect does.
    loss : str
        A key of `LOSSES`: "heatmap" for poses, the others for classes.
    gamma, threshold : float
        Of "bop" only: the weight of the newest gradient, in (0, 1], and tau, at least 0.
    gamma_schedule : str
        Of "bop" only, a key of `SCHEDULES`: how gamma falls ("decades" as in its CIFAR-10 code).
    penalty : str
        "none", or a key of `PENALTIES`: what is added to the loss for every latent weight.
    penalty_strength : float
        Its factor, at least 0.
    rule : str
        Of the proximal optimizers only, a key of `bnn_ref.optim.RULES`: what takes the gradient step.
    prox : str
        Of them only, a name of the estimator table: its forward is the proximal map P, its law moves P, and
        what it deploys is the projection.
    prox_parameters : dict
        Parameters of that estimator.
    harden : int or None
        Of them only: from this epoch on latent weights stay at their projection, and the rest is trained on.
    anneal : str
        How often laws are read: at the start of each "epoch", or after each "step", so that they end after
        the last one.
    reestimate_norms : bool
        Before each test, measure the statistics of batch norm behind the deployed weights: a pass more over
        the training images.
    frozen : tuple of str
        Dotted names of layers whose parameters, and those of all layers inside, stay as they are.
    estimator_lr : float or None
        First step size of the parameters that estimators have themselves (BBC's MLP, DSQ's alpha, learned
        shifts): Adam moves them then, without weight decay, beside the optimizer of all else. None: they are
        trained like all else.
    estimator_schedule : str
        A key of `SCHEDULES`: how that falls ("bbc" as in its released code).
    seed : int
        Of the generator that shuffles; at least 0. (First weights come from the seed of `models.build`.)

    Raises
    ------
    ValueError
        If a value is not as stated above.
    """

    epochs: int = 10
    batch_size: int = 64
    optimizer: str = "adam"
    lr: float = 1e-3
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    schedule: str = "cosine"
    clip: float | None = 1.0
    glorot: bool = False
    loss: str = "cross-entropy"
    gamma: float = 1e-4
    threshold: float = 1e-8
    gamma_schedule: str = "constant"
    penalty: str = "none"
    penalty_strength: float = 1e-6
    rule: str = "adam"
    prox: str = "proxconnect"
    prox_parameters: dict[str, Any] = field(default_factory=dict, hash=False)
    harden: int | None = None
    anneal: str = "epoch"
    reestimate_norms: bool = False
    estimator_lr: float | None = None
    estimator_schedule: str = "constant"
    seed: int = 0
    frozen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, good, required in self._requirements():
            if not good:
                raise ValueError(f"{name}: required {required}, got {getattr(self, name)!r}")

    def _requirements(self) -> Iterator[tuple[str, bool, str]]:
        """(field, whether it is good, what is required of it), in order: later ones rely on earlier."""
        yield "epochs", _whole(self.epochs, 1), "a whole number >= 1"
        yield "batch_size", _whole(self.batch_size, 2), "a whole number >= 2 (batch norm needs a variance)"
        for name, table in TABLES.items():
            yield name, getattr(self, name) in list(table), f"one of {', '.join(table)}"
        yield "lr", _number(self.lr) and self.lr > 0, "a finite number > 0"
        yield "momentum", _number(self.momentum) and 0 <= self.momentum < 1, "a number in [0, 1)"
        yield "nesterov", isinstance(self.nesterov, bool), "True or False"
        able = self.base == "sgd" and self.momentum > 0
        yield "nesterov", able or not self.nesterov, "False without sgd and momentum > 0"
        yield "weight_decay", _number(self.weight_decay) and self.weight_decay >= 0, "a finite number >= 0"
        clip = self.clip is None or (_number(self.clip) and self.clip > 0)
        yield "clip", clip, "a finite number > 0, or None"
        yield "glorot", isinstance(self.glorot, bool), "True or False"
        yield "gamma", _number(self.gamma) and 0 < self.gamma <= 1, "a number in (0, 1]"
        for name in ("threshold", "penalty_strength"):
            good = _number(getattr(self, name)) and getattr(self, name) >= 0
            yield name, good, "a finite number >= 0"
        yield "prox_parameters", isinstance(self.prox_parameters, dict), "a dictionary"
        harden = self.harden is None or (_whole(self.harden, 0) and self.optimizer in PROXIMAL)
        yield "harden", harden, "None, or with a proximal optimizer a whole number >= 0"
        yield "reestimate_norms", isinstance(self.reestimate_norms, bool), "True or False"
        own = self.estimator_lr is None or (_number(self.estimator_lr) and self.estimator_lr > 0)
        yield "estimator_lr", own, "a finite number > 0, or None"
        yield "seed", _whole(self.seed, 0), "a whole number >= 0"
        named = isinstance(self.frozen, tuple) and all(isinstance(name, str) and name for name in self.frozen)
        yield "frozen", named, "a tuple of names of layers"

    @property
    def base(self) -> str:
        """The optimizer that takes the gradient step."""
        return self.rule if self.optimizer in PROXIMAL else self.optimizer

    def to_dict(self) -> dict[str, Any]:
        """The fields under their names, as JSON writes them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Config:
        """The configuration that `to_dict` wrote.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or a value is not one that the field allows.
        """
        required = [field.name for field in fields(cls)]
        if sorted(values) != sorted(required):
            raise ValueError(f"config: required the keys {', '.join(required)}; got {', '.join(values)}")
        frozen = values["frozen"]  # JSON has no tuples
        return cls(**{**values, "frozen": tuple(frozen) if isinstance(frozen, list) else frozen})


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
