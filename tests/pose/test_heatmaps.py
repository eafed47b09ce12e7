"""Heat maps: one pixel at a time against their definition, and what comes back from them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.pose.heatmaps import accuracy, decode, flip_test, flipped_back, peaks, person_scores, targets
from bnn_ref.pose.joints import FLIP

SEED = st.integers(0, 2**32 - 1)
SIZE = (12, 16)


def gaussian(x: float, y: float, size: tuple[int, int], sigma: float) -> Any:
    """One joint's map, pixel by pixel; None where the square misses it."""
    cx, cy, seen = math.trunc(x / 4 + 0.5), math.trunc(y / 4 + 0.5), None
    for j, i in np.ndindex(size[1], size[0]):
        if abs(i - cx) <= 3 * sigma and abs(j - cy) <= 3 * sigma:
            seen = np.zeros((size[1], size[0])) if seen is None else seen
            seen[j, i] = math.exp(-((i - cx) ** 2 + (j - cy) ** 2) / (2 * sigma**2))
    return seen


@given(seed=SEED, sigma=st.sampled_from([1, 2, 3]))
def test_targets_are_their_definition(seed: int, sigma: int) -> None:
    rng = np.random.default_rng(seed)
    joints = rng.uniform(-60, 110, (2, 17, 2)).round(1)
    labelled = (rng.random((2, 17)) < 0.7).astype(float)
    maps, weights = targets(joints, labelled, SIZE, sigma)
    assert (maps.dtype, weights.dtype, maps.shape) == (np.float32, np.float32, (2, 16, 12, 17))
    for n, j in np.ndindex(2, 17):
        wanted = gaussian(*joints[n, j], SIZE, sigma) if labelled[n, j] else None
        assert weights[n, j] == (wanted is not None)
        np.testing.assert_allclose(maps[n, :, :, j], 0 if wanted is None else wanted, rtol=1e-6)


def test_weights_of_hard_joints_are_kept() -> None:
    weights = np.tile(np.linspace(1, 1.5, 17), (1, 1))
    np.testing.assert_allclose(targets(np.full((1, 17, 2), 20.0), weights, SIZE)[1], weights, rtol=1e-6)


@pytest.mark.parametrize(
    ("joints", "weights", "sigma", "said"),
    [
        ((2, 16, 2), (2, 16), 2, r"joints: required \(N, 17, 2\), got \(2, 16, 2\)"),
        ((2, 17, 2), (2, 16), 2, r"weights: required \(2, 17\), got \(2, 16\)"),
        ((2, 17, 2), (2, 17), 0, "sigma: required a positive number, got 0"),
    ],
)
def test_targets_refuse_what_does_not_fit(joints: Any, weights: Any, sigma: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        targets(np.zeros(joints), np.ones(weights), SIZE, sigma)


@given(seed=SEED)
def test_a_perfect_map_gives_its_centre_and_at_most_2_pixels_of_error_row_21(seed: int) -> None:
    """Bbc.md section 8, row 21, for joints whose centre lies on the map."""
    rng = np.random.default_rng(seed)
    joints = rng.uniform(0, [4 * 48 - 2.01, 4 * 64 - 2.01], (3, 17, 2))
    maps, _ = targets(joints, np.ones((3, 17)), (48, 64))
    points, scores = decode(maps)
    inner = ((joints > 8) & (joints < np.array([4 * 48, 4 * 64]) - 16)).all(axis=-1)
    np.testing.assert_array_equal(points[inner], np.floor(joints / 4 + 0.5)[inner])
    assert np.abs(4 * points - joints)[inner].max() <= 2
    assert (scores == 1).all()


@given(seed=SEED)
def test_the_quarter_goes_to_the_higher_neighbour_row_22(seed: int) -> None:
    """Bbc.md section 8, row 22; the two outermost columns and rows are left as they are."""
    rng = np.random.default_rng(seed)
    maps = rng.integers(1, 5, (2, 6, 7, 17)).astype(float)
    x, y = rng.integers(0, 7, (2, 17)), rng.integers(0, 6, (2, 17))
    for n, j in np.ndindex(2, 17):
        maps[n, y[n, j], x[n, j], j] = 9.0
    points, scores = decode(maps)
    assert (scores == 9).all()
    for n, j in np.ndindex(2, 17):
        one, i, k = maps[n, :, :, j], x[n, j], y[n, j]
        wanted = [float(i), float(k)]
        if 2 <= i <= 5 and 2 <= k <= 4:
            for axis, (low, high) in enumerate(
                ((one[k, i - 1], one[k, i + 1]), (one[k - 1, i], one[k + 1, i]))
            ):
                wanted[axis] += 0.25 if high > low else -0.25 if high < low else 0
        assert points[n, j].tolist() == wanted


@given(seed=SEED, sigma=st.floats(0.8, 3), height=st.floats(0.05, 1))
def test_an_exact_map_is_read_where_its_gaussian_stands(seed: int, sigma: float, height: float) -> None:
    """The oracle is where they were put; what is cut off beyond 3 sigma costs a little."""
    joints = np.random.default_rng(seed).uniform(20, [4 * 48 - 24, 4 * 64 - 24], (3, 17, 2))
    maps, _ = targets(joints, np.ones((3, 17)), (48, 64), sigma, exact=True)
    points, scores = decode(height * maps, exact=True)
    assert np.abs(points - joints / 4).max() < 0.02
    np.testing.assert_array_equal(scores, peaks(height * maps)[1])


@given(seed=SEED)
def test_an_exact_reading_moves_half_a_pixel_at_most_and_needs_neighbours(seed: int) -> None:
    """Any maps, with numbers below 0 among them; in the outermost columns and rows peaks stay."""
    maps = np.random.default_rng(seed).normal(size=(2, 6, 7, 17))
    (moved, _), (whole, _) = decode(maps, exact=True), peaks(maps)
    assert np.abs(moved - whole).max() <= 0.5
    inner = (whole >= 2).all(axis=-1) & (whole <= [5, 4]).all(axis=-1)
    np.testing.assert_array_equal(moved[~inner], whole[~inner])
    assert (moved[inner] != whole[inner]).any() or not inner.any()


def test_peaks_are_the_first_maximum_and_nothing_is_at_the_origin() -> None:
    maps = np.zeros((1, 4, 5, 17))
    maps[0, 1, 3, 0] = maps[0, 1, 4, 0] = maps[0, 2, 0, 0] = 0.5
    maps[..., 1] = -1.0
    maps[0, 3, 3, 1] = -0.5
    points, scores = peaks(maps)
    assert points[0, :3].tolist() == [[3, 1], [0, 0], [0, 0]]
    assert scores[0, :3].tolist() == [0.5, -0.5, 0]


def bump(x: Any, y: float, size: tuple[int, int]) -> Any:
    """Maps (1, H, W, 17) with a peak at (x_j, y), on whole pixels or not: a network that answers exactly."""
    i, j = np.arange(size[0])[:, None], np.arange(size[1])[:, None, None]
    return np.exp(-((i - x) ** 2 + (j - y) ** 2) / 8)[None]


@pytest.mark.parametrize("u", [80.0, 93.0, 101.5, 77.25])
def test_a_mirrored_peak_comes_back_three_quarters_short_row_29(u: float) -> None:
    """Bbc.md section 8, row 29: -0.75 pixels without the shift, +0.25 with it; the sides are exchanged."""
    joints = u + 2 * np.arange(17)
    answered = bump((191 - joints) / 4, 20.0, (48, 64))  # where the joints are in the mirror image
    columns = np.arange(48)
    for shift, wanted in ((False, -0.75), (True, 0.25)):
        back = flipped_back(answered, shift)[0].sum(axis=0)
        centroid = (columns[:, None] * back).sum(axis=0) / back.sum(axis=0)
        np.testing.assert_allclose(centroid - joints[FLIP] / 4, wanted, atol=1e-3)


def test_the_column_that_the_shift_leaves_behind() -> None:
    maps = np.random.default_rng(0).normal(size=(2, 3, 4, 17))
    back = flipped_back(maps)
    np.testing.assert_array_equal(back[:, :, 0], maps[:, :, 3][..., FLIP])
    for column, source in ((1, 3), (2, 2), (3, 1)):
        np.testing.assert_array_equal(back[:, :, column], maps[:, :, source][..., FLIP])
    np.testing.assert_array_equal(flipped_back(flipped_back(maps, shift=False), shift=False), maps)


def test_the_flip_test_is_the_mean_of_both_ways() -> None:
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 3))

    def network(pixels: Any) -> Any:
        return np.repeat(pixels[..., :1], 17, axis=3) + np.arange(17)

    y = flip_test(network, x)
    np.testing.assert_allclose(y[:, :, 0], (x[:, :, 0, :1] + x[:, :, 0, :1] + np.arange(17) + FLIP) / 2)
    np.testing.assert_allclose(y[:, :, 2], (x[:, :, 2, :1] + x[:, :, 1, :1] + np.arange(17) + FLIP) / 2)


def test_person_scores() -> None:
    joints = np.zeros((3, 17))
    joints[0, :4] = [0.9, 0.5, 0.2, 0.1]  # 0.2 itself does not count
    joints[1] = 0.2
    joints[2] = 1.0
    np.testing.assert_allclose(person_scores(np.array([0.5, 1.0, 0.25]), joints), [0.35, 0, 0.25])


def test_accuracy_divides_x_by_the_height_and_y_by_the_width() -> None:
    wanted, found = np.zeros((1, 40, 20, 17)), np.zeros((1, 40, 20, 17))
    cases = {
        0: ((5, 5), (6, 5)),
        1: ((5, 5), (7, 5)),
        2: ((5, 5), (5, 6)),
        3: ((5, 8), (5, 8)),
        4: ((1, 9), (9, 9)),
    }
    for j, ((x, y), (to_x, to_y)) in cases.items():
        wanted[0, y, x, j] = found[0, to_y, to_x, j] = 1
    # of a map of 20 x 40: one column is 1/4, two are 1/2 (too far), one row is 1/2 (too far); joint 4 is on
    # the second column and not counted, no more are those without a map
    assert accuracy(found, wanted) == pytest.approx(2 / 4)
    assert accuracy(found, wanted, 0.51) == 1
    assert math.isnan(accuracy(found, np.zeros_like(wanted)))
