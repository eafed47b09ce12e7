"""Varied crops: the ranges and odds of both recipes, halves of bodies, and the mirror."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bnn_ref.pose.augmentation import HRNET, SIMPLE_BASELINE, Augmentation, mirrored
from bnn_ref.pose.crop import Crop, transform, warp
from bnn_ref.pose.joints import FLIP, UPPER_BODY

PLAIN = Crop((100, 120), (0.75, 1.0))


def keypoints(labelled: Any, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(10, 200, (17, 2)), 2.0 * np.isin(np.arange(17), labelled)])


def draws(recipe: Augmentation, points: Any, count: int = 4000) -> list[tuple[Crop, bool]]:
    rng = np.random.default_rng(1)
    return [recipe.draw(PLAIN, points, 0.75, rng) for _ in range(count)]


@pytest.mark.parametrize(
    ("recipe", "spread", "degrees"), [(SIMPLE_BASELINE, 0.3, 40), (HRNET, 0.35, 45)], ids=["simple", "hrnet"]
)
def test_scale_rotation_and_flip_have_the_printed_ranges_and_odds(
    recipe: Augmentation, spread: float, degrees: float
) -> None:
    crops, flips = zip(*draws(recipe, keypoints(range(8))))  # eight joints: never halved
    factors = np.array([crop.scale[0] / 0.75 for crop in crops])
    assert (factors.min(), factors.max()) == pytest.approx((1 - spread, 1 + spread))
    assert np.mean(factors == factors.max()) == pytest.approx(0.1587, abs=0.02)  # a normal number above 1
    angles = np.array([crop.rotation for crop in crops])
    assert np.mean(angles != 0) == pytest.approx(0.6, abs=0.03)
    assert np.abs(angles).max() == 2 * degrees
    assert np.std(angles[angles != 0]) == pytest.approx(0.96 * degrees, rel=0.05)  # clipped at two sigma
    assert np.mean(flips) == pytest.approx(0.5, abs=0.03)
    assert {crop.centre for crop in crops} == {PLAIN.centre}
    assert all(crop.scale[0] / crop.scale[1] == pytest.approx(0.75) for crop in crops)


def test_half_bodies_have_their_odds_and_their_joints() -> None:
    points = keypoints(range(17))
    centres = {tuple(points[side, :2].mean(axis=0)): side for side in (UPPER_BODY, ~UPPER_BODY)}
    counts = dict.fromkeys(centres, 0)
    still = Augmentation(half_body=0.3)
    for crop, _ in draws(still, points):
        if crop.centre == PLAIN.centre:
            continue
        counts[crop.centre] += 1
        extent = np.ptp(points[centres[crop.centre], :2], axis=0)
        assert crop.scale[0] == pytest.approx(1.5 * max(extent[0], 0.75 * extent[1]) / 200)
        assert crop.scale[1] == pytest.approx(crop.scale[0] / 0.75)
    assert [count / 4000 for count in counts.values()] == pytest.approx([0.15, 0.15], abs=0.02)


def test_a_half_of_too_few_joints_gives_way_to_the_other() -> None:
    points = keypoints([*range(11), 11, 12])  # two of the lower body
    crops = {crop.centre for crop, _ in draws(Augmentation(half_body=1), points, 50)}
    assert crops == {tuple(points[:11, :2].mean(axis=0))}
    assert {c.centre for c, _ in draws(Augmentation(half_body=1), keypoints(range(8)), 50)} == {PLAIN.centre}
    points[:, :2] = 5  # all on one spot: nothing to cut out
    assert {c.centre for c, _ in draws(Augmentation(half_body=1), points, 50)} == {PLAIN.centre}


def test_none_is_the_plain_crop_and_the_same_generator_gives_the_same_crops() -> None:
    assert set(draws(Augmentation(), keypoints(range(17)), 20)) == {(PLAIN, False)}
    assert draws(HRNET, keypoints(range(17)), 20) == draws(HRNET, keypoints(range(17)), 20)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"scale": 1.0}, r"scale: required a number in \[0, 1\), got 1.0"),
        ({"scale": float("nan")}, "scale: required"),
        ({"rotation": -1}, "rotation: required a number of degrees >= 0, got -1"),
        ({"rotate": 1.5}, "rotate: required a probability, got 1.5"),
        ({"flip": -0.1}, "flip: required a probability"),
        ({"half_body": "often"}, "half_body: required a probability, got 'often'"),
    ],
)
def test_bad_recipes_are_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Augmentation(**wrong)


@given(seed=st.integers(0, 2**32 - 1), rotation=st.floats(-90, 90))
def test_a_mirror_in_a_mirror_row_20(seed: int, rotation: float) -> None:
    """Bbc.md section 8, row 20: flip of flip is the identity; once, the pair's places are exchanged."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (20, 31, 3), np.uint8)
    points = keypoints(rng.permutation(17)[:9], seed)
    points[points[:, 2] == 0, :2] = 0
    crop = Crop((12.0, 7.0), (0.15, 0.2), rotation)
    once = mirrored(image, points, crop)
    np.testing.assert_array_equal(once[1][:, 2], points[FLIP, 2])
    assert not once[1][once[1][:, 2] == 0].any()
    for value, wanted in zip(mirrored(*once)[:2], (image, points)):
        np.testing.assert_allclose(value, wanted, atol=1e-12)
    again = mirrored(*once)[2]
    assert (*again.centre, *again.scale, again.rotation) == pytest.approx(
        (*crop.centre, *crop.scale, rotation)
    )


def test_a_mirrored_crop_shows_what_the_crop_shows_in_a_mirror() -> None:
    """The crop's own mirror has its axis at size / 2, half a pixel from that of its pixels: x' = W - u."""
    rng = np.random.default_rng(0)
    image, points = rng.integers(0, 256, (40, 50, 1), np.uint8), keypoints(range(17))
    crop = Crop((20.0, 22.0), (0.15, 0.2), 25.0)
    other, moved, turned = mirrored(image, points, crop)
    size = (30, 40)
    here = transform(crop.matrix(size), points[:, :2])
    there = transform(turned.matrix(size), moved[:, :2])
    np.testing.assert_allclose(there[:, 0], size[0] - here[FLIP, 0], atol=1e-9)
    np.testing.assert_allclose(there[:, 1], here[FLIP, 1], atol=1e-9)
    seen, in_mirror = (warp(i, c.matrix(size), size) for i, c in ((image, crop), (other, turned)))
    np.testing.assert_allclose(in_mirror[:, 1:].astype(int), seen[:, :0:-1].astype(int), atol=1)
