"""One training run while it goes on: everything that changes in it, and how one epoch changes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any

import numpy as np

from bnn_ref.annealing import Moment
from bnn_ref.autodiff import Tensor, backward
from bnn_ref.checks import require
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.layers import Layer
from bnn_ref.optim import PROXIMAL, SCHEDULES, Adam, Proximal
from bnn_ref.parameter import Array, Parameter
from bnn_ref.train.config import LOSSES, Config
from bnn_ref.train.evaluation import BATCH
from bnn_ref.train.history import Epoch, History
from bnn_ref.train.optimizers import divided, make_optimizer, unfrozen
from bnn_ref.train.past import Past
from bnn_ref.train.penalties import Penalties
from bnn_ref.train.projection import measure_norms, quantization_gap
from bnn_ref.train.slopes import trained_slopes
from bnn_ref.train.task import Batch, Task, as_task


class Training:
    """A run: its model, generator, optimizer, clocks and history. A checkpoint holds their state.

    Parameters
    ----------
    model, dataset, config, preprocessing
        As in `fit`; `dataset` becomes the `task`.
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
        dataset: Dataset | Task,
        config: Config,
        preprocessing: Preprocessing | None = None,
        *,
        before: Sequence[Past] = (),
        trained: Sequence[Parameter] | None = None,
    ) -> None:
        self.task = as_task(dataset, preprocessing)
        self.task.check(model, config.loss)
        able = config.optimizer not in PROXIMAL or any(p.latent for p in model.parameters())
        require(able, "optimizer", "one of real weights for a model without latent ones", config.optimizer)
        self.model, self.config, self.parameters = model, config, model.parameters()
        self.rng = np.random.default_rng(config.seed)
        self.penalty = Penalties(model, config)
        parameters = unfrozen(model, config.frozen) if trained is None else trained
        main, own = divided(model, parameters, config)
        self.optimizer = make_optimizer([*main, *self.penalty.parameters()], config)
        self.beside = Adam(own, config.estimator_lr or config.lr)
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
        whole, rest = divmod(len(self.task), self.config.batch_size)
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
        slopes_before = trained_slopes(self.model)
        loss, penalty, right = self._train()
        if self.config.reestimate_norms:
            measure_norms(self.model, self.task.inputs(BATCH))
        measured = self.task.test(self.model)
        seconds = perf_counter() - start
        epoch = Epoch(
            number,
            **clock,
            loss=loss,
            train_accuracy=right,
            test_accuracy=measured,
            seconds=seconds,
            penalty=penalty,
            gaps=quantization_gap(self.model),
            slopes=trained_slopes(self.model),
            slopes_before=slopes_before,
            end_step=self.step,
            end_lr_sum=self.lr_sum,
            end_lr=self.optimizer.lr,
            measure=self.task.measure,
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
        loss, penalty, right, seen = 0.0, 0.0, 0.0, 0
        for inputs, targets in self._batches():
            batch_loss, batch_penalty, batch_right = self._take_step(inputs, targets)
            loss += batch_loss * len(inputs)
            penalty += batch_penalty * len(inputs)
            right += batch_right
            seen += len(inputs)
        for name, value in self.model.state_dict().items():
            self._check_finite(name, value)
        return loss / seen, penalty / seen, right / seen

    def _batches(self) -> Iterator[Batch]:
        """Shuffled batches. A last batch of one image is left out, for batch norm has no variance there.

        The order is new in every epoch, so that it is another image each time.
        """
        shuffled = self.task.batches(self.config.batch_size, self.rng)
        return (batch for batch in shuffled if len(batch[0]) > 1)

    def _take_step(self, inputs: Array, targets: tuple[Array, ...]) -> tuple[float, float, float]:
        """One step of the optimizers: (loss, penalty, number of right answers) before it."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the checks say it better
            self.model.draw(self.rng)
            answers = self.model(Tensor(inputs, wanted=False))
            loss = self.loss(answers, *targets)
            self._check_finite("loss", loss.value)
            backward(loss)
            penalty = self.penalty.add_gradients()
            self._set_rates()
            self.optimizer.step()
            self.beside.step()
        for parameter in self.parameters:
            parameter.zero_grad()
        self.penalty.zero_grad()
        self.lr_sum += self.optimizer.lr
        self.step += 1
        if self.config.anneal == "step":
            self._anneal(self.optimizer.lr)
        return float(loss.value), penalty, self.task.right(answers.value, targets)

    def _set_rates(self) -> None:
        """Move every rate: the optimizer's `lr` by `schedule`, any other NAME by `NAME_schedule`."""
        for name in self.optimizer.rates:
            plan = "schedule" if name == "lr" else f"{name}_schedule"
            factor = SCHEDULES[getattr(self.config, plan)](self.progress)
            setattr(self.optimizer, name, getattr(self.config, name) * factor)
        if self.config.estimator_lr is not None:
            self.beside.lr = self.config.estimator_lr * SCHEDULES[self.config.estimator_schedule](
                self.progress
            )

    def _check_finite(self, name: str, value: Array) -> None:
        if not np.isfinite(value).all():
            where = f"epoch {len(self.history)}, step {self.step}"
            cause = f"the step size {self.config.lr} may be too large"
            raise FloatingPointError(
                f"{name}: required finite numbers, got NaN or infinity in {where}; {cause}"
            )
