"""Wrong networks: every layer may look right alone; together they are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bnn_ref import estimators
from bnn_ref.auditing.broken.base import Broken
from bnn_ref.auditing.composition import audit_model
from bnn_ref.auditing.report import Report
from bnn_ref.auditing.residual import ResidualNet, residual_net
from bnn_ref.binarizer import Binarizer, Sign
from bnn_ref.estimators.ste import HardTanh
from bnn_ref.layers import Linear, PReLU, SoftmaxCrossEntropy
from bnn_ref.parameter import Array, Parameter


class _MaskingPReLU(PReLU):
    """Zeroes part of the incoming gradient in place: harmless alone, wrong where a shortcut shares it."""

    def backward(self, dy: Array, cache: Any) -> Array:
        dx = super().backward(dy, cache)
        dy[cache[1]] = 0
        return dx


class _ForgetfulParameter(Parameter):
    """Keeps the last gradient only: wrong as soon as it is used twice."""

    def accumulate(self, grad: Array) -> None:
        self.grad = grad.copy()


class _BatchShuffler(Linear):
    """Its input gradient belongs to the neighbour in the batch."""

    def input_grad(self, dy: Array, x: Array, w: Array) -> Array:
        return np.roll(super().input_grad(dy, x, w), 1, axis=0)


class _Strict(HardTanh):
    """The slope on the kink is not the one that T declares."""

    def slope(self, x: Array) -> Array:
        return (np.abs(x) < self.clip).astype(x.dtype)


def _network(change: Callable[[ResidualNet], None]) -> Callable[[], Report]:
    def run() -> Report:
        net, images, labels = residual_net("clipped-ste")
        change(net)
        return audit_model(net, SoftmaxCrossEntropy(), images, labels)

    return run


def _as(kind: type, *path: str) -> Callable[[ResidualNet], None]:
    """Turn the object at `path` of a network into another, broken class of the same layout."""

    def change(net: ResidualNet) -> None:
        held: Any = net
        for name in path:
            held = getattr(held, name)
        held.__class__ = kind

    return change


def _share_forgetful(net: ResidualNet) -> None:
    net.second.latent.__class__ = _ForgetfulParameter
    net.first.latent = net.second.latent
    net.first.in_channels = 4


def _shared_images() -> Report:
    net, images, labels = residual_net("clipped-ste")
    _share_forgetful(net)
    wide = np.concatenate([images, images[..., :1]], axis=-1)
    return audit_model(net, SoftmaxCrossEntropy(), wide, labels)


def _strict_activation(net: ResidualNet) -> None:
    net.second.activation = Binarizer(Sign(), _Strict())


def _other_estimator(net: ResidualNet) -> None:
    """A weight whose gradient is that of another estimator than the one declared."""
    declared = estimators.get("approxsign")
    identity = estimators.get("identity-ste")

    class Mixed(Binarizer):
        def backward(self, x: Array, dy: Array) -> Array:
            return identity.backward(x, dy)

        vjp = backward

    net.third.weight = Mixed(declared.forward, declared.surrogate)


NETWORKS: tuple[Broken, ...] = (
    Broken(
        "incoming gradient zeroed in place beside a shortcut",
        _network(_as(_MaskingPReLU, "bend")),
        "gradient to model.first.latent",
    ),
    Broken("shared parameter overwritten", _shared_images, "gradient to model.first.latent"),
    Broken("gradients exchanged in the batch", _network(_as(_BatchShuffler, "head")), "gradient to input 0"),
    Broken("strict clip behind an inclusive T", _network(_strict_activation), "gradient to input 0"),
    Broken("another estimator's gradient", _network(_other_estimator), "gradient to model.third.latent"),
)
