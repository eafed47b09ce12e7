"""Steps of a vision transformer that are no products with weights: what their layers compute, real."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar

import numpy as np

from bnn_ref import kernels as compiled
from bnn_ref.layers import Attention as AttentionLayer
from bnn_ref.layers.norm import layer_norm
from bnn_ref.packed.steps.base import Step, numbers, real
from bnn_ref.parameter import Array


@dataclass(frozen=True, eq=False)
class LayerNorm(Step):
    """(..., C) -> float32 (..., C): (x - mean) / sqrt(var + eps) over C, times gamma, then + beta."""

    kind: ClassVar[str] = "layer_norm"
    gamma: Array
    beta: Array
    eps: float

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        return layer_norm(real(inputs[0]), self.gamma, self.beta, self.eps)[0]


@dataclass(frozen=True, eq=False)
class Attention(Step):
    """Queries (N, T, D), keys and values (N, S, D) -> float32 (N, T, D), head by head."""

    kind: ClassVar[str] = "attention"
    reads: ClassVar[int] = 3
    heads: int

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        y: Array = AttentionLayer(self.heads)(*map(real, inputs))
        return y


@dataclass(frozen=True, eq=False)
class Tokens(Step):
    """(N, ..., C) -> (N, T, C) in C order, the dtype kept."""

    kind: ClassVar[str] = "tokens"

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        x = numbers(inputs[0])
        return x.reshape(len(x), int(np.prod(x.shape[1:-1])), x.shape[-1])


@dataclass(frozen=True, eq=False)
class ClassToken(Step):
    """(N, T, C) -> float32 (N, 1 + T, C): `token` (C,) first."""

    kind: ClassVar[str] = "class_token"
    token: Array

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        x = real(inputs[0])
        first = np.broadcast_to(self.token, (len(x), 1, x.shape[2]))
        return np.concatenate([first, x], axis=1)


@dataclass(frozen=True, eq=False)
class Position(Step):
    """(N, T, C) -> float32 (N, T, C): x + embedding (T, C)."""

    kind: ClassVar[str] = "position"
    embedding: Array

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        return np.add(numbers(inputs[0]), self.embedding, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class FirstToken(Step):
    """(N, T, C) -> (N, C), place 0, the dtype kept."""

    kind: ClassVar[str] = "first_token"

    def __call__(self, inputs: tuple[Array, ...], kernels: ModuleType = compiled) -> Array:
        return numbers(inputs[0])[:, 0]
