"""The canvas: what is painted where, against discs put one after another."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.pose.figures.canvas import Canvas, background, cloth


def plain(t: Any, across: Any) -> Any:
    return np.ones_like(t)


@given(seed=st.integers(0, 2**32 - 1))
def test_a_capsule_is_many_discs(seed: int) -> None:
    """Inside of one by half a pixel: its colour; outside of all by half a pixel: what was there."""
    rng = np.random.default_rng(seed)
    canvas = Canvas(np.zeros((30, 40, 3)))
    ends, radii = rng.uniform(-8, 45, (2, 2)), rng.uniform(0.5, 7, 2)
    colour = np.array([200.0, 100.0, 50.0])
    canvas.capsule(ends, (radii[0], radii[1]), colour, 4, plain)
    y, x = np.mgrid[:30, :40]
    inside = np.full((30, 40), -np.inf)
    for t in np.linspace(0, 1, 801):
        centre, radius = ends[0] + t * (ends[1] - ends[0]), radii[0] + t * (radii[1] - radii[0])
        inside = np.maximum(inside, radius - np.hypot(x - centre[0], y - centre[1]))
    slack = 0.05 + abs(radii[0] - radii[1]) ** 2 / max(1.0, np.linalg.norm(ends[1] - ends[0]))  # of the cone
    np.testing.assert_allclose(
        canvas.pixels[inside > 0.5 + slack],
        np.broadcast_to(colour, (1, 3)).repeat((inside > 0.5 + slack).sum(), 0),
    )
    assert not canvas.pixels[inside < -0.55].any()
    assert (canvas.owner[inside > slack] == 4).all()
    assert not canvas.owner[inside < -0.05].any()


def test_the_last_part_owns_a_pixel_and_part_0_owns_none() -> None:
    canvas = Canvas(np.zeros((20, 20, 3)))
    middle = np.full((2, 2), 10.0)
    canvas.capsule(middle, (6, 6), np.full(3, 90.0), 1)
    canvas.capsule(middle, (3, 3), np.full(3, 9.0), 2)
    canvas.capsule(middle, (1, 1), np.full(3, 240.0), 0)
    assert (canvas.owner[10, 10], canvas.owner[10, 14], canvas.owner[10, 19]) == (2, 1, 0)
    assert canvas.pixels[10, 10, 0] == 240
    before = canvas.pixels.copy()
    canvas.capsule(np.full((2, 2), 90.0), (5, 5), np.full(3, 1.0), 3)  # beyond the picture
    np.testing.assert_array_equal(canvas.pixels, before)


def test_cloth_varies_and_backgrounds_are_neither_flat_nor_alike() -> None:
    rng = np.random.default_rng(0)
    t, across = np.meshgrid(np.linspace(0, 1, 30), np.linspace(0, 1, 30))
    patterns = [cloth(rng)(t, across) for _ in range(30)]
    assert len({round(float(pattern.std()), 6) for pattern in patterns}) > 15
    assert all(pattern.min() > 0 and pattern.max() < 1.5 for pattern in patterns)
    grounds = [background(rng, (30, 20)) for _ in range(10)]
    assert all(g.shape == (20, 30, 3) and g.std(axis=(0, 1)).min() > 1 for g in grounds)
    assert np.std([g.mean() for g in grounds]) > 10
