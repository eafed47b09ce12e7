"""The packed model: a program, the input that it expects, and how that input is made from pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from os import PathLike
from typing import Any

import numpy as np

from bnn_ref import kernels as compiled
from bnn_ref.data import Preprocessing
from bnn_ref.kernels import naive as definitions
from bnn_ref.layers import Layer
from bnn_ref.models import Model
from bnn_ref.packed import container, document
from bnn_ref.packed.compiler import Compiler
from bnn_ref.packed.graph import Graph
from bnn_ref.packed.steps.base import stored
from bnn_ref.parameter import Array

MEMORY = 2**28
"""Bytes of values that a call keeps at once: what does not fit is computed a part after the other."""
FEW = 16
"""Images that are computed in one part without asking how much memory they take."""


@dataclass(frozen=True, eq=False)
class PackedModel:
    """A trained network as bits, integers and the real numbers that are left. Safe from several threads.

    Attributes
    ----------
    graph : Graph
    input_shape : tuple of int or None
        (H, W, C), where known.
    preprocessing : Preprocessing or None
        Makes inputs from uint8 pixels.
    """

    graph: Graph
    input_shape: tuple[int, ...] | None = None
    preprocessing: Preprocessing | None = None

    def __call__(self, x: Array, *, naive: bool = False) -> Array:
        """The output for preprocessed inputs: what the model computes in eval mode.

        Parameters
        ----------
        x : float32 (N, H, W, C), or (N, ..., C) where the model takes it
        naive : bool
            Compute signs, integers and thresholds by `kernels.naive`, the definitions, instead: slow.

        Returns
        -------
        float32 (N, ...), a new array. Identical to eval mode on each of `parts(x)` in C order, which is all
        of `x` unless its values exceed 256 MiB: BLAS may add floats in another order for another N.

        Raises
        ------
        ValueError
            For another dtype or shape, a NaN in `x`, or one that appears on the way to a sign.
        """
        self._check(x)
        kernels = definitions if naive else compiled
        outputs = [self.graph.run(x[part], kernels) for part in self.parts(x)]
        return np.concatenate(outputs, dtype=np.float32)

    def parts(self, x: Array) -> list[slice]:
        """Where `x` (N, ...) is cut so that memory stays bounded, in parts of nearly equal size."""
        count = 1
        if len(x) > FEW:
            count = min(len(x), -(-len(x) * self.graph.peak_bytes(x[:1]) // MEMORY))
        bounds = [len(x) * i // count for i in range(count + 1)]
        return [slice(start, stop) for start, stop in pairwise(bounds)]

    def predict(self, images: Array) -> Array:
        """The class of every image: the first of the largest scores.

        Parameters
        ----------
        images : uint8 (N, H, W, C)

        Returns
        -------
        int64 (N,)

        Raises
        ------
        ValueError
            Where the model was packed without preprocessing, or for images that it refuses.
        """
        if self.preprocessing is None:
            raise ValueError("predict: required a model that was packed with preprocessing, got none")
        classes: Array = self(self.preprocessing(images)).argmax(axis=-1)
        return classes

    def _check(self, x: Array) -> None:
        if not isinstance(x, np.ndarray) or x.dtype != np.float32:
            got = getattr(x, "dtype", type(x).__name__)
            raise ValueError(f"x: required a float32 array of preprocessed inputs, got {got}")
        if x.ndim < 2 or (self.input_shape is not None and x.shape[1:] != self.input_shape):
            wanted = "..., C" if self.input_shape is None else ", ".join(map(str, self.input_shape))
            raise ValueError(f"x: required shape (N, {wanted}), got {x.shape}")
        if np.isnan(x).any():
            index = tuple(int(i) for i in np.argwhere(np.isnan(x))[0])
            raise ValueError(f"x: required numbers, got NaN at index {index}")

    @property
    def payload_bytes(self) -> int:
        """Bytes of all stored tensors."""
        return sum(stored(tensor).nbytes for tensor in self.graph.tensors().values())

    def to_dict(self) -> dict[str, Any]:
        """The program and its sizes as plain values, one entry a step."""
        return {
            **self._input(),
            "payload_bytes": self.payload_bytes,
            "layer_bytes": self.graph.layer_bytes(),
            "steps": [
                {
                    "layer": node.layer,
                    "kind": node.step.kind,
                    "inputs": list(node.inputs),
                    "options": node.step.options(),
                    "bytes": sum(tensor.nbytes for tensor in node.step.tensors().values()),
                }
                for node in self.graph.nodes
            ],
            "output": self.graph.output,
        }

    def _input(self) -> dict[str, Any]:
        return {
            "input_shape": None if self.input_shape is None else list(self.input_shape),
            "preprocessing": None if self.preprocessing is None else self.preprocessing.to_dict(),
        }

    def save(self, path: str | PathLike[str]) -> None:
        """Write the file that `load_packed` reads; it appears under its name only when it is complete."""
        arrays = {name: stored(tensor) for name, tensor in self.graph.tensors().items()}
        container.write(path, container.encode({**self._input(), **document.describe(self.graph)}, arrays))


def pack(model: Layer, preprocessing: Preprocessing | Mapping[str, Any] | None = None) -> PackedModel:
    """`model` as it computes in eval mode, with signs as bits.

    Parameters
    ----------
    model : Layer
        Made of the layers in `bnn_ref.layers`, float32. It is neither changed nor shared.
    preprocessing : Preprocessing or its dictionary, optional
        Stored with the model; `predict` needs it.

    Returns
    -------
    PackedModel

    Raises
    ------
    ValueError
        For what cannot be packed exactly: a layer without packed form, activations or weights that are not
        deployed as signs (weights: times at most one scale), tensors that are not float32 or not finite. The
        message names layer or tensor and the reason.

    Notes
    -----
    Source: ours.
    """
    if preprocessing is not None and not isinstance(preprocessing, Preprocessing):
        preprocessing = Preprocessing.from_dict(preprocessing)
    shape = model.spec.input_shape if isinstance(model, Model) and hasattr(model, "spec") else None
    if preprocessing is not None:
        if shape is not None and shape != preprocessing.shape:
            raise ValueError(f"preprocessing: required the model's shape {shape}, got {preprocessing.shape}")
        shape = preprocessing.shape
    return PackedModel(Compiler(model).graph(), shape, preprocessing)
