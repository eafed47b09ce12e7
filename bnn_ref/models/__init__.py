"""Networks, built by name. Names of models and estimators are resolved here; layers take objects."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from bnn_ref import estimators
from bnn_ref.binarizer import Binarizer, Map, ReLU, Scaled
from bnn_ref.checks import require, require_whole
from bnn_ref.estimators.bireal import LeakyClip
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.layers import CHANNEL_SCALE, TENSOR_SCALE
from bnn_ref.models.base import Model, Spec
from bnn_ref.models.bhrnet import BHRNet
from bnn_ref.models.bireal import BiReal, BiReal20, BiRealBlock, SmallBiReal
from bnn_ref.models.bottleneck import DeepBiReal
from bnn_ref.models.caffe import CaffeBiReal
from bnn_ref.models.folding import FOLDED, drop_scale, fold_scale
from bnn_ref.models.hrnet import HRNet
from bnn_ref.models.operands import Operands
from bnn_ref.models.reactnet import ReActBlock, ReActMobileBlock, ReActNet18, ReActNetA, SmallReActNet
from bnn_ref.models.reals import RealResNet
from bnn_ref.models.realtobinary import RealToBinary, RealToBinaryBlock
from bnn_ref.models.released import from_pytorch
from bnn_ref.models.resnet import ResNet, ResNetBlock
from bnn_ref.models.sbpn import SBPN
from bnn_ref.models.simplebaseline import SimpleBaseline
from bnn_ref.models.small import CNN, MLP
from bnn_ref.models.vgg import VGG
from bnn_ref.models.vit import TransformerBlock, VisionTransformer

__all__ = [
    "MODELS",
    "NONE",
    "REAL",
    "SCALES",
    "TWINS",
    "BiRealBlock",
    "Model",
    "Operands",
    "ReActBlock",
    "ReActMobileBlock",
    "RealToBinaryBlock",
    "ResNetBlock",
    "Spec",
    "TransformerBlock",
    "VisionTransformer",
    "build",
    "drop_scale",
    "fold_scale",
    "from_pytorch",
    "names",
    "options",
    "reconstructed",
    "source",
]

MODELS: dict[str, Callable[..., Model]] = {
    "mlp": MLP,
    "cnn": CNN,
    "bireal-small": SmallBiReal,
    "resnet-20": ResNet,
    "vgg-small": VGG,
    "bireal-20": BiReal20,
    "bireal-18": BiReal,
    "bireal-34": partial(BiReal, blocks=(6, 8, 12, 6)),
    "bireal-50": DeepBiReal,
    "bireal-152": partial(DeepBiReal, blocks=(3, 8, 36, 3)),
    "bireal-18-caffe": CaffeBiReal,
    "bireal-34-caffe": partial(CaffeBiReal, blocks=(6, 8, 12, 6)),
    "resnet-18": RealResNet,
    "resnet-34": partial(RealResNet, blocks=(3, 4, 6, 3)),
    "reactnet-18": ReActNet18,
    "reactnet-small": SmallReActNet,
    "reactnet-a": ReActNetA,
    "real-to-binary": RealToBinary,
    "vit-tiny": VisionTransformer,
    "deit-tiny": partial(VisionTransformer, width=192, depth=12, heads=3, patch=16),
    "deit-small": partial(VisionTransformer, width=384, depth=12, heads=6, patch=16),
    "deit-base": partial(VisionTransformer, width=768, depth=12, heads=12, patch=16),
    "simplebaseline-18": SimpleBaseline,
    "simplebaseline-34": partial(SimpleBaseline, blocks=(3, 4, 6, 3)),
    "simplebaseline-50": partial(SimpleBaseline, blocks=(3, 4, 6, 3), bottleneck=True),
    "simplebaseline-101": partial(SimpleBaseline, blocks=(3, 4, 23, 3), bottleneck=True),
    "simplebaseline-152": partial(SimpleBaseline, blocks=(3, 8, 36, 3), bottleneck=True),
    "sbpn": SBPN,
    "hrnet-w32": HRNet,
    "hrnet-w48": partial(HRNet, width=48),
    "bhrnet-w32": BHRNet,
    "bhrnet-w48": partial(BHRNet, width=48),
}

REAL = "real"
"""In place of an estimator's name: the full-precision twin (real weights, a clip in place of sign)."""

NONE = "none"
"""In place of an estimator's name: activations stay as they come, only weights are binary."""

TWINS: dict[str, Map] = {REAL: HardTanh(), "real-relu": ReLU(), "real-leaky-clip": LeakyClip()}
"""The full-precision twins, by what stands in place of sign: the clip, or one of its forerunners."""

SCALES: dict[str, Map | None] = {"none": None, "channel": CHANNEL_SCALE, "tensor": TENSOR_SCALE}
"""What binary weights are multiplied by."""


def names() -> list[str]:
    """The models that `build` knows."""
    return list(MODELS)


def source(name: str) -> str:
    """Whose network it is: the first sentence behind "Source:" where its class is declared.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the valid ones.
    """
    said = (_kind(name).__doc__ or "").partition("Source: ")[2].partition("\n\n")[0]
    return " ".join(said.split()).partition(". ")[0].rstrip(".")


def reconstructed() -> list[str]:
    """The models of which little more than a name is published: the rest is ours, as their source says."""
    return [name for name in MODELS if "reconstruction" in source(name)]


def options(name: str) -> dict[str, Any]:
    """The model's own options and their defaults.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the valid ones.
    """
    _kind(name)
    parameters = inspect.signature(MODELS[name]).parameters
    common = ("operands", "input_shape", "classes")
    return {key: p.default for key, p in parameters.items() if key not in common}


def _kind(name: str) -> Any:
    """The class of the model `name`."""
    if name not in MODELS:
        raise ValueError(f"model: required one of {', '.join(MODELS)}; got {name!r}")
    return getattr(MODELS[name], "func", MODELS[name])


def build(
    name: str,
    *,
    input_shape: Sequence[int] = (28, 28, 1),
    classes: int = 10,
    estimator: str = "approxsign",
    parameters: dict[str, Any] | None = None,
    weight_estimator: str = "clipped-ste",
    weight_parameters: dict[str, Any] | None = None,
    scale: str = "none",
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
        Length of the output; pose networks have an option `joints` in its place.
    estimator : str
        Binarizer of the activations: a name of the estimator table; or a key of `TWINS` ("real",
        "real-relu", "real-leaky-clip") for a full-precision twin; or "none" for binary weights behind real
        activations, in networks with nonlinearities of their own (the vision transformers).
    parameters : dict, optional
        Parameters of that estimator.
    weight_estimator : str
        Binarizer of the weights, or "real" for real weights behind binary activations: the first of the two
        steps in which ReActNet is trained. (A full-precision twin ignores this and the next two.)
    weight_parameters : dict, optional
        Parameters of that estimator.
    scale : str
        What binary weights are multiplied by: "none", or their mean absolute value, of each output
        "channel" or of the whole "tensor". "folded" takes out the scale that a rule has itself: what
        `fold_scale` leaves.
    seed : int
        One seed, one network.
    **own
        Options of the model itself; `options(name)` lists them.

    Raises
    ------
    ValueError
        For unknown names, or an option that is unknown or out of range.
    """
    own = _own(name, own)
    shape = _option("input_shape", input_shape, (28, 28, 1))
    require(len(shape) == 3, "input_shape", "three whole numbers, (H, W, C)", shape)
    _option("classes", classes, 10)
    known = [*SCALES, FOLDED]
    require(scale in known, "scale", f"one of {', '.join(known)}", scale)
    require_whole("seed", seed, 0)
    parameters = _dictionary("parameters", parameters)
    weight_parameters = _dictionary("weight_parameters", weight_parameters)
    activation, twin = _activation(name, estimator, parameters), estimator in TWINS
    without = weight_estimator != REAL or not weight_parameters
    require(without, "weight_parameters", f"none with {REAL!r}", weight_parameters)
    real = twin or weight_estimator == REAL
    rule = None if real else estimators.get(weight_estimator, **weight_parameters)
    weight, beside = _scale(rule, weight_estimator, scale)
    operands = Operands(activation, weight, beside, np.random.default_rng(seed))
    model = MODELS[name](operands, input_shape=shape, classes=classes, **own)
    chosen = {
        "input_shape": list(shape),
        "classes": classes,
        "estimator": estimator,
        "parameters": parameters,
        "weight_estimator": weight_estimator,
        "weight_parameters": weight_parameters,
        "scale": scale,
        "seed": seed,
        **own,
    }
    model.spec = Spec(name, chosen)
    return model


def _scale(weight: Binarizer | None, name: str, scale: str) -> tuple[Map | None, Map | None]:
    """The rule for weights, called `name`, and what stands beside it."""
    if weight is None:
        return None, None
    foldable = isinstance(weight.deploy(), Scaled)
    allowed = ["none"] if weight.scaled or weight.reduces else list(SCALES)
    allowed += [FOLDED] if foldable else []
    why = ", which has its own" if weight.scaled else ""
    require(scale in allowed, "scale", f"one of {', '.join(allowed)} beside {name!r}{why}", scale)
    return (weight.unscaled(), None) if scale == FOLDED else (weight, SCALES[scale])


def _activation(name: str, estimator: str, parameters: dict[str, Any]) -> Map | None:
    """What stands in front of the binary layers of the model `name`."""
    table = estimator not in (NONE, *TWINS)
    require(table or not parameters, "parameters", f"none with {estimator!r}", parameters)
    fits = estimator != NONE or _kind(name).nonlinear
    require(fits, "estimator", f"a nonlinearity: {name} has no other", estimator)
    activation = estimators.get(estimator, **parameters) if table else TWINS.get(estimator)
    fits = activation is None or not activation.reduces
    require(fits, "estimator", f"one of {', '.join([*estimators.activations(), *TWINS, NONE])}", estimator)
    return activation


def _own(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """`given` as options of the model itself."""
    known = options(name)
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(f"{name}: required options among {', '.join(known)}; got {', '.join(unknown)}")
    return {key: _option(key, value, known[key]) for key, value in given.items()}


def _dictionary(name: str, value: Any) -> dict[str, Any]:
    require(value is None or isinstance(value, dict), name, "a dictionary or None", value)
    return value or {}


def _option(name: str, value: Any, default: Any) -> Any:
    """`value` as an option of the kind of `default`: yes or no, a word, or whole numbers >= 1, or one."""
    if isinstance(default, str):
        require(isinstance(value, str), name, "a word", value)
        return value
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
