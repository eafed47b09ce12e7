"""Convolutions in groups against one convolution whose other weights are zero."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.layers import Conv2d, GroupedConv2d, TakeChannels


@given(st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.integers(1, 2))
def test_equal_to_a_convolution_with_zeros(groups: int, c: int, f: int, k: int, stride: int) -> None:
    rng = np.random.default_rng(0)
    options: dict[str, Any] = {"rng": rng, "stride": stride, "padding": 1, "bias": True}
    layer = GroupedConv2d(groups * c, groups * f, k, groups, **options)
    whole = Conv2d(groups * c, groups * f, k, **options)
    shape = layer.output_shape((4, 3, groups * c))
    layer.astype(np.float64)
    whole.astype(np.float64)
    whole.latent.value[:] = 0
    assert whole.bias is not None
    for g, conv in enumerate(layer.convs):
        assert conv.bias is not None
        conv.bias.value = rng.normal(size=f)
        whole.latent.value[..., g * c : (g + 1) * c, g * f : (g + 1) * f] = conv.latent.value
        whole.bias.value[g * f : (g + 1) * f] = conv.bias.value
    x = rng.normal(size=(2, 4, 3, groups * c))
    y = layer(x)
    assert y.shape == (2, *shape)
    np.testing.assert_allclose(y, whole(x), atol=1e-12)


def test_take_channels_by_hand() -> None:
    x = np.arange(12.0).reshape(3, 4)
    y, cache = TakeChannels(1, 3).forward(x)
    assert y.tolist() == [[1, 2], [5, 6], [9, 10]]
    assert TakeChannels(1, 3).backward(y, cache)[0].tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ((4, 6, 3, 4), "out_channels: required a multiple of the 4 groups, got 6"),
        ((5, 6, 3, 3), "in_channels: required a multiple of the 3 groups, got 5"),
        ((4, 4, 3, 0), "groups: required a whole number >= 1"),
    ],
)
def test_refuses(sizes: tuple[int, int, int, int], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        GroupedConv2d(*sizes, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match="at least 3 channels"):
        TakeChannels(1, 3)(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="last: required a whole number >= 3"):
        TakeChannels(2, 2)
