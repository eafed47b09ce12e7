"""A packed file by its specification, with NumPy alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Step:
    """One node of the graph.

    Attributes
    ----------
    number : int
        Of the value that it computes.
    kind : str
    inputs : tuple of int
    options : dict
    tensors : dict of str to array
        float32; signs as +1 and -1.
    """

    number: int
    kind: str
    inputs: tuple[int, ...]
    options: dict[str, Any]
    tensors: dict[str, Array]


def read(path: Path) -> tuple[list[Step], int]:
    """The steps of a packed network, and the number of the value that it answers."""
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    graph = json.loads(header["__metadata__"]["graph"])

    def tensor(name: str) -> Array:
        first, last = header[name]["data_offsets"]
        block = np.frombuffer(data[start + first : start + last], np.uint8)
        encoding, shape = graph["tensors"][name]["encoding"], graph["tensors"][name]["shape"]
        if encoding != "bits":
            return block.view({"float32": "<f4", "int32": "<i4"}[encoding]).reshape(shape)
        bits = np.unpackbits(block, count=int(np.prod(shape)), bitorder="little").reshape(shape)
        return 2 * bits.astype(np.float32) - 1

    steps = []
    for number, node in enumerate(graph["nodes"], 1):
        tensors = {field: tensor(name) for field, name in node["tensors"].items()}
        steps.append(Step(number, node["kind"], tuple(node["inputs"]), node["options"], tensors))
    return steps, graph["output"]


def filters(step: Step) -> Array:
    """The weight of a convolution as (F, C, K, K), the order of the other libraries."""
    weight = step.tensors["weight"]
    order = (0, 3, 1, 2) if step.kind == "binary_conv" else (3, 2, 0, 1)
    return np.ascontiguousarray(weight.transpose(order))


FOLDED = ("scale", "bias", "affine")
"""What a deployed float network has in its weights."""


def folded(steps: list[Step], kinds: Sequence[str] = FOLDED) -> tuple[list[Step], dict[int, int]]:
    """Steps of these kinds behind a real product put into it: scales, summands, norms.

    Returns
    -------
    The steps that are left, products with a `bias`; and for a value that one of them has taken over, which.
    """
    left: list[Step] = []
    moved: dict[int, int] = {}
    for step in steps:
        inputs = tuple(moved.get(value, value) for value in step.inputs)
        if step.kind in kinds:
            product = next(one for one in left if one.number == inputs[0])
            if product.kind in ("real_conv", "real_linear"):
                _take(product.tensors, step.tensors)
                moved[step.number] = product.number
                continue
        left.append(Step(step.number, step.kind, inputs, step.options, dict(step.tensors)))
    return left, moved


def _take(product: dict[str, Array], step: dict[str, Array]) -> None:
    gain = step.get("gain", step.get("factor", np.float32(1)))
    shift = step.get("shift", step.get("bias", np.float32(0)))
    product["weight"] = product["weight"] * gain
    product["bias"] = product.get("bias", np.zeros(product["weight"].shape[-1], np.float32)) * gain + shift
