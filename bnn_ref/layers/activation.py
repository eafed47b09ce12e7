"""Element-wise layers: a curve applied to every element, PReLU, RPReLU."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.basepoint import decide, recentring
from bnn_ref.binarizer import Map
from bnn_ref.binarizer import ReLU as ReLUCurve
from bnn_ref.checks import require
from bnn_ref.estimators.bireal import LeakyClip as LeakyClipCurve
from bnn_ref.estimators.reactnet import Shift
from bnn_ref.estimators.ste import HardTanh as HardTanhCurve
from bnn_ref.kernels import prelu, prelu_grad
from bnn_ref.kernels.channels import prelu_narrow
from bnn_ref.layers.base import Composite, Layer
from bnn_ref.parameter import Array, Parameter, unbroadcast


class Activation(Layer):
    """y = m(x), dx = m.vjp(x, dy) for a map m: a curve, a binarizer, a composition. Any shape.

    Parameters
    ----------
    curve : Map
        Bound here, to one tensor.
    rng : numpy.random.Generator, optional
        For a map that draws its parameters.
    shape : tuple of int
        Of the tensor, as `Map.bind` takes it; (C,) for a map that must know the channels.
    """

    def __init__(
        self, curve: Map, rng: np.random.Generator | None = None, shape: tuple[int, ...] = ()
    ) -> None:
        self.curve = curve.bind(shape, -1, np.random.default_rng(0) if rng is None else rng)

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    def forward(self, x: Array) -> tuple[Array, Any]:
        y = (self.curve if self.training else self.curve.deploy())(x)
        return y, (self.curve.kept(x) if self.training else x, self.curve)

    def backward(self, dy: Array, cache: Any) -> Array:
        kept, curve = cache
        return curve.vjp_of(kept, dy)


class ReLU(Activation):
    """y = max(x, 0), dx = 1[x > 0] dy."""

    def __init__(self) -> None:
        super().__init__(ReLUCurve())


class HardTanh(Activation):
    """y = max(-1, min(x, 1)), dx = 1[abs(x) <= 1] dy."""

    def __init__(self, clip: float = 1.0) -> None:
        super().__init__(HardTanhCurve(clip))


class LeakyClip(Activation):
    """y = x where abs(x) < clip; outside the slope is `leak`: dx = dy inside, leak dy outside.

    Source: bireal2018 (released code).
    """

    def __init__(self, clip: float = 1.0, leak: float = 0.1) -> None:
        super().__init__(LeakyClipCurve(clip, leak))


class PReLU(Layer):
    """y = x where x > 0, a x elsewhere, one slope a per channel (the last axis), or one for all.

    Parameters
    ----------
    channels : int
        C, or 1 for one slope that all channels share.
    initial : float
        First value of every slope.

    Source: prelu2015.
    """

    def __init__(self, channels: int, initial: float = 0.25) -> None:
        self.slope = Parameter(np.full(channels, initial, np.float32), "slope")

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        slope = self.slope.value
        fits = len(slope) == 1 or shape[-1:] == slope.shape
        require(fits, "PReLU", f"{len(slope)} channels on the last axis", shape)
        return shape

    def forward(self, x: Array) -> tuple[Array, Any]:
        """x: (..., C)."""
        slope = self.slope.value
        self.output_shape(x.shape)
        if not recentring():
            y, kept = prelu_narrow(x, slope)
            return y, (kept, None, slope)
        above = decide(lambda: x.real > 0, lambda: int((x == 0).sum()))
        return prelu(x, slope, above), (x, above, slope)

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = dy where x > 0, a dy elsewhere; da = sum of x dy where x <= 0."""
        x, above, slope = cache
        dx, grad = prelu_grad(x, dy, slope, above)
        self.slope.accumulate(unbroadcast(grad, slope.shape))
        return dx


class RPReLU(Composite):
    """y = x - g + z where x > g, a (x - g) + z elsewhere: PReLU between two learned shifts, -g and z.

    Parameters
    ----------
    channels : int
        C: one shift before, one slope and one shift after for each.
    initial : float
        First value of every slope; shifts begin at 0.

    Source: reactnet2020.
    """

    def __init__(self, channels: int, initial: float = 0.25) -> None:
        self.before = Activation(Shift(), shape=(channels,))
        self.bend = PReLU(channels, initial)
        self.after = Activation(Shift(), shape=(channels,))

    def compute(self, x: Any) -> Any:
        """x: (..., C)."""
        return self.after(self.bend(self.before(x)))
