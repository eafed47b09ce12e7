"""Level 3: does an estimator's gradient point where the loss really falls?

A sign has no derivative, but the loss behind it can be evaluated, as hard as it is. Two gradients follow, to
which an estimator's are held:

- to a sign: half of L(s_i = +1) - L(s_i = -1) is the slope of the loss between the two values of s_i;
- to z in front of the signs, under noise: E[L(sign(z + sigma e))] is smooth in z.

An estimator's gradient to the signs is shaped by the estimators behind them, that to z also by its own T'.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np

from bnn_ref.auditing.composition import WithLoss
from bnn_ref.auditing.leaves import LeafCall, leaf_calls
from bnn_ref.binarizer import Map
from bnn_ref.checks import require, require_positive, require_whole
from bnn_ref.layers import Layer
from bnn_ref.layers.product import Product
from bnn_ref.parameter import Array

OPERANDS = ("activation", "weight")


@dataclass(frozen=True)
class Moved(Map):
    """y = inner(x + shift) * factor: noise in front of signs, flips behind them. Value only."""

    inner: Map
    shift: Array
    factor: Array

    def __call__(self, x: Array) -> Array:
        return self.inner(x + self.shift) * self.factor


class Site:
    """One operand of one product in a network, with a loss behind it: where its signs can be flipped.

    Parameters
    ----------
    model, loss : Layer
        The loss takes (prediction, target) and gives a scalar. Both are copied, to float64 and training mode:
        batch norm has the statistics of the batch.
    x, target : array
        The batch.
    name : str
        Dotted name of the product, as in `model.layers()`.
    operand : str
        "activation" or "weight".

    Attributes
    ----------
    z : array
        What stands in front of the signs.

    Raises
    ------
    ValueError
        When there is no such product, it is used more than once, or its operand is not plain signs.
    """

    def __init__(self, model: Layer, loss: Layer, x: Array, target: Array, name: str, operand: str) -> None:
        require(operand in OPERANDS, "operand", f"one of {', '.join(OPERANDS)}", operand)
        found = {key: layer for key, layer in model.layers() if isinstance(layer, Product)}
        require(name in found, "name", f"one of {', '.join(found)}", name)
        binarizer = getattr(found[name], operand)
        signs = isinstance(binarizer, Map) and binarizer.binary
        require(signs, "operand", "one that is binarized to -1 and +1, without a scale", binarizer)
        self.whole = copy.deepcopy(WithLoss(model, loss)).astype(np.float64).train()
        self.inputs = (np.asarray(x, np.float64), target)
        self.name, self.operand, self.binarizer = f"model.{name}", operand, binarizer
        self.call = self._call(self.whole)
        self.layer: Layer = dict(self.whole.layers())[self.name]
        self.z = self.call.inputs[0] if operand == "activation" else self.call.layer.latent.value  # type: ignore[attr-defined]

    def _call(self, whole: Layer) -> LeafCall:
        """The one call of the product, forward and backward."""
        calls = [call for key, call in leaf_calls(whole, *self.inputs) if key == self.name]
        require(len(calls) == 1, "name", "a product that is used once", f"{len(calls)} calls by that name")
        return calls[0]

    def gradients(self, model: Layer | None = None) -> tuple[Array, Array]:
        """The estimator's gradients to the signs and to what is in front of them, each of the shape of `z`.

        Parameters
        ----------
        model : Layer, optional
            The same network with other estimators; by default the one that the site was made with.
        """
        twin = None if model is None else WithLoss(model, self.whole.loss)  # type: ignore[attr-defined]
        call = self.call if twin is None else self._call(copy.deepcopy(twin).astype(np.float64))
        layer, x = call.layer, call.inputs[0]
        assert isinstance(layer, Product)
        z = x if self.operand == "activation" else layer.latent.value
        require(np.array_equal(z, self.z), "model", "the same values in front of the signs", "others")
        left = x if layer.activation is None else layer.activation(x)
        right = layer.latent.value if layer.weight is None else layer.weight(layer.latent.value)
        back = layer.input_grad if self.operand == "activation" else layer.weight_grad
        of_signs = back(call.dy, left, right)
        binarizer = layer.activation if self.operand == "activation" else layer.weight
        assert binarizer is not None
        return of_signs, binarizer.vjp(z, of_signs)

    def loss(self, shift: Array | float = 0.0, flipped: int | None = None) -> float:
        """The loss with `shift` added to `z`, and the sign of one element (of `z.ravel()`) flipped."""
        factor = np.ones(self.z.shape)
        if flipped is not None:
            factor.reshape(-1)[flipped] = -1
        held = getattr(self.layer, self.operand)
        setattr(self.layer, self.operand, Moved(held, np.asarray(shift), factor))
        try:
            return float(self.whole.forward(*self.inputs)[0])
        finally:
            setattr(self.layer, self.operand, held)

    def flips(self) -> Array:
        """(L(s_i = +1) - L(s_i = -1)) / 2 for every sign, all others as they are; the shape of `z`.

        Every one is flipped: this takes as many evaluations of the loss as `z` has elements.
        """
        plain, signs = self.loss(), self.binarizer(self.z)
        flipped = np.array([self.loss(flipped=i) for i in range(self.z.size)]).reshape(self.z.shape)
        return np.asarray(signs * (plain - flipped) / 2)

    def smoothed(self, sigma: float, draws: int, rng: np.random.Generator) -> Array:
        """Independent unbiased estimates of the gradient of E[L(sign(z + sigma e))], e normal.

        (L(z + sigma e) - L(z - sigma e)) e / (2 sigma): each looks at all elements with two evaluations.

        Parameters
        ----------
        sigma : float
            In units of z.
        draws : int
            At least 2.
        rng : numpy.random.Generator

        Returns
        -------
        array
            (draws, *z.shape)

        Notes
        -----
        Source: Stein's identity, with antithetic noise.
        """
        require_positive("sigma", sigma)
        require_whole("draws", draws, 2)
        noise = rng.normal(size=(draws, *self.z.shape))
        rise = np.array([self.loss(sigma * e) - self.loss(-sigma * e) for e in noise])
        return np.asarray((noise.T * rise / (2 * sigma)).T)
