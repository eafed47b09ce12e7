"""ProxQuant's map and others behind an identity gradient, with laws that read the optimizer's clocks.

`bnn_ref.optim`'s proximal optimizers take their P from such an entry; as estimators these are pairs (P, 1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bnn_ref.annealing import Linear, Moment
from bnn_ref.binarizer import Binarizer, Sign
from bnn_ref.checks import is_number, require
from bnn_ref.estimators.proximal import ProximalMap
from bnn_ref.estimators.quantizers import SELECTION, ProximalQuantizer, as_levels, projection, reach
from bnn_ref.estimators.shrinkage import ProxQuant
from bnn_ref.estimators.ste import Identity


@dataclass(frozen=True)
class SumOfSteps:
    """rate * (start + sum of the step sizes so far): the strength of rate * r in ProxConnect.

    With `start` 1 it is rate mu_t, mu_t = 1 + the sum over tau < t; with 0 it is AProx's gamma_t. The two
    algorithms are otherwise the same.

    Parameters
    ----------
    field : str
        What it moves.
    rate : float
        At least 0.
    start : float
        At least 0.

    Source: after proxconnect2021 (1); parq2025 (0).
    """

    field: str
    rate: float
    start: float = 1.0

    def __post_init__(self) -> None:
        for name in ("rate", "start"):
            value = getattr(self, name)
            require(is_number(value) and value >= 0, name, "a number >= 0", value)

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """The field's value at `moment.lr_sum`."""
        return {self.field: self.rate * (self.start + moment.lr_sum)}


@dataclass(frozen=True)
class StepByEpoch:
    """lr * rate * epoch: a step of the proximal gradient method on rate * epoch * r.

    Parameters
    ----------
    field : str
        What it moves.
    rate : float
        At least 0.
    epochs : int
        How many, where the moment does not know.

    Source: proxquant2019, released code (binary networks on CIFAR-10: rate 1e-4, 300 epochs).
    """

    field: str
    rate: float
    epochs: int = 300

    def __post_init__(self) -> None:
        require(is_number(self.rate) and self.rate >= 0, "rate", "a number >= 0", self.rate)

    def __call__(self, moment: Moment) -> Mapping[str, float]:
        """The field's value at the moment's step size and epoch."""
        return {self.field: moment.lr * self.rate * moment.fraction * (moment.epochs or self.epochs)}


def projected(levels: Sequence[float] = (-1.0, 1.0), *, zero: int = 1) -> Binarizer:
    """F(x) = x, T(x) = x, deployed as P_Q: for optimizers that quantize, or for quantizing after training.

    Parameters
    ----------
    levels : tuple of float
        Q, ascending; other levels than -1 and 1 train and evaluate, but don't pack.

    `zero` is sign(0): with -1 every tie takes the lower level.

    Source: after proxconnect2021, whose algorithms train such weights.
    """
    return Binarizer(Identity(), Identity(), projection(levels, zero))


def proxquant(rate: float = 1e-4, *, zero: int = 1) -> Binarizer:
    """F(x) = the proximal map of lam (distance to +-1), T(x) = x; lam = lr * rate * epoch; deployed as sign.

    Parameters
    ----------
    rate : float
        At least 0.

    `zero` is sign(0), and the side of the jump that 0 is on.

    Source: proxquant2019, released code.
    """
    return _pair(ProxQuant(selection=SELECTION[Sign(zero).zero]), StepByEpoch("strength", rate), zero)


def w_shape(rate: float = 0.1, start: float = 1.0, *, zero: int = 1) -> Binarizer:
    """F(x) = the proximal map of lam (distance to +-1), T(x) = x; lam = rate (start + sum of step sizes).

    ProxConnect on the loss plus rate * (distance to +-1); exactly sign on [-1, 1] from lam = 1 on. Its law is
    to be read after each step (`anneal` of `train.Config`). Deployed as sign.

    Parameters
    ----------
    rate : float
        The regulariser's factor, at least 0.
    start : float
        1 as in ProxConnect, 0 as in AProx.

    `zero` is sign(0), and the side of the jump that 0 is on.

    Source: after proxconnect2021, with ProxQuant's regulariser.
    """
    return _pair(ProxQuant(selection=SELECTION[Sign(zero).zero]), SumOfSteps("strength", rate, start), zero)


def binary_relax(levels: Sequence[float] = (-1.0, 1.0), vrho: float = 0.0, *, zero: int = 1) -> Binarizer:
    """F(x) = (1 - theta) x + theta P_Q(x), clipped; T(x) = x; theta grows to 1 in equal steps.

    That is L with a jump alone. Deployed as P_Q.

    Parameters
    ----------
    levels : tuple of float
        Q, ascending; other levels than -1 and 1 train and evaluate, but don't pack.
    vrho : float
        Half the jump at each midpoint, in units of x; annealing sets it.

    `zero` is sign(0): with -1 every tie takes the lower level.

    Source: after binaryrelax2018, as parq2025's released code anneals it; the clip is ours.
    """
    points, hard = as_levels(levels), projection(levels, zero)
    soft = ProximalQuantizer(points=points, vrho=vrho, selection=SELECTION[zero])
    return Binarizer(soft, Identity(), hard, Linear("vrho", 0.0, reach(points)))


def _pair(soft: ProximalMap, law: SumOfSteps | StepByEpoch, zero: int) -> Binarizer:
    return Binarizer(soft, Identity(), Sign(zero), law)
