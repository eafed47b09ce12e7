"""Proximal optimizers: a continuous weight w*, its quantized one w = P(w*), and four ways to move them.

Methods differ in where the gradient is taken and in what the step starts from:

    name                    update                        gradient at   step from
    PostTraining            w* <- w* - eta g(w*)          w*            w*
    ProxConnect             w* <- w* - eta g(w)           w             w*
    ProxQuant               w* <- w  - eta g(w)           w             w
    ReverseProxConnect      w* <- w  - eta g(w*)          w*            w

Any rule may stand in for the gradient step. The network's own value is the one at which the gradient is
taken; its layers are unbinarized (the entry `projected`), or hold a transformation T of w.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from bnn_ref.annealing import Moment
from bnn_ref.binarizer import Binarizer, Curve, Sign
from bnn_ref.checks import require
from bnn_ref.estimators.ste import Identity
from bnn_ref.optim.adam import Adam
from bnn_ref.optim.base import Optimizer
from bnn_ref.parameter import Array, Parameter

PROJECTION = Binarizer(Sign(), Identity())
"""P = sign: the hard limit. With it ProxConnect is BinaryConnect."""


class Proximal(Optimizer):
    """Base of the four: `rule` moves latent parameters by the pattern, the others as ever.

    Call `anneal` once before the first gradient: that makes w = P(w*) of the first weights.

    Parameters
    ----------
    parameters, lr
        As in `Optimizer`.
    proximal : Binarizer
        P is its forward map, which never falls; its law moves P; it deploys the projection, P's hard limit.
    rule : callable
        Makes the optimizer whose step is taken: `SGD`, `Adam` (default) ...
    **own
        What else `rule` takes: weight decay (at the point that the step starts from), clip of w* ...

    Raises
    ------
    ValueError
        As `rule`; also for a P that is no curve or falls somewhere: no proximal map does.

    Source: proxconnect2021 (methods differ in where gradients are taken and what is updated).
    """

    slots: ClassVar[tuple[str, ...]] = ("other",)
    at_quantized: ClassVar[bool]
    """Whether the gradient is taken at w; else at w*. It is the value that the network holds."""
    from_quantized: ClassVar[bool]
    """Whether the step starts from w; else from w*."""

    def __init__(
        self,
        parameters: Sequence[Parameter],
        lr: float = 1e-3,
        *,
        proximal: Binarizer = PROJECTION,
        rule: Callable[..., Optimizer] = Adam,
        **own: Any,
    ) -> None:
        p = proximal.forward
        require(isinstance(p, Curve) and p.monotone, "proximal", "a curve that never falls, forward", p)
        self.rule = rule(parameters, lr, **own)
        super().__init__(parameters, lr, self.rule.weight_decay, self.rule.clip)
        self.proximal, self.hard = proximal, False

    def kept(self, parameter: Parameter) -> tuple[tuple[str, ...], tuple[str, ...]]:
        slots, counters = self.rule.kept(parameter)
        return ((*slots, *self.slots), counters) if parameter.latent else (slots, counters)

    def curvature(self, index: int) -> Array | None:
        return self.rule.curvature(index)

    def anneal(self, moment: Moment) -> None:
        """Move P to where its law has it at `moment`, and w with it."""
        self.proximal = self.proximal.at(moment)
        for index, parameter in enumerate(self.parameters):
            if parameter.latent and not self.hard:
                started = self.at_quantized and f"{index}.other" in self.memory
                continuous = self.memory[f"{index}.other"] if started else parameter.value
                parameter.value = self._split(index, continuous)

    def harden(self) -> None:
        """Put every latent parameter on its projection, for good; the rest is trained on.

        Source: proxquant2019, released code.
        """
        self.hard, projection = True, self.proximal.deploy()
        for index, parameter in enumerate(self.parameters):
            if parameter.latent:
                parameter.value = self.memory[f"{index}.other"] = projection(parameter.value)

    def moved(self, index: int, parameter: Parameter, grad: Array) -> Array:
        """The rule's step from w or w*, split into a new w* and w."""
        self.rule.lr, self.rule.memory = self.lr, self.memory
        if not parameter.latent:
            return self.rule.moved(index, parameter, grad)
        if self.hard:
            return parameter.value
        if f"{index}.other" not in self.memory:
            parameter.value = self._split(index, parameter.value)
        if self.at_quantized != self.from_quantized:
            parameter.value = self.memory[f"{index}.other"]
        return self._split(index, self.rule.moved(index, parameter, grad))

    def _split(self, index: int, continuous: Array) -> Array:
        """Keep one of w* and w = P(w*), and give the one at which the gradient is taken."""
        pair = continuous, self.proximal(continuous)
        self.memory[f"{index}.other"] = pair[not self.at_quantized]
        return pair[self.at_quantized]


class PostTraining(Proximal):
    """w* <- w* - eta g(w*): training without P; quantized where it is deployed.

    Parameters and errors as in `Proximal`. Source: ours.
    """

    at_quantized, from_quantized = False, False


class ProxConnect(Proximal):
    """w* <- w* - eta g(w), w = P(w*): ProxConnect; BinaryConnect where P is the projection.

    For a fixed r, P_r's strength grows like the sum of step sizes: w* is an unnormalised sum of gradients.

    Parameters and errors as in `Proximal`. Source: after proxconnect2021; as written here it is parq2025's
    AProx, which that paper calls equivalent, with another start of the sum.
    """

    at_quantized, from_quantized = True, False


class ProxQuant(Proximal):
    """w <- P(w - eta g(w)): the proximal gradient method. With a hard P it cannot move.

    Parameters and errors as in `Proximal`. Source: proxquant2019. (In its released code the last step of an
    epoch keeps that epoch's P; here w follows P at once.)
    """

    at_quantized, from_quantized = True, True


class ReverseProxConnect(Proximal):
    """w* <- P(w*) - eta g(w*). With a hard P no sign changes unless eta abs(g) >= 1.

    Parameters and errors as in `Proximal`. Source: ours (the remaining one of the four).
    """

    at_quantized, from_quantized = False, True
