"""The graph as plain values for a file, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, get_type_hints

import numpy as np

from bnn_ref.packed.container import digest, raw
from bnn_ref.packed.graph import Graph, Node
from bnn_ref.packed.signs import Signs
from bnn_ref.packed.steps import KINDS, Step
from bnn_ref.packed.steps.base import stored
from bnn_ref.parameter import Array


def describe(graph: Graph) -> dict[str, Any]:
    """Nodes, output and tensors of `graph`, all that JSON can hold."""
    nodes = [
        {
            "layer": node.layer,
            "kind": node.step.kind,
            "inputs": list(node.inputs),
            "options": node.step.options(),
            "tensors": names,
        }
        for node, names in zip(graph.nodes, graph.tensor_names(), strict=True)
    ]
    tensors = {name: _entry(tensor) for name, tensor in graph.tensors().items()}
    return {"nodes": nodes, "output": graph.output, "tensors": tensors}


def _entry(tensor: Array | Signs) -> dict[str, Any]:
    encoding = "bits" if isinstance(tensor, Signs) else tensor.dtype.name
    return {"encoding": encoding, "shape": list(tensor.shape), "sha256": digest(raw(stored(tensor)))}


def restore(document: Mapping[str, Any], arrays: Mapping[str, Array]) -> Graph:
    """The graph that `describe` wrote.

    Raises
    ------
    ValueError
        For a missing, unknown or damaged tensor, or a graph that is none.
    """
    entries = document["tensors"]
    if missing := sorted(set(entries) - set(arrays)):
        raise ValueError(f"required the tensor {missing[0]!r}, which is missing")
    if unknown := sorted(set(arrays) - set(entries)):
        raise ValueError(f"got the tensor {unknown[0]!r}, which the graph does not know")
    tensors = {name: _tensor(name, entry, arrays[name]) for name, entry in entries.items()}
    nodes = [_node(i, node, tensors) for i, node in enumerate(document["nodes"])]
    output = document["output"]
    if not _among(output, len(nodes)):
        raise ValueError(f"output: required one of the values 0 to {len(nodes)}, got {output}")
    return Graph(tuple(nodes), output)


def _among(value: Any, last: int) -> bool:
    """Whether this is a whole number from 0 to `last`: 1.0 and true are none."""
    return type(value) is int and 0 <= value <= last


def _tensor(name: str, entry: Mapping[str, Any], array: Array) -> Array | Signs:
    shape = tuple(entry["shape"])
    bits = entry["encoding"] == "bits"
    dtype = "uint8" if bits else entry["encoding"]
    if array.dtype != dtype or (not bits and array.shape != shape):
        raise ValueError(f"{name}: required {dtype} {shape}, got {array.dtype} {array.shape}")
    if digest(raw(array)) != entry["sha256"]:
        raise ValueError(f"{name}: damaged, its checksum is wrong")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: required finite numbers, got others")
    return Signs.from_stream(array, shape) if bits else array


def _node(position: int, node: Mapping[str, Any], tensors: Mapping[str, Array | Signs]) -> Node:
    inputs = tuple(node["inputs"])
    if not all(_among(value, position) for value in inputs):
        raise ValueError(f"node {position}: required inputs among 0 to {position}, got {inputs}")
    if node["kind"] not in KINDS:
        raise ValueError(f"node {position}: required one of {', '.join(KINDS)}, got {node['kind']!r}")
    kind = KINDS[node["kind"]]
    if len(inputs) != kind.reads:
        raise ValueError(f"node {position} ({kind.kind}): required {kind.reads} inputs, got {len(inputs)}")
    if not isinstance(node["layer"], str):
        raise ValueError(f"node {position} ({kind.kind}): layer: required a name, got {node['layer']!r}")
    values = {**node["options"], **{field: tensors[name] for field, name in node["tensors"].items()}}
    return Node(node["layer"], _step(position, kind, values), inputs)


_HELD: dict[Any, tuple[type, ...]] = {Signs: (Signs,), bool: (bool,), int: (int,), float: (int, float)}


def _step(position: int, kind: type[Step], values: dict[str, Any]) -> Step:
    fields, known = dataclasses.fields(kind), get_type_hints(kind)  # type: ignore[arg-type]
    hints = {field.name: known[field.name] for field in fields}
    usual = {field.name for field in fields if field.default is not dataclasses.MISSING}
    if not set(hints) - usual <= set(values) <= set(hints):
        raise ValueError(f"node {position} ({kind.kind}): required {sorted(hints)}, got {sorted(values)}")
    for name, value in values.items():
        if type(value) not in _HELD.get(hints[name], (np.ndarray,)):
            got = type(value).__name__
            raise ValueError(f"node {position} ({kind.kind}): {name}: required another type, got {got}")
        dtype = "int32" if name in kind.whole else "float32"
        if isinstance(value, np.ndarray) and value.dtype != dtype:
            raise ValueError(f"node {position} ({kind.kind}): {name}: required {dtype}, got {value.dtype}")
    return kind(**values)
