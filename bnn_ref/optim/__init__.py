"""Optimizers over latent weights, and schedules of their step size."""

from collections.abc import Callable

from bnn_ref.optim.adam import Adam
from bnn_ref.optim.base import Optimizer
from bnn_ref.optim.bop import Bop
from bnn_ref.optim.prox import PostTraining, ProxConnect, Proximal, ProxQuant, ReverseProxConnect
from bnn_ref.optim.schedules import SCHEDULES, Constant, Cosine, Linear, Step
from bnn_ref.optim.sgd import SGD

RULES: dict[str, Callable[..., Optimizer]] = {"sgd": SGD, "adam": Adam}
"""What may stand in for the gradient step of a proximal optimizer."""

PROXIMAL: dict[str, type[Proximal]] = {
    "post-training": PostTraining,
    "prox-connect": ProxConnect,
    "prox-quant": ProxQuant,
    "reverse-prox-connect": ReverseProxConnect,
}
"""The optimizers that split a latent weight into a continuous and a quantized one."""

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {**RULES, "bop": Bop, **PROXIMAL}

__all__ = [
    "OPTIMIZERS",
    "PROXIMAL",
    "RULES",
    "SCHEDULES",
    "SGD",
    "Adam",
    "Bop",
    "Constant",
    "Cosine",
    "Linear",
    "Optimizer",
    "PostTraining",
    "ProxConnect",
    "ProxQuant",
    "Proximal",
    "ReverseProxConnect",
    "Step",
]
