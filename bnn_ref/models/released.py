"""The weights of Bi-Real Net's PyTorch release, under its names and in its order of axes, as ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np

from bnn_ref.checks import require
from bnn_ref.layers import BatchNorm, Layer
from bnn_ref.models.bireal import BiReal, BiRealBlock
from bnn_ref.parameter import Array

_NORM = {"gamma": "weight", "beta": "bias", "running_mean": "running_mean", "running_var": "running_var"}
_PRODUCT = {"latent": "weight", "bias": "bias"}


def from_pytorch(model: Layer, state: Mapping[str, Any]) -> dict[str, Array]:
    """`state` as `model.load_state_dict` takes it.

    Parameters
    ----------
    model : Layer
        `bireal-18`, `bireal-34`, or another size of that network; with `scale="channel"` it computes what the
        release does, whose forward multiplies every binary filter by its mean absolute value.
    state : mapping of str to array
        Names and shapes of the release: `conv1.weight` (F, C, 7, 7), `bn1.weight`, `bn1.running_mean`,
        `layer1.0.binary_conv.weight` (or `.weights`) as (F C K K, 1) or (F, C, K, K), latent or signs,
        `layer2.0.downsample.1.weight`, `layer2.0.downsample.2.weight`, `fc.weight`, and so on. A prefix
        `module.` is taken off, counters of batches are left out.

    Returns
    -------
    dict of str to float32 array
        Channels last.

    Raises
    ------
    ValueError
        Naming the key that is missing, unknown, or has another shape; or for another model.

    Notes
    -----
    Where the release's sign(0) is 0, ours is +1: a latent weight of exactly 0 makes another network.

    Source: bireal2018 (PyTorch release).
    """
    wanted = released_names(model)
    own = model.state_dict()
    given = {_plain(key): value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    if missing := [key for key in wanted.values() if key not in given]:
        raise ValueError(f"state: required {missing[0]!r} (and {len(missing) - 1} more), which is missing")
    if unknown := [key for key in given if key not in set(wanted.values())]:
        raise ValueError(f"state: got {unknown[0]!r} (and {len(unknown) - 1} more), which the model lacks")
    return {key: _channels_last(name, given[name], own[key].shape) for key, name in wanted.items()}


def released_names(model: Layer) -> dict[str, str]:
    """Our dotted name -> the release's, for every parameter and buffer of a `BiReal` network.

    Raises
    ------
    ValueError
        For another model, or one without a shortcut for every convolution.
    """
    require(isinstance(model, BiReal), "model", "bireal-18 or bireal-34", type(model).__name__)
    assert isinstance(model, BiReal)
    kinds = {type(block).__name__ for block in model.body.parts}
    require(kinds == {BiRealBlock.__name__}, "model", "shortcut='bireal'", f"blocks of {min(kinds)}")
    theirs = {id(layer): name for layer, name in _layers(model)}
    names = {}
    for prefix, layer in model.layers():
        if id(layer) in theirs:
            for own, name in (_NORM if isinstance(layer, BatchNorm) else _PRODUCT).items():
                if getattr(layer, own) is not None:
                    names[f"{prefix}.{own}"] = f"{theirs[id(layer)]}.{name}"
    return names


def _layers(model: BiReal) -> Iterator[tuple[Layer, str]]:
    """Every layer with tensors, and what the release calls it."""
    conv, norm, _ = model.stem.parts
    yield from ((conv, "conv1"), (norm, "bn1"), (model.head, "fc"))
    stage, place = 1, 0
    blocks = [block for block in model.body.parts if isinstance(block, BiRealBlock)]
    for block in blocks:
        if block.shortcut is not None:
            stage, place = stage + 1, 0
        prefix = f"layer{stage}.{place}"
        place += 1
        conv, norm = block.branch.parts
        yield from ((conv, f"{prefix}.binary_conv"), (norm, f"{prefix}.bn1"))
        if block.shortcut is not None:
            _, conv, norm = block.shortcut.parts
            yield from ((conv, f"{prefix}.downsample.1"), (norm, f"{prefix}.downsample.2"))


def _plain(key: str) -> str:
    key = key.removeprefix("module.")
    return key.removesuffix("s") if key.endswith("binary_conv.weights") else key


def _channels_last(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """`value`, stored with channels first, in our order; `shape` is ours."""
    array = np.asarray(value)
    first = (shape[3], shape[2], *shape[:2]) if len(shape) == 4 else shape[::-1]
    flat = (prod(shape), 1) if name.endswith("binary_conv.weight") else first
    wanted = " or ".join(str(each) for each in dict.fromkeys((flat, first)))
    require(array.shape in (flat, first), f"state[{name!r}]", f"shape {wanted}", array.shape)
    order = (2, 3, 1, 0) if len(shape) == 4 else range(len(shape))[::-1]
    return np.ascontiguousarray(array.reshape(first).transpose(order), np.float32)
