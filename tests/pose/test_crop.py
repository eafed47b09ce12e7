"""Crops: the affine map against three points, the warp against a loop, who is cut out and how."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import document, person

from bnn_ref.pose.crop import Crop, inverse, normalisation, trainable, transform, warp
from bnn_ref.pose.reading import parse_annotations

SIZE = (192, 256)
CROPS = st.builds(
    Crop,
    st.tuples(st.floats(-100, 900), st.floats(-100, 900)),
    st.floats(0.05, 5).map(lambda s: (s, s / 0.75)),
    st.floats(-180, 180),
)


@given(crop=CROPS, seed=st.integers(0, 2**32 - 1))
def test_there_and_back_row_20(crop: Crop, seed: int) -> None:
    """Bbc.md section 8, row 20, on points of the image and of the map: well within 1e-4 pixels."""
    points = np.random.default_rng(seed).uniform(-500, 1500, (9, 2))
    there = crop.matrix(SIZE)
    np.testing.assert_allclose(transform(inverse(there), transform(there, points)), points, atol=1e-8)
    np.testing.assert_allclose(transform(there, transform(inverse(there), points)), points, atol=1e-8)


@given(crop=CROPS)
def test_the_map_is_the_one_through_three_points(crop: Crop) -> None:
    """As the released codes make it: the centre, the middle of one side, and that corner's square, solved."""
    angle, half = math.radians(crop.rotation), 100 * crop.scale[0]
    up = np.array([half * math.sin(angle), -half * math.cos(angle)])
    right = np.array([half * math.cos(angle), half * math.sin(angle)])
    here = np.array([crop.centre, crop.centre + up, crop.centre + right])
    there = np.array([[96, 128], [96, 128 - 96], [192, 128]])
    solved = np.linalg.solve(np.column_stack([here, np.ones(3)]), there).T
    np.testing.assert_allclose(crop.matrix(SIZE), solved, rtol=1e-6, atol=1e-6)


@given(crop=CROPS)
def test_the_map_for_heat_maps_is_a_quarter_of_the_input_s(crop: Crop) -> None:
    np.testing.assert_allclose(crop.matrix((48, 64)) * 4, crop.matrix(SIZE), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(
    ("box", "centre", "scale"),
    [
        ((10, 20, 30, 160), (25, 100), (0.75, 1.0)),  # too slim: w = 0.75 h = 120, times 1.25 / 200
        ((10, 20, 240, 40), (130, 40), (1.5, 2.0)),  # too wide: h = w / 0.75 = 320
        ((0, 0, 75, 100), (37.5, 50), (0.46875, 0.625)),
        ((5, 5, 0, 16), (5, 13), (0.075, 0.1)),
    ],
)
def test_boxes_become_crops_of_the_aspect(box: Any, centre: Any, scale: Any) -> None:
    crop = Crop.around(np.array(box), 0.75)
    assert crop.centre == centre
    assert crop.scale == pytest.approx(scale, rel=1e-12)
    assert crop.area == pytest.approx(40_000 * scale[0] * scale[1])
    corners = transform(crop.matrix(SIZE), np.array([[box[0], box[1]], [box[0] + box[2], box[1] + box[3]]]))
    assert (corners >= 0.0999 * np.array(SIZE)).all()  # 1.25: an eighth and a bit on either side
    assert (corners <= 0.9001 * np.array(SIZE)).all()


def test_what_has_no_size_is_refused() -> None:
    with pytest.raises(ValueError, match="box: required a width or a height above 0"):
        Crop.around(np.zeros(4), 0.75)
    with pytest.raises(ValueError, match="scale: required two positive numbers"):
        Crop((0, 0), (1, 0))


def bilinear(image: Any, matrix: Any, size: tuple[int, int]) -> Any:
    """The definition, one pixel at a time: neighbours weighted by nearness, 0 outside of the image."""
    height, width, channels = image.shape
    seen = np.zeros((size[1], size[0], channels))
    for v, u in np.ndindex(size[1], size[0]):
        x, y = np.linalg.solve(matrix[:, :2], np.array([u, v]) - matrix[:, 2])
        for column in (math.floor(x), math.floor(x) + 1):
            for row in (math.floor(y), math.floor(y) + 1):
                if 0 <= column < width and 0 <= row < height:
                    seen[v, u] += (1 - abs(x - column)) * (1 - abs(y - row)) * image[row, column]
    return seen


@given(seed=st.integers(0, 2**32 - 1), rotation=st.sampled_from([0, 90, -45, 17.3]))
def test_the_warp_is_its_definition_rounded(seed: int, rotation: float) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (9, 7, 2), np.uint8)
    scale = rng.uniform(0.02, 0.08)
    crop = Crop((rng.uniform(-2, 9), rng.uniform(-2, 11)), (scale, scale * 1.2), rotation)
    matrix = crop.matrix((10, 12))
    seen = warp(image, matrix, (10, 12))
    assert (seen.shape, seen.dtype) == ((12, 10, 2), np.uint8)
    np.testing.assert_allclose(seen, bilinear(image, matrix, (10, 12)), rtol=0, atol=0.501)


def test_a_crop_of_the_whole_image_is_the_image() -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 6, 3), np.uint8)
    crop = Crop((3, 4), (6 / 200, 8 / 200))
    np.testing.assert_array_equal(warp(image, crop.matrix((6, 8)), (6, 8)), image)


def test_a_point_is_seen_where_the_map_takes_it_and_turns_against_the_clock() -> None:
    image = np.zeros((81, 81, 1), np.uint8)
    image[40, 60] = 200  # to the right of the centre
    matrix = Crop((40, 40), (0.4, 0.4), 90).matrix((80, 80))
    seen = warp(image, matrix, (80, 80))
    assert np.unravel_index(seen.argmax(), seen.shape) == (20, 40, 0)  # above it
    np.testing.assert_allclose(transform(matrix, np.array([60, 40])), [40, 20], atol=1e-9)


@pytest.mark.parametrize(
    "image", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)]
)
def test_other_images_are_refused(image: Any) -> None:
    with pytest.raises(ValueError, match=r"image: required uint8 \(H, W, C\), got"):
        warp(image, np.eye(2, 3), (4, 4))


def test_who_can_be_learned_from() -> None:
    rng = np.random.default_rng(2)
    good = person(rng, 1, 7)
    while good["iscrowd"] or good["num_keypoints"] == 0 or not good["area"]:
        good = person(rng, 1, 7)
    bare = {"keypoints": [0.0] * 51, "num_keypoints": 0}
    changes = (
        ({"bbox": [-5.0, 10.0, 50.0, 60.0]}, (0, 10, 49, 59)),
        ({"bbox": [380.0, 390.0, 50.0, 60.0]}, (380, 390, 19, 9)),  # the image is 400 wide and high
        ({"bbox": [3.0, 4.0, 0.0, 3.5]}, (3, 4, 0, 2.5)),
        ({"bbox": [3.0, 4.0, 0.0, 0.5]}, None),
        ({"bbox": [400.0, 10.0, 50.0, 60.0]}, None),
        ({"iscrowd": 1}, None),
        (bare, None),
        ({"area": 0.0}, None),
    )
    persons = [{**good, **change, "id": i} for i, (change, _) in enumerate(changes)]
    rows, boxes = trainable(parse_annotations(document([7], persons)))
    assert rows.tolist() == [i for i, (_, box) in enumerate(changes) if box]
    assert boxes.tolist() == [list(box) for _, box in changes if box]
    nobody, none = trainable(parse_annotations(document([7], [])))
    assert (nobody.shape, none.shape) == ((0,), (0, 4))


def test_normalisation_makes_the_mean_colour_zero() -> None:
    pixels = np.full((1, 4, 3, 3), [0.485 * 255, 0.456 * 255, 0.406 * 255]).round().astype(np.uint8)
    seen = normalisation((3, 4))(pixels)
    assert seen.shape == (1, 4, 3, 3)
    assert np.abs(seen).max() < 0.01
    np.testing.assert_allclose(
        normalisation((3, 4))(np.full_like(pixels, 255))[0, 0, 0], [2.2489, 2.4286, 2.64], atol=1e-4
    )
