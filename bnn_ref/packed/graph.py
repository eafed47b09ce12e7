"""A packed network's program: steps in order, each with the values that it reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from bnn_ref import kernels as compiled
from bnn_ref.packed.signs import Signs
from bnn_ref.packed.steps import Step
from bnn_ref.packed.steps.base import stored
from bnn_ref.parameter import Array


@dataclass(frozen=True, eq=False)
class Node:
    """One step of the program.

    Attributes
    ----------
    layer : str
        Dotted name of the layer whose arithmetic this is, and whose tensors.
    step : Step
    inputs : tuple of int
        The values it reads: 0 is the network's input, i the output of the i-th step.
    """

    layer: str
    step: Step
    inputs: tuple[int, ...]


@contextmanager
def naming(node: Node) -> Iterator[None]:
    """What goes wrong inside is a ValueError that names the node."""
    try:
        yield
    except (IndexError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(f"{node.layer} ({node.step.kind}): {error}") from error


@dataclass(frozen=True, eq=False)
class Graph:
    """Steps in an order in which they can be computed, and which value is the output."""

    nodes: tuple[Node, ...]
    output: int

    def walk(self, x: Array, kernels: ModuleType = compiled) -> Iterator[dict[int, Array]]:
        """Compute step by step: yields, after each, the values that somebody still needs."""
        last = {value: i for i, node in enumerate(self.nodes, 1) for value in node.inputs}
        values = {0: np.ascontiguousarray(x)}
        yield values
        for i, node in enumerate(self.nodes, 1):
            with naming(node):
                y = node.step(tuple(values[j] for j in node.inputs), kernels)
            values[i] = np.ascontiguousarray(y)  # means and BLAS add in another order in another layout
            yield values
            for j in {0, *node.inputs, i} - {self.output}:
                if last.get(j, 0) <= i:
                    values.pop(j, None)

    def run(self, x: Array, kernels: ModuleType = compiled) -> Array:
        """The output for `x`."""
        for values in self.walk(x, kernels):
            output = values.get(self.output)
        if output is None:
            raise ValueError(f"output: required one of the values 0 to {len(self.nodes)}, got {self.output}")
        return output

    def samples(self, shape: tuple[int, ...]) -> dict[int, Array]:
        """Arrays (0, ...) of the shape and dtype that every value has for inputs (N, *shape).

        Raises
        ------
        ValueError
            Where the steps do not take them; names the layer.
        """
        found: dict[int, Array] = {}
        for values in self.walk(np.zeros((0, *shape), np.float32)):
            found |= values
        return found

    def tensor_names(self) -> list[dict[str, str]]:
        """For every node, field -> name of the tensor; a tensor that occurs twice has one name."""
        taken: dict[str, int] = {}
        known: dict[int, str] = {}
        names: list[dict[str, str]] = []
        for node in self.nodes:
            fields: dict[str, str] = {}
            for field, tensor in node.step.held().items():
                if id(tensor) not in known:
                    plain = f"{node.layer}.{field}"
                    taken[plain] = taken.get(plain, 0) + 1
                    known[id(tensor)] = plain if taken[plain] == 1 else f"{plain}#{taken[plain]}"
                fields[field] = known[id(tensor)]
            names.append(fields)
        return names

    def tensors(self) -> dict[str, Array | Signs]:
        """Every tensor once, by name."""
        found: dict[str, Array | Signs] = {}
        for node, names in zip(self.nodes, self.tensor_names(), strict=True):
            found.update({names[field]: tensor for field, tensor in node.step.held().items()})
        return found

    def layer_bytes(self) -> dict[str, int]:
        """Bytes stored for each layer; a shared tensor is its first layer's."""
        counted: set[str] = set()
        totals: dict[str, int] = {}
        for node, names in zip(self.nodes, self.tensor_names(), strict=True):
            for field, tensor in node.step.held().items():
                if names[field] not in counted:
                    counted.add(names[field])
                    totals[node.layer] = totals.get(node.layer, 0) + stored(tensor).nbytes
        return totals
