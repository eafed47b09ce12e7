"""Optimizers over latent weights, and schedules of their step size."""

from collections.abc import Callable

from bnn_ref.optim.adam import Adam
from bnn_ref.optim.base import Optimizer
from bnn_ref.optim.bop import Bop
from bnn_ref.optim.schedules import SCHEDULES, Constant, Cosine, Linear, Step
from bnn_ref.optim.sgd import SGD

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"sgd": SGD, "adam": Adam, "bop": Bop}

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "Adam",
    "Bop",
    "Constant",
    "Cosine",
    "Linear",
    "Optimizer",
    "Step",
]
