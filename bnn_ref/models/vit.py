"""Vision transformers: patches become tokens, blocks mix them, a head reads the class token."""

from __future__ import annotations

from typing import Any

from bnn_ref.checks import require
from bnn_ref.layers import (
    GELU,
    Add,
    Composite,
    Conv2d,
    FirstToken,
    LayerNorm,
    Linear,
    MultiHeadAttention,
    PatchEmbedding,
    Sequential,
)
from bnn_ref.models.base import Model
from bnn_ref.models.operands import Operands

ENDS = ("real", "binary")


class TransformerBlock(Composite):
    """x <- x + attention(norm1(x)); x <- x + reduce(gelu(expand(norm2(x)))). x: (N, T, D).

    All six matrices are binary (query, key, value, output; D to r D and back), each with a real bias; norms,
    softmax and GELU are real.

    Parameters
    ----------
    operands : Operands
    width, heads, ratio : int
        D, heads of the attention, r.

    Source: after vit2021.
    """

    def __init__(self, operands: Operands, width: int, heads: int, ratio: int = 4) -> None:
        def linear(channels: int, features: int) -> Linear:
            return operands.linear(channels, features, bias=True)

        self.norm1, self.attention = LayerNorm(width), MultiHeadAttention(width, heads, linear)
        self.norm2, self.expand = LayerNorm(width), linear(width, ratio * width)
        self.gelu, self.reduce, self.add = GELU(), linear(ratio * width, width), Add()

    def compute(self, x: Any) -> Any:
        x = self.add(x, self.attention(self.norm1(x)))
        return self.add(x, self.reduce(self.gelu(self.expand(self.norm2(x)))))


class VisionTransformer(Model):
    """Patches, class token and positions -> blocks -> the class token -> norm -> linear head.

    Parameters
    ----------
    input_shape : tuple
        (H, W, C) of an image; H and W divisible by `patch`.
    classes : int
        Length of the output.
    width, depth, heads : int
        Channels of a token, blocks, heads of each attention.
    patch : int
        Side of a patch, in pixels.
    ratio : int
        Hidden channels of the MLP are `ratio` times `width`.
    ends : str
        Whether the *weights* of patch embedding and head are "real" or "binary" too; what they multiply is
        real.

    Source: after vit2021 and deit2021 (without its distillation token); what is binary is ours.
    """

    nonlinear = True

    def __init__(
        self,
        operands: Operands,
        input_shape: tuple[int, int, int],
        classes: int,
        width: int = 96,
        depth: int = 4,
        heads: int = 4,
        patch: int = 4,
        ratio: int = 4,
        ends: str = "real",
    ) -> None:
        require(ends in ENDS, "ends", f"one of {', '.join(ENDS)}", ends)
        h, w, c = input_shape
        divisible = h % patch == w % patch == 0
        require(divisible, "input_shape", f"H and W divisible by {patch}", (h, w, c))
        rng, outer = operands.rng, operands.weights_only if ends == "binary" else {}
        patches = Conv2d(c, width, patch, stride=patch, bias=True, rng=rng, **outer)
        self.embedding = PatchEmbedding(patches, (h, w), rng=rng)
        self.blocks = Sequential(*(TransformerBlock(operands, width, heads, ratio) for _ in range(depth)))
        self.first, self.norm = FirstToken(), LayerNorm(width)
        self.head = Linear(width, classes, rng=rng, **outer)

    def compute(self, x: Any) -> Any:
        return self.head(self.norm(self.first(self.blocks(self.embedding(x)))))
