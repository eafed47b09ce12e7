"""Model files: what a trained network is, and how it was trained, in one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import Any

from bnn_ref.data import Preprocessing
from bnn_ref.models import Model, build
from bnn_ref.parameter import Array
from bnn_ref.train.config import Config
from bnn_ref.train.container import explained, read, write
from bnn_ref.train.history import History
from bnn_ref.train.past import Past

KIND = "bnn_ref model"


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A model in eval mode, the preprocessing and the class names that go with it, and how it was trained.

    `before` are the stages that its first weights came from, none where they were drawn; `data` describes
    what it was trained on (`Task.describe`), where the file says it.
    """

    model: Model
    preprocessing: Preprocessing
    classes: tuple[str, ...]
    history: History
    config: Config
    before: tuple[Past, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)


def save_model(
    path: str | PathLike[str],
    model: Model,
    preprocessing: Preprocessing,
    classes: Sequence[str],
    history: History,
    config: Config,
    before: Sequence[Past] = (),
    data: Mapping[str, Any] | None = None,
) -> None:
    """Put `model` into the file `path`, whole or not at all: latent weights, buffers and how it was trained.

    Parameters
    ----------
    path : path
        By convention NAME.safetensors; its folder exists (`bnn_ref.files.destination` asks beforehand).
    model : Model
        As `models.build` made it, trained.
    preprocessing, classes, history, config
        What it was trained with; one class name (or name of a joint) an output.
    before : sequence of Past
        The stages that its first weights came from, as `fit_stages` returns them (all but the last).
    data : mapping, optional
        What it was trained on, as `Task.describe` says it.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
        When no file can be put there.
    ValueError
        For a model without a `spec`, another number of classes, or a history longer than the configuration.
    """
    if not hasattr(model, "spec"):
        raise ValueError(f"model: required one made by models.build, got {type(model).__name__}")
    _check(model, preprocessing, classes, history, config)
    content = {
        "model": asdict(model.spec),
        "preprocessing": preprocessing.to_dict(),
        "classes": list(classes),
        "history": history.to_dict(),
        "config": config.to_dict(),
        "before": [past.to_dict() for past in before],
        "data": dict(data or {}),
    }
    write(path, KIND, content, model.state_dict())


def load_model(path: str | PathLike[str]) -> TrainedModel:
    """The trained model in the file `path`, in eval mode and annealed to its last epoch.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is damaged, or no model file of this version; names the file and the reason.
    """
    content, tensors = read(path, KIND)
    with explained(path, KIND):
        return _rebuilt(content, tensors)


def _rebuilt(content: Mapping[str, Any], tensors: Mapping[str, Array]) -> TrainedModel:
    preprocessing = Preprocessing.from_dict(content["preprocessing"])
    history, config = History.from_dict(content["history"]), Config.from_dict(content["config"])
    classes = tuple(str(name) for name in content["classes"])
    before = tuple(Past.from_dict(past) for past in content.get("before", ()))  # older files have none
    model = build(content["model"]["name"], **content["model"]["options"])
    _check(model, preprocessing, classes, history, config)
    if len(dtypes := {tensor.dtype for tensor in tensors.values()}) != 1:
        raise ValueError(f"weights: required one dtype, got {sorted(map(str, dtypes))}")
    model.astype(dtypes.pop()).load_state_dict(tensors)
    if len(history):
        model.anneal(history.moment(config.epochs, config.anneal))
    model.eval()
    return TrainedModel(model, preprocessing, classes, history, config, before, content.get("data", {}))


def _check(
    model: Model, preprocessing: Preprocessing, classes: Sequence[str], history: History, config: Config
) -> None:
    if len(classes) != (wanted := model.spec.options["classes"]):
        raise ValueError(f"classes: required {wanted} names, got {len(classes)}")
    if preprocessing.shape != model.spec.input_shape:
        raise ValueError(f"preprocessing: required shape {model.spec.input_shape}, got {preprocessing.shape}")
    if len(history) > config.epochs:
        raise ValueError(f"history: required at most {config.epochs} epochs, got {len(history)}")
