"""Layers to steps, one layer at a time: what a layer computes in eval mode, or why it cannot be packed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bnn_ref.binarizer import Compose, Map, Sign
from bnn_ref.binarizer import ReLU as ReLUCurve
from bnn_ref.estimators.bireal import LeakyClip as LeakyClipCurve
from bnn_ref.estimators.lines import Affine
from bnn_ref.estimators.reactnet import Shift
from bnn_ref.estimators.ste import HardTanh as HardTanhCurve
from bnn_ref.layers import (
    GELU,
    Activation,
    Add,
    Attention,
    AvgPool2d,
    BatchNorm,
    BilinearUpsample,
    ClassToken,
    Concat,
    Conv2d,
    ConvTranspose2d,
    FirstToken,
    Flatten,
    GlobalAvgPool,
    GroupMean,
    HardTanh,
    Layer,
    LayerNorm,
    LeakyClip,
    Linear,
    MaxPool2d,
    NearestUpsample,
    OutputScale,
    PadShortcut,
    Position,
    PReLU,
    Product,
    ReLU,
    TakeChannels,
    TileChannels,
    Tokens,
)
from bnn_ref.layers.gelu import GELUCurve
from bnn_ref.packed import steps
from bnn_ref.packed.signs import Signs
from bnn_ref.packed.steps import Elementwise, ProductStep, RealSign, Step
from bnn_ref.parameter import Array

PRODUCTS = (Conv2d, Linear, ConvTranspose2d)
"""The layers that multiply by a weight."""

LARGEST_FAN_IN = 2**24
"""float32 holds every integer up to here: eval mode's sums of signs are exact."""


@dataclass(frozen=True)
class PackedProduct:
    """A product layer as steps.

    Attributes
    ----------
    left : tuple of Elementwise
        What happens to the input; with `RealSign` at the end the activation is binary.
    product : ProductStep
    placed : tuple of Step
        What puts its results where they belong: of a transposed convolution.
    after : tuple of Elementwise
        Scale and bias, where there are any.
    """

    left: tuple[Elementwise, ...]
    product: ProductStep
    placed: tuple[Step, ...]
    after: tuple[Elementwise, ...]

    @property
    def signs(self) -> RealSign | None:
        """The sign at the end of a binary activation."""
        last = self.left[-1] if self.left else None
        return last if isinstance(last, RealSign) else None


def refusal(name: str, layer: object, required: str, got: str) -> ValueError:
    """The error that says which layer cannot be packed and why."""
    return ValueError(f"pack: {name} ({type(layer).__name__}): required {required}, got {got}")


def checked(name: str, values: Any) -> Array:
    """A copy of the tensor `name`; ValueError unless it is float32 and finite."""
    values = np.asarray(values)
    if values.dtype != np.float32:
        raise ValueError(f"pack: {name}: required float32, got {values.dtype}")
    if not np.isfinite(values).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        raise ValueError(f"pack: {name}: required finite numbers, got {values[index]} at index {index}")
    return np.array(values, order="C")


def elementwise(name: str, layer: Layer) -> tuple[Elementwise, ...] | None:
    """`layer` as element-wise steps, None where it is something else."""
    if type(layer) is BatchNorm:
        return (_affine(name, layer),)
    if type(layer) is PReLU:
        return (steps.PReLU(checked(f"{name}.slope", layer.slope.value)),)
    if type(layer) is OutputScale:
        if layer.case != 1:
            raise refusal(name, layer, "one number a channel, case 1", f"case {layer.case}")
        return (steps.Scale(checked(f"{name}.channel", layer.factors()[0].value)),)
    if isinstance(layer, Activation) and type(layer) in (Activation, ReLU, HardTanh, LeakyClip, GELU):
        return curves(name, layer, layer.curve)
    return None


def _affine(name: str, layer: BatchNorm) -> Elementwise:
    for key, parameter in (("gamma", layer.gamma), ("beta", layer.beta)):
        checked(f"{name}.{key}", parameter.value)
    for key in layer.buffers:
        checked(f"{name}.{key}", getattr(layer, key))
    with np.errstate(all="ignore"):  # what comes of it is checked and named
        gain, shift = layer.affine()
    return steps.Affine(checked(f"{name} (gain)", gain), checked(f"{name} (shift)", shift))


_CURVES: dict[type[Map], Callable[[str, Any], Elementwise]] = {
    Sign: lambda name, sign: steps.RealSign(sign.zero),
    HardTanhCurve: lambda name, clip: steps.Clip(float(clip.clip)),
    LeakyClipCurve: lambda name, clip: steps.LeakyClip(float(clip.clip), float(clip.leak)),
    ReLUCurve: lambda name, relu: steps.ReLU(),
    GELUCurve: lambda name, gelu: steps.GELU(),
    Shift: lambda name, shift: steps.Bias(checked(f"{name} (shift)", shift.shift.value)),
    Affine: lambda name, line: steps.Affine(
        checked(f"{name} (gain)", line.gain.value), checked(f"{name} (shift)", line.shift.value)
    ),
}


def curves(name: str, layer: Layer, subject: Map) -> tuple[Elementwise, ...]:
    """The steps of maps that every machine computes to the same bits, and of GELU; ValueError for others."""
    if isinstance(subject, Compose):
        return tuple(step for part in subject.maps for step in curves(name, layer, part))
    if type(subject) not in _CURVES:
        wanted = "an activation that eval mode computes as shift, affine map, GELU, sign, clip or ReLU"
        raise refusal(name, layer, wanted, type(subject).__name__)
    return (_CURVES[type(subject)](name, subject),)


def product(name: str, layer: Product) -> PackedProduct:
    """`layer` as steps: binary where both operands are deployed as signs."""
    left = () if layer.activation is None else curves(name, layer, layer.activation.deploy())
    checked(f"{name}.latent", layer.latent.value)
    weight, scale = layer.deployed_weight()
    after: list[Elementwise] = []
    if scale is not None:
        after.append(steps.Scale(checked(f"{name} (scale)", scale)))
    if layer.bias is not None:
        after.append(steps.Bias(checked(f"{name}.bias", layer.bias.value)))
    if layer.weight is not None and not (np.abs(weight) == 1).all():
        raise refusal(
            name, layer, "weights deployed as signs, with at most one scale", _strangest(layer, weight)
        )
    signs = bool(left) and isinstance(left[-1], RealSign)
    placed: tuple[Step, ...] = ()
    if isinstance(layer, ConvTranspose2d):
        placed = (steps.OverlapAdd(layer.kernel_size, layer.stride, layer.padding),)
    return PackedProduct(left, _step(name, layer, weight, signs), placed, tuple(after))


def _strangest(layer: Product, weight: Array) -> str:
    assert layer.weight is not None  # or nothing would be strange
    rule = type(layer.weight.deploy()).__name__
    return f"a deployed weight of {weight.flat[np.argmax(np.abs(weight) != 1)]} ({rule})"


def _step(name: str, layer: Product, weight: Array, signs: bool) -> ProductStep:
    fan_in = weight.size // weight.shape[-1]
    if signs and layer.weight is not None and fan_in > LARGEST_FAN_IN:
        raise refusal(name, layer, f"a fan-in of at most {LARGEST_FAN_IN}", str(fan_in))
    window: tuple[int, ...] = ()
    if isinstance(layer, Conv2d):
        window = *layer.window, layer.padding_value
    elif isinstance(layer, ConvTranspose2d):  # each pixel's outputs first, as a 1x1 convolution
        weight, window = layer.wide(weight)[None, None], (1, 0)
    if layer.weight is None:
        held = checked(f"{name}.latent", weight)
        return steps.RealConv(held, *window) if window else steps.RealLinear(held)
    bits = Signs.of(np.moveaxis(weight, -1, 0))
    if not signs:
        return steps.SignWeightConv(bits, *window) if window else steps.SignWeightLinear(bits)
    return steps.BinaryConv(bits, *window) if window else steps.BinaryLinear(bits)


def _layer_norm(name: str, norm: LayerNorm) -> Step:
    gamma, beta = (checked(f"{name}.{p.name}", p.value) for p in (norm.gamma, norm.beta))
    return steps.LayerNorm(gamma, beta, float(norm.eps))


_PLAIN: dict[type[Layer], Callable[[str, Any], Step]] = {
    MaxPool2d: lambda name, pool: steps.MaxPool(pool.kernel_size, pool.stride, pool.padding, pool.ceil),
    AvgPool2d: lambda name, pool: steps.AvgPool(pool.kernel_size, pool.stride, pool.padding, pool.ceil),
    GlobalAvgPool: lambda name, pool: steps.GlobalMean(),
    NearestUpsample: lambda name, layer: steps.NearestUpsample(layer.factor),
    BilinearUpsample: lambda name, layer: steps.BilinearUpsample(layer.factor),
    TileChannels: lambda name, layer: steps.TileChannels(layer.times),
    GroupMean: lambda name, layer: steps.GroupMean(layer.size),
    Flatten: lambda name, layer: steps.Flatten(),
    Add: lambda name, layer: steps.Add(),
    Concat: lambda name, layer: steps.Concat(),
    TakeChannels: lambda name, layer: steps.TakeChannels(layer.first, layer.last),
    PadShortcut: lambda name, layer: steps.PadShortcut(layer.stride, layer.zeros),
    LayerNorm: _layer_norm,
    Attention: lambda name, layer: steps.Attention(layer.heads),
    Tokens: lambda name, layer: steps.Tokens(),
    ClassToken: lambda name, layer: steps.ClassToken(checked(f"{name}.token", layer.token.value)),
    Position: lambda name, layer: steps.Position(checked(f"{name}.embedding", layer.embedding.value)),
    FirstToken: lambda name, layer: steps.FirstToken(),
}


def plain(name: str, layer: Layer) -> Step:
    """A layer that is no product and not element-wise as one step; ValueError where it has no packed form."""
    if type(layer) not in _PLAIN:
        products = (*PRODUCTS, BatchNorm, PReLU, OutputScale, GELU)
        known = (*products, Activation, ReLU, HardTanh, LeakyClip, *_PLAIN)
        raise refusal(
            name, layer, f"one of {', '.join(kind.__name__ for kind in known)}", type(layer).__name__
        )
    return _PLAIN[type(layer)](name, layer)


def is_product(layer: object) -> bool:
    """Whether `layer` is a convolution, a transposed one or a linear layer."""
    return type(layer) in PRODUCTS
