"""How operands lie: every word is found again, and windows are those of a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.kernels import naive
from bnn_ref.kernels.layout import Geometry, aligned, lay_filters, pitch_of
from bnn_ref.kernels.tiles import LANES


@given(st.integers(1, 150), st.integers(1, 9), st.sampled_from([np.uint32, np.float32]))
def test_filters_block_by_block(count: int, words: int, dtype: type) -> None:
    filters = np.arange(1, count * words + 1).reshape(count, words).astype(dtype)
    laid, found, start = lay_filters(filters), [], 0
    while start < pitch_of(count):
        block = next(width for width in (64, 32, LANES) if pitch_of(count) - start >= width)
        found.append(laid[start * words : (start + block) * words].reshape(words, block).T)
        start += block
    got = np.concatenate(found)
    np.testing.assert_array_equal(got[:count], filters)
    assert not got[count:].any()


@pytest.mark.parametrize("count", [16, 32, 48, 80])
def test_narrow_blocks_take_the_pixels_of_a_run_in_turn(count: int) -> None:
    """Of runs of three pixels; a wide block takes one after another."""
    words, runs = 5, 2
    filters = np.arange(count * runs * 3 * words).reshape(count, -1).astype(np.float32)
    wide = count // 64 * 64 * filters.shape[1]
    laid, plain = lay_filters(filters, 3 * words), lay_filters(filters)
    np.testing.assert_array_equal(laid[:wide], plain[:wide])
    order = [(r * 3 + pixel) * words + word for r, word, pixel in np.ndindex(runs, words, 3)]
    np.testing.assert_array_equal(laid[wide:], lay_filters(filters[:, order])[wide:])


@pytest.mark.parametrize(("filters", "pitch"), [(1, 16), (16, 16), (17, 32), (1000, 1008)])
def test_pitch(filters: int, pitch: int) -> None:
    assert pitch_of(filters) == pitch


@pytest.mark.parametrize("shape", [(1,), (3, 4), (2, 5, 7)])
def test_aligned(shape: tuple[int, ...]) -> None:
    made = aligned(shape, np.float32)
    assert made.shape == shape
    assert made.flags.c_contiguous
    assert made.ctypes.data % 64 == 0


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    kernel, dilation = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    padding, stride = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    height, width = draw(st.integers(least, least + 4)), draw(st.integers(least, least + 4))
    margin = padding + draw(st.integers(0, 2))
    return Geometry(height, width, draw(st.integers(1, 3)), kernel, stride, padding, dilation, margin)


@given(geometries())
def test_windows(geometry: Geometry) -> None:
    """The words that an output reads, against a loop over taps on an image padded by hand."""
    g, reach = geometry, geometry.dilation * (geometry.kernel - 1) + 1
    sizes = (naive.output_size(size, reach, g.stride, g.padding) for size in (g.height, g.width))
    assert g.shape == tuple(sizes)
    image = np.arange(1, g.size + 1).reshape(g.padded)
    run = np.arange(g.length)
    for p, (oy, ox) in enumerate(np.ndindex(*g.shape)):
        offset = g.margin - g.padding
        rows = oy * g.stride + offset + np.arange(g.kernel) * g.dilation
        columns = ox * g.stride + offset + np.arange(g.kernel) * g.dilation
        read = image.reshape(-1)[(g.firsts[p] + g.runs)[:, None] + run]
        np.testing.assert_array_equal(read.reshape(-1), image[rows][:, columns].reshape(-1))


@given(geometries())
def test_border(geometry: Geometry) -> None:
    g, (inside, classes) = geometry, geometry.border
    for p, (oy, ox) in enumerate(np.ndindex(*g.shape)):
        for ky, kx in np.ndindex(g.kernel, g.kernel):
            y = oy * g.stride + ky * g.dilation - g.padding
            x = ox * g.stride + kx * g.dilation - g.padding
            assert inside[classes[p], ky, kx] == (0 <= y < g.height and 0 <= x < g.width)
