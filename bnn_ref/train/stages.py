"""Training in stages: each network starts from the weights at which the one before it ended.

Bi-Real Net's initialisation is such a chain: ReLU, leaky clip, clip, and then sign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from os import PathLike

from bnn_ref.checks import require
from bnn_ref.data import Dataset, Preprocessing
from bnn_ref.files import destination
from bnn_ref.layers import Layer
from bnn_ref.parameter import Array
from bnn_ref.train.checkpoint import finished, load_checkpoint
from bnn_ref.train.config import Config
from bnn_ref.train.fit import run
from bnn_ref.train.history import Epoch, History
from bnn_ref.train.past import Past
from bnn_ref.train.task import Task, as_task
from bnn_ref.train.training import Training


@dataclass(frozen=True, eq=False)
class Stage:
    """A network and how it is trained; its own first values count where the stage before has none."""

    model: Layer
    config: Config


def carry_over(source: Layer, target: Layer) -> tuple[str, ...]:
    """Give `target` every parameter and buffer of `source` that it has too, by name.

    Returns
    -------
    tuple of str
        The names that only `target` has, which keep their values: an estimator's own parameters, say.

    Raises
    ------
    ValueError
        When they have no name in common, or a tensor of one name has two shapes. Nothing is changed then.
    """
    state, kept = _carried(source, target)
    target.load_state_dict(state)
    return kept


def _carried(source: Layer, target: Layer) -> tuple[dict[str, Array], tuple[str, ...]]:
    """The state of `target` after it has taken over from `source`, and the names that keep their values."""
    given, own = source.state_dict(), target.state_dict()
    require(bool(set(given) & set(own)), "target", "a network with tensors of the source's names", [*own])
    state = {name: given.get(name, value) for name, value in own.items()}
    for name, value in own.items():
        require(state[name].shape == value.shape, name, f"shape {value.shape}", state[name].shape)
    return state, tuple(name for name in own if name not in given)


def fit_stages(
    stages: Sequence[Stage],
    dataset: Dataset | Task,
    preprocessing: Preprocessing | None = None,
    on_epoch_end: Callable[[Epoch], None] | None = None,
    *,
    resume: str | PathLike[str] | None = None,
    checkpoint: str | PathLike[str] | None = None,
) -> tuple[Past, ...]:
    """Train the networks of `stages` one after another, in place; each comes back in eval mode.

    A stage starts from the weights of the one before (`carry_over`): latent weights, batch norms with their
    running statistics, everything that both networks have. Optimizer, clocks, schedule and the order of the
    images start anew.

    Parameters
    ----------
    stages : sequence of Stage
        At least one. `fit` is what happens to one.
    dataset, preprocessing, on_epoch_end
        As in `fit`; the epochs of every stage are counted from 0.
    resume : path, optional
        A checkpoint of the same stages: training goes on in the stage that wrote it. The networks of the
        stages before that are not needed, and stay as they are.
    checkpoint : path, optional
        Where to put a checkpoint after each epoch of each stage, over the one before.

    Returns
    -------
    tuple of Past
        One a stage, those before a resumed checkpoint included.

    Raises
    ------
    As `fit`; also ValueError for no stages, or networks that cannot take over from each other.

    Notes
    -----
    Source: bireal2018 (README of the released code: ReLU, leaky clip and clip, each trained on from the one
    before, then the binary network). Epochs and step sizes of the two stages in the middle are not published.
    """
    require(len(stages) > 0, "stages", "at least one", len(stages))
    if checkpoint is not None:
        destination(checkpoint)
    for one, other in pairwise(stages):
        _carried(one.model, other.model)
    task = as_task(dataset, preprocessing)
    over = () if resume is None else finished(resume)
    require(
        len(over) < len(stages),
        "resume",
        f"a checkpoint of {len(stages)} stages",
        f"one of stage {len(over) + 1}",
    )
    past = [_past(stage, then.history) for stage, then in zip(stages, over, strict=False)]
    for number in range(len(over), len(stages)):
        stage = stages[number]
        training = Training(stage.model, task, stage.config, before=tuple(past))
        if resume is not None and number == len(over):
            load_checkpoint(resume, training)
        elif number:
            carry_over(stages[number - 1].model, stage.model)
        try:
            past.append(_past(stage, run(training, on_epoch_end, checkpoint)))
        except FloatingPointError as error:
            where = f"stage {number + 1}: " if len(stages) > 1 else ""
            raise FloatingPointError(f"{where}{error}") from error
    return tuple(past)


def _past(stage: Stage, history: History) -> Past:
    return Past(getattr(stage.model, "spec", None), stage.config, history)
