"""Step two of Bi-Real Net's training: the weights stand still, batch norm is trained for an epoch more."""

from __future__ import annotations

from collections.abc import Callable

from bnn_ref.checks import require
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.layers import BatchNorm, Layer
from bnn_ref.train.config import Config
from bnn_ref.train.fit import run
from bnn_ref.train.history import Epoch, History
from bnn_ref.train.task import Task
from bnn_ref.train.training import Training

ONE_EPOCH = Config(epochs=1)


def retrain_norms(
    model: Layer,
    dataset: Dataset | Task,
    config: Config = ONE_EPOCH,
    preprocessing: Preprocessing | None = None,
    on_epoch_end: Callable[[Epoch], None] | None = None,
) -> History:
    """Train gamma and beta of every batch norm of `model`, and nothing else; running statistics move along.

    Parameters
    ----------
    model : Layer
        Trained; `models.drop_scale` makes the one that step two starts from. In place, then in eval mode.
    config : Config
        One epoch by default.
    dataset, preprocessing, on_epoch_end
        As in `fit`.

    Raises
    ------
    As `fit`; also ValueError for a model without batch norm.

    Notes
    -----
    Source: bireal2018 (README of the released code: weights set to -1 and +1, step size of the convolutions
    0, one epoch). `models.fold_scale` comes to the same end exactly, and without data.
    """
    norms = [layer for _, layer in model.layers() if isinstance(layer, BatchNorm)]
    require(len(norms) > 0, "model", "a network with batch norms", type(model).__name__)
    own = {id(part): part for norm in norms for part in (norm.gamma, norm.beta)}
    return run(Training(model, dataset, config, preprocessing, trained=[*own.values()]), on_epoch_end)
