"""What a network costs: weights, operations, bits of memory and bytes in a packed file, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from math import prod
from typing import Any

from bnn_ref.autodiff import Symbol, steps
from bnn_ref.binarizer import Map
from bnn_ref.kernels import output_size
from bnn_ref.layers import (
    Activation,
    BatchNorm,
    Concat,
    Conv2d,
    Flatten,
    GlobalAvgPool,
    Layer,
    OutputScale,
    PadShortcut,
    PReLU,
    Product,
)
from bnn_ref.layers.pool import Pool2d
from bnn_ref.packed import PackedModel, pack
from bnn_ref.packed.signs import Signs
from bnn_ref.packed.steps import ProductStep
from bnn_ref.parameter import Parameter

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Counts:
    """What one layer, or the whole network, costs for one image.

    Attributes
    ----------
    real_weights, binary_weights : int
        Of convolutions and linear layers; binary ones take 1 bit.
    bias, norm, slope, scale : int
        Real numbers beside them: biases and learned shifts, gamma and beta of batch norm, slopes of PReLU,
        scales of binary weights and of outputs.
    real_macs, binary_macs : int
        Multiplications with addition, each counted once, taps on padding included; binary where both
        operands are signs.
    packed_bytes : int
        Of tensors in the packed file.

    Source: the counting rules of bireal2018.
    """

    real_weights: int = 0
    binary_weights: int = 0
    bias: int = 0
    norm: int = 0
    slope: int = 0
    scale: int = 0
    real_macs: int = 0
    binary_macs: int = 0
    packed_bytes: int = 0

    @property
    def ops(self) -> float:
        """real_macs + binary_macs / 64: as many signs meet in one instruction."""
        return self.real_macs + self.binary_macs / 64

    @property
    def memory_bits(self) -> int:
        """32 a real number, 1 a binary weight; of batch norm gamma and beta are counted."""
        real = self.real_weights + self.bias + self.norm + self.slope + self.scale
        return 32 * real + self.binary_weights

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def to_dict(self) -> dict[str, Any]:
        """Every count by name."""
        return {**asdict(self), "ops": self.ops, "memory_bits": self.memory_bits}


@dataclass(frozen=True)
class Cost:
    """What a network costs for one image; `print` shows it as a table.

    Attributes
    ----------
    layers : tuple of (str, str, Counts)
        Dotted name, type and counts of every layer, in the order of the computation.
    """

    layers: tuple[tuple[str, str, Counts], ...]

    @property
    def total(self) -> Counts:
        """The sum over layers."""
        return sum((counts for _, _, counts in self.layers), start=Counts())

    def to_dict(self) -> dict[str, Any]:
        """`total`, and `layers`: one dictionary each, with `name` and `type`."""
        rows = [{"name": name, "type": kind, **counts.to_dict()} for name, kind, counts in self.layers]
        return {"total": self.total.to_dict(), "layers": rows}

    def __str__(self) -> str:
        costly = [row for row in self.layers if row[2] != Counts()]
        columns = [key for key, value in self.total.to_dict().items() if value]
        rows = [["layer", "type", *columns]]
        for name, kind, counts in (*costly, ("total", "", self.total)):
            rows.append([name, kind, *(f"{counts.to_dict()[key]:,.0f}" for key in columns)])
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if i < 2 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        return "\n".join((lines[0], "-" * len(lines[0]), *lines[1:]))


def cost(model: Layer, input_shape: Sequence[int]) -> Cost:
    """Count weights, operations and memory of `model`, per image.

    Parameters
    ----------
    model : Layer
        Made of layers that `bnn_ref.pack` can pack.
    input_shape : (N, H, W, C), or (N, ..., C) where the model takes it
        N does not matter.

    Returns
    -------
    Cost

    Raises
    ------
    ValueError
        For a shape that is none or does not fit the model, and for a model that cannot be packed.

    Notes
    -----
    Parameters are counted where they are first used, operations at every call.
    """
    shape = tuple(input_shape)
    if len(shape) < 2 or min(shape) < 1:
        raise ValueError(f"input_shape: required positive numbers (N, H, W, C), got {shape}")
    names = {id(layer): name or "model" for name, layer in reversed(list(model.layers()))}
    packed = pack(model)
    stored, products = packed.graph.layer_bytes(), _products(packed)
    rows: dict[str, tuple[str, Counts]] = {}
    seen: set[int] = set()
    for layer, output in _calls(model, shape[1:], names):
        name = names[id(layer)]
        if name not in rows:
            counts = _parameters(layer, products.get(name), seen)
            rows[name] = type(layer).__name__, counts + Counts(packed_bytes=stored.get(name, 0))
        kind, counts = rows[name]
        rows[name] = kind, counts + _operations(layer, products.get(name), output)
    return Cost(tuple((name, kind, counts) for name, (kind, counts) in rows.items()))


def _products(packed: PackedModel) -> dict[str, ProductStep]:
    nodes = packed.graph.nodes
    return {node.layer: node.step for node in nodes if isinstance(node.step, ProductStep)}


def _parameters(layer: Layer, product: ProductStep | None, seen: set[int]) -> Counts:
    """The real numbers and weights that `layer` brings and nobody before it did."""

    def fresh(parameter: Parameter | None) -> int:
        if parameter is None or id(parameter) in seen:
            return 0
        seen.add(id(parameter))
        return parameter.value.size

    def deployed(part: Map | None) -> int:
        return 0 if part is None else sum(map(fresh, part.deploy().parameters()))

    if isinstance(layer, Product) and product is not None:
        weights, bias = fresh(layer.latent), fresh(layer.bias) + deployed(layer.activation)
        if not isinstance(product.weight, Signs):
            return Counts(real_weights=weights, bias=bias)
        _, scale = layer.deployed_weight()
        return Counts(binary_weights=weights, bias=bias, scale=0 if scale is None else scale.size)
    if isinstance(layer, BatchNorm):
        return Counts(norm=fresh(layer.gamma) + fresh(layer.beta))
    if isinstance(layer, OutputScale):
        return Counts(scale=sum(map(fresh, layer.factors())))
    if isinstance(layer, Activation):
        return Counts(bias=deployed(layer.curve))
    return Counts(slope=fresh(layer.slope)) if isinstance(layer, PReLU) else Counts()


def _operations(layer: Layer, product: ProductStep | None, output: Shape) -> Counts:
    """The multiplications of one call: every weight once for every place of the output."""
    if product is None or not isinstance(layer, Product):
        return Counts()
    macs = layer.latent.value.size * prod(output[:-1])
    return Counts(binary_macs=macs) if product.binary else Counts(real_macs=macs)


def _calls(model: Layer, shape: Shape, names: Mapping[int, str]) -> Iterator[tuple[Layer, Shape]]:
    """Every layer call in order, with the shape of its output for one image."""
    x = Symbol()
    shapes = {x.serial: shape}
    for symbol in steps(model(x)):
        if symbol.layer is not None:
            first, *others = (shapes[source.serial] for source in symbol.inputs)
            try:
                shapes[symbol.serial] = _output_shape(symbol.layer, first, *others)
            except ValueError as error:
                name = names[id(symbol.layer)]
                raise ValueError(f"input_shape: {name} cannot take an image of {first}: {error}") from error
            yield symbol.layer, shapes[symbol.serial]


def _output_shape(layer: Layer, shape: Shape, *others: Shape) -> Shape:
    """What `layer` makes of one image of `shape` (and of its other inputs)."""
    if isinstance(layer, Product):
        if shape[-1] != layer.in_channels:
            raise ValueError(f"required {layer.in_channels} channels")
        filters = layer.latent.value.shape[-1]
        if not isinstance(layer, Conv2d):
            return (*shape[:-1], filters)
        return (*_places(shape, layer.kernel_size, layer.stride, layer.padding), filters)
    if isinstance(layer, Pool2d):
        return (*_places(shape, layer.kernel_size, layer.stride, layer.padding, layer.ceil), shape[2])
    if isinstance(layer, PadShortcut):
        return (*_places(shape, 1, layer.stride, 0), shape[2] + 2 * layer.zeros)
    if isinstance(layer, Flatten):
        return (prod(shape),)
    if isinstance(layer, Concat):
        return (*shape[:-1], shape[-1] + sum(other[-1] for other in others))
    return shape[2:] if isinstance(layer, GlobalAvgPool) else shape


def _places(shape: Shape, kernel_size: int, stride: int, padding: int, ceil: bool = False) -> Shape:
    if len(shape) != 3:
        raise ValueError("required (H, W, C)")
    return tuple(output_size(size, kernel_size, stride, padding, ceil) for size in shape[:2])
