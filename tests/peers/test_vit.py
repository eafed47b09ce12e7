"""The parts of a vision transformer against torch's own: values and every gradient, in both precisions.

torch's modules bring their own forward and derivative; only the weights are shared, transposed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from bnn_ref import models
from bnn_ref.cost import cost
from bnn_ref.layers import GELU, Layer, LayerNorm, Linear, MultiHeadAttention
from bnn_ref.models import Operands, TransformerBlock

PRECISIONS = pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-12), (np.float32, 1e-6)])
Pairs = list[tuple[Any, Any, bool]]
"""Our parameter, torch's, and whether it is a matrix, which torch keeps transposed."""


def redraw(layer: Layer, dtype: Any, rng: np.random.Generator) -> None:
    """Values of moderate size: the tolerance is absolute."""
    layer.astype(dtype)
    for parameter in layer.parameters():
        shape = parameter.value.shape
        spread = shape[0] ** -0.5 if len(shape) == 2 else 0.3
        middle = 1.0 if parameter.name == "gamma" else 0.0
        parameter.value = (middle + spread * rng.normal(size=shape)).astype(dtype)


def share(pairs: Pairs) -> None:
    with torch.no_grad():
        for own, other, matrix in pairs:
            other.copy_(torch.tensor(own.value.T if matrix else own.value))


def agree(layer: Layer, twin: Any, pairs: Pairs, x: Any, tolerance: float, seed: int = 5) -> None:
    """Value, gradient to the input, gradient to every parameter; the largest is 1 for each."""
    share(pairs)
    y, cache = layer.forward(x)
    dy = np.random.default_rng(seed).normal(size=y.shape).astype(x.dtype)
    dx = layer.backward(dy, cache)
    inputs = torch.tensor(x, requires_grad=True)
    output = twin(inputs)
    output.backward(torch.tensor(dy))
    found = [(y, output.detach().numpy()), (dx, inputs.grad.numpy())]
    for own, other, matrix in pairs:
        grad = other.grad.numpy()
        found.append((own.grad, grad.T if matrix else grad))
    for mine, theirs in found:
        assert mine.dtype == theirs.dtype == x.dtype
        assert np.abs(mine - theirs).max() <= tolerance * max(1, np.abs(theirs).max())


def attention_pairs(own: MultiHeadAttention, twin: nn.MultiheadAttention) -> Pairs:
    """Query, key and value are three blocks of rows of one matrix there."""
    d = own.output.in_channels
    pairs: Pairs = [
        (own.output.latent, twin.out_proj.weight, True),
        (own.output.bias, twin.out_proj.bias, False),
    ]
    for i, layer in enumerate((own.query, own.key, own.value)):
        rows = slice(i * d, (i + 1) * d)
        pairs.append((layer.latent, Rows(twin.in_proj_weight, rows), True))
        pairs.append((layer.bias, Rows(twin.in_proj_bias, rows), False))
    return pairs


class Rows:
    """Some rows of a parameter of torch, and of its gradient."""

    def __init__(self, parameter: Any, rows: slice) -> None:
        self.parameter, self.rows = parameter, rows

    def copy_(self, values: Any) -> None:
        self.parameter[self.rows] = values

    @property
    def grad(self) -> Any:
        return self.parameter.grad[self.rows]


@PRECISIONS
@pytest.mark.parametrize("eps", [1e-6, 1e-3])
def test_layer_norm(dtype: Any, tolerance: float, eps: float) -> None:
    rng = np.random.default_rng(0)
    layer = LayerNorm(7, eps)
    redraw(layer, dtype, rng)
    twin = nn.LayerNorm(7, eps).to(torch.tensor(dtype(0)).dtype)
    pairs: Pairs = [(layer.gamma, twin.weight, False), (layer.beta, twin.bias, False)]
    agree(layer, twin, pairs, rng.normal(1, 2, size=(3, 5, 7)).astype(dtype), tolerance)


@PRECISIONS
def test_gelu(dtype: Any, tolerance: float) -> None:
    x = np.linspace(-7, 7, 2001).astype(dtype)[None]
    agree(GELU(), nn.GELU(), [], x, tolerance)


@PRECISIONS
@pytest.mark.parametrize("heads", [1, 2, 6])
def test_attention(dtype: Any, tolerance: float, heads: int) -> None:
    rng = np.random.default_rng(heads)
    layer = MultiHeadAttention(12, heads, lambda c, f: Linear(c, f, rng=rng))
    redraw(layer, dtype, rng)
    twin = nn.MultiheadAttention(12, heads, batch_first=True).to(torch.tensor(dtype(0)).dtype)

    def apply(x: Any) -> Any:
        return twin(x, x, x, need_weights=False)[0]

    x = rng.normal(size=(3, 5, 12)).astype(dtype)
    agree(layer, apply, attention_pairs(layer, twin), x, tolerance)


@PRECISIONS
def test_a_whole_block(dtype: Any, tolerance: float) -> None:
    rng = np.random.default_rng(0)
    block = TransformerBlock(Operands(None, None, None, rng), 12, 3)
    redraw(block, dtype, rng)
    twin = nn.TransformerEncoderLayer(
        12, 3, 48, dropout=0, activation="gelu", layer_norm_eps=1e-6, batch_first=True, norm_first=True
    ).to(torch.tensor(dtype(0)).dtype)
    pairs = attention_pairs(block.attention, twin.self_attn)
    for own, other in ((block.expand, twin.linear1), (block.reduce, twin.linear2)):
        pairs += [(own.latent, other.weight, True), (own.bias, other.bias, False)]
    for norm, there in ((block.norm1, twin.norm1), (block.norm2, twin.norm2)):
        pairs += [(norm.gamma, there.weight, False), (norm.beta, there.bias, False)]
    assert len(pairs) == len(block.parameters()) == 16
    agree(block, twin, pairs, rng.normal(size=(3, 5, 12)).astype(dtype), tolerance)


class Twin(nn.Module):
    """A vision transformer as torch's users write it; the head reads the class token after the norm."""

    def __init__(self, width: int, depth: int, heads: int, patch: int, places: int, classes: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.zeros(1, 1 + places, width))
        blocks = [
            nn.TransformerEncoderLayer(width, heads, 4 * width, 0, "gelu", 1e-6, True, True)
            for _ in range(depth)
        ]
        self.blocks, self.norm = nn.Sequential(*blocks), nn.LayerNorm(width, 1e-6)
        self.head = nn.Linear(width, classes)

    def forward(self, x: Any) -> Any:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), tokens], dim=1) + self.position
        return self.head(self.norm(self.blocks(tokens))[:, 0])


def test_deit_tiny_has_the_numbers_and_multiplications_that_torch_counts() -> None:
    """Two flops a multiplication there; products of scores among them."""
    model = models.build("deit-tiny", input_shape=(224, 224, 3), classes=1000, estimator="none")
    total = cost(model, (1, 224, 224, 3)).total
    twin = Twin(192, 12, 3, 16, 196, 1000)
    assert sum(p.numel() for p in twin.parameters()) == total.parameters
    with (
        sdpa_kernel(SDPBackend.MATH),
        FlopCounterMode(display=False) as counter,
    ):  # fused ones are not counted
        twin(torch.zeros(1, 3, 224, 224))
    assert counter.get_total_flops() == 2 * total.macs


def test_a_network_with_binary_weights_is_the_twin_with_their_values() -> None:
    """The scores of eval mode: signs times the mean size of each output channel, in float64."""
    options: dict[str, Any] = {"width": 12, "depth": 2, "heads": 3, "patch": 4, "input_shape": (8, 12, 3)}
    model = models.build("vit-tiny", estimator="none", scale="channel", **options).astype(np.float64).eval()
    twin = Twin(12, 2, 3, 4, 6, 10).double()
    pairs: Pairs = [
        (model.norm.gamma, twin.norm.weight, False),
        (model.norm.beta, twin.norm.bias, False),
        (model.head.latent, twin.head.weight, True),
        (model.head.bias, twin.head.bias, False),
        (model.embedding.patches.bias, twin.patches.bias, False),
    ]
    for block, there in zip(model.blocks.parts, twin.blocks, strict=True):
        inner = block.attention
        for layer in (inner.query, inner.key, inner.value, inner.output, block.expand, block.reduce):
            latent = layer.latent.value
            layer.latent.value = np.where(latent >= 0, 1.0, -1.0) * np.abs(latent).mean(axis=0)
        pairs += attention_pairs(inner, there.self_attn)
        for own, other in ((block.expand, there.linear1), (block.reduce, there.linear2)):
            pairs += [(own.latent, other.weight, True), (own.bias, other.bias, False)]
    share(pairs)
    with torch.no_grad():
        kernel = model.embedding.patches.latent.value
        twin.patches.weight.copy_(torch.tensor(kernel.transpose(3, 2, 0, 1)))
        twin.token.copy_(torch.tensor(model.embedding.first.token.value))
        twin.position.copy_(torch.tensor(model.embedding.position.embedding.value))
        x = np.random.default_rng(0).normal(size=(4, 8, 12, 3))
        expected = twin(torch.tensor(x.transpose(0, 3, 1, 2))).numpy()
    np.testing.assert_allclose(model(x), expected, rtol=0, atol=1e-12)
