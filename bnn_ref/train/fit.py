"""The training loop."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.files import destination
from bnn_ref.kernels.memory import keeping
from bnn_ref.layers import Layer
from bnn_ref.train.checkpoint import load_checkpoint, save_checkpoint
from bnn_ref.train.config import Config
from bnn_ref.train.history import Epoch, History
from bnn_ref.train.task import Task
from bnn_ref.train.training import Training


def fit(
    model: Layer,
    dataset: Dataset | Task,
    config: Config,
    preprocessing: Preprocessing | None = None,
    on_epoch_end: Callable[[Epoch], None] | None = None,
    *,
    resume: str | PathLike[str] | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> History:
    """Train `model` in place; it comes back in eval mode.

    Parameters
    ----------
    model : Layer
        From images (N, H, W, C) to scores (N, classes), or to what the task asks, with fresh weights
        (or those to start from).
    dataset : Dataset or Task
        A data set to classify, or a task (`Poses`). Its test part is only watched: nothing is chosen by it.
    config : Config
        How to train.
    preprocessing : Preprocessing, optional
        `Preprocessing.fit(dataset)` by default; a task has its own.
    on_epoch_end : callable, optional
        Called with each `Epoch`, after its checkpoint is written.
    resume : path, optional
        A checkpoint of the same run: training goes on from there, to the result of the uninterrupted run.
    checkpoint : path, optional
        Where to put a checkpoint after each epoch, over the one before.

    Returns
    -------
    History
        All epochs, those before a resumed checkpoint included.

    Raises
    ------
    ValueError
        When the arguments do not fit each other, or `resume` is damaged or of another run.
    FileNotFoundError, IsADirectoryError
        When `resume` does not exist or `checkpoint` cannot be put where it should.
    FloatingPointError
        When the loss or a weight is no longer finite; names the epoch and the step, both counted from 0.

    Notes
    -----
    One seed makes one result, to the bit: on one machine, with one set of versions and one number of BLAS
    threads. The generator is the run's own; global ones are neither read nor moved.
    """
    if checkpoint is not None:
        destination(checkpoint)
    training = Training(model, dataset, config, preprocessing)
    if resume is not None:
        load_checkpoint(resume, training)
    return run(training, on_epoch_end, checkpoint)


def run(
    training: Training,
    on_epoch_end: Callable[[Epoch], None] | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> History:
    """The epochs that `training` still has to go; its model comes back in eval mode. As in `fit`."""
    while len(training.history) < training.config.epochs:
        with keeping():
            epoch = training.run_epoch()
        if checkpoint is not None:
            save_checkpoint(checkpoint, training)
        if on_epoch_end is not None:
            on_epoch_end(epoch)
    training.model.eval()
    return training.history
