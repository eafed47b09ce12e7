"""Object keypoint similarity: printed distances, invariances, a loop; and the suppression of doubles."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bnn_ref.pose.joints import JOINTS, SIGMAS
from bnn_ref.pose.oks import oks, oks_nms

SEED = st.integers(0, 2**32 - 1)


def drawn(seed: int) -> tuple[Any, Any, Any, Any]:
    """A found pose and a true one with its box and area, at a distance that leaves something to tell."""
    rng = np.random.default_rng(seed)
    area = 10.0 ** rng.uniform(1, 5)
    true = np.column_stack([rng.uniform(-50, 400, (17, 2)), rng.integers(0, 3, 17)])
    near = true[:, :2] + 0.1 * math.sqrt(area) * rng.normal(size=(17, 2))
    return near, true, np.concatenate([rng.uniform(0, 300, 2), rng.uniform(1, 100, 2)]), np.array(area)


def loop(found: Any, true: Any, box: Any, area: Any) -> float:
    """Joint by joint, in the words of the definition."""
    labelled = [j for j in range(17) if true[j][2] > 0]
    total = 0.0
    for j in labelled or range(17):
        x, y = found[j]
        if labelled:
            square = (x - true[j][0]) ** 2 + (y - true[j][1]) ** 2
        else:
            (left, top, w, h), square = box, 0.0
            for value, low, size in ((x, left, w), (y, top, h)):
                square += min(abs(value - low + size), abs(value - low - 2 * size)) ** 2 * (
                    not low - size <= value <= low + 2 * size
                )
        total += math.exp(-square / (2 * area * (2 * SIGMAS[j]) ** 2))
    return total / len(labelled or range(17))


@given(seed=SEED)
def test_it_is_its_loop(seed: int) -> None:
    found, true, box, area = drawn(seed)
    assert oks(found, true, box, area) == pytest.approx(loop(found, true, box, area), rel=1e-12)
    bare = true * [1, 1, 0]
    assert oks(found, bare, box, area) == pytest.approx(loop(found, bare, box, area), rel=1e-12, abs=1e-300)


@pytest.mark.parametrize(
    ("joint", "distances"), [("nose", (0.0612, 0.0394, 0.0167)), ("left_hip", (0.2520, 0.1623, 0.0685))]
)
def test_where_it_falls_to_a_half_and_on(joint: str, distances: tuple[float, ...]) -> None:
    """The distances of bbc.md 5.6, in units of the root of the area."""
    true = np.zeros((17, 3))
    true[JOINTS.index(joint), 2] = 2
    for distance, wanted in zip(distances, (0.5, 0.75, 0.95), strict=True):
        found = np.full((17, 2), [distance * 80, 0.0])
        assert oks(found, true, np.zeros(4), np.array(6400.0)) == pytest.approx(wanted, abs=1e-3)


@given(seed=SEED)
def test_it_is_1_where_labelled_joints_coincide_and_only_there_row_24(seed: int) -> None:
    """Bbc.md section 8, row 24."""
    found, true, box, area = drawn(seed)
    labelled = true[:, 2] > 0
    assume(labelled.any())
    assert 0 <= oks(found, true, box, area) < 1
    found[labelled] = true[labelled, :2]
    assert oks(found, true, box, area) == 1
    found[labelled.argmax()] += math.sqrt(area) * 1e-3
    assert oks(found, true, box, area) < 1


@given(seed=SEED, c=st.floats(0.01, 100), dx=st.floats(-1e3, 1e3), dy=st.floats(-1e3, 1e3))
def test_it_does_not_change_when_both_move_or_grow_row_24(seed: int, c: float, dx: float, dy: float) -> None:
    """Bbc.md section 8, row 24: joint translation; coordinates by c and the area by c squared."""
    found, true, box, area = drawn(seed)
    step = np.array([dx, dy, 0, 0])
    for truth in (true, true * [1, 1, 0]):
        before = oks(found, truth, box, area)
        moved = oks(found + step[:2], truth + step[:3], box + step, area)
        assert moved == pytest.approx(before, rel=1e-6, abs=1e-9)
        grown = oks(c * found, truth * [c, c, 1], c * box, c * c * area)
        assert grown == pytest.approx(before, rel=1e-9, abs=1e-12)


def test_axes_are_broadcast() -> None:
    many = [np.array(part) for part in zip(*(drawn(seed) for seed in range(12)))]
    table = oks(many[0][:, None], *(part[None] for part in many[1:]))
    assert table.shape == (12, 12)
    for i, j in np.ndindex(12, 12):
        assert table[i, j] == pytest.approx(loop(many[0][i], *(part[j] for part in many[1:])), rel=1e-12)


@given(seed=SEED, threshold=st.sampled_from([0.01, 0.3, 0.5, 0.9, 1.0]), n=st.integers(0, 12))
def test_suppression_is_its_loop(seed: int, threshold: float, n: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.uniform(0, 200, (3, 17, 2))
    poses = base[rng.integers(0, 3, n)] + rng.choice([0, 1, 5], (n, 1, 1)) * rng.normal(size=(n, 17, 2))
    scores, areas = rng.integers(0, 4, n) / 4, rng.uniform(500, 5000, n)
    kept: list[int] = []
    for i in sorted(range(n), key=lambda i: (-scores[i], i)):
        marked = [np.column_stack([poses[j], np.ones(17)]) for j in kept]
        alike = [loop(poses[i], true, None, (areas[i] + areas[j]) / 2) for j, true in zip(kept, marked)]
        if all(value <= threshold for value in alike):
            kept.append(i)
    assert oks_nms(poses, scores, areas, threshold).tolist() == kept


def test_a_pose_as_like_as_the_threshold_stays() -> None:
    """Eight of seventeen joints coincide, the others are out of sight: exactly 8 / 17."""
    poses = np.zeros((2, 17, 2))
    poses[1, 8:] = 1e6
    for threshold, kept in ((8 / 17, 2), (np.nextafter(8 / 17, 0), 1)):
        assert len(oks_nms(poses, np.ones(2), np.ones(2), threshold)) == kept


def test_suppression_refuses_arrays_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"poses: required \(N, 17, 2\), got \(2, 17, 3\)"):
        oks_nms(np.zeros((2, 17, 3)), np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match=r"areas: required one a pose, \(2,\), got \(3,\)"):
        oks_nms(np.zeros((2, 17, 2)), np.zeros(2), np.zeros(3))
