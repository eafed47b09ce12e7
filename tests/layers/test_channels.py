"""Shortcuts of channels: tiled copies, means of neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.auditing import audit_layer
from bnn_ref.layers import GroupMean, Layer, TileChannels


def test_copies_are_tiled_and_groups_are_neighbours() -> None:
    x = np.array([[1.0, 2.0, 3.0]])
    assert TileChannels(2)(x).tolist() == [[1, 2, 3, 1, 2, 3]]
    assert GroupMean(2)(np.array([[1.0, 3.0, 10.0, 20.0]])).tolist() == [[2, 15]]


@given(channels=st.integers(1, 4), times=st.integers(1, 4), lead=st.integers(0, 2), seed=st.integers(0, 99))
def test_channel_by_channel(channels: int, times: int, lead: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(*[2] * lead, channels))
    tiled = TileChannels(times)(x)
    for copy in range(times):
        np.testing.assert_array_equal(tiled[..., copy * channels : (copy + 1) * channels], x)
    wide = rng.normal(size=(*[2] * lead, channels * times))
    for group in range(channels):
        mean = np.mean([wide[..., group * times + i] for i in range(times)], axis=0)
        np.testing.assert_allclose(GroupMean(times)(wide)[..., group], mean, rtol=0, atol=1e-14)


@pytest.mark.parametrize(
    "layer", [TileChannels(1), TileChannels(3), GroupMean(1), GroupMean(2), GroupMean(6)]
)
def test_the_audit_passes(layer: Layer) -> None:
    report = audit_layer(layer, np.random.default_rng(0).normal(size=(2, 3, 1, 6)))
    assert report.passed, str(report)


def test_a_mean_does_not_depend_on_how_channels_lie() -> None:
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 32)).astype(np.float32)
    mean = GroupMean(16)(x)
    for other in (np.asfortranarray(x), x[::-1, ::-1][::-1, ::-1]):
        np.testing.assert_array_equal(GroupMean(16)(other), mean)
    np.testing.assert_array_equal(GroupMean(16)(x[1:2]), mean[1:2])


@pytest.mark.parametrize("bad", [0, -2, 1.5, True])
def test_a_bad_number_is_named(bad: int) -> None:
    with pytest.raises(ValueError, match="times: required a whole number >= 1, got"):
        TileChannels(bad)
    with pytest.raises(ValueError, match="size: required a whole number >= 1, got"):
        GroupMean(bad)


def test_channels_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="GroupMean: required channels divisible by 2, got"):
        GroupMean(2)(np.zeros((2, 3)))
