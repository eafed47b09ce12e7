"""Steps that treat every channel by itself: what batch norm, scale, bias and activations are in eval mode.

Each computes exactly what its layer computes there: float32, multiplied then added, never fused. NumPy's
loops are one operation each, so no compiler contracts them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import ModuleType
from typing import ClassVar, Self

import numpy as np

from bnn_ref import kernels as compiled
from bnn_ref.binarizer import Sign
from bnn_ref.estimators.bireal import LeakyClip as LeakyClipCurve
from bnn_ref.layers.gelu import GELUCurve
from bnn_ref.packed.steps.base import Step, numbers, real
from bnn_ref.parameter import Array


class Elementwise(Step):
    """float32 or int32 (..., C) -> float32 (..., C), every channel by itself."""

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        return self.apply(numbers(inputs[0]))

    def apply(self, x: Array) -> Array:
        """The output, a new array."""
        raise TypeError(f"{type(self).__name__} computes nothing")

    @property
    def channels(self) -> int | None:
        """C, None where any number will do: one slope may serve them all."""
        return next((tensor.size for tensor in self.tensors().values() if tensor.size > 1), None)

    def of(self, part: slice) -> Self:
        """The same step on some of the channels."""
        own = {name: tensor[part] for name, tensor in self.tensors().items() if tensor.size > 1}
        return replace(self, **own) if own else self  # type: ignore[type-var]


@dataclass(frozen=True, eq=False)
class Scale(Elementwise):
    """y = x * factor, factor (C,), or (1,) for all channels."""

    kind: ClassVar[str] = "scale"
    factor: Array

    def apply(self, x: Array) -> Array:
        return np.multiply(x, self.factor, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Bias(Elementwise):
    """y = x + bias, bias (C,)."""

    kind: ClassVar[str] = "bias"
    bias: Array

    def apply(self, x: Array) -> Array:
        return np.add(x, self.bias, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Affine(Elementwise):
    """y = x * gain, then + shift; both (C,). Batch norm in eval mode."""

    kind: ClassVar[str] = "affine"
    gain: Array
    shift: Array

    def apply(self, x: Array) -> Array:
        y = np.multiply(x, self.gain, dtype=np.float32)
        y += self.shift
        return y


@dataclass(frozen=True, eq=False)
class PReLU(Elementwise):
    """y = x where x > 0, slope * x elsewhere, slope (C,)."""

    kind: ClassVar[str] = "prelu"
    slope: Array

    def apply(self, x: Array) -> Array:
        x = real(x)
        return np.where(x > 0, x, self.slope * x)


@dataclass(frozen=True, eq=False)
class ReLU(Elementwise):
    """y = max(x, 0)."""

    kind: ClassVar[str] = "relu"

    def apply(self, x: Array) -> Array:
        return np.maximum(real(x), np.float32(0))


@dataclass(frozen=True, eq=False)
class Clip(Elementwise):
    """y = max(-limit, min(x, limit)), the limit rounded to float32."""

    kind: ClassVar[str] = "clip"
    limit: float

    def apply(self, x: Array) -> Array:
        limit = np.float32(self.limit)
        clipped: Array = np.clip(real(x), -limit, limit)
        return clipped


@dataclass(frozen=True, eq=False)
class LeakyClip(Elementwise):
    """y = x inside (-limit, limit), +-limit + leak * (x -+ limit) outside; both rounded to float32."""

    kind: ClassVar[str] = "leaky_clip"
    limit: float
    leak: float

    def apply(self, x: Array) -> Array:
        return LeakyClipCurve(self.limit, self.leak)(real(x))


@dataclass(frozen=True, eq=False)
class GELU(Elementwise):
    """y = x Phi(x), Phi the distribution function of the standard normal."""

    kind: ClassVar[str] = "gelu"

    def apply(self, x: Array) -> Array:
        return GELUCurve()(real(x))


@dataclass(frozen=True, eq=False)
class RealSign(Elementwise):
    """y = +1 or -1 as a float: a sign that feeds real weights; sign(0) = `zero`."""

    kind: ClassVar[str] = "real_sign"
    zero: int

    def apply(self, x: Array) -> Array:
        return Sign(self.zero)(real(x))
