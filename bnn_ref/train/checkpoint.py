"""Checkpoints: the state of a training run between two epochs, from which it goes on bit for bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from os import PathLike
from typing import Any

from bnn_ref.parameter import Array
from bnn_ref.train.container import explained, read, write
from bnn_ref.train.history import History
from bnn_ref.train.past import Past
from bnn_ref.train.training import Training

KIND = "bnn_ref checkpoint"


def save_checkpoint(path: str | PathLike[str], training: Training) -> None:
    """Put the run's state into the file `path`, whole or not at all.

    It holds latent weights, buffers, penalties, the memory of optimizers, generator state, clocks, history,
    and what tells one run from another: configuration, model, preprocessing, name and size of the data,
    stages before.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        When no file can be put there.
    """
    state = {
        "generator": training.rng.bit_generator.state,
        "history": training.history.to_dict(),
        "step": training.step,
        "lr_sum": training.lr_sum,
    }
    tensors = {f"model.{key}": value for key, value in training.model.state_dict().items()}
    tensors |= {f"penalty.{key}": value for key, value in training.penalty.state_dict().items()}
    tensors |= {f"optimizer.{key}": value for key, value in training.optimizer.state_dict().items()}
    tensors |= {f"beside.{key}": value for key, value in training.beside.state_dict().items()}
    write(path, KIND, {"run": identity(training), "state": state}, tensors)


def load_checkpoint(path: str | PathLike[str], training: Training) -> None:
    """Set a fresh `training` to the state in the file `path`.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is damaged, no checkpoint of this version, or of another run; names the file and the reason.
    """
    content, tensors = read(path, KIND)
    with explained(path, KIND):
        _check_same(content["run"], identity(training))
        _restore(training, content["state"], tensors)


def finished(path: str | PathLike[str]) -> tuple[Past, ...]:
    """The stages before the one that wrote the checkpoint in the file `path`; errors as `load_checkpoint`."""
    content, _ = read(path, KIND)
    with explained(path, KIND):
        return tuple(Past.from_dict(past) for past in content["run"]["before"])


def identity(training: Training) -> dict[str, Any]:
    """What tells one run from another, as JSON reads it back."""
    spec = getattr(training.model, "spec", None)
    run = {
        "config": training.config.to_dict(),
        "model": None if spec is None else asdict(spec),
        "preprocessing": training.task.preprocessing.to_dict(),
        "dtypes": sorted({value.dtype.name for value in training.model.state_dict().values()}),
        "data": training.task.describe(),
        "before": [past.to_dict() for past in training.before],
    }
    return json.loads(json.dumps(run))


def _check_same(saved: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    for part in own:
        if saved[part] != own[part]:
            raise ValueError(f"the checkpoint of another run: its {part} is {saved[part]}, not {own[part]}")


def _restore(training: Training, state: Mapping[str, Any], tensors: Mapping[str, Array]) -> None:
    history = History.from_dict(state["history"])
    training.rng.bit_generator.state = state["generator"]
    training.optimizer.load_state_dict(_under("optimizer.", tensors))
    training.beside.load_state_dict(_under("beside.", tensors))
    training.model.load_state_dict(_under("model.", tensors))
    training.penalty.load_state_dict(_under("penalty.", tensors))
    if len(history):
        training.model.anneal(history.moment(training.config.epochs, training.config.anneal))
    training.history, training.step, training.lr_sum = history, int(state["step"]), float(state["lr_sum"])


def _under(prefix: str, tensors: Mapping[str, Array]) -> dict[str, Array]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
