"""One training run while it goes on: everything that changes in it, and how one epoch changes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_ref import estimators
from bnn_ref.annealing import Moment
from bnn_ref.autodiff import Tensor, backward
from bnn_ref.checks import require
from bnn_ref.data import Dataset, Preprocessing, batches
from bnn_ref.layers import Layer
from bnn_ref.optim import OPTIMIZERS, PROXIMAL, RULES, SCHEDULES, Optimizer, Proximal
from bnn_ref.parameter import Array, Parameter
from bnn_ref.train.config import LOSSES, Config
from bnn_ref.train.evaluation import evaluate
from bnn_ref.train.history import Epoch, History
from bnn_ref.train.past import Past
from bnn_ref.train.penalties import Penalties
from bnn_ref.train.projection import quantization_gap, reestimate_norms


class Training:
    """A run: its model, generator, optimizer, clocks and history. A checkpoint holds their state.

    Parameters
    ----------
    model, dataset, config, preprocessing
        As in `fit`.
    before : sequence of Past
        The stages that its first weights come from.
    trained : sequence of Parameter, optional
        What the optimizer moves: by default every parameter of `model` that `config` does not freeze.

    Raises
    ------
    ValueError
        When they do not fit each other.
    """

    def __init__(
        self,
        model: Layer,
        dataset: Dataset,
        config: Config,
        preprocessing: Preprocessing,
        *,
        before: Sequence[Past] = (),
        trained: Sequence[Parameter] | None = None,
    ) -> None:
        _check(model, dataset, preprocessing)
        able = config.optimizer not in PROXIMAL or any(p.latent for p in model.parameters())
        require(able, "optimizer", "one of real weights for a model without latent ones", config.optimizer)
        self.model, self.dataset, self.config, self.preprocessing = model, dataset, config, preprocessing
        self.rng = np.random.default_rng(config.seed)
        self.penalty = Penalties(model, config)
        parameters = unfrozen(model, config.frozen) if trained is None else trained
        self.optimizer = make_optimizer([*parameters, *self.penalty.parameters()], config)
        self.loss = LOSSES[config.loss]()
        self.history, self.step, self.lr_sum = History(), 0, 0.0
        self.before = tuple(before)

    @property
    def lr(self) -> float:
        """Size of the next step. The schedule runs over all steps of all epochs, and ends after the last."""
        return self.config.lr * SCHEDULES[self.config.schedule](self.progress)

    @property
    def progress(self) -> float:
        """Share of all steps of all epochs that are done."""
        return self.step / self.steps

    @property
    def steps(self) -> int:
        """All steps of all epochs."""
        whole, rest = divmod(len(self.dataset.train_images), self.config.batch_size)
        return self.config.epochs * (whole + int(rest > 1))

    def run_epoch(self) -> Epoch:
        """Anneal, refresh, take a step on every batch, test; the epoch joins the history.

        Raises
        ------
        FloatingPointError
            When a loss or a weight is no longer finite.
        """
        start, number = perf_counter(), len(self.history)
        clock: dict[str, Any] = {"step": self.step, "lr_sum": self.lr_sum, "lr": self.lr}
        self._anneal(self.lr)
        self._harden(number)
        self.model.refresh()
        self.model.train()
        loss, penalty, right = self._train()
        data = self.dataset
        if self.config.reestimate_norms:
            reestimate_norms(self.model, data.train_images, self.preprocessing)
        test = evaluate(self.model, data.test_images, data.test_labels, self.preprocessing)
        seconds = perf_counter() - start
        epoch = Epoch(
            number,
            **clock,
            loss=loss,
            train_accuracy=right,
            test_accuracy=test.accuracy,
            seconds=seconds,
            penalty=penalty,
            gaps=quantization_gap(self.model),
            end_step=self.step,
            end_lr_sum=self.lr_sum,
            end_lr=self.optimizer.lr,
        )
        self.history = History((*self.history, epoch))
        return epoch

    def _anneal(self, lr: float) -> None:
        """Move the model's binarizers and the optimizer to now; `lr`: size of the next step or the last."""
        epochs = self.config.epochs
        if self.config.anneal == "step":
            moment = Moment.of_step(self.step, self.steps, epochs, self.lr_sum, lr)
        else:
            moment = Moment.of_epoch(len(self.history), epochs, self.step, self.lr_sum, lr)
        self.model.anneal(moment)
        self.optimizer.anneal(moment)

    def _harden(self, epoch: int) -> None:
        begins = self.config.harden
        if begins is not None and epoch >= begins and isinstance(self.optimizer, Proximal):
            self.optimizer.harden()

    def _train(self) -> tuple[float, float, float]:
        """Mean loss, mean penalty and share of right answers over the epoch's batches."""
        loss, penalty, right, seen = 0.0, 0.0, 0, 0
        for images, labels in self._batches():
            batch_loss, batch_penalty, batch_right = self._take_step(images, labels)
            loss += batch_loss * len(labels)
            penalty += batch_penalty * len(labels)
            right += batch_right
            seen += len(labels)
        for name, value in self.model.state_dict().items():
            self._check_finite(name, value)
        return loss / seen, penalty / seen, right / seen

    def _batches(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Shuffled batches. A last batch of one image is left out, for batch norm has no variance there.

        The order is new in every epoch, so that it is another image each time.
        """
        shuffled = batches(
            self.dataset.train_images, self.dataset.train_labels, self.config.batch_size, self.rng
        )
        return (batch for batch in shuffled if len(batch[1]) > 1)

    def _take_step(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> tuple[float, float, int]:
        """One step of the optimizer: (loss, penalty, number of right answers) before it."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the checks say it better
            self.model.draw(self.rng)
            scores = self.model(Tensor(self.preprocessing(images), wanted=False))
            loss = self.loss(scores, labels)
            self._check_finite("loss", loss.value)
            backward(loss)
            penalty = self.penalty.add_gradients()
            self._set_rates()
            self.optimizer.step()
        self.model.zero_grad()
        self.penalty.zero_grad()
        self.lr_sum += self.optimizer.lr
        self.step += 1
        if self.config.anneal == "step":
            self._anneal(self.optimizer.lr)
        return float(loss.value), penalty, int((scores.value.argmax(axis=1) == labels).sum())

    def _set_rates(self) -> None:
        """Move every rate of the optimizer: `lr` by `schedule`, any other NAME by `NAME_schedule`."""
        for name in self.optimizer.rates:
            plan = "schedule" if name == "lr" else f"{name}_schedule"
            factor = SCHEDULES[getattr(self.config, plan)](self.progress)
            setattr(self.optimizer, name, getattr(self.config, name) * factor)

    def _check_finite(self, name: str, value: Array) -> None:
        if not np.isfinite(value).all():
            where = f"epoch {len(self.history)}, step {self.step}"
            cause = f"the step size {self.config.lr} may be too large"
            raise FloatingPointError(
                f"{name}: required finite numbers, got NaN or infinity in {where}; {cause}"
            )


def unfrozen(model: Layer, frozen: Sequence[str]) -> list[Parameter]:
    """The parameters of `model` under none of the names in `frozen`; ValueError for an unknown name."""
    named = model.named_parameters()
    for name in frozen:
        known = any(key.startswith(f"{name}.") for key in named)
        require(known, "frozen", "names of layers that have parameters", name)
    inside = tuple(f"{name}." for name in frozen)
    return [parameter for key, parameter in named.items() if not key.startswith(inside)]


OWN: dict[str, tuple[str, ...]] = {"sgd": ("momentum", "nesterov"), "bop": ("gamma", "threshold")}
"""Fields of the configuration that one optimizer alone takes."""


def make_optimizer(parameters: Sequence[Parameter], config: Config) -> Optimizer:
    """The optimizer of `parameters` that `config` asks for."""
    shared = ("weight_decay", "clip", "glorot", *OWN.get(config.base, ()))
    own: dict[str, Any] = {name: getattr(config, name) for name in shared}
    if config.optimizer in PROXIMAL:
        own["proximal"] = estimators.get(config.prox, **config.prox_parameters)
        own["rule"] = RULES[config.rule]
    return OPTIMIZERS[config.optimizer](parameters, config.lr, **own)


def _check(model: Layer, dataset: Dataset, preprocessing: Preprocessing) -> None:
    if preprocessing.shape != dataset.shape:
        raise ValueError(f"preprocessing: required shape {dataset.shape}, got {preprocessing.shape}")
    if len(dataset.train_images) < 2:
        raise ValueError("dataset: required at least 2 training images (batch norm needs a variance), got 1")
    spec = getattr(model, "spec", None)  # only networks made by models.build have one
    if spec is not None and spec.input_shape != dataset.shape:
        raise ValueError(f"model: required input_shape {dataset.shape}, got {spec.input_shape}")
    if spec is not None and spec.options["classes"] != len(dataset.classes):
        raise ValueError(f"model: required {len(dataset.classes)} classes, got {spec.options['classes']}")
