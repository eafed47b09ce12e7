"""One training run while it goes on: everything that changes in it, and how one epoch changes it."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bnn_ref.annealing import Moment
from bnn_ref.autodiff import Tensor, backward
from bnn_ref.data import Dataset, Preprocessing, batches
from bnn_ref.layers import Layer
from bnn_ref.optim import OPTIMIZERS, SCHEDULES, Optimizer
from bnn_ref.parameter import Array
from bnn_ref.train.config import LOSSES, Config
from bnn_ref.train.evaluation import evaluate
from bnn_ref.train.history import Epoch, History


class Training:
    """A run: its model, generator, optimizer, clocks and history. A checkpoint holds their state.

    Parameters
    ----------
    model, dataset, config, preprocessing
        As in `fit`.

    Raises
    ------
    ValueError
        When they do not fit each other.
    """

    def __init__(self, model: Layer, dataset: Dataset, config: Config, preprocessing: Preprocessing) -> None:
        _check(model, dataset, preprocessing)
        self.model, self.dataset, self.config, self.preprocessing = model, dataset, config, preprocessing
        self.rng = np.random.default_rng(config.seed)
        self.optimizer = make_optimizer(model, config)
        self.loss = LOSSES[config.loss]()
        self.history, self.step, self.lr_sum = History(), 0, 0.0

    @property
    def lr(self) -> float:
        """Size of the next step. The schedule runs over all steps of all epochs, and ends after the last."""
        whole, rest = divmod(len(self.dataset.train_images), self.config.batch_size)
        steps = self.config.epochs * (whole + int(rest > 1))
        return self.config.lr * SCHEDULES[self.config.schedule](self.step / steps)

    def run_epoch(self) -> Epoch:
        """Anneal, take a step on every batch, test; the epoch joins the history.

        Raises
        ------
        FloatingPointError
            When a loss or a weight is no longer finite.
        """
        start, number = perf_counter(), len(self.history)
        clock: dict[str, Any] = {"step": self.step, "lr_sum": self.lr_sum, "lr": self.lr}
        self.model.anneal(Moment.of_epoch(number, self.config.epochs, self.step, self.lr_sum))
        self.model.train()
        loss, right = self._train()
        data = self.dataset
        test = evaluate(self.model, data.test_images, data.test_labels, self.preprocessing)
        seconds = perf_counter() - start
        epoch = Epoch(
            number, **clock, loss=loss, train_accuracy=right, test_accuracy=test.accuracy, seconds=seconds
        )
        self.history = History((*self.history, epoch))
        return epoch

    def _train(self) -> tuple[float, float]:
        """Mean loss and share of right answers over the epoch's batches."""
        loss, right, seen = 0.0, 0, 0
        for images, labels in self._batches():
            batch_loss, batch_right = self._take_step(images, labels)
            loss += batch_loss * len(labels)
            right += batch_right
            seen += len(labels)
        for name, value in self.model.state_dict().items():
            self._check_finite(name, value)
        return loss / seen, right / seen

    def _batches(self) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.int64]]]:
        """Shuffled batches. A last batch of one image is left out, for batch norm has no variance there.

        The order is new in every epoch, so that it is another image each time.
        """
        shuffled = batches(
            self.dataset.train_images, self.dataset.train_labels, self.config.batch_size, self.rng
        )
        return (batch for batch in shuffled if len(batch[1]) > 1)

    def _take_step(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> tuple[float, int]:
        """One step of the optimizer: (loss, number of right answers) before it."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the checks say it better
            self.model.draw(self.rng)
            scores = self.model(Tensor(self.preprocessing(images)))
            loss = self.loss(scores, labels)
            self._check_finite("loss", loss.value)
            backward(loss)
            self.optimizer.lr = self.lr
            self.optimizer.step()
        self.model.zero_grad()
        self.lr_sum += self.optimizer.lr
        self.step += 1
        return float(loss.value), int((scores.value.argmax(axis=1) == labels).sum())

    def _check_finite(self, name: str, value: Array) -> None:
        if not np.isfinite(value).all():
            where = f"epoch {len(self.history)}, step {self.step}"
            cause = f"the step size {self.config.lr} may be too large"
            raise FloatingPointError(
                f"{name}: required finite numbers, got NaN or infinity in {where}; {cause}"
            )


def make_optimizer(model: Layer, config: Config) -> Optimizer:
    """The optimizer of all parameters of `model` that `config` asks for."""
    own = {"momentum": config.momentum, "nesterov": config.nesterov} if config.optimizer == "sgd" else {}
    make = OPTIMIZERS[config.optimizer]
    return make(model.parameters(), config.lr, weight_decay=config.weight_decay, clip=config.clip, **own)


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
