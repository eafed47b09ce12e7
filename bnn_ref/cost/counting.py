"""Counting: the network is written down as layer calls, nothing is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from bnn_ref.autodiff import Symbol, steps, trace
from bnn_ref.checks import require
from bnn_ref.cost.conventions import CONVENTIONS
from bnn_ref.cost.counts import Counts
from bnn_ref.cost.report import Cost, LayerCost
from bnn_ref.estimators.reactnet import Shift
from bnn_ref.layers import Activation, Attention, BatchNorm, Layer, LayerNorm, OutputScale, PReLU, Product
from bnn_ref.layers.view import read_in_eval
from bnn_ref.maps import Map
from bnn_ref.packed import pack
from bnn_ref.parameter import Parameter

Shape = tuple[int, ...]


def cost(model: Layer, input_shape: Sequence[int], convention: str = "library") -> Cost:
    """Count weights, operations and memory of `model`, per image.

    Parameters
    ----------
    model : Layer
        Any that only calls layers on its input.
    input_shape : (N, H, W, C), or (N, ..., C) where the model takes it
        N does not matter.
    convention : str
        Which real numbers count as memory: "library" all that eval mode reads, "larq" as Larq's summary,
        "paper" what we infer for bireal2018 (its networks of 18 and 34 layers; `conventions` says how).

    Returns
    -------
    Cost

    Raises
    ------
    ValueError
        For a shape that is none or does not fit the model, a model that cannot be written down, an unknown
        convention, or one that is not defined for this model.

    Notes
    -----
    Parameters are counted where they are first used, operations at every call. Multiplications are those of
    convolutions and linear layers, and of attention's two products, which are always real: T S D each for T
    queries of D channels and S keys. Softmax, norms and scales are not counted. Packed bytes come from
    packing the model.
    """
    shape = tuple(input_shape)
    whole_numbers = all(isinstance(size, (int, np.integer)) and size >= 1 for size in shape)
    good = len(shape) >= 2 and whole_numbers
    require(good, "input_shape", "positive whole numbers (N, H, W, C)", shape)
    require(convention in list(CONVENTIONS), "convention", f"one of {', '.join(CONVENTIONS)}", convention)
    rule = CONVENTIONS[convention]
    layers = _count(model, shape[1:])
    whole = rule.whole(sum((row.counts for row in layers), start=Counts()))
    stored, reason = _stored(model)
    priced = (
        replace(
            row.counts,
            memory_bits=rule.bits(row.counts),
            packed_bytes=None if stored is None else stored.get(row.name, 0),
        )
        for row in layers
    )
    rows = (replace(row, counts=counts) for row, counts in zip(layers, priced, strict=True))
    return Cost(tuple(rows), rule, whole, reason)


def _stored(model: Layer) -> tuple[Mapping[str, int] | None, str | None]:
    """Packed bytes by the name of the layer, or the reason why there are none."""
    try:
        return pack(model).graph.layer_bytes(), None
    except ValueError as reason:
        return None, str(reason)


def _count(model: Layer, shape: Shape) -> list[LayerCost]:
    """One entry a layer, in the order of the computation; memory and bytes are still to be filled in."""
    names = {id(layer): name or "model" for name, layer in reversed(list(model.layers()))}
    rows: dict[str, LayerCost] = {}
    seen: set[int] = set()
    for layer, inputs, output in _calls(model, shape, names):
        name = names[id(layer)]
        if name not in rows:
            bits = layer.input_bits if isinstance(layer, Product) else None
            rows[name] = LayerCost(name, type(layer).__name__, bits, output, _parameters(layer, seen))
        rows[name] = replace(rows[name], counts=rows[name].counts + _operations(layer, inputs, output))
    return list(rows.values())


def _parameters(layer: Layer, seen: set[int]) -> Counts:
    """The numbers that eval mode of `layer` reads and nobody before it brought."""

    def fresh(*parameters: Parameter | None) -> int:
        new = {id(p): p.value.size for p in parameters if p is not None and id(p) not in seen}
        seen.update(new)
        return sum(new.values())

    if isinstance(layer, Product):
        weights, bias = fresh(layer.latent), fresh(layer.bias)
        inner = None if layer.activation is None else layer.activation.deploy()
        shifts, others = ([], []) if inner is None else (_shifts(inner), inner.parameters())
        _, scale = layer.deployed_rule()
        trained = 0 if scale is None else fresh(*scale.parameters())
        beside = Counts(bias=bias + fresh(*shifts), trained_scale=trained, other=fresh(*others))
        return beside + _weights(layer, weights)
    if isinstance(layer, (BatchNorm, LayerNorm)):
        norm = fresh(layer.gamma, layer.beta)
        return Counts(norm=norm, running=norm if layer.buffers else 0)
    if isinstance(layer, PReLU):
        return Counts(slope=fresh(layer.slope))
    if isinstance(layer, OutputScale):
        factors = fresh(*layer.factors())
        return Counts(scale=factors, trained_scale=factors)
    shifts = _shifts(layer.curve.deploy()) if isinstance(layer, Activation) else []
    return Counts(bias=fresh(*shifts), other=fresh(*read_in_eval(layer)))


def _shifts(deployed: Map) -> list[Parameter]:
    """Learned shifts among the parameters of a map: they are added, as a bias is."""
    return [p for part in deployed.parts() if isinstance(part, Shift) for p in part.parameters()]


def _weights(layer: Product, count: int) -> Counts:
    """`count` weights of `layer`, with what belongs to them; none if another layer brought them."""
    rule, scale = layer.deployed_rule()
    if not count or rule is None or layer.weight_bits == 32:
        return Counts(real_weights=count)
    numbers = 0 if scale is None else prod(scale.output_shape(layer.latent.value))
    channels = layer.latent.value.shape[-1] if layer.input_bits == 1 else 0
    return Counts(binary_weights=count, scale=numbers, binary_channels=channels)


def _operations(layer: Layer, inputs: Sequence[Shape], output: Shape) -> Counts:
    """The multiplications of one call, of products and of attention."""
    if isinstance(layer, Attention):
        return Counts(real_macs=layer.macs(*inputs))
    if not isinstance(layer, Product):
        return Counts()
    macs = layer.macs(*inputs)
    if layer.input_bits == layer.weight_bits == 1:
        return Counts(binary_macs=macs, binary_outputs=prod(output))
    return Counts(real_macs=macs)


def _calls(
    model: Layer, shape: Shape, names: Mapping[int, str]
) -> Iterator[tuple[Layer, list[Shape], Shape]]:
    """Every layer call in order, with the shapes of its inputs and of its output for one image."""
    x, output = trace(model)
    shapes = {x.serial: shape}

    def shape_of(source: Any) -> Shape:
        return shapes[source.serial] if isinstance(source, Symbol) else np.shape(source)[1:]

    for symbol in steps(output):
        if (layer := symbol.layer) is not None:
            inputs = [shape_of(source) for source in symbol.inputs]
            try:
                shapes[symbol.serial] = layer.output_shape(*inputs)
            except ValueError as error:
                taken, name = " and ".join(map(str, inputs)), names[id(layer)]
                raise ValueError(f"input_shape: {name} cannot take an image of {taken}: {error}") from error
            yield layer, inputs, shapes[symbol.serial]
