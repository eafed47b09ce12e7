"""Which optimizer moves what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bnn_ref import estimators
from bnn_ref.checks import require
from bnn_ref.layers import Layer
from bnn_ref.optim import OPTIMIZERS, PROXIMAL, RULES, Optimizer
from bnn_ref.parameter import Parameter
from bnn_ref.train.config import Config

OWN: dict[str, tuple[str, ...]] = {"sgd": ("momentum", "nesterov"), "bop": ("gamma", "threshold")}
"""Fields of the configuration that one optimizer alone takes."""


def unfrozen(model: Layer, frozen: Sequence[str]) -> list[Parameter]:
    """The parameters of `model` under none of the names in `frozen`; ValueError for an unknown name."""
    named = model.named_parameters()
    for name in frozen:
        known = any(key.startswith(f"{name}.") for key in named)
        require(known, "frozen", "names of layers that have parameters", name)
    inside = tuple(f"{name}." for name in frozen)
    return [parameter for key, parameter in named.items() if not key.startswith(inside)]


def divided(
    model: Layer, parameters: Sequence[Parameter], config: Config
) -> tuple[list[Parameter], list[Parameter]]:
    """`parameters` as (those of the main optimizer, those of estimators that have a rate of their own).

    An estimator's own are what maps hold: BBC's MLP, DSQ's alpha, learned shifts of signs.
    """
    held = {id(p) for _, _, found in model.maps() for p in found.parameters()}
    own = held if config.estimator_lr is not None else set()
    return [p for p in parameters if id(p) not in own], [p for p in parameters if id(p) in own]


def make_optimizer(parameters: Sequence[Parameter], config: Config) -> Optimizer:
    """The optimizer of `parameters` that `config` asks for."""
    shared = ("weight_decay", "clip", "glorot", *OWN.get(config.base, ()))
    own: dict[str, Any] = {name: getattr(config, name) for name in shared}
    if config.optimizer in PROXIMAL:
        own["proximal"] = estimators.get(config.prox, **config.prox_parameters)
        own["rule"] = RULES[config.rule]
    return OPTIMIZERS[config.optimizer](parameters, config.lr, **own)
