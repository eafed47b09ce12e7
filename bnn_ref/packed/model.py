"""The packed model: a program, the input that it expects, and how that input is made from pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from types import ModuleType
from typing import Any

import numpy as np

from bnn_ref import kernels as compiled
from bnn_ref.checks import require, require_whole
from bnn_ref.data import Preprocessing
from bnn_ref.kernels import naive as definitions
from bnn_ref.kernels.threads import among, pool
from bnn_ref.kernels.tiles import INTERPRETED
from bnn_ref.layers import Layer
from bnn_ref.models import Model
from bnn_ref.packed import container, document
from bnn_ref.packed.compiler import Compiler
from bnn_ref.packed.graph import Graph
from bnn_ref.packed.plans import Plans
from bnn_ref.packed.steps.base import stored
from bnn_ref.parameter import Array

FEW = 16
"""Images at a time where a graph is computed step by step."""

CHUNK = 256
"""Images that are preprocessed together."""


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
    data : mapping
        What it was trained on and how its answers are to be read, plain values; empty where nobody said.
    """

    graph: Graph
    input_shape: tuple[int, ...] | None = None
    preprocessing: Preprocessing | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        """A copy, or another process, makes plans of its own."""
        return {name: value for name, value in vars(self).items() if name != "plans"}

    @cached_property
    def plans(self) -> Plans:
        """Idle plans: a call takes one, or makes one, and gives it back."""
        return Plans(self.graph)

    def __call__(self, x: Array, *, naive: bool = False, threads: int = 1) -> Array:
        """The output for preprocessed inputs: what the model computes in eval mode.

        Parameters
        ----------
        x : float32 (N, H, W, C), or (N, ..., C) where the model takes it
        naive : bool
            Compute signs, integers and thresholds by `kernels.naive`, the definitions, instead: slow.
        threads : int
            Images are divided among so many, of one image the output pixels of its large layers; the result
            does not depend on it.

        Returns
        -------
        float32 (N, ...), a new array: what eval mode computes. It does not depend on how many images there
        are.

        Raises
        ------
        ValueError
            For another dtype or shape, a NaN in `x`, or one that appears on the way to a sign; threads
            below 1.
        """
        self._check(x)
        require_whole("threads", threads, 1)
        if naive or INTERPRETED or not len(x):
            return self._stepwise(x, definitions if naive else compiled)
        if min(threads, len(x)) == 1:
            return self._planned(x, threads)
        parts = np.array_split(x, min(threads, len(x)))
        return np.concatenate(list(pool().map(self._planned, parts)))

    def prepare(self) -> None:
        """Make a plan for inputs of `input_shape` and load its machine code: a call on one thread need not.

        `load_packed` does it. Without the compiler there are no plans: only the shapes are checked. Where no
        input shape is known, nothing is done.

        Raises
        ------
        ValueError
            Where the steps do not take such inputs; names the layer.
        """
        if self.input_shape is None:
            return
        if INTERPRETED:
            self.graph.samples(self.input_shape)
            return
        plan = self.plans.take(self.input_shape)
        plan.load()
        self.plans.give(self.input_shape, plan)

    def _planned(self, x: Array, threads: int = 1) -> Array:
        plan = self.plans.take(x.shape[1:])
        with among(threads):
            y = plan(x)
        # not after an interruption, when a thread may still write in its buffers
        self.plans.give(x.shape[1:], plan)
        return y

    def _stepwise(self, x: Array, kernels: ModuleType) -> Array:
        outputs = [self.graph.run(x[i : i + FEW], kernels) for i in range(0, max(len(x), 1), FEW)]
        return np.concatenate(outputs, dtype=np.float32)

    def predict(self, images: Array, *, threads: int = 1) -> Array:
        """The class of every image: the first of the largest scores.

        Parameters
        ----------
        images : uint8 (N, H, W, C)
            `CHUNK` of them are preprocessed at a time: they may be a file mapped into memory.
        threads : int
            As in a call.

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
        require(isinstance(images, np.ndarray), "images", "a uint8 array", type(images).__name__)
        parts = [images[start : start + CHUNK] for start in range(0, max(len(images), 1), CHUNK)]
        scores = (self(self.preprocessing(part), threads=threads) for part in parts)
        return np.concatenate([part.argmax(axis=-1) for part in scores])

    def _check(self, x: Array) -> None:
        if not isinstance(x, np.ndarray) or x.dtype != np.float32:
            got = getattr(x, "dtype", type(x).__name__)
            raise ValueError(f"x: required a float32 array of preprocessed inputs, got {got}")
        if x.ndim < 2 or (self.input_shape is not None and x.shape[1:] != self.input_shape):
            wanted = "..., C" if self.input_shape is None else ", ".join(map(str, self.input_shape))
            raise ValueError(f"x: required shape (N, {wanted}), got {x.shape}")
        if x.size and np.isnan(x.min()):
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
            **({"data": dict(self.data)} if self.data else {}),
        }

    def save(self, path: str | PathLike[str]) -> None:
        """Write the file that `load_packed` reads; it appears under its name only when it is complete."""
        arrays = {name: stored(tensor) for name, tensor in self.graph.tensors().items()}
        container.write(path, container.encode({**self._input(), **document.describe(self.graph)}, arrays))


def pack(
    model: Layer,
    preprocessing: Preprocessing | Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> PackedModel:
    """`model` as it computes in eval mode, with signs as bits.

    Parameters
    ----------
    model : Layer
        Made of the layers in `bnn_ref.layers`, float32. It is neither changed nor shared.
    preprocessing : Preprocessing or its dictionary, optional
        Stored with the model; `predict` needs it.
    data : mapping, optional
        Stored with the model too: what it was trained on, as `TrainedModel.data` says it.

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
    return PackedModel(Compiler(model).graph(), shape, preprocessing, dict(data or {}))
