"""Networks, built by name. Names of models and estimators are resolved here; layers take objects."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bnn_ref import estimators
from bnn_ref.binarizer import Map
from bnn_ref.checks import require, require_whole
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.models.base import Model, Spec
from bnn_ref.models.bireal import BiRealBlock, SmallBiReal
from bnn_ref.models.operands import Operands
from bnn_ref.models.small import CNN, MLP

__all__ = ["MODELS", "REAL", "BiRealBlock", "Model", "Operands", "Spec", "build", "names", "options"]

MODELS: dict[str, Callable[..., Model]] = {
    "mlp": MLP,
    "cnn": CNN,
    "bireal-small": SmallBiReal,
}

REAL = "real"
"""In place of an estimator's name: the full-precision twin (real weights, a clip in place of sign)."""


def names() -> list[str]:
    """The models that `build` knows."""
    return list(MODELS)


def options(name: str) -> dict[str, Any]:
    """The model's own options and their defaults.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the valid ones.
    """
    if name not in MODELS:
        raise ValueError(f"model: required one of {', '.join(MODELS)}; got {name!r}")
    parameters = inspect.signature(MODELS[name]).parameters
    common = ("operands", "input_shape", "classes")
    return {key: p.default for key, p in parameters.items() if key not in common}


def build(
    name: str,
    *,
    input_shape: Sequence[int] = (28, 28, 1),
    classes: int = 10,
    estimator: str = "approxsign",
    parameters: dict[str, Any] | None = None,
    weight_estimator: str = "clipped-ste",
    scale: bool = False,
    seed: int = 0,
    **own: Any,
) -> Model:
    """A network with freshly drawn weights.

    Parameters
    ----------
    name : str
        One of `names()`.
    input_shape : sequence of int
        (H, W, C) of an image, in pixels and channels.
    classes : int
        Length of the output.
    estimator : str
        Binarizer of the activations: a name of the estimator table, or "real" for the full-precision twin.
    parameters : dict, optional
        Parameters of that estimator.
    weight_estimator : str
        Binarizer of the weights (ignored in a full-precision twin).
    scale : bool
        Multiply binary weights by their mean absolute value per output channel.
    seed : int
        One seed, one network.
    **own
        Options of the model itself; `options(name)` lists them.

    Raises
    ------
    ValueError
        For unknown names, or an option that is unknown or out of range.
    """
    known = options(name)
    if unknown := sorted(set(own) - set(known)):
        raise ValueError(f"{name}: required options among {', '.join(known)}; got {', '.join(unknown)}")
    shape = _option("input_shape", input_shape, (28, 28, 1))
    require(len(shape) == 3, "input_shape", "three whole numbers, (H, W, C)", shape)
    _option("classes", classes, 10)
    _option("scale", scale, False)
    require_whole("seed", seed, 0)
    own = {key: _option(key, value, known[key]) for key, value in own.items()}
    rng = np.random.default_rng(seed)
    operands = Operands(*_binarizers(estimator, parameters or {}, weight_estimator), scale, rng)
    model = MODELS[name](operands, input_shape=shape, classes=classes, **own)
    spec_options = {
        "input_shape": list(shape),
        "classes": classes,
        "estimator": estimator,
        "parameters": parameters or {},
        "weight_estimator": weight_estimator,
        "scale": scale,
        "seed": seed,
        **own,
    }
    model.spec = Spec(name, spec_options)
    return model


def _binarizers(estimator: str, parameters: dict[str, Any], weight: str) -> tuple[Map, Map | None]:
    if estimator == REAL:
        return HardTanh(), None
    return estimators.get(estimator, **parameters), estimators.get(weight)


def _option(name: str, value: Any, default: Any) -> Any:
    """`value` as an option of the kind of `default`: yes or no, whole numbers >= 1, or one of them."""
    if isinstance(default, bool):
        require(isinstance(value, bool), name, "True or False", value)
        return value
    if not isinstance(default, tuple):
        require_whole(name, value, 1)
        return int(value)
    require(isinstance(value, (list, tuple)) and len(value) > 0, name, "a list of whole numbers >= 1", value)
    for part in value:
        require_whole(name, part, 1)
    return tuple(int(part) for part in value)
