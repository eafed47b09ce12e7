"""Convolutions in groups: every filter sees some of the channels only."""

from __future__ import annotations

from typing import Any

import numpy as np

from bnn_ref.checks import require, require_whole
from bnn_ref.layers.base import Composite, Layer
from bnn_ref.layers.conv import Conv2d
from bnn_ref.layers.shape import Concat
from bnn_ref.parameter import Array


class TakeChannels(Layer):
    """(..., C) -> (..., last - first): some neighbouring channels.

    Parameters
    ----------
    first, last : int
        The first of them, and the one after the last.
    """

    def __init__(self, first: int, last: int) -> None:
        require_whole("first", first, 0)
        require_whole("last", last, first + 1)
        self.first, self.last = first, last

    def output_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        require(shape[-1] >= self.last, "TakeChannels", f"at least {self.last} channels", shape)
        return (*shape[:-1], self.last - self.first)

    def forward(self, x: Array) -> tuple[Array, Any]:
        self.output_shape(x.shape)
        return x[..., self.first : self.last], x.shape

    def backward(self, dy: Array, cache: Any) -> Array:
        """dx = dy where it was taken from, 0 elsewhere."""
        dx = np.zeros(cache, dy.dtype)
        dx[..., self.first : self.last] = dy
        return dx


class GroupedConv2d(Composite):
    """Channels and filters in G groups: the filters of a group see its C / G channels.

    With one group it is a convolution, with C groups a depthwise one. Each group is a convolution of its own,
    with its own weight, binarizers and scale.

    Parameters
    ----------
    in_channels, out_channels, kernel_size : int
        C, F and K; G divides C and F.
    groups : int
        G.
    **options
        As `Conv2d`: stride, padding, dilation, padding_value, bias, activation, weight, scale, rng.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: int, groups: int, **options: Any
    ) -> None:
        require_whole("groups", groups, 1)
        for name, value in (("in_channels", in_channels), ("out_channels", out_channels)):
            require_whole(name, value, 1)
            require(value % groups == 0, name, f"a multiple of the {groups} groups", value)
        c, f = in_channels // groups, out_channels // groups
        self.takes = [TakeChannels(g * c, (g + 1) * c) for g in range(groups)]
        self.convs = [Conv2d(c, f, kernel_size, **options) for _ in range(groups)]
        self.join = Concat()

    def compute(self, x: Any) -> Any:
        y, *others = (conv(take(x)) for take, conv in zip(self.takes, self.convs, strict=True))
        for other in others:
            y = self.join(y, other)
        return y
